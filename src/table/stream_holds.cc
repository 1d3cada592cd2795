#include "table/stream_holds.h"

#include <algorithm>

namespace pawl::table {

void StreamHolds::begin(const Table& table, CommitStep& step) {
  const bool is_read = has_readers(table.record);
  if (table.record.streams.empty() && !is_read) return;
  // Who lets go before the first look is lifted in it all the same.
  if (is_read) held_.insert(table.record.incarnation);
  for (const ShardId shard : table.shards()) {
    const auto position = log_.position(shard);
    step.hold(shard, position ? position->floor : SequenceNumber{});
  }
}

Status StreamHolds::advance(Instant now, CommitStep& step) {
  const auto tables = catalog_.view();
  const auto& all = tables->by_incarnation;
  auto at = all.lower_bound(next_);
  std::size_t shards = 0;
  for (std::size_t seen = 0; seen < all.size() && shards < kShardsACall; ++seen, ++at) {
    if (at == all.end()) at = all.begin();
    const Table& table = *at->second;
    next_ = {at->first.value + 1};
    if (table.record.streams.empty() && !has_readers(table.record) && !held_.contains(at->first))
      continue;
    shards += table.record.definition.partitions;
    PAWL_TRY(advance_table(table, now, step));
  }
  return ok();
}

Status StreamHolds::advance_table(const Table& table, Instant now, CommitStep& step) {
  const auto& streams = table.record.streams;
  const bool is_whole = is_held_whole(table.record);
  // What readers held is lifted in the first look after they have let go.
  if (has_readers(table.record)) {
    held_.insert(table.record.incarnation);
  } else {
    held_.erase(table.record.incarnation);
  }
  const bool is_read = any_readable(streams, now, retention_);
  const Instant cutoff{now.microseconds - retention_.count()};
  for (const ShardId shard : table.shards()) {
    std::optional<SequenceNumber> held;
    if (is_read) {
      SequenceNumber& aged = aged_[shard];
      PAWL_ASSIGN_OR_RETURN(aged, log_.last_before(shard, aged, cutoff));
      held = held_after(streams, shard.number, aged, now, retention_);
    }
    if (const auto after = readers_ != nullptr ? readers_->held_after(shard) : std::nullopt) {
      held = std::min(held.value_or(*after), *after);
    }
    if (is_whole) {
      const auto position = log_.position(shard);
      held = position ? position->floor : SequenceNumber{};
    }
    step.hold(shard, held);
  }
  return ok();
}

void StreamHolds::forget(const Table& table) {
  for (const ShardId shard : table.shards()) aged_.erase(shard);
  held_.erase(table.record.incarnation);
}

}  // namespace pawl::table
