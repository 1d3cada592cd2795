// Strong types for the identities that travel with a change, so that none can be taken for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

// A number that means one thing. Tag makes it a type of its own; no arithmetic but next().
template <typename Tag>
struct StrongNumber {
  std::uint64_t value = 0;

  constexpr StrongNumber next() const { return {value + 1}; }
  friend constexpr auto operator<=>(StrongNumber, StrongNumber) = default;
};

// The position of a change in its shard: dense, from 1. 0 means "before the first".
using SequenceNumber = StrongNumber<struct SequenceNumberTag>;

// The version that Pawl keeps of every item: 0 at its first write, one more at each change, deletion
// included. It goes on after deletion and re-creation, so it never names two states of one item.
using Version = StrongNumber<struct VersionTag>;

// The index of a page in its ledger chain: dense, from 0.
using PageIndex = StrongNumber<struct PageIndexTag>;

// One life of a table, from CreateTable to DeleteTable: a random number, never 0, printed as 16 hex
// digits. A table that is created again under the same name is another incarnation.
struct Incarnation {
  std::uint64_t value = 0;

  std::string to_string() const;
  static std::optional<Incarnation> parse(std::string_view text);
  friend constexpr auto operator<=>(Incarnation, Incarnation) = default;
};

// One shard of a table's change stream; unique over all tables and times, because it carries the
// incarnation. Printed as "<16 hex of the incarnation>-<hex of the number>": at least 4 digits, at most 8, and beyond 4
// without a leading zero, so that every shard has one text. Pawl's own tables number their shards within 16 bits
// (kEmbeddedShardMax); a guarded table's chains, thousands a day, go on beyond.
struct ShardId {
  Incarnation incarnation;
  std::uint32_t number = 0;

  std::string to_string() const;
  static std::optional<ShardId> parse(std::string_view text);
  friend constexpr auto operator<=>(ShardId, ShardId) = default;
};

// The greatest number that what is stored in a data directory has room for: two bytes.
inline constexpr std::uint32_t kEmbeddedShardMax = 0xFFFF;
// "<16 hex>-<4 to 8 hex>".
inline constexpr std::size_t kShardIdTextMax = 25;

}  // namespace pawl

template <>
struct std::hash<pawl::ShardId> {
  std::size_t operator()(const pawl::ShardId& id) const noexcept {
    return static_cast<std::size_t>(id.incarnation.value * 0x9E3779B97F4A7C15ULL) ^ id.number;
  }
};
