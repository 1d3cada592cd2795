// The names of a bucket, or of what is below a prefix in it, as whoever wrote them left it: for searches that nothing but
// names can answer. Read-only: nothing that holds one can change the bucket, or read an object.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pawl {

// Gets the names of a listing. So that the answers' latency does not bound it, a listing may be read in parts side by
// side: each part has the names after one place up to another, in byte order. Calls of different parts interleave; all
// come from one thread. A failure ends the listing.
class NameParts {
 public:
  virtual ~NameParts() = default;
  // A part begins, with names after `after` ("" = the first of all). Numbers are never used again.
  virtual Status begin(std::size_t part, std::string_view after) = 0;
  virtual Status name(std::size_t part, std::string_view name) = 0;  // valid during the call
  // The part has had all names up to `until`, included, where exactly one other begins ("" = it has the last of all).
  virtual Status end(std::size_t part, std::string_view until) = 0;
};

// Names are relative to what was opened. Blocks the calling thread. One thread at a time.
class NameListing {
 public:
  virtual ~NameListing() = default;
  virtual std::string describe() const = 0;  // for people: "s3://bucket/prefix"
  // Every name that starts with `prefix`, each in exactly one part. What is written or removed meanwhile may be seen or not.
  // Errors: kInvalid where only a person can help (no such bucket, access denied, a store that lists in another order),
  // kUnavailable, and those of `parts`.
  virtual Status list(std::string_view prefix, NameParts& parts) = 0;
  // The first `count_max` (1 to 1,000) names.
  virtual Result<std::vector<std::string>> first_names(std::size_t count_max) = 0;
};

}  // namespace pawl
