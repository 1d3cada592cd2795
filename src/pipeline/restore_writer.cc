#include "pipeline/restore_writer.h"

#include "item/item_size.h"
#include "stream/change_key.h"
#include "table/catalog.h"
#include "table/item_format.h"

namespace pawl::pipeline {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{4} << 20;

Status write(KeyValueStore& store, WriteBatch& batch, Sync sync) {
  const auto result = store.write(batch, sync);
  batch.clear();
  if (result.outcome == WriteOutcome::kDone) return ok();
  const auto code =
      result.outcome == WriteOutcome::kUnknown ? ErrorCode::kUnknown : ErrorCode::kUnavailable;
  return Error{code, "writing restored items: " + result.why,
               "restore again into an empty directory"};
}

}  // namespace

Result<RestoreWriter> RestoreWriter::begin(KeyValueStore& store, Random& random) {
  PAWL_ASSIGN_OR_RETURN(const auto catalog, table::Catalog::open(store, random));
  if (!catalog->view()->by_incarnation.empty()) {
    return Error{ErrorCode::kExists, "restoring into a data directory that holds tables already",
                 "name a directory that is empty or does not exist"};
  }
  return RestoreWriter(store);
}

Status RestoreWriter::write_when_large() {
  return data_.bytes() < kBatchBytes ? ok() : write(*store_, data_, Sync::kNo);
}

Status RestoreWriter::item(Incarnation table, const item::KeySchema& schema, Version version,
                           const item::Item& item) {
  PAWL_ASSIGN_OR_RETURN(const auto key, item::key_of(schema, item));
  data_.put(KeySpace::kItems, table::place_of(table, schema, key).key,
            table::encode_stored_item(version, item));
  auto& count = counts_[table];
  ++count.items;
  count.bytes += item::size_of(item);
  return write_when_large();
}

Status RestoreWriter::removed_item(Incarnation table, const item::KeySchema& schema,
                                   Version version, const item::Item& key) {
  data_.put(KeySpace::kDeletedVersions, table::place_of(table, schema, key).key,
            table::encode_deleted_version(version));
  return write_when_large();
}

Status RestoreWriter::newest_change(const item::Change& change) {
  data_.put(KeySpace::kChanges, stream::change_key(change.shard, change.sequence),
            item::encode_change(change));
  newest_[change.shard] = change.sequence;
  if (change.sequence.value > 1) {
    catalog_.put(KeySpace::kCatalog, table::floor_key(change.shard),
                 table::encode_floor({change.sequence.value - 1}));
  }
  return write_when_large();
}

Status RestoreWriter::table(const RecordedTable& table) {
  table::TableRecord record;
  record.definition = table.definition;
  record.incarnation = table.incarnation;
  record.space = table.incarnation;
  record.created = table.created;
  if (table.definition.stream) {
    // It goes on behind what was restored: older changes are in the archive, not in the log.
    record.stream_enabled = table.created;
    table::TableStream& stream = record.streams.emplace_back();
    stream.label = table.created;
    stream.view = *table.definition.stream;
    for (const ShardId shard : table.shards) stream.after.push_back(newest_[shard]);
  }
  catalog_.put(KeySpace::kCatalog, table::table_key(table.incarnation),
               table::encode_table(record));
  const auto& count = counts_[table.incarnation];
  catalog_.put(KeySpace::kCatalog, table::count_key(table.incarnation),
               table::encode_count({count.items, count.bytes}));
  return ok();
}

Status RestoreWriter::finish() {
  if (!data_.empty()) PAWL_TRY(write(*store_, data_, Sync::kNo));
  if (catalog_.empty()) return ok();
  return write(*store_, catalog_, Sync::kYes);
}

}  // namespace pawl::pipeline
