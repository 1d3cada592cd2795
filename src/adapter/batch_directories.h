// The directories that one batch of puts touches: opened or made on the way down from the archive's
// root, remembered for the batch, and made durable at its end.
//
// Nothing is kept from one batch to the next but the names of directories that were seen. They tell
// the two cases apart in which a file stands where a directory is wanted:
// - never seen as a directory: the file is an object (`a` beside `a/b`): a clash, and legal;
// - seen as a directory before: objects never go away, so somebody has put the file there: an
// outage, which
//   ends when they take it away. (After a restart nothing has been seen, and it is taken for a
//   clash. That is safe too: what is stored under a hash is found there, also when the directory is
//   back.)
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "adapter/archive_directory.h"

namespace pawl {

// Paths of directories, without trailing slash; "" is the root. At most kMax; what isn't remembered
// is taken for never seen.
class SeenDirectories {
 public:
  static constexpr std::size_t kMax = 1 << 16;
  bool contains(std::string_view path) const { return paths_.find(path) != paths_.end(); }
  void insert(std::string_view path) {
    if (paths_.size() < kMax) paths_.emplace(path);
  }

 private:
  std::set<std::string, std::less<>> paths_;
};

class BatchDirectories {
 public:
  BatchDirectories(const ArchiveDirectory& archive, SeenDirectories& seen)
      : archive_(archive), seen_(seen) {}

  struct Opened {
    int fd = -1;         // belongs to this object; valid until the next open()
    bool clash = false;  // an object stands in the way: the name must be stored under its hash
  };
  // Makes what is missing, if `make`; without it a missing directory is kNotFound.
  // kUnavailable: something stands in the way that is neither an object nor a directory, or that
  // wasn't there before.
  Result<Opened> open(std::string_view path, bool make);

  // An entry of this directory was added or removed: sync() must make that durable.
  void touch(std::string_view path);
  // All touched directories are durable. Few are synced one by one, more by one syncfs.
  Status sync(DurabilityCalls& calls);

 private:
  static constexpr std::size_t kOpenMax = 32;

  const ArchiveDirectory& archive_;
  SeenDirectories& seen_;
  std::map<std::string, FileDescriptor, std::less<>> open_;
  std::set<std::string, std::less<>> touched_;
};

}  // namespace pawl
