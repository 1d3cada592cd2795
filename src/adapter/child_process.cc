#include "adapter/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace pawl {
namespace {

constexpr ::rlim_t kFilesMax = 1024;  // as Lambda has them
constexpr ::rlim_t kTasksMax = 1024;
constexpr ::uid_t kNobody = 65534;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return error_of_errno(errno, "making", "a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child does between fork and exec. Only what is safe after a fork of one of many threads: system calls, nothing
// that allocates or locks. So the raw calls for users: glibc's take a lock to tell its other threads.
struct ChildPlan {
  const ChildSpec& spec;
  char* const* arguments;
  char* const* environment;
  int output;
  int errors;
  int failure;  // where errno goes
  ::pid_t parent;

  [[noreturn]] void run() const {
    const int failed = prepare();
    if (failed == 0) ::execve(arguments[0], arguments, environment);
    const int number = failed != 0 ? failed : errno;
    static_cast<void>(!::write(failure, &number, sizeof number));
    ::_exit(127);
  }

  int prepare() const {
    ::setpgid(0, 0);
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(errors, 2) < 0) {
      return errno;
    }
    // Everything else is the server's; the pipe for errno closes at exec.
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (const int failed = limit(); failed != 0) return failed;
    if (::chdir(spec.folder.c_str()) != 0) return errno;
    if (spec.user) {
      if (::syscall(SYS_setgroups, 0, nullptr) != 0) return errno;
      const auto group = spec.user->group;
      if (::syscall(SYS_setresgid, group, group, group) != 0) return errno;
      const auto user = spec.user->user;
      if (::syscall(SYS_setresuid, user, user, user) != 0) return errno;
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    // After the change of user, which clears it; and the parent may have died before it was set.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    if (::getppid() != parent) return ESRCH;
    return 0;
  }

  int limit() const {
    const auto set = [](auto resource, ::rlim_t value) {
      ::rlimit present{};
      if (::getrlimit(resource, &present) != 0) return errno;
      if (present.rlim_max != RLIM_INFINITY && value > present.rlim_max) value = present.rlim_max;
      const ::rlimit wanted{value, value};
      return ::setrlimit(resource, &wanted) == 0 ? 0 : errno;
    };
    if (const int failed = set(RLIMIT_CORE, 0); failed != 0) return failed;
    if (const int failed = set(RLIMIT_NOFILE, kFilesMax); failed != 0) return failed;
    // Counts over all processes of a user: of one that only children have.
    if (spec.user) {
      if (const int failed = set(RLIMIT_NPROC, kTasksMax); failed != 0) return failed;
    }
    return spec.data_bytes_max == 0 ? 0 : set(RLIMIT_DATA, spec.data_bytes_max);
  }
};

}  // namespace

std::optional<ChildUser> unprivileged_user() {
  if (::geteuid() != 0) return std::nullopt;
  const ::passwd* const found = ::getpwnam("nobody");  // NOLINT(concurrency-mt-unsafe): at a start
  if (found == nullptr || found->pw_uid == 0) return ChildUser{kNobody, kNobody};
  return ChildUser{found->pw_uid, found->pw_gid};
}

Result<Child> start_child(const ChildSpec& spec) {
  PAWL_ASSIGN_OR_RETURN(Pipe output, make_pipe());
  PAWL_ASSIGN_OR_RETURN(Pipe errors, make_pipe());
  PAWL_ASSIGN_OR_RETURN(Pipe failure, make_pipe());
  const auto arguments = pointers_to(spec.command);
  const auto environment = pointers_to(spec.environment);
  const ChildPlan plan{spec,
                       arguments.data(),
                       environment.data(),
                       output.write.get(),
                       errors.write.get(),
                       failure.write.get(),
                       ::getpid()};
  const ::pid_t pid = ::fork();
  if (pid < 0) return error_of_errno(errno, "starting", spec.command[0]);
  if (pid == 0) plan.run();
  Child child;
  child.pid = pid;
  ::setpgid(pid, pid);  // whoever of the two is first
  failure.write.close();
  int number = 0;
  ssize_t told = 0;
  do {
    told = ::read(failure.read.get(), &number, sizeof number);
  } while (told < 0 && errno == EINTR);
  if (told == 0) child.life = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!child.life) {
    if (told == 0) number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return error_of_errno(number, "starting", spec.command[0]);
  }
  child.output = std::move(output.read);
  child.errors = std::move(errors.read);
  ::fcntl(child.output.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(child.errors.get(), F_SETFL, O_NONBLOCK);
  return child;
}

}  // namespace pawl
