// What the recorder tells of itself: publish() by its coroutine, status() by anybody, also while that coroutine is stuck.
#include <algorithm>

#include "pipeline/recorder_state.h"

namespace pawl::pipeline {

void Recorder::publish() {
  std::vector<ShardFacts> facts;
  facts.reserve(shards_.size());
  for (const auto& [id, shard] : shards_) {
    ShardFacts fact;
    fact.shard = id;
    fact.table = shard->table->facts.definition.name;
    fact.committed = std::max(shard->committed, shard->progress.read());
    fact.archived = shard->progress.paged;
    if (!shard->flight.empty()) fact.oldest = shard->flight.front().entry.instant;
    fact.waits = shard->table->page_interval;
    fact.moved = shard->moved;
    fact.moved_at = shard->moved_at;
    fact.heartbeat = shard->heartbeat;
    fact.where = shard->where;
    fact.why = shard->why;
    facts.push_back(std::move(fact));
  }
  RecorderStatus status = totals_;
  for (const auto& [key, alarm] : alarms_) status.alarms.push_back(alarm);
  const auto monotonic = ports_.clock.monotonic();
  const std::lock_guard lock(published_mutex_);
  published_facts_ = std::move(facts);
  published_ = std::move(status);
  // It only grows.
  if (published_settled_.size() != settled_.size()) published_settled_ = settled_;
  published_monotonic_ = monotonic;
  published_looked_ = looked_;
  published_looked_at_ = looked_at_;
}

// Adds the shards that are in the catalog and that the recorder has not met: it meets them in its next round, so if that
// does not come, they stand still since it last looked for new ones.
void Recorder::add_unmet(std::vector<ShardFacts>& facts, const std::set<Incarnation>& settled,
                         MonotonicInstant looked, Instant looked_at) const {
  std::set<ShardId> met;
  for (const auto& fact : facts) met.insert(fact.shard);
  for (const auto& table : ports_.tables.listed()) {
    if (settled.contains(table.incarnation)) continue;
    for (const auto id : table.shards) {
      if (met.contains(id)) continue;
      ShardFacts fact;
      fact.shard = id;
      fact.table = table.definition.name;
      fact.moved = looked;
      fact.moved_at = std::max(looked_at, table.created);
      facts.push_back(std::move(fact));
    }
  }
  std::sort(facts.begin(), facts.end(),
            [](const auto& a, const auto& b) { return a.shard < b.shard; });
}

RecorderStatus Recorder::status() const {
  std::vector<ShardFacts> facts;
  RecorderStatus status;
  std::set<Incarnation> settled;
  MonotonicInstant published, looked;
  Instant looked_at;
  {
    const std::lock_guard lock(published_mutex_);
    facts = published_facts_;
    status = published_;
    settled = published_settled_;
    published = published_monotonic_;
    looked = published_looked_;
    looked_at = published_looked_at_;
  }
  // After the facts: a table that is closed in between is in them, or settled.
  add_unmet(facts, settled, looked, looked_at);
  const auto monotonic = ports_.clock.monotonic();
  const auto now = ports_.clock.now();
  // A recorder that does not come round is stuck in a call of a store.
  std::string_view stuck;
  if (monotonic - published > kStalledAfter) stuck = in_ledger_ ? "ledger" : "archive";
  for (auto& fact : facts) {
    ShardStatus shard;
    shard.shard = fact.shard;
    shard.table = std::move(fact.table);
    // Asked anew, because the recorder may be stuck in a put.
    shard.committed = std::max(fact.committed, ports_.board.newest(fact.shard));
    shard.archived = fact.archived;
    shard.lag = shard.committed.value - shard.archived.value;
    if (shard.lag > 0 && fact.oldest) {
      shard.oldest_age =
          Duration{std::max<std::int64_t>(0, now.microseconds - fact.oldest->microseconds)};
    }
    shard.state = judge({shard.lag > 0, shard.oldest_age, monotonic - fact.moved,
                         fact.heartbeat.has_value(), fact.waits});
    shard.heartbeat = fact.heartbeat;
    if (shard.state == FlowState::kStalled) {
      shard.stalled_since = fact.moved_at;
      shard.where = !stuck.empty()        ? stuck
                    : !fact.where.empty() ? fact.where
                    : shard.lag > 0       ? "archive"
                                          : "commit";
    }
    shard.why = std::move(fact.why);
    status.shards.push_back(std::move(shard));
  }
  return status;
}

}  // namespace pawl::pipeline
