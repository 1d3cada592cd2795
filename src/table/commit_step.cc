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
                                                .held = {},
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

void CommitStep::hold(ShardId shard, std::optional<SequenceNumber> after) {
  const auto found = shards_.find(shard);
  if (found != shards_.end()) found->second.held = after;
}

std::optional<SequenceNumber> CommitStep::next_floor(const Shard& shard) {
  if (shard.released.value == 0) return std::nullopt;
  // All but the newest released change may go, as far as no stream holds them.
  const SequenceNumber kept{shard.released.value - 1};
  const SequenceNumber next = std::min(kept, shard.held.value_or(kept));
  if (next <= shard.floor) return std::nullopt;
  return next;
}

bool CommitStep::can_trim() const {
  return std::any_of(shards_.begin(), shards_.end(),
                     [](const auto& entry) { return next_floor(entry.second).has_value(); });
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

std::vector<ShardFloor> CommitStep::seal(Floors floors) {
  PAWL_ASSERT(phase_ == Phase::kCollecting);
  phase_ = Phase::kSealed;
  std::vector<ShardFloor> advanced;
  if (floors == Floors::kKeep) return advanced;
  for (auto& [id, shard] : shards_) {
    const auto next = next_floor(shard);
    if (!next) continue;
    shard.staged_floor = *next;
    advanced.push_back({id, *next});
  }
  return advanced;
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
