#include "table/old_streams.h"

namespace pawl::table {

Status begin_old_streams(KeyValueStore& store, Catalog& catalog, const stream::ChangeLog& log) {
  WriteBatch batch;
  std::vector<TableRecord> records;
  for (const auto& [incarnation, table] : catalog.view()->by_incarnation) {
    if (table->record.streams.empty() || !table->record.streams.back().after.empty()) continue;
    TableRecord record = table->record;
    TableStream& stream = record.streams.back();
    for (const ShardId shard : table->shards()) {
      PAWL_ASSIGN_OR_RETURN(const auto after, log.last_before(shard, {}, stream.label));
      stream.after.push_back(after);
    }
    batch.put(KeySpace::kCatalog, table_key(incarnation), encode_table(record));
    records.push_back(std::move(record));
  }
  if (batch.empty()) return ok();
  const WriteResult written = store.write(batch, Sync::kYes);
  if (written.outcome != WriteOutcome::kDone) {
    return Error{
        written.outcome == WriteOutcome::kUnknown ? ErrorCode::kUnknown : ErrorCode::kUnavailable,
        "writing where streams begin: " + written.why, "look at the disk, then start again"};
  }
  for (const TableRecord& record : records) catalog.put(record, {});
  return ok();
}

}  // namespace pawl::table
