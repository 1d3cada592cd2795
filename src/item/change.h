// One change of one item: what the change log holds, the archiver archives and the ledger proves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "item/value.h"

namespace pawl::item {

enum class ChangeKind : std::uint8_t { kInsert = 0, kModify = 1, kRemove = 2 };
// "INSERT", "MODIFY", "REMOVE": the names that DynamoDB Streams uses.
std::string_view name_of(ChangeKind kind);

// The version of the object body that a change is rendered to, fixed when the change is committed,
// so that a later Pawl renders the same bytes for it. See docs/internals/archive-format.md.
inline constexpr std::uint8_t kBodyFormat = 1;

struct Change {
  ShardId shard;
  SequenceNumber sequence;  // dense within the shard, from 1
  Item key;                 // the key attributes alone
  Version version;          // of the item after this change
  ChangeKind kind = ChangeKind::kInsert;
  Instant instant;                // of the commit; never decreasing within a shard
  std::optional<Item> new_image;  // nothing for a removal, and for a removal only
  std::optional<Item> old_image;  // nothing for an insertion, and for an insertion only
  std::string trace;              // the request's id, for people; may be empty
  std::uint8_t body_format = kBodyFormat;

  bool operator==(const Change&) const = default;
};

// As a stored record (docs/internals/item-and-change-format.md). A change whose images don't fit its kind is a programmer's
// error; a record of another format, or damaged, is kCorrupt. The shard and the sequence number are
// the record's key (stream/change_key.h) and not repeated in it.
std::string encode_change(const Change& change);
Result<Change> decode_change(ShardId shard, SequenceNumber sequence, std::string_view encoded);

}  // namespace pawl::item
