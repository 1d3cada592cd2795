#include "adapter/batch_directories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pawl {

Result<BatchDirectories::Opened> BatchDirectories::open(std::string_view path, bool make) {
  if (path.empty()) return Opened{archive_.root(), false};
  if (const auto it = open_.find(path); it != open_.end()) return Opened{it->second.get(), false};

  FileDescriptor here;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view parent = path.substr(0, start == 0 ? 0 : start - 1);
    const std::string_view prefix = path.substr(0, end);
    const std::string component(path.substr(start, end - start));
    const int dir = here ? here.get() : archive_.root();
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor next(::openat(dir, component.c_str(), kFlags));
    if (!next && errno == ENOENT && make) {
      if (::mkdirat(dir, component.c_str(), 0755) == 0) {
        touch(parent);
      } else if (errno != EEXIST) {
        return error_of_errno(errno, "creating directory", prefix);
      }
      next = FileDescriptor(::openat(dir, component.c_str(), kFlags));
    }
    if (!next) {
      const int number = errno;
      struct stat about {};
      const bool is_file = (number == ENOTDIR || number == ELOOP) &&
                           ::fstatat(dir, component.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 &&
                           S_ISREG(about.st_mode);
      if (is_file && !seen_.contains(prefix)) return Opened{-1, true};
      Error error = error_of_errno(number, "opening directory", prefix);
      if (is_file) error.hint = "it was a directory before: put it back";
      return error;
    }
    seen_.insert(prefix);
    here = std::move(next);
    start = end + 1;
  }
  if (open_.size() >= kOpenMax) open_.clear();
  const int fd = here.get();
  open_.emplace(path, std::move(here));
  return Opened{fd, false};
}

void BatchDirectories::touch(std::string_view path) {
  if (touched_.find(path) == touched_.end()) touched_.emplace(path);
}

Status BatchDirectories::sync(DurabilityCalls& calls) {
  if (touched_.size() > kOpenMax / 2) {
    if (calls.syncfs(archive_.for_syncfs()) != 0) {
      return error_of_errno(errno, "syncing archive", archive_.path());
    }
  } else {
    for (const std::string& path : touched_) {
      PAWL_ASSIGN_OR_RETURN(const Opened dir, open(path, /*make=*/false));
      if (dir.clash || calls.fsync(dir.fd) != 0) {
        return error_of_errno(dir.clash ? ENOTDIR : errno, "syncing directory", path);
      }
    }
  }
  touched_.clear();
  return ok();
}

}  // namespace pawl
