// Files and directories of the operating system: descriptors that close themselves, and calls that
// return errors which name the file. Everything is relative to a directory descriptor, so that a
// directory that is renamed or replaced under us can't redirect a write.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl {

// Owns a descriptor; -1 is none. Closing reports nothing: what must be durable is synced before.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// "<attempted> <on>: <what errno says>", with a code and, where one is known, a hint:
// ENOSPC and EDQUOT are kExhausted, ENOENT kNotFound, EEXIST kExists, everything else kUnavailable.
Error error_of_errno(int number, std::string_view attempted, std::string_view on);

// Opens a directory for use as `dir` below. A symbolic link as last component is followed.
Result<FileDescriptor> open_directory(const std::string& path);

// Creates a directory and its missing ancestors, and makes each durable. An existing one is fine.
Status create_directories(const std::string& path, unsigned mode);

// The content of the regular file `name` in `dir`; nothing if there is none; kInvalid if it is
// larger than `size_max`. A symbolic link is an error.
Result<std::optional<std::string>> read_file(int dir, const std::string& name,
                                             std::size_t size_max);

// Creates or replaces `name` in `dir`, whole and durably, through the temporary `name`.new.
Status replace_file(int dir, const std::string& name, std::string_view content, unsigned mode);

// Writes all of `content` at the descriptor's position, however many calls that takes.
Status write_all(int fd, std::string_view content, std::string_view name);

Status sync_file(int fd, std::string_view name);

// The descriptor of a lock that this process now holds, or kConflict: `what` is in use by process
// N. The lock goes with the descriptor, and with the process. The file keeps the owner's process
// id.
Result<FileDescriptor> lock_file(int dir, const std::string& name, std::string_view what);

}  // namespace pawl
