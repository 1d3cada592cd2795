// One change of one item: what the change log holds, the archiver archives and the ledger proves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/coding.h"
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
inline constexpr std::uint8_t kBodyFormat = 1;         // of Pawl's own tables
inline constexpr std::uint8_t kGuardedBodyFormat = 2;  // of tables that somebody else keeps

// A guarded change's version is the value of an attribute that the table's own clients write. Greater ones than every
// JSON reader takes for whole numbers (2^53) are none.
inline constexpr std::uint64_t kGuardedVersionMax = std::uint64_t{1} << 53;

struct Change {
  ShardId shard;
  SequenceNumber sequence;  // dense within the shard, from 1
  Item key;                 // the key attributes alone
  // Of the item after this change. Always there in Pawl's own tables; in a guarded one it is the version attribute's
  // value in the new image (the old one of a removal), and nothing where that is no whole number up to kGuardedVersionMax.
  std::optional<Version> version;
  ChangeKind kind = ChangeKind::kInsert;
  // Of the commit; never decreasing within a shard. Of a guarded change: what the service says, in whole seconds, in no
  // order.
  Instant instant;
  // Nothing for a removal, and for a removal only; a guarded change lacks it too where the stream's view has none.
  std::optional<Item> new_image;
  std::optional<Item> old_image;  // nothing for an insertion, and for an insertion only; likewise
  std::string trace;  // the request's id, for people; may be empty; none in a guarded one
  std::uint8_t body_format = kBodyFormat;
  // The record's own number in the stream of a guarded table (item/source_number.h); empty in Pawl's own tables. A
  // change that has one has body_format kGuardedBodyFormat, and no other has.
  std::string source = {};

  bool guarded() const { return !source.empty(); }

  bool operator==(const Change&) const = default;
};

// As a stored record (docs/internals/item-and-change-format.md), of Pawl's own tables only: guarded changes are kept in no
// change log. A guarded change, or one whose images don't fit its kind, is a programmer's error; a record of another format, or damaged, is kCorrupt. The shard and the sequence number are
// the record's key (stream/change_key.h) and not repeated in it.
std::string encode_change(const Change& change);
Result<Change> decode_change(ShardId shard, SequenceNumber sequence, std::string_view encoded);

// What stands in a stored record before its items: key, then the new image if has_new_image(), then the old one if
// has_old_image().
struct ChangeHead {
  std::uint8_t body_format = kBodyFormat;
  ChangeKind kind = ChangeKind::kInsert;
  Version version;
  Instant instant;
  std::string_view trace;  // of the record's bytes
};
// Reads the head and leaves `reader` behind it, for who needs no Change. Errors: kCorrupt.
Result<ChangeHead> read_change_head(Reader& reader);
constexpr bool has_new_image(ChangeKind kind) { return kind != ChangeKind::kRemove; }
constexpr bool has_old_image(ChangeKind kind) { return kind != ChangeKind::kInsert; }

}  // namespace pawl::item
