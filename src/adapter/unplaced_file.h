// An object's file that has its bytes and not its place yet: what a batch of puts writes before one sync of all.
//
// Where the file system can (ext4, XFS, btrfs, tmpfs), the file has no name at all (O_TMPFILE, open(2)) until it is linked to
// its place: nothing of it is left after a crash, and a directory is changed once and not three times. Measured (ext4, 400-byte
// bodies, one thread, docs/performance.md): 12,800 files a second that way, 8,800 through a name in .pawl/tmp and a rename.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapter/posix_file.h"
#include "base/result.h"

namespace pawl {

// Of an object's file: never written again, not even by accident.
inline constexpr unsigned kObjectMode = 0444;

class UnplacedFile {
 public:
  UnplacedFile() = default;

  // Writes `body` to a new file beside the entries of `tmp`, a directory: without a name, or named `number` (which must be
  // free). Not durable yet. Any thread. Errors: as error_of_errno; what was written is gone then, or unnamed.
  static Result<UnplacedFile> write_nameless(int tmp, std::string_view body);
  static Result<UnplacedFile> write_named(int tmp, std::uint64_t number, std::string_view body);

  // Whether nameless files can be made beside the entries of `tmp` and linked, here and now: tried with a file that is
  // `number` for a moment.
  static bool nameless_works(int tmp, std::uint64_t number);

  // Gives it the name `entry` in the directory `to`, if that is free: 0, or -1 and errno (EEXIST: it is taken). `tmp` as above.
  int place(int tmp, int to, const std::string& entry) const;
  // Of one that was not placed, and of one that was: its name in `tmp` is free again.
  void drop(int tmp);

 private:
  FileDescriptor nameless_;
  std::string name_;  // in tmp; empty if it has none
};

}  // namespace pawl
