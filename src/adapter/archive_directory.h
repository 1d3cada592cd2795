// The directory that is an archive: its identity, its one writer, and the descriptors that both
// stores in it work from. The layout is in docs/internals/archive-format.md.
//
// All work is relative to these descriptors, and no symbolic link below them is ever followed: each
// path is walked a component at a time with O_NOFOLLOW, which also keeps it beneath the archive.
#pragma once

#include <cstdint>
#include <string>

#include "adapter/posix_file.h"
#include "base/instant.h"
#include "base/result.h"
#include "port/random.h"

namespace pawl {

// Holds the writer's lock while it lives. One a process and archive. Must outlive the stores on it.
class ArchiveDirectory {
 public:
  // Opens it for writing; makes it (0700) if it is absent or empty, with an id from `random`.
  // Throws away what temporaries a crash has left.
  // Errors: kConflict if another process writes here; kInvalid if a newer Pawl made it, or it holds
  // files but is no archive; kCorrupt if archive.json is damaged; kUnavailable if it can't be
  // written.
  static Result<ArchiveDirectory> open(const std::string& path, Random& random, Instant now);

  const std::string& path() const { return path_; }
  // The archive's id, which stands in every page.
  std::uint64_t id() const { return id_; }
  bool created() const { return created_; }  // by this open()

  int root() const { return root_.get(); }
  int pawl() const { return pawl_.get(); }  // ARCHIVE/.pawl
  // syncfs() of this one: opened before anything was written, so that it hears of every failure
  // since.
  int for_syncfs() const { return root_.get(); }

 private:
  ArchiveDirectory() = default;
  Status read_or_make_identity(bool fresh, Random& random, Instant now);

  std::string path_;
  FileDescriptor root_;
  FileDescriptor pawl_;
  FileDescriptor lock_;
  std::uint64_t id_ = 0;
  bool created_ = false;
};

// The calls that make things durable, apart so that tests can fail them.
class DurabilityCalls {
 public:
  virtual ~DurabilityCalls() = default;
  // As the system calls: 0, or -1 and errno.
  virtual int syncfs(int fd);
  virtual int fsync(int fd);
  static DurabilityCalls& system();
};

}  // namespace pawl
