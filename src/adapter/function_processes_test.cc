#include "adapter/function_processes.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>

#include "adapter/line_budget.h"
#include "adapter/process_tree.h"
#include "adapter/temporary_directory.h"

namespace pawl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes to the log, as who listens in the server does.
class Heard final : public ProcessListener {
 public:
  Heard(LogFiles& log, std::string name) : log_(log), name_(std::move(name)) {}

  void on_ready() override {}
  void on_response(std::string) override {}
  void on_error(std::string) override {}
  void on_start_error(std::string) override {}
  void on_line(OutputStream, std::string_view text) override {
    std::uint64_t count = 0;
    if (std::sscanf(std::string(text).c_str(),
                    "[pawl] %" SCNu64 " lines before this one are dropped", &count) == 1) {
      dropped += count;
    } else {
      ++lines;
      last = text;
    }
    log_.write(name_, {{1'800'000'000'000'000}, "stdout", "id", std::string(text)});
  }
  void on_exit(const ProcessEnd& how) override { end = how; }

  std::uint64_t lines = 0;  // of the process's own
  std::uint64_t dropped = 0;
  std::string last;
  std::optional<ProcessEnd> end;

 private:
  LogFiles& log_;
  std::string name_;
};

// For what comes at once on a quiet machine.
constexpr seconds kPatience{120};

class FunctionProcesses : public testing::Test {
 protected:
  std::unique_ptr<FunctionProcess> start(const std::string& program, Heard& heard) {
    ProcessSpec spec;
    spec.command = {"/usr/bin/python3", "-c", "import os, sys, time\n" + program};
    spec.folder = "/";
    spec.memory_bytes_max = 512 << 20;
    auto started = processes_.start(spec, heard);
    EXPECT_TRUE(started.ok());
    return *std::move(started);
  }
  bool pump(const std::function<bool()>& until, milliseconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!until() && std::chrono::steady_clock::now() < end) {
      context_.restart();
      context_.run_one_for(milliseconds(5));
    }
    return until();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<LogFiles> log_ = *LogFiles::open(directory_ / "logs", {});
  boost::asio::io_context context_{1};
  ChildProcesses processes_{context_.get_executor(), unprivileged_user(), *log_};
};

TEST_F(FunctionProcesses, OneThatHasLeftItsGroupIsKilled) {
  Heard heard(*log_, "f");
  const auto process = start(
      "child = os.fork()\n"
      "if child == 0:\n    os.setpgid(0, 0)\n    time.sleep(600)\n"
      "time.sleep(0.3)\nos.setpgid(0, child)\nprint('left', flush=True)\ntime.sleep(600)\n",
      heard);
  ASSERT_TRUE(pump([&] { return heard.last == "left"; }, kPatience));
  process->kill();
  EXPECT_TRUE(pump([&] { return heard.end.has_value(); }, kPatience));
}

TEST_F(FunctionProcesses, ADaemonOfItsEndsBeforeItsEndIsTold) {
  Heard heard(*log_, "f");
  const auto process = start(
      "if os.fork() == 0:\n    os.setsid()\n"
      "    if os.fork() == 0:\n        print(os.getpid(), flush=True)\n        time.sleep(600)\n"
      "    os._exit(0)\n"
      "time.sleep(600)\n",
      heard);
  ASSERT_TRUE(pump([&] { return heard.lines == 1; }, kPatience));
  const ::pid_t daemon = std::stoi(heard.last);
  process->kill();
  ASSERT_TRUE(pump([&] { return heard.end.has_value(); }, kPatience));
  // It is dead, or a zombie until whoever it was handed to reaps it: then it has no memory.
  const auto resident = [daemon] { return resident_bytes(daemon, ~std::uint64_t{0}); };
  EXPECT_TRUE(pump([&] { return resident() == 0; }, kPatience));
}

TEST_F(FunctionProcesses, OneThatWritesWithoutEndHoldsUpNobody) {
  Heard loud(*log_, "loud");
  Heard quiet(*log_, "quiet");
  const auto flood = start("while True: os.write(1, b'\\n' * 65536)\n", loud);
  ASSERT_TRUE(pump([&] { return loud.lines > 1000; }, kPatience));
  const auto other =
      start("for i in range(20):\n    print(i, flush=True)\n    time.sleep(0.01)\n", quiet);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(pump([&] { return quiet.end.has_value(); }, kPatience));
  EXPECT_EQ(quiet.last, "19");
  EXPECT_EQ(quiet.lines, 20U);
  const auto before = loud.lines;
  flood->drain_output();
  EXPECT_LE(loud.lines - before, 2U * 65'536) << "what was there, not what still comes";
  pump([] { return false; }, seconds(2));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  flood->kill();
  ASSERT_TRUE(pump([&] { return loud.end.has_value(); }, kPatience));
  EXPECT_LT(static_cast<double>(loud.lines), LineBudget::kLinesASecond * (took.count() + 10));
}

// However fast they are read: what is not kept is counted.
TEST_F(FunctionProcesses, EachLineIsKeptOrCountedAsDropped) {
  Heard heard(*log_, "burst");
  const auto begun = std::chrono::steady_clock::now();
  const auto process = start(
      "for i in range(8):\n    left = 65536\n"
      "    while left > 0:\n        left -= os.write(1, b'\\n' * left)\n",
      heard);
  ASSERT_TRUE(pump([&] { return heard.end.has_value(); }, seconds(60)));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(heard.lines + heard.dropped, 8U * 65'536U);
  EXPECT_LE(static_cast<double>(heard.lines), LineBudget::kLinesASecond * (took.count() + 5) + 1);
}

TEST(LineBudget, KeepsWholeStretchesAndCountsTheRest) {
  LineBudget budget;
  LineBudget::Clock::time_point now{seconds(1'000)};
  std::uint64_t kept = 0;
  while (budget.take(10, now)) ++kept;
  EXPECT_NEAR(static_cast<double>(kept), LineBudget::kLinesASecond * 5, 10);
  for (int i = 0; i < 99; ++i) EXPECT_FALSE(budget.take(10, now));
  now += seconds(2);
  EXPECT_FALSE(budget.take(10, now)) << "not half full";
  now += seconds(1);
  EXPECT_TRUE(budget.take(10, now));
  EXPECT_EQ(budget.take_dropped(), 101U);
  EXPECT_EQ(budget.take_dropped(), 0U);
  EXPECT_TRUE(budget.take(10, now));
  // Large lines are as dear as many.
  now += seconds(100);
  std::uint64_t bytes = 0;
  while (budget.take(64 << 10, now)) bytes += 64 << 10;
  EXPECT_NEAR(static_cast<double>(bytes), LineBudget::kBytesASecond * 5, 1 << 20);
}

}  // namespace
}  // namespace pawl
