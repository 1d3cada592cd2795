#include "adapter/process_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "adapter/child_process.h"

namespace pawl {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};

// A Python program that says "ready" when it is.
class ProcessTree : public testing::Test {
 protected:
  ~ProcessTree() override {
    kill_tree(child_.pid);
    if (child_.pid > 0) ::waitpid(child_.pid, nullptr, 0);
  }
  void start(const std::string& program) {
    ChildSpec spec;
    spec.command = {"/usr/bin/python3", "-c",
                    "import ctypes, os, threading, time\n"
                    "said, say = os.pipe()\n"  // of which the children tell how far they are
                    "def wait_for(children):\n"
                    "    while children > 0: children -= len(os.read(said, children))\n" +
                        program + "\nprint('ready', flush=True)\ntime.sleep(600)\n"};
    spec.environment = {"PATH=/usr/bin:/bin", "MARK=of-this-test"};
    spec.folder = "/";
    auto started = start_child(spec);
    ASSERT_TRUE(started.ok());
    child_ = *std::move(started);
    std::array<char, 256> text{};
    ::pollfd wait{child_.output.get(), POLLIN, 0};
    while (said_.find("ready") == std::string::npos) {
      ASSERT_EQ(::poll(&wait, 1, 120'000), 1);
      const auto size = ::read(child_.output.get(), text.data(), text.size());
      ASSERT_GT(size, 0);
      said_.append(text.data(), static_cast<std::size_t>(size));
    }
  }

  std::string said_;
  Child child_;
};

bool is_gone(::pid_t pid) {
  for (int i = 0; i < 6000; ++i) {  // a minute
    std::array<char, 512> text{};
    const FileDescriptor stat(
        ::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!stat || ::read(stat.get(), text.data(), text.size() - 1) <= 0) return true;
    const std::string_view line(text.data());
    if (line.substr(line.rfind(')') + 2).starts_with('Z')) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_F(ProcessTree, HasChildrenOfEveryThread) {
  start(
      "def fork():\n    if os.fork() == 0:\n        os.write(say, b'.')\n        time.sleep(600)\n"
      "def thread():\n    fork()\n    time.sleep(600)\n"
      "fork()\n"
      "for _ in range(3): threading.Thread(target=thread, daemon=True).start()\n"
      "wait_for(4)");
  EXPECT_EQ(process_tree(child_.pid).size(), 5U);
  EXPECT_TRUE(process_tree(-1).empty());
}

TEST_F(ProcessTree, ManyChildrenDoNotHideMemory) {
  start(
      "for i in range(100):\n"
      "    if os.fork() == 0:\n        held = b'x' * (2 << 20)\n"
      "        os.write(say, b'.')\n        time.sleep(600)\n"
      "wait_for(100)");
  EXPECT_GT(resident_bytes(child_.pid, 0), 200ULL << 20);
}

TEST_F(ProcessTree, SharedPagesAreCountedOnce) {
  start(
      "held = b'x' * (64 << 20)\n"
      "for i in range(7):\n    if os.fork() == 0:\n"
      "        os.write(say, b'.')\n        time.sleep(600)\n"
      "wait_for(7)");
  EXPECT_GT(resident_bytes(child_.pid, kNever), 500ULL << 20) << "as each of them has them";
  EXPECT_LT(resident_bytes(child_.pid, 100ULL << 20), 200ULL << 20);
  EXPECT_GT(resident_bytes(child_.pid, 100ULL << 20), 64ULL << 20);
}

TEST_F(ProcessTree, IsKilledOutOfItsGroupToo) {
  start(
      "child = os.fork()\n"
      "if child == 0:\n    os.setsid()\n    os.write(say, b'.')\n    time.sleep(600)\n"
      "wait_for(1)\nprint(child, flush=True)");
  const auto tree = process_tree(child_.pid);
  ASSERT_EQ(tree.size(), 2U);
  kill_tree(child_.pid);
  EXPECT_TRUE(is_gone(tree[0]));
  EXPECT_TRUE(is_gone(tree[1]));
}

TEST_F(ProcessTree, WhatHasLeftItIsFoundByItsMark) {
  start(
      "if os.fork() == 0:\n    os.setsid()\n"
      "    if os.fork() == 0:\n        print('daemon', os.getpid(), flush=True)\n        "
      "os.write(say, b'.')\n        time.sleep(600)\n"
      "    os._exit(0)\n"
      "wait_for(1)\nos.wait()");
  const auto by_mark = [](std::string_view mark) { kill_marked(::geteuid(), mark); };
  by_mark("MARK=of-this");
  by_mark("ARK=of-this-test");
  kill_marked(::geteuid() + 1, "MARK=of-this-test");
  EXPECT_EQ(::kill(child_.pid, 0), 0);
  const auto daemon = static_cast<::pid_t>(std::stoi(said_.substr(said_.find(' '))));
  EXPECT_EQ(::kill(daemon, 0), 0);
  EXPECT_THAT(process_tree(child_.pid), testing::Not(testing::Contains(daemon)));
  by_mark("MARK=of-this-test");
  EXPECT_TRUE(is_gone(child_.pid));
  EXPECT_TRUE(is_gone(daemon));
}

TEST_F(ProcessTree, OfAProcessThatIsGoneThereIsNothing) {
  start("");
  EXPECT_GT(resident_bytes(child_.pid, kNever), 1'000'000U);
  kill_tree(child_.pid);
  ::waitpid(child_.pid, nullptr, 0);
  EXPECT_EQ(resident_bytes(child_.pid, kNever), 0U);
  child_.pid = -1;
}

}  // namespace
}  // namespace pawl
