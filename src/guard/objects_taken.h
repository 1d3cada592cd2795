// Which objects of somebody else's function stand for changes already: one object satisfies one change. Where an item is
// deleted and created again with its counter started again, two changes have one name, and the instants of stream and store
// (whole seconds of two clocks; FACTS.md) don't always tell whose object is there.
//
// What is kept is bounded: the newest of what this worker's readers have entered, and of a shard that it takes over the
// entries of its last page. Beyond that an object can be taken twice, if it was written after the later change; the ledger
// then has the name twice, with one digest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "base/digest.h"
#include "base/instant.h"

namespace pawl::guard {

// What an object held, and when that was written by the store's clock.
struct ObjectContent {
  Digest digest;
  Instant written_at;
};

// One executor.
class ObjectsTaken {
 public:
  static constexpr std::size_t kKeptMax = 1 << 18;  // some 30 MiB

  explicit ObjectsTaken(std::size_t kept_max = kKeptMax) : kept_max_(kept_max) {}

  // That content of the name, as it was until then, stands for a change from now on.
  void take(std::string_view name, const ObjectContent& content);
  // Whether it does. The same bytes, written again in a later second, do not.
  bool is_taken(std::string_view name, const ObjectContent& content) const;

 private:
  struct Key {
    std::uint64_t name = 0;
    std::uint64_t digest = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.name ^ key.digest; }
  };
  static Key key_of(std::string_view name, const ObjectContent& content);

  std::size_t kept_max_;
  std::unordered_map<Key, Instant, KeyHash> until_;
  std::deque<Key> order_;
};

}  // namespace pawl::guard
