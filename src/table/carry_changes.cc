#include "table/carry_changes.h"

#include "item/change.h"
#include "stream/change_key.h"

namespace pawl::table {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
constexpr std::size_t kRecordsARead = 1024;

WriteResult not_done(const Error& error) { return {WriteOutcome::kNotDone, error.message}; }

WriteResult carry_shard(KeyValueStore& store, const stream::ChangeLog& log, ShardId from,
                        SequenceNumber after, CarriedShard& to) {
  while (true) {
    const auto records = log.read_now(from, after, kRecordsARead, kBatchBytes);
    if (!records.ok()) return not_done(records.error());
    if (records->empty()) return {WriteOutcome::kDone, {}};
    WriteBatch batch;
    for (const auto& record : *records) {
      to.newest = to.newest.next();
      batch.put(KeySpace::kChanges, stream::change_key(to.shard, to.newest), record.encoded);
    }
    const auto last = item::decode_change(from, records->back().sequence, records->back().encoded);
    if (!last.ok()) return not_done(last.error());
    to.newest_instant = last->instant;
    after = records->back().sequence;
    WriteResult result = store.write(batch, Sync::kNo);
    if (result.outcome != WriteOutcome::kDone) return result;
  }
}

}  // namespace

CarriedChanges carry_changes(KeyValueStore& store, const stream::ChangeLog& log,
                             const std::map<ShardId, SequenceNumber>& after,
                             Incarnation incarnation) {
  CarriedChanges carried{{WriteOutcome::kDone, {}}, {}};
  for (const auto& [from, position] : after) {
    CarriedShard to{{incarnation, from.number}, {}, {}};
    carried.result = carry_shard(store, log, from, position, to);
    if (carried.result.outcome != WriteOutcome::kDone) return carried;
    carried.shards.push_back(to);
  }
  return carried;
}

}  // namespace pawl::table
