#include "adapter/code_folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "adapter/runtime_files.h"
#include "adapter/zip_archive.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemembered = "unpacked-in";
constexpr std::string_view kName = "pawl-functions-";
constexpr std::size_t kPathMax = 4096;
// Longer than the longest time-out of a function.
constexpr std::chrono::minutes kRetiredFor{20};

std::string temporary_place() {
  const char* const place = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): at a start
  return place == nullptr || *place != '/' ? "/tmp" : place;
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

// What a server left that was killed: only what is named as ours are, is a folder, and belongs to this user.
void remove_left_over(int functions) {
  const auto path = read_file(functions, std::string(kRemembered), kPathMax);
  if (!path.ok() || !*path) return;
  const auto slash = (*path)->rfind('/');
  if (slash == std::string::npos || !(*path)->substr(slash + 1).starts_with(kName)) return;
  struct stat found {};
  if (::lstat((*path)->c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return;
  if (found.st_uid == ::geteuid()) remove_tree(**path);
}

Status make_folder(int in, const std::string& name) {
  if (::mkdirat(in, name.c_str(), 0755) != 0 && errno != EEXIST) {
    return error_of_errno(errno, "making folder", name);
  }
  return ok();
}

Result<FileDescriptor> open_folder(int in, const std::string& name) {
  FileDescriptor folder(
      ::openat(in, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return error_of_errno(errno, "opening folder", name);
  if (::fchmod(folder.get(), 0755) != 0) return error_of_errno(errno, "opening folder", name);
  return folder;
}

Status write_file(int folder, const std::string& name, std::string_view content) {
  const FileDescriptor file(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return error_of_errno(errno, "writing", name);
  PAWL_TRY(write_all(file.get(), content, name));
  if (::fchmod(file.get(), 0644) != 0) return error_of_errno(errno, "writing", name);
  return ok();
}

Status write_runtime(int root) {
  PAWL_TRY(make_folder(root, "runtime"));
  PAWL_ASSIGN_OR_RETURN(const auto runtime, open_folder(root, "runtime"));
  PAWL_TRY(write_file(runtime.get(), "python_bootstrap.py", runtime_files::kPythonBootstrap));
  PAWL_TRY(write_file(runtime.get(), "node_bootstrap.mjs", runtime_files::kNodeBootstrap));
  PAWL_TRY(make_folder(runtime.get(), "python"));
  PAWL_ASSIGN_OR_RETURN(const auto python, open_folder(runtime.get(), "python"));
  return write_python_path(python.get());
}

}  // namespace

Status write_python_path(int folder) {
  return write_file(folder, "sitecustomize.py", runtime_files::kSitecustomize);
}

Result<std::unique_ptr<CodeFolders>> CodeFolders::open(int functions) {
  remove_left_over(functions);
  std::unique_ptr<CodeFolders> folders(new CodeFolders());
  std::string path = temporary_place() + "/" + std::string(kName) + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return error_of_errno(errno, "making folder", path);
  folders->path_ = path;
  PAWL_TRY(replace_file(functions, std::string(kRemembered), path, 0600));
  PAWL_ASSIGN_OR_RETURN(folders->root_, open_directory(path));
  const int root = folders->root_.get();
  // Others may enter, and not look around. The lock tells systemd-tmpfiles that it is in use.
  if (::fchmod(root, 0711) != 0) return error_of_errno(errno, "opening folder", path);
  ::flock(root, LOCK_SH | LOCK_NB);
  PAWL_TRY(write_runtime(root));
  return folders;
}

CodeFolders::~CodeFolders() {
  if (!path_.empty()) remove_tree(path_);
}

bool CodeFolders::has(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return present_.contains(name);
}

Result<std::string> CodeFolders::unpack(const std::string& name, std::string_view zip) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = present_.find(name); found != present_.end()) {
      found->second.reset();
      return folder(name);
    }
    number = ++newest_;
  }
  const std::string making = fmt::format("making-{}", number);
  const std::string making_path = folder(making);
  const auto made = [&]() -> Status {
    PAWL_TRY(make_folder(root_.get(), making));
    PAWL_ASSIGN_OR_RETURN(const auto fresh, open_folder(root_.get(), making));
    return unpack_zip(zip, fresh.get());
  }();
  if (!made.ok()) {
    remove_tree(making_path);
    return made.error();
  }
  const std::lock_guard lock(mutex_);
  if (::renameat2(root_.get(), making.c_str(), root_.get(), name.c_str(), RENAME_NOREPLACE) != 0) {
    const int number_of_error = errno;
    remove_tree(making_path);
    // Another thread was faster.
    if (number_of_error != EEXIST) return error_of_errno(number_of_error, "placing", name);
  }
  present_.emplace(name, std::nullopt);
  return folder(name);
}

void CodeFolders::keep_only(const std::set<std::string>& names) {
  std::vector<std::string> gone;
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    for (auto at = present_.begin(); at != present_.end();) {
      auto& [name, retired] = *at;
      if (names.contains(name)) {
        retired.reset();
      } else if (!retired) {
        retired = now;
      } else if (now - *retired > kRetiredFor) {
        gone.push_back(name);
        at = present_.erase(at);
        continue;
      }
      ++at;
    }
  }
  for (const auto& name : gone) remove_tree(folder(name));
}

}  // namespace pawl
