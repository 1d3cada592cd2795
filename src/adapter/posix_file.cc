#include "adapter/posix_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace pawl {

void FileDescriptor::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Error error_of_errno(int number, std::string_view attempted, std::string_view on) {
  Error error;
  error.message.append(attempted).append(" ").append(on).append(": ");
  error.message += std::generic_category().message(number);
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      error.code = ErrorCode::kExhausted;
      error.hint = "make room on that file system";
      break;
    case ENOENT:
      error.code = ErrorCode::kNotFound;
      break;
    case EEXIST:
      error.code = ErrorCode::kExists;
      break;
    case EACCES:
    case EPERM:
      error.code = ErrorCode::kUnavailable;
      error.hint = "give the user that runs pawl the right to read and write there";
      break;
    case EROFS:
      error.code = ErrorCode::kUnavailable;
      error.hint =
          "the file system is mounted read-only; choose another place or mount it writable";
      break;
    case EMFILE:
    case ENFILE:
      error.code = ErrorCode::kUnavailable;
      error.hint = "raise the limit of open files (ulimit -n)";
      break;
    default:
      error.code = ErrorCode::kUnavailable;
  }
  return error;
}

Result<FileDescriptor> open_directory(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return error_of_errno(errno, "opening directory", path);
  return fd;
}

Status create_directories(const std::string& path, unsigned mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) == 0) {
      const std::size_t slash = part.find_last_of('/');
      const std::string parent = slash == std::string::npos ? "." : part.substr(0, slash + 1);
      PAWL_ASSIGN_OR_RETURN(const FileDescriptor dir, open_directory(parent));
      PAWL_TRY(sync_file(dir.get(), parent));
    } else if (errno != EEXIST && errno != EISDIR) {
      return error_of_errno(errno, "creating directory", part);
    }
    if (end == std::string::npos) return ok();
  }
}

Result<std::optional<std::string>> read_file(int dir, const std::string& name,
                                             std::size_t size_max) {
  const FileDescriptor fd(
      ::openat(dir, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return std::optional<std::string>();
    return error_of_errno(errno, "opening", name);
  }
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return error_of_errno(errno, "reading", name);
  if (!S_ISREG(about.st_mode)) {
    return Error{ErrorCode::kInvalid, "reading " + name + ": not a regular file", {}};
  }
  std::string content;
  while (true) {
    char buffer[16384];
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of_errno(errno, "reading", name);
    if (got == 0) return std::optional<std::string>(std::move(content));
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > size_max) {
      return Error{ErrorCode::kInvalid,
                   "reading " + name + ": larger than " + std::to_string(size_max) + " bytes",
                   {}};
    }
  }
}

Status write_all(int fd, std::string_view content, std::string_view name) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return error_of_errno(errno, "writing", name);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return ok();
}

Status sync_file(int fd, std::string_view name) {
  // Never repeated: after a failure the kernel may have dropped the pages and then report success.
  if (::fsync(fd) != 0) return error_of_errno(errno, "syncing", name);
  return ok();
}

Status replace_file(int dir, const std::string& name, std::string_view content, unsigned mode) {
  const std::string temporary = name + ".new";
  {
    if (::unlinkat(dir, temporary.c_str(), 0) != 0 && errno != ENOENT) {
      return error_of_errno(errno, "removing", temporary);
    }
    const FileDescriptor fd(::openat(dir, temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return error_of_errno(errno, "creating", temporary);
    PAWL_TRY(write_all(fd.get(), content, temporary));
    PAWL_TRY(sync_file(fd.get(), temporary));
  }
  if (::renameat(dir, temporary.c_str(), dir, name.c_str()) != 0) {
    return error_of_errno(errno, "renaming to", name);
  }
  return sync_file(dir, "the directory of " + name);
}

Result<FileDescriptor> lock_file(int dir, const std::string& name, std::string_view what) {
  FileDescriptor fd(::openat(dir, name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return error_of_errno(errno, "locking", std::string(what) + " by its file " + name);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return error_of_errno(errno, "locking", what);
    auto owner = read_file(dir, name, 64);
    std::string process = owner.ok() && owner.value() ? *owner.value() : std::string();
    while (!process.empty() && process.back() == '\n') process.pop_back();
    return Error{ErrorCode::kConflict,
                 std::string(what) + " is in use by " +
                     (process.empty() ? "another process" : "process " + process),
                 "stop that one first, or choose another place"};
  }
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
    return error_of_errno(errno, "locking", what);
  }
  return fd;
}

}  // namespace pawl
