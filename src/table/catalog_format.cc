#include "table/catalog_format.h"

#include "base/assert.h"
#include "base/coding.h"

namespace pawl::table {
namespace {

constexpr std::uint8_t kRecordFormat = 2;
constexpr std::uint8_t kFormatWithoutStreams = 1;

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, "the catalog's " + std::string(what) + " can't be read",
          "the data directory is damaged: restore it with `pawl restore` from the archive"};
}

std::string incarnation_key(std::string_view prefix, Incarnation incarnation) {
  std::string key(prefix);
  append_u64_be(key, incarnation.value);
  return key;
}

void append_key_attribute(std::string& out, const item::KeyAttribute& attribute) {
  append_bytes(out, attribute.name);
  append_u8(out, static_cast<std::uint8_t>(attribute.type));
}

item::KeyAttribute read_key_attribute(Reader& reader) {
  item::KeyAttribute attribute;
  attribute.name = reader.bytes();
  const std::uint8_t type = reader.u8();
  if (type > static_cast<std::uint8_t>(item::Type::kBinary)) reader.fail();
  attribute.type = static_cast<item::Type>(type);
  return attribute;
}

// A presence byte, then the value.
bool read_flag(Reader& reader) {
  const std::uint8_t flag = reader.u8();
  if (flag > 1) reader.fail();
  return flag == 1;
}

StreamView read_view(Reader& reader) {
  const std::uint8_t view = reader.u8();
  if (view > static_cast<std::uint8_t>(StreamView::kNewAndOldImages)) reader.fail();
  return static_cast<StreamView>(view);
}

void append_definition(std::string& out, const TableDefinition& definition) {
  append_bytes(out, definition.name);
  append_key_attribute(out, definition.schema.partition);
  append_u8(out, definition.schema.sort ? 1 : 0);
  if (definition.schema.sort) append_key_attribute(out, *definition.schema.sort);
  append_u16_be(out, definition.partitions);
  append_u8(out, definition.stream ? 1 : 0);
  if (definition.stream) append_u8(out, static_cast<std::uint8_t>(*definition.stream));
  append_u8(out, definition.pay_per_request ? 1 : 0);
  append_varint(out, definition.read_units);
  append_varint(out, definition.write_units);
  append_u8(out, definition.deletion_protected ? 1 : 0);
  append_u8(out, definition.record.record ? 1 : 0);
  append_bytes(out, definition.record.name_template);
}

TableDefinition read_definition(Reader& reader) {
  TableDefinition definition;
  definition.name = reader.bytes();
  definition.schema.partition = read_key_attribute(reader);
  if (read_flag(reader)) definition.schema.sort = read_key_attribute(reader);
  definition.partitions = reader.u16_be();
  if (definition.partitions == 0 || definition.partitions > kPartitionsMax) reader.fail();
  if (read_flag(reader)) {
    definition.stream = read_view(reader);
  }
  definition.pay_per_request = read_flag(reader);
  definition.read_units = reader.varint();
  definition.write_units = reader.varint();
  definition.deletion_protected = read_flag(reader);
  definition.record.record = read_flag(reader);
  definition.record.name_template = reader.bytes();
  return definition;
}

void append_positions(std::string& out, const TableStream::Positions& positions) {
  for (const SequenceNumber position : positions) append_varint(out, position.value);
}

TableStream::Positions read_positions(Reader& reader, std::uint16_t shards) {
  TableStream::Positions positions;
  for (std::uint16_t i = 0; i < shards && reader.ok(); ++i) positions.push_back({reader.varint()});
  return positions;
}

void append_stream(std::string& out, const TableStream& stream) {
  append_u64_be(out, static_cast<std::uint64_t>(stream.label.microseconds));
  append_u8(out, static_cast<std::uint8_t>(stream.view));
  append_positions(out, stream.after);
  append_u8(out, stream.end ? 1 : 0);
  if (!stream.end) return;
  append_u64_be(out, static_cast<std::uint64_t>(stream.end->at.microseconds));
  append_positions(out, stream.end->last);
}

