// Starts a program as a child in a process group of its own, with nothing of the server but two pipes: no descriptor, no signal
// that is blocked or ignored, no environment but what it is given, another user where that is possible; and it does not outlive
// the thread that started it.
//
// fork and exec, not posix_spawn: that can't change the user, nor ask the kernel for the signal at the parent's death.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapter/posix_file.h"
#include "base/result.h"

namespace pawl {

struct ChildUser {
  ::uid_t user = 0;
  ::gid_t group = 0;
};
// Whom children run as: `nobody`, if this process is root; else nothing: as this process.
std::optional<ChildUser> unprivileged_user();

struct ChildSpec {
  std::vector<std::string> command;      // an absolute path first
  std::vector<std::string> environment;  // NAME=VALUE
  std::string folder;
  std::optional<ChildUser> user;
  std::uint64_t data_bytes_max = 0;  // RLIMIT_DATA; 0: none
};

struct Child {
  ::pid_t pid = -1;       // also of its group
  FileDescriptor life;    // readable when it is gone (pidfd_open)
  FileDescriptor output;  // both don't block
  FileDescriptor errors;
};

// The caller reaps it. Killed by the kernel when the calling thread ends. Errors: as error_of_errno of what failed.
Result<Child> start_child(const ChildSpec& spec);

}  // namespace pawl
