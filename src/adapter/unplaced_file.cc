#include "adapter/unplaced_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace pawl {

Result<UnplacedFile> UnplacedFile::write_nameless(int tmp, std::string_view body) {
  UnplacedFile made;
  made.nameless_ =
      FileDescriptor(::openat(tmp, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, kObjectMode));
  if (!made.nameless_) return error_of_errno(errno, "creating", "a temporary");
  PAWL_TRY(write_all(made.nameless_.get(), body, "a temporary"));
  return made;
}

Result<UnplacedFile> UnplacedFile::write_named(int tmp, std::uint64_t number,
                                               std::string_view body) {
  UnplacedFile made;
  const std::string name = std::to_string(number);
  const FileDescriptor file(::openat(
      tmp, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kObjectMode));
  if (!file) return error_of_errno(errno, "creating temporary", name);
  made.name_ = name;
  const auto written = write_all(file.get(), body, "temporary " + name);
  if (!written.ok()) {
    made.drop(tmp);
    return written.error();
  }
  return made;
}

bool UnplacedFile::nameless_works(int tmp, std::uint64_t number) {
  const auto file = write_nameless(tmp, "x");
  const std::string name = std::to_string(number);
  if (!file.ok() || file->place(tmp, tmp, name) != 0) return false;
  return ::unlinkat(tmp, name.c_str(), 0) == 0;
}

int UnplacedFile::place(int tmp, int to, const std::string& entry) const {
  if (nameless_) {
    // As linkat(2) says it is done without a privilege; it needs /proc.
    const auto self = fmt::format("/proc/self/fd/{}", nameless_.get());
    return ::linkat(AT_FDCWD, self.c_str(), to, entry.c_str(), AT_SYMLINK_FOLLOW);
  }
  return ::renameat2(tmp, name_.c_str(), to, entry.c_str(), RENAME_NOREPLACE);
}

void UnplacedFile::drop(int tmp) {
  nameless_.close();
  if (name_.empty()) return;
  ::unlinkat(tmp, name_.c_str(), 0);  // what stays is removed at the next open
  name_.clear();
}

}  // namespace pawl
