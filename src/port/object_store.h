// Where objects are kept: a directory, a bucket, or memory in the drill.
//
// Names are non-empty UTF-8 of at most 1,024 bytes without control bytes, empty components, `.` or `..`
// components, a leading or trailing `/`, and do not start with ".pawl": archive/naming makes them so.
// An object becomes visible whole or not at all, and is never overwritten: every put is "if absent".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "port/clock.h"

namespace pawl {

// Views must stay valid until the put has returned.
struct PutRequest {
  std::string_view name;
  std::string_view body;
  Digest digest;  // SHA-256 of body
};

enum class PutOutcome {
  kStored,            // it was absent, and is now there and durable
  kAlreadyEqual,      // it was there with this very content, and is durable
  kAlreadyDifferent,  // it was there with other content, which was not touched
  kRefused,           // not done, definitely; trying again later may succeed
  kUnknown,           // may or may not have been done, or may not be durable
};

struct PutResult {
  PutOutcome outcome = PutOutcome::kUnknown;
  std::string why;  // for people, where refused or unknown: operation, name, cause
};

// One coroutine at a time, unless an implementation says more.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Puts each object if it is absent, as one batch with as few syncs as the store needs. One result a
  // request, in order. When it returns, kStored and kAlreadyEqual are durable.
  // Names within a batch may repeat; they are treated in order.
  virtual Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) = 0;

  // The whole content, at most `size_max` bytes; nothing if there is no such object.
  virtual Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                            std::size_t size_max) = 0;

  // Moves objects aside whose durability is in doubt (written before a crash or a failed sync and in no
  // ledger page), so that a later put writes them anew: equality read from a cache proves nothing.
  // Absent names are fine. Stores whose answers are durable by themselves do nothing.
  virtual Awaitable<Status> set_aside(std::span<const std::string> names) = 0;

  // Whether there can be such objects at all. Where an answer proves by itself that an object is durable, whoever wrote
  // it (a bucket), nothing need be looked for and set aside after a start.
  virtual bool may_doubt() const { return true; }

  // The room left for objects, where that is known.
  virtual Result<std::optional<std::uint64_t>> free_bytes() = 0;
};

}  // namespace pawl
