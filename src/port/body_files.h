// Files that hold the bytes of large objects: a directory in the server, memory in tests. A body is written once, under a
// number that nobody knows before a record names it, and is never changed afterwards.
//
// What survives a crash: every body whose seal() reported success, whole. Of others nothing, a part, or all may be left, under
// their numbers: who keeps the records removes what no record names (list, remove).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pawl {

// Never 0, never used twice while a body of that number may be there.
using BodyNumber = std::uint64_t;

// One that is being written. Dropped without a seal, it leaves its file to be removed by number. One thread at a time.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Status append(std::string_view bytes) = 0;
  // Makes it durable, its name too; once, and nothing is appended after it. Never repeated after a failure.
  virtual Status seal() = 0;
};

// One that is open: it can be read to its end, though it is removed meanwhile. Any thread.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Exactly `size` bytes from `offset`. Errors: kCorrupt if the body ends before.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
};

// Thread-safe. Every call may wait for the disk.
class BodyFiles {
 public:
  virtual ~BodyFiles() = default;
  virtual Result<std::unique_ptr<BodyWriter>> create(BodyNumber number) = 0;
  // Errors: kNotFound.
  virtual Result<std::unique_ptr<BodyReader>> open(BodyNumber number) = 0;
  // `copy` is another name of what `number` names, and durable. Errors: kNotFound.
  virtual Status link(BodyNumber number, BodyNumber copy) = 0;
  // What is not there is fine. Not durable: a crash may bring it back.
  virtual Status remove(BodyNumber number) = 0;
  // The numbers of all, in no order.
  virtual Result<std::vector<BodyNumber>> list() = 0;
};

}  // namespace pawl
