#include "adapter/function_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>

#include "adapter/line_budget.h"
#include "adapter/line_splitter.h"
#include "adapter/process_tree.h"
#include "adapter/runtime_api.h"
#include "adapter/system_random.h"

namespace pawl {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds kMemoryInterval{50};
constexpr int kMemoryShare = 20;  // the looks at one process take this part of the time at most
// Between two looks at its resident memory a process may ask for more: the kernel refuses it what goes beyond this. An
// interpreter has some 100 MiB of stacks and reserves that it never touches.
constexpr std::uint64_t kDataBytesMore = 1ULL << 30;
// Read at once from a process that writes without end, before others get their turn.
constexpr std::size_t kPieceBytes = 16 * 1024;
// Of what stands in a pipe when a call ends: what a pipe holds, if nobody has made it larger.
constexpr std::size_t kDrainBytesMax = 64 * 1024;
// What SIGKILL does not end by then hangs in the kernel, and does nothing of its own any more: it is taken for gone.
constexpr std::chrono::seconds kDeathMax{5};
// In the environment of a process and of all that it starts: see kill_marked().
constexpr std::string_view kMarkName = "PAWL_FUNCTION_PROCESS";

struct RunningAs {
  ::uid_t user = 0;
  std::string mark;  // NAME=VALUE
};

class RunningProcess : public std::enable_shared_from_this<RunningProcess> {
 public:
  RunningProcess(const asio::any_io_executor& executor, const ProcessSpec& spec,
                 RunningAs running_as, ProcessListener& listener, LogFiles& log)
      : log_(log),
        running_as_(std::move(running_as)),
        life_(executor),
        output_(executor),
        errors_(executor),
        memory_timer_(executor),
        death_timer_(executor),
        memory_bytes_max_(spec.memory_bytes_max),
        listener_(&listener) {}

  void run(Child child, std::unique_ptr<RuntimeApi> api);
  void give(ProcessInvocation invocation) { api_->give(std::move(invocation)); }
  void kill();
  void drain();
  // The listener is not called again. The process is killed, and reaped when it is gone.
  void abandon();
  std::uint64_t memory_peak() const { return memory_peak_; }

 private:
  struct Stream {
    explicit Stream(const asio::any_io_executor& executor) : descriptor(executor) {}
    asio::posix::stream_descriptor descriptor;
    LineSplitter lines;
    LineBudget budget;
  };

  static asio::awaitable<void> follow(std::shared_ptr<RunningProcess> self, OutputStream which);
  static asio::awaitable<void> watch_life(std::shared_ptr<RunningProcess> self);
  static asio::awaitable<void> watch_memory(std::shared_ptr<RunningProcess> self);
  static asio::awaitable<void> watch_death(std::shared_ptr<RunningProcess> self);
  Stream& stream(OutputStream which) { return which == OutputStream::kStdout ? output_ : errors_; }
  bool read_some(OutputStream which, std::size_t most);
  void told(OutputStream which, std::string_view line);
  void tell_dropped(OutputStream which);
  void ended();

