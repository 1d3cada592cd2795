// An archive as an auditor sees it: names and bytes, nothing else. A directory, later a bucket.
// Read-only: nothing that holds one can change the archive.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl {

// Thread-compatible: one thread at a time.
class ArchiveView {
 public:
  struct Entry {
    std::string_view name;  // relative, with '/'; valid during the call only
    std::uint64_t size = 0;
  };

  virtual ~ArchiveView() = default;

  // For people: the path or URL.
  virtual std::string describe() const = 0;

  // Every object whose name starts with `prefix` (a whole folder: "" or ending with '/'), in no
  // particular order, until `visit` returns false. Folders, links and special files are not
  // objects.
  virtual Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) = 0;

  // At most `size_max` bytes from `offset`; fewer only at the object's end. Nothing if there is no
  // such object.
  virtual Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                                  std::size_t size_max) = 0;
};

}  // namespace pawl
