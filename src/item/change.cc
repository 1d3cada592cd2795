#include "item/change.h"

#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "item/item_codec.h"
#include "item/item_size.h"

namespace pawl::item {
namespace {

constexpr std::uint8_t kRecordFormat = 1;

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, "A stored change record " + std::string(what) + ".", ""};
}

}  // namespace

std::string_view name_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kInsert:
      return "INSERT";
    case ChangeKind::kModify:
      return "MODIFY";
    case ChangeKind::kRemove:
      return "REMOVE";
  }
  return "?";
}

std::string encode_change(const Change& change) {
  PAWL_ASSERT(!change.guarded() && change.body_format == kBodyFormat);
  PAWL_ASSERT(change.version.has_value());
  PAWL_ASSERT(change.new_image.has_value() == has_new_image(change.kind));
  PAWL_ASSERT(change.old_image.has_value() == has_old_image(change.kind));
  std::string out;
  // Enough for nearly all: the head, and a few bytes an attribute for lengths and codes.
  std::size_t size = 64 + change.trace.size();
  for (const Item* item : {&change.key, change.new_image ? &*change.new_image : nullptr,
                           change.old_image ? &*change.old_image : nullptr}) {
    if (item != nullptr) size += size_of(*item) + 4 * item->size();
  }
  out.reserve(size);
  append_u8(out, kRecordFormat);
  append_u8(out, change.body_format);
  append_u8(out, static_cast<std::uint8_t>(change.kind));
  append_varint(out, change.version->value);
  append_u64_be(out, static_cast<std::uint64_t>(change.instant.microseconds));
  append_bytes(out, change.trace);
  append_item(out, change.key);
  if (change.new_image) append_item(out, *change.new_image);
  if (change.old_image) append_item(out, *change.old_image);
  return out;
}

Result<ChangeHead> read_change_head(Reader& reader) {
  if (reader.u8() != kRecordFormat) return corrupt("is damaged, or of a newer Pawl");
  ChangeHead head;
  head.body_format = reader.u8();
  if (head.body_format == 0 || head.body_format > kBodyFormat) {
    return corrupt("asks for a body format that this Pawl doesn't know");
  }
  const std::uint8_t kind = reader.u8();
  if (kind > static_cast<std::uint8_t>(ChangeKind::kRemove)) return corrupt("is damaged");
  head.kind = static_cast<ChangeKind>(kind);
  head.version = Version{reader.varint()};
  head.instant = Instant{static_cast<std::int64_t>(reader.u64_be())};
  head.trace = reader.bytes();
  if (!reader.ok()) return corrupt("is damaged");
  return head;
}

Result<Change> decode_change(ShardId shard, SequenceNumber sequence, std::string_view encoded) {
  Reader reader(encoded);
  PAWL_ASSIGN_OR_RETURN(const ChangeHead head, read_change_head(reader));
  Result<Change> result{Change{}};
  Change& change = *result;
  change.shard = shard;
  change.sequence = sequence;
  change.body_format = head.body_format;
  change.kind = head.kind;
  change.version = head.version;
  change.instant = head.instant;
  change.trace = head.trace;
  PAWL_ASSIGN_OR_RETURN(change.key, read_item(reader));
  if (has_new_image(change.kind)) {
    PAWL_ASSIGN_OR_RETURN(change.new_image, read_item(reader));
  }
  if (has_old_image(change.kind)) {
    PAWL_ASSIGN_OR_RETURN(change.old_image, read_item(reader));
  }
  if (!reader.at_end()) return corrupt("is damaged");
  return result;
}

}  // namespace pawl::item
