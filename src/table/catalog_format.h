// The records of KeySpace::kCatalog. See docs/internals/data-directory.md, "Catalog".
//
//   key                                    value
//   "format"                               varint: kDataFormat
//   "data-id"                              8 bytes big-endian: random, made with the directory
//   "iterator-key"                         32 bytes, random: signs the iterators of streams
//   "table/" incarnation(8)                a TableRecord
//   "count/" incarnation(8)                item count and size: two varints; written with every
//   batch "floor/" incarnation(8) shard(2)       varint: the change log of the shard is trimmed
//   through here
// Numbers in keys are big-endian.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "table/table_definition.h"

namespace pawl::table {

// The format of everything in the data directory. Raised when an older Pawl could not read what a
// newer one writes; a newer one than this is refused at the start.
inline constexpr std::uint64_t kDataFormat = 2;

inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kDataIdKey = "data-id";
inline constexpr std::string_view kIteratorKeyKey = "iterator-key";
inline constexpr std::size_t kIteratorKeySize = 32;
inline constexpr std::string_view kTablePrefix = "table/";
inline constexpr std::string_view kCountPrefix = "count/";
inline constexpr std::string_view kFloorPrefix = "floor/";

enum class TableState : std::uint8_t {
  kActive = 0,
  kClosing = 1,   // deleted by name; its changes are not all in ledger pages yet
  kReplaced = 2,  // adopted: goes on as another incarnation, which names it as its parent
};

// What a table is, as it is stored. `space` names its items: the incarnation that first held them,
// which an adopted table keeps, so that adoption moves no item.
struct TableRecord {
  TableDefinition definition;
  Incarnation incarnation;
  Incarnation space;
  TableState state = TableState::kActive;
  Instant created;
  std::optional<Instant> stream_enabled;
  std::optional<Incarnation> parent;
  std::vector<TableStream> streams;  // oldest first; the last may be open
  bool operator==(const TableRecord&) const = default;
};

struct TableCount {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  bool operator==(const TableCount&) const = default;
};

std::string table_key(Incarnation incarnation);
std::string count_key(Incarnation incarnation);
std::string floor_key(ShardId shard);

std::string encode_table(const TableRecord& record);
std::string encode_count(const TableCount& count);
std::string encode_floor(SequenceNumber floor);

// Errors: kCorrupt. A record of format 1 knows no streams: the one that its definition tells of comes with an empty `after`.
Result<TableRecord> decode_table(std::string_view encoded);
Result<TableCount> decode_count(std::string_view encoded);
Result<SequenceNumber> decode_floor(std::string_view encoded);

}  // namespace pawl::table
