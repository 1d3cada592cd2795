// The keys of change records in KeySpace::kChanges: incarnation (8 bytes), shard number (2),
// sequence number (8), each big-endian, so that a shard's changes lie together and in order. See
// docs/internals/data-directory.md, "Change log".
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/result.h"

namespace pawl::stream {

inline constexpr std::size_t kChangeKeySize = 18;

// `shard` is one of Pawl's own tables: its number is at most kEmbeddedShardMax.
std::string change_key(ShardId shard, SequenceNumber sequence);

// The shard and sequence number of a key. Errors: kCorrupt.
Result<std::pair<ShardId, SequenceNumber>> parse_change_key(std::string_view key);

}  // namespace pawl::stream