TableStream read_stream(Reader& reader, std::uint16_t shards) {
  TableStream stream;
  stream.label = {static_cast<std::int64_t>(reader.u64_be())};
  stream.view = read_view(reader);
  stream.after = read_positions(reader, shards);
  if (!read_flag(reader)) return stream;
  stream.end.emplace();
  stream.end->at = {static_cast<std::int64_t>(reader.u64_be())};
  stream.end->last = read_positions(reader, shards);
  return stream;
}

void read_streams(Reader& reader, TableRecord& record) {
  const std::uint64_t count = reader.varint();
  if (count > kStreamsMax) reader.fail();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    record.streams.push_back(read_stream(reader, record.definition.partitions));
  }
}

}  // namespace

std::string table_key(Incarnation incarnation) {
  return incarnation_key(kTablePrefix, incarnation);
}
std::string count_key(Incarnation incarnation) {
  return incarnation_key(kCountPrefix, incarnation);
}
std::string floor_key(ShardId shard) {
  PAWL_ASSERT(shard.number <= kEmbeddedShardMax);
  std::string key = incarnation_key(kFloorPrefix, shard.incarnation);
  append_u16_be(key, static_cast<std::uint16_t>(shard.number));
  return key;
}

std::string encode_table(const TableRecord& record) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_u64_be(out, record.incarnation.value);
  append_u64_be(out, record.space.value);
  append_u8(out, static_cast<std::uint8_t>(record.state));
  append_u64_be(out, static_cast<std::uint64_t>(record.created.microseconds));
  append_u8(out, record.stream_enabled ? 1 : 0);
  if (record.stream_enabled) {
    append_u64_be(out, static_cast<std::uint64_t>(record.stream_enabled->microseconds));
  }
  append_u8(out, record.parent ? 1 : 0);
  if (record.parent) append_u64_be(out, record.parent->value);
  append_definition(out, record.definition);
  append_varint(out, record.streams.size());
  for (const TableStream& stream : record.streams) append_stream(out, stream);
  return out;
}

Result<TableRecord> decode_table(std::string_view encoded) {
  Reader reader(encoded);
  const std::uint8_t format = reader.u8();
  if (format != kRecordFormat && format != kFormatWithoutStreams) return corrupt("table record");
  TableRecord record;
  record.incarnation = {reader.u64_be()};
  record.space = {reader.u64_be()};
  const std::uint8_t state = reader.u8();
  if (state > static_cast<std::uint8_t>(TableState::kReplaced)) reader.fail();
  record.state = static_cast<TableState>(state);
  record.created = {static_cast<std::int64_t>(reader.u64_be())};
  if (read_flag(reader)) {
    record.stream_enabled = Instant{static_cast<std::int64_t>(reader.u64_be())};
  }
  if (read_flag(reader)) record.parent = Incarnation{reader.u64_be()};
  record.definition = read_definition(reader);
  if (format == kRecordFormat) {
    read_streams(reader, record);
  } else if (record.definition.stream && record.state == TableState::kActive) {
    TableStream& stream = record.streams.emplace_back();
    stream.label = record.stream_enabled.value_or(record.created);
    stream.view = *record.definition.stream;
  }
  if (!reader.at_end()) return corrupt("table record");
  return record;
}

std::string encode_count(const TableCount& count) {
  std::string out;
  append_varint(out, count.items);
  append_varint(out, count.bytes);
  return out;
}

Result<TableCount> decode_count(std::string_view encoded) {
  Reader reader(encoded);
  TableCount count;
  count.items = reader.varint();
  count.bytes = reader.varint();
  if (!reader.at_end()) return corrupt("item count");
  return count;
}

std::string encode_floor(SequenceNumber floor) {
  std::string out;
  append_varint(out, floor.value);
  return out;
}

Result<SequenceNumber> decode_floor(std::string_view encoded) {
  Reader reader(encoded);
  const SequenceNumber floor{reader.varint()};
  if (!reader.at_end()) return corrupt("floor of a shard");
  return floor;
}

}  // namespace pawl::table