  LogFiles& log_;
  RunningAs running_as_;
  asio::posix::stream_descriptor life_;
  Stream output_;
  Stream errors_;
  asio::steady_timer memory_timer_;
  asio::steady_timer death_timer_;
  std::uint64_t memory_bytes_max_;
  ProcessListener* listener_;
  ::pid_t pid_ = -1;
  std::unique_ptr<RuntimeApi> api_;
  std::uint64_t memory_peak_ = 0;
  bool out_of_memory_ = false;
  bool killed_ = false;
};

// Asio owns what it is given.
int release(FileDescriptor& owned) {
  const int fd = ::fcntl(owned.get(), F_DUPFD_CLOEXEC, 0);
  owned.close();
  return fd;
}

void RunningProcess::run(Child child, std::unique_ptr<RuntimeApi> api) {
  pid_ = child.pid;
  api_ = std::move(api);
  life_.assign(release(child.life));
  output_.descriptor.assign(release(child.output));
  errors_.descriptor.assign(release(child.errors));
  const auto executor = life_.get_executor();
  const auto self = shared_from_this();
  asio::co_spawn(executor, follow(self, OutputStream::kStdout), asio::detached);
  asio::co_spawn(executor, follow(self, OutputStream::kStderr), asio::detached);
  asio::co_spawn(executor, watch_life(self), asio::detached);
  asio::co_spawn(executor, watch_memory(self), asio::detached);
}

void RunningProcess::tell_dropped(OutputStream which) {
  const std::uint64_t dropped = stream(which).budget.take_dropped();
  if (dropped == 0 || listener_ == nullptr) return;
  listener_->on_line(which, fmt::format("[pawl] {} lines before this one are dropped: more than "
                                        "{:.0f} lines or {:.0f} MiB a second",
                                        dropped, LineBudget::kLinesASecond,
                                        LineBudget::kBytesASecond / (1 << 20)));
}

void RunningProcess::told(OutputStream which, std::string_view line) {
  auto& budget = stream(which).budget;
  if (!budget.take(line.size(), LineBudget::Clock::now())) return;
  tell_dropped(which);
  if (listener_ != nullptr) listener_->on_line(which, line);
}

// Whether there may be more; false at the end of the stream.
bool RunningProcess::read_some(OutputStream which, std::size_t most) {
  Stream& from = stream(which);
  std::array<char, kPieceBytes> bytes;  // NOLINT: filled by read
  while (most > 0 && from.descriptor.is_open()) {
    const auto size =
        ::read(from.descriptor.native_handle(), bytes.data(), std::min(most, bytes.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    log_.hold();
    from.lines.feed({bytes.data(), static_cast<std::size_t>(size)},
                    [this, which](std::string_view line) { told(which, line); });
    log_.release();
    most -= static_cast<std::size_t>(size);
  }
  return true;
}

// What stands in the pipes now: a process that goes on writing does not keep this from ending.
void RunningProcess::drain() {
  for (const auto which : {OutputStream::kStdout, OutputStream::kStderr}) {
    Stream& from = stream(which);
    int there = 0;
    if (from.descriptor.is_open() &&
        ::ioctl(from.descriptor.native_handle(), FIONREAD, &there) == 0 && there > 0) {
      read_some(which, std::min(static_cast<std::size_t>(there), kDrainBytesMax));
    }
    from.lines.flush([this, which](std::string_view line) { told(which, line); });
    tell_dropped(which);
  }
}

asio::awaitable<void> RunningProcess::follow(std::shared_ptr<RunningProcess> self,
                                             OutputStream which) {
  for (;;) {
    error_code ec;
    co_await self->stream(which).descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || !self->read_some(which, kPieceBytes)) co_return;
  }
}

asio::awaitable<void> RunningProcess::watch_life(std::shared_ptr<RunningProcess> self) {
  error_code ec;
  do {
    co_await self->life_.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(self->pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == 0) {
      continue;
    }
    break;
  } while (true);
  self->ended();
}

asio::awaitable<void> RunningProcess::watch_memory(std::shared_ptr<RunningProcess> self) {
  using Clock = std::chrono::steady_clock;
  while (self->pid_ > 0) {
    const auto begun = Clock::now();
    const std::uint64_t now = resident_bytes(self->pid_, self->memory_bytes_max_);
    self->memory_peak_ = std::max(self->memory_peak_, now);
    if (now > self->memory_bytes_max_) {
      self->out_of_memory_ = true;
      self->kill();
    }
    // Whoever has very many processes and threads is looked at less often: this thread is everybody's.
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
    self->memory_timer_.expires_after(std::max(kMemoryInterval, took * kMemoryShare));
    error_code ec;
    co_await self->memory_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
  }
}

void RunningProcess::kill() {
  if (pid_ <= 0) return;
  kill_tree(pid_);
  // Whatever it has made of its group.
  ::syscall(SYS_pidfd_send_signal, life_.native_handle(), SIGKILL, nullptr, 0);
  if (std::exchange(killed_, true)) return;
  asio::co_spawn(life_.get_executor(), watch_death(shared_from_this()), asio::detached);
}

asio::awaitable<void> RunningProcess::watch_death(std::shared_ptr<RunningProcess> self) {
  self->death_timer_.expires_after(kDeathMax);
  error_code ec;
  co_await self->death_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  if (ec || self->pid_ <= 0) co_return;
  self->api_->close();
  ProcessEnd end;
  end.by_signal = true;
  end.number = SIGKILL;
  end.out_of_memory = self->out_of_memory_;
  if (auto* const listener = std::exchange(self->listener_, nullptr)) listener->on_exit(end);
}

void RunningProcess::ended() {
  // Its group first, while its own number, which is the group's, can't be given to another.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  // Then what has left the group, before anybody hears that it is over.
  kill_marked(running_as_.user, running_as_.mark);
  drain();
  api_->close();
  memory_timer_.cancel();
  death_timer_.cancel();
  error_code ignored;
  for (auto* const descriptor : {&life_, &output_.descriptor, &errors_.descriptor}) {
    descriptor->close(ignored);
  }
  ProcessEnd end;
  end.by_signal = WIFSIGNALED(status);
  end.number = end.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  end.out_of_memory = out_of_memory_;
  // The last: whoever listens may let go of everything in it.
  if (auto* const listener = std::exchange(listener_, nullptr)) listener->on_exit(end);
}

void RunningProcess::abandon() {
  listener_ = nullptr;
  if (api_) api_->close();
  kill();
}

class ChildFunctionProcess final : public FunctionProcess {
 public:
  explicit ChildFunctionProcess(std::shared_ptr<RunningProcess> running)
      : running_(std::move(running)) {}
  ~ChildFunctionProcess() override { running_->abandon(); }

  void give(ProcessInvocation invocation) override { running_->give(std::move(invocation)); }
  void kill() override { running_->kill(); }
  void drain_output() override { running_->drain(); }
  std::uint64_t memory_peak_bytes() const override { return running_->memory_peak(); }

 private:
  std::shared_ptr<RunningProcess> running_;
};

}  // namespace

Result<std::unique_ptr<FunctionProcess>> ChildProcesses::start(const ProcessSpec& spec,
                                                               ProcessListener& listener) {
  PAWL_ASSIGN_OR_RETURN(auto api, RuntimeApi::listen(executor_, listener));
  ChildSpec child;
  child.command = spec.command;
  child.environment.reserve(spec.environment.size() + 1);
  for (const auto& [name, value] : spec.environment) {
    child.environment.push_back(fmt::format("{}={}", name, value));
  }
  child.environment.push_back("AWS_LAMBDA_RUNTIME_API=" + api->address());
  SystemRandom random;
  const std::uint64_t high = random.next();
  const RunningAs running_as{user_ ? user_->user : ::geteuid(),
                             fmt::format("{}={:016x}{:016x}", kMarkName, high, random.next())};
  child.environment.push_back(running_as.mark);
  child.folder = spec.folder;
  child.user = user_;
  child.data_bytes_max = spec.memory_bytes_max + kDataBytesMore;
  PAWL_ASSIGN_OR_RETURN(auto started, start_child(child));
  api->serve_only(started.pid);
  auto running = std::make_shared<RunningProcess>(executor_, spec, running_as, listener, log_);
  running->run(std::move(started), std::move(api));
  return std::unique_ptr<FunctionProcess>(
      std::make_unique<ChildFunctionProcess>(std::move(running)));
}

}  // namespace pawl
