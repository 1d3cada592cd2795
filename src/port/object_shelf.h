// The objects of an archive, for readers who ask for one by its name or for names in their order. Read-only: nothing that holds
// one can change the archive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "port/body_files.h"

namespace pawl {

struct ShelvedAbout {
  std::uint64_t bytes = 0;
  Instant modified;
};
struct ShelvedObject {
  ShelvedAbout about;
  std::unique_ptr<BodyReader> body;  // readable to its end, whatever becomes of the name
};

// Goes through the names in the order of their bytes. One thread at a time.
class NameWalk {
 public:
  // Whether all names that begin with `folder`, which ends with '/', may be told as one: as `folder`.
  using Fold = std::function<bool(std::string_view folder)>;

  virtual ~NameWalk() = default;
  // The first name that is not less than `from`; or a folder in its place, if it is not less than `from`, `fold` says so, and
  // there is any name in it. Nothing: there is no such. What is put meanwhile may be seen or not.
  virtual Result<std::optional<std::string>> first(std::string_view from, const Fold& fold) = 0;
  // Nothing: it is no object, or gone.
  virtual Result<std::optional<ShelvedAbout>> about(std::string_view name) = 0;
};

// Thread-safe. Every call may wait for the disk.
class ObjectShelf {
 public:
  virtual ~ObjectShelf() = default;
  // Nothing: there is no such object. Any bytes may be asked for: a name that can't be is absent.
  virtual Result<std::optional<ShelvedObject>> open(std::string_view name) = 0;
  // `goes_on`: behind a page that another walk gave; what has been put since that one began may not be seen.
  virtual std::unique_ptr<NameWalk> walk(bool goes_on) = 0;
};

}  // namespace pawl
