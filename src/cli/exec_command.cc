#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/code_folders.h"
#include "adapter/posix_file.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

constexpr int kExitNotFound = 127;  // as shells have it
constexpr int kExitSignal = 128;
constexpr const char* kAnyKey = "pawl";

struct ExecArguments {
  std::string endpoint = "http://127.0.0.1:8000";
  std::vector<std::string> command;
};

volatile sig_atomic_t running_child = 0;

void pass_on(int signal) {
  if (running_child > 0) ::kill(running_child, signal);
}

// A folder for Python's path, removed at the end.
class PythonFolder {
 public:
  static Result<PythonFolder> make() {
    std::string path = (std::filesystem::temp_directory_path() / "pawl-exec-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return error_of_errno(errno, "making", path);
    PythonFolder made(path);
    PAWL_ASSIGN_OR_RETURN(const auto folder, open_directory(path));
    PAWL_TRY(write_python_path(folder.get()));
    return made;
  }
  explicit PythonFolder(std::string path) : path_(std::move(path)) {}
  PythonFolder(PythonFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PythonFolder& operator=(PythonFolder&&) = delete;
  ~PythonFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void set_if_absent(const char* name, const char* value) {
  if (!is_set(name)) ::setenv(name, value, 1);
}

std::vector<std::string> inherited_endpoints() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (text.starts_with("AWS_ENDPOINT_URL_")) names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

// Of this process, which has nothing else to do: the command inherits it.
void set_environment(const std::string& endpoint, const std::string& python) {
  // An endpoint for one service would win over this one, and the command would talk to somebody else with keys that are real.
  for (const auto& name : inherited_endpoints()) ::unsetenv(name.c_str());
  // Else it, or a line of a profile, could make SDKs pass over what is set here.
  ::setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false", 1);
  ::setenv("AWS_ENDPOINT_URL", endpoint.c_str(), 1);
  const char* const region = std::getenv("AWS_REGION");
  set_if_absent("AWS_DEFAULT_REGION", region != nullptr && *region != '\0' ? region : "us-east-1");
  set_if_absent("AWS_REGION", std::getenv("AWS_DEFAULT_REGION"));
  if (!is_set("AWS_ACCESS_KEY_ID") || !is_set("AWS_SECRET_ACCESS_KEY")) {
    ::setenv("AWS_ACCESS_KEY_ID", kAnyKey, 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", kAnyKey, 1);
    ::unsetenv("AWS_SESSION_TOKEN");
    ::unsetenv("AWS_PROFILE");  // SDKs would take its keys before these
  }
  set_if_absent("AWS_EC2_METADATA_DISABLED", "true");
  const char* const before = std::getenv("PYTHONPATH");
  const bool has_path = before != nullptr && *before != '\0';
  ::setenv("PYTHONPATH", has_path ? (python + ":" + before).c_str() : python.c_str(), 1);
}

Result<::pid_t> spawn(const std::vector<std::string>& command) {
  std::vector<char*> pointers;
  for (const auto& word : command) pointers.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  pointers.push_back(nullptr);
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::sigaddset(&defaults, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  ::pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, pointers[0], nullptr, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return error_of_errno(failed, "running", command[0]);
  return pid;
}

int run_exec(const ExecArguments& arguments) {
  const auto python = PythonFolder::make();
  if (!python.ok()) return could_not(python.error());
  set_environment(arguments.endpoint, python->path());
  // A terminal sends these two to both; the command decides what they mean.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGQUIT, SIG_IGN);
  ::signal(SIGTERM, pass_on);
  ::signal(SIGHUP, pass_on);
  const auto child = spawn(arguments.command);
  if (!child.ok()) {
    could_not(child.error());
    return kExitNotFound;
  }
  running_child = *child;
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
  }
  running_child = 0;
  return WIFSIGNALED(status) ? kExitSignal + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

void add_exec(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "exec", "Run a command whose AWS SDKs talk to a running server, with no change to its code");
  const auto arguments = std::make_shared<ExecArguments>();
  command
      ->add_option("--endpoint", arguments->endpoint, "What `pawl serve` printed as its endpoint")
      ->envname("AWS_ENDPOINT_URL")
      ->capture_default_str();
  command->add_option("command", arguments->command, "After --: what to run, and its arguments")
      ->required();
  command->footer(
      "Sets AWS_ENDPOINT_URL, unsets AWS_ENDPOINT_URL_SERVICE of every service, and, where they "
      "are not set, the region (us-east-1) and access keys. "
      "Python's SDKs that are too\nold to know that variable (Debian's boto3 and aws) are made to "
      "follow it, by a folder in PYTHONPATH.\nExit status: the command's; 127 it could not be "
      "run.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_exec(*arguments); }; });
}

}  // namespace pawl::cli
