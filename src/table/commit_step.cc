#include "table/commit_step.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::table {

void CommitStep::open(ShardId shard, SequenceNumber newest, Instant newest_instant,
                      SequenceNumber floor) {
  PAWL_ASSERT(phase_ == Phase::kCollecting);
  PAWL_ASSERT(floor.value == 0 || floor < newest);
  const bool is_new = shards_
                          .emplace(shard, Shard{.durable = newest,
                                                .staged = newest,
                                                .durable_instant = newest_instant,
                                                .staged_instant = newest_instant,
                                                .released = floor,
                                                .floor = floor,
                                                .staged_floor = floor})
                          .second;
  PAWL_ASSERT(is_new);
}

void CommitStep::close(ShardId shard) {
  PAWL_ASSERT(phase_ == Phase::kCollecting);
  PAWL_ASSERT(shards_.erase(shard) == 1);
}

void CommitStep::release(ShardId shard, SequenceNumber through) {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return;
  // What is not synced is in no page.
  PAWL_ASSERT(through <= found->second.durable);
  found->second.released = std::max(found->second.released, through);
}

SequenceNumber CommitStep::floor_allowed(const Shard& shard) {
  // All but the newest released change.
  return shard.released.value == 0 ? SequenceNumber{} : SequenceNumber{shard.released.value - 1};
}

bool CommitStep::can_trim(std::uint64_t count) const {
  return std::any_of(shards_.begin(), shards_.end(), [count](const auto& entry) {
    return floor_allowed(entry.second).value >=
           entry.second.floor.value + std::max<std::uint64_t>(count, 1);
  });
}

CommitStep::Assigned CommitStep::change(ShardId id, const KeyHistory& before, bool exists_after,
                                        Instant now) {
  PAWL_ASSERT(phase_ == Phase::kCollecting);
  const auto found = shards_.find(id);
  PAWL_ASSERT(found != shards_.end());
  Shard& shard = found->second;
  const bool existed = before.state == KeyHistory::State::kPresent;
  PAWL_ASSERT(existed || exists_after);

  shard.staged = shard.staged.next();
  shard.staged_instant = std::max(shard.staged_instant, now);
  return {.sequence = shard.staged,
          .version = before.state == KeyHistory::State::kNever ? Version{} : before.version.next(),
          .kind = !existed       ? item::ChangeKind::kInsert
                  : exists_after ? item::ChangeKind::kModify
                                 : item::ChangeKind::kRemove,
          .instant = shard.staged_instant};
}

std::vector<ShardFloor> CommitStep::seal(std::uint64_t floor_count_min) {
  PAWL_ASSERT(phase_ == Phase::kCollecting);
  phase_ = Phase::kSealed;
  std::vector<ShardFloor> floors;
  for (auto& [id, shard] : shards_) {
    const SequenceNumber allowed = floor_allowed(shard);
    if (allowed.value < shard.floor.value + std::max<std::uint64_t>(floor_count_min, 1)) continue;
    shard.staged_floor = allowed;
    floors.push_back({id, allowed});
  }
  return floors;
}

CommitStep::Settled CommitStep::settle(WriteOutcome outcome) {
  PAWL_ASSERT(phase_ == Phase::kSealed);
  if (outcome == WriteOutcome::kUnknown) {
    phase_ = Phase::kEnded;
    return {.verdict = Settled::Verdict::kEnd, .published = {}, .trims = {}};
  }
  phase_ = Phase::kCollecting;
  const bool done = outcome == WriteOutcome::kDone;
  Settled settled{.verdict = done ? Settled::Verdict::kAnswer : Settled::Verdict::kRefuse,
                  .published = {},
                  .trims = {}};
  for (auto& [id, shard] : shards_) {
    if (!done) {
      shard.staged = shard.durable;
      shard.staged_instant = shard.durable_instant;
      shard.staged_floor = shard.floor;
      continue;
    }
    if (shard.staged > shard.durable) settled.published.push_back({id, shard.staged});
    if (shard.staged_floor > shard.floor) settled.trims.push_back({id, shard.staged_floor});
    shard.durable = shard.staged;
    shard.durable_instant = shard.staged_instant;
    shard.floor = shard.staged_floor;
  }
  return settled;
}

}  // namespace pawl::table
