// Looks at objects that somebody else writes: whether each is there, since when, and what it holds. A bucket, or a fake in
// tests.
//
// The store must show an object to every look that begins after its put was answered (Amazon S3 and Ceph's gateway do).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "port/clock.h"

namespace pawl {

struct ObjectAsk {
  std::string_view name;  // must stay valid until the look has returned
  Instant not_before;     // an object that was last written before need not be read
};

struct ObjectSeen {
  enum class Kind : std::uint8_t {
    kAbsent,    // there is none of that name
    kThere,     // size and digest are those of one whole content of it
    kUnwieldy,  // there is one, larger than anything that is read
    kUnclear,   // no answer, or one that does not say; looking again may help
  };
  Kind kind = Kind::kUnclear;
  // When the store answered, by its own clock (in whole seconds, rounded down), where it says; else by ours.
  Instant seen_at;
  // Where it is there: when it was last written, by the store's clock, in whole seconds.
  Instant written_at;
  std::uint64_t size = 0;
  Digest digest;    // kThere, unless it was written before `not_before`
  std::string why;  // for people, where it is unclear
};

// One executor; looks may overlap.
class ObjectWatch {
 public:
  virtual ~ObjectWatch() = default;

  // One result for each ask, in order. Changes nothing.
  virtual Awaitable<std::vector<ObjectSeen>> look(std::span<const ObjectAsk> asks) = 0;
};

}  // namespace pawl
