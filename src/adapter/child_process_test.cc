#include "adapter/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "adapter/line_splitter.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string read_all(int fd) {
  std::string out;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto size = ::read(fd, piece.data(), piece.size());
    if (size > 0) {
      out.append(piece.data(), static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EAGAIN) {
      ::pollfd wait{fd, POLLIN, 0};
      ::poll(&wait, 1, 5'000);
    } else {
      return out;
    }
  }
}

struct Ran {
  std::string output;
  std::string errors;
  int status = 0;
};

ChildSpec shell(const std::string& script) {
  ChildSpec spec;
  spec.command = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
  spec.folder = "/";
  return spec;
}

Ran run(const ChildSpec& spec) {
  const auto child = start_child(spec);
  EXPECT_TRUE(child.ok()) << child.error().to_string();
  Ran ran;
  ran.output = read_all(child->output.get());
  ran.errors = read_all(child->errors.get());
  EXPECT_EQ(::waitpid(child->pid, &ran.status, 0), child->pid);
  return ran;
}

TEST(ChildProcess, HasNothingOfTheServerButTwoPipes) {
  const FileDescriptor secret(::open("/etc/passwd", O_RDONLY));  // without O_CLOEXEC
  ASSERT_TRUE(secret);
  ::setenv("PAWL_SECRET", "x", 1);
  const auto ran =
      run(shell("echo $GREETING; pwd; echo oops >&2; env; for f in /proc/$$/fd/*; do echo fd "
                "${f##*/}; readlink $f; done; exit 7"));
  EXPECT_THAT(ran.output, HasSubstr("hello\n/\n"));
  EXPECT_THAT(ran.output, testing::Not(HasSubstr("PAWL_SECRET")));
  EXPECT_THAT(ran.output, HasSubstr("fd 2\n"));
  // The shell itself may have any number open while it looks: told by where they lead.
  EXPECT_THAT(ran.output, testing::Not(HasSubstr("/etc/passwd")));
  EXPECT_EQ(ran.errors, "oops\n");
  EXPECT_EQ(WEXITSTATUS(ran.status), 7);
}

TEST(ChildProcess, HasNoSignalBlockedOrIgnored) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t block;
  sigset_t before;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  const auto ran = run(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_THAT(ran.output, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(ran.output, HasSubstr("SigIgn:\t0000000000000000"));
}

TEST(ChildProcess, RunsAsAnotherUserWhereThatIsPossible) {
  const auto user = unprivileged_user();
  if (!user) GTEST_SKIP() << "only root can";
  auto spec = shell("id -u; id -G; echo 0 > /proc/sys/kernel/hostname || echo refused");
  spec.user = user;
  const auto ran = run(spec);
  EXPECT_THAT(ran.output,
              HasSubstr(std::to_string(user->user) + "\n" + std::to_string(user->group)));
  EXPECT_THAT(ran.output, HasSubstr("refused"));
}

TEST(ChildProcess, DiesWithTheThreadThatStartedIt) {
  Child child;
  std::thread([&child] {
    auto spec = shell("sleep 600");
    spec.user = unprivileged_user();
    auto started = start_child(spec);
    ASSERT_TRUE(started.ok());
    child = *std::move(started);
  }).join();
  ::pollfd life{child.life.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&life, 1, 5'000), 1);
  int status = 0;
  EXPECT_EQ(::waitpid(child.pid, &status, 0), child.pid);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(ChildProcess, SaysWhatCouldNotBeRun) {
  auto spec = shell("");
  spec.command[0] = "/nowhere/program";
  const auto missing = start_child(spec);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("/nowhere/program"));
}

TEST(LineSplitter, CutsLinesAndBoundsThem) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  splitter.feed("one\r\ntw", keep);
  splitter.feed("o\n\nthree", keep);
  EXPECT_THAT(lines, ElementsAre("one", "two", ""));
  splitter.flush(keep);
  splitter.flush(keep);
  EXPECT_EQ(lines.size(), 4U);
  lines.clear();
  splitter.feed(std::string(LineSplitter::kLineMax * 2 + 5, 'x') + "\n", keep);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].size(), LineSplitter::kLineMax);
  EXPECT_EQ(lines[2], "xxxxx");
}

}  // namespace
}  // namespace pawl
