#include "adapter/code_folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
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
constexpr std::string_view kOwner = "runtime/owner";
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

// A directory has no other of its number, also not where it is a copy of another.
std::string identity_of(int folder) {
  struct stat found {};
  if (::fstat(folder, &found) != 0) return {};
  return fmt::format("{}:{}", found.st_dev, found.st_ino);
}

// What a server left that was killed: only what is named as ours are, is a folder, belongs to this user and to this data directory,
// and is not in use.
void remove_left_over(int functions, const std::string& owner) {
  const auto path = read_file(functions, std::string(kRemembered), kPathMax);
  if (!path.ok() || !*path) return;
  const auto slash = (*path)->rfind('/');
  if (slash == std::string::npos || !(*path)->substr(slash + 1).starts_with(kName)) return;
  const FileDescriptor left(
      ::open((*path)->c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!left || ::fstat(left.get(), &found) != 0 || found.st_uid != ::geteuid()) return;
  if (::flock(left.get(), LOCK_EX | LOCK_NB) != 0) return;
  const auto of = read_file(left.get(), std::string(kOwner), kPathMax);
  if (of.ok() && *of && **of == owner) remove_tree(**path);
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

Status write_runtime(int root, const std::string& owner) {
  PAWL_TRY(make_folder(root, "runtime"));
  PAWL_ASSIGN_OR_RETURN(const auto runtime, open_folder(root, "runtime"));
  PAWL_TRY(write_file(root, std::string(kOwner), owner));
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

Result<std::unique_ptr<CodeFolders>> CodeFolders::open(int functions,
                                                       const CodeFoldersOptions& options) {
  std::unique_ptr<CodeFolders> folders(new CodeFolders(options));
  folders->owner_ = identity_of(functions);
  remove_left_over(functions, folders->owner_);
  std::string path = fmt::format("{}/{}XXXXXX", temporary_place(), kName);
  if (::mkdtemp(path.data()) == nullptr) return error_of_errno(errno, "making folder", path);
  folders->path_ = path;
  PAWL_TRY(replace_file(functions, std::string(kRemembered), path, 0600));
  PAWL_ASSIGN_OR_RETURN(folders->root_, folders->open_root());
  return folders;
}

CodeFolders::~CodeFolders() {
  if (!path_.empty()) remove_tree(path_);
}

// The folder is there, and what is in it is made if it is missing.
Result<CodeFolders::Root> CodeFolders::open_root() {
  FileDescriptor root(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root) return error_of_errno(errno, "opening folder", path_);
  struct stat found {};
  if (::fstat(root.get(), &found) != 0) return error_of_errno(errno, "opening folder", path_);
  if (found.st_uid != ::geteuid()) {
    return Error{ErrorCode::kUnavailable, "unpacking: another user has made " + path_,
                 "restart the server, with a TMPDIR that others can't write to"};
  }
  // Others may enter, and not look around. The lock tells systemd-tmpfiles, and a server of a copy, that it is in use.
  if (::fchmod(root.get(), 0711) != 0) return error_of_errno(errno, "opening folder", path_);
  ::flock(root.get(), LOCK_SH | LOCK_NB);
  PAWL_TRY(write_runtime(root.get(), owner_));
  return std::make_shared<const FileDescriptor>(std::move(root));
}

// With the mutex held.
Result<CodeFolders::Root> CodeFolders::whole_root() {
  if (is_there("runtime")) return root_;
  present_.clear();
  if (::mkdir(path_.c_str(), 0711) != 0 && errno != EEXIST) {
    return error_of_errno(errno, "making folder", path_);
  }
  PAWL_ASSIGN_OR_RETURN(root_, open_root());
  return root_;
}

// Also what runs it.
bool CodeFolders::is_there(const std::string& name) const {
  return ::access(folder(name).c_str(), F_OK) == 0 &&
         ::access(python_bootstrap().c_str(), F_OK) == 0;
}

bool CodeFolders::has(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return present_.contains(name) && is_there(name);
}

Result<std::uint64_t> CodeFolders::make(const FileDescriptor& root, const std::string& name,
                                        std::string_view zip) const {
  struct statvfs found {};
  if (::fstatvfs(root.get(), &found) != 0) return error_of_errno(errno, "unpacking to", path_);
  const auto beyond = [](std::uint64_t free, std::uint64_t reserve) {
    return free > reserve ? free - reserve : 0;
  };
  const ZipRoom room{
      beyond(static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize, options_.reserve_bytes),
      // Some file systems don't count them.
      found.f_files == 0 ? ~std::uint64_t{0} : beyond(found.f_favail, options_.reserve_inodes)};
  PAWL_TRY(make_folder(root.get(), name));
  PAWL_ASSIGN_OR_RETURN(const auto fresh, open_folder(root.get(), name));
  return unpack_zip(zip, fresh.get(), room);
}

Result<std::string> CodeFolders::unpack(const std::string& name, std::string_view zip) {
  Root root;
  std::string making;
  {
    const std::lock_guard lock(mutex_);
    PAWL_ASSIGN_OR_RETURN(root, whole_root());
    if (const auto found = present_.find(name); found != present_.end() && is_there(name)) {
      found->second.retired.reset();
      return folder(name);
    }
    present_.erase(name);
    making = fmt::format("making-{}", ++newest_);
  }
  const auto made = make(*root, making, zip);
  if (!made.ok()) {
    remove_tree(folder(making));
    return made.error();
  }
  const std::lock_guard lock(mutex_);
  if (::renameat2(root->get(), making.c_str(), root->get(), name.c_str(), RENAME_NOREPLACE) != 0) {
    const int number_of_error = errno;
    remove_tree(folder(making));
    // Another thread was faster.
    if (number_of_error != EEXIST) return error_of_errno(number_of_error, "placing", name);
  }
  present_.insert_or_assign(name, Code{*made, std::nullopt});
  return folder(name);
}

// With the mutex held. Under another name at once, so that it can be unpacked again; returns that.
std::string CodeFolders::take_away(const std::string& name) {
  std::string gone = fmt::format("gone-{}", ++newest_);
  present_.erase(name);
  if (::rename(folder(name).c_str(), folder(gone).c_str()) != 0) return {};
  return gone;
}

void CodeFolders::remove(const std::string& name) {
  std::string gone;
  {
    const std::lock_guard lock(mutex_);
    gone = take_away(name);
  }
  if (!gone.empty()) remove_tree(folder(gone));
}

void CodeFolders::keep_only(const std::set<std::string>& names) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    std::multimap<Clock::time_point, std::string> retired;
    std::uint64_t bytes = 0;
    for (auto& [name, code] : present_) {
      if (names.contains(name)) {
        code.retired.reset();
        continue;
      }
      if (!code.retired) code.retired = now;
      retired.emplace(*code.retired, name);
      bytes += code.bytes;
    }
    for (const auto& [since, name] : retired) {
      if (now - since <= kRetiredFor && bytes <= options_.retired_bytes_max) break;
      bytes -= present_.at(name).bytes;
      gone.push_back(take_away(name));
    }
  }
  for (const auto& name : gone) {
    if (!name.empty()) remove_tree(folder(name));
  }
}

}  // namespace pawl
