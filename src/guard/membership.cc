#include "guard/membership.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "guard/balance.h"
#include "guard/listing.h"

namespace pawl::guard {
namespace {

using Effects = std::vector<MembershipEffect>;
using BeatWrite = Membership::BeatWrite;
using Hold = Membership::Hold;
using Phase = Membership::Phase;
using What = Membership::Write::What;

constexpr MonotonicInstant kNever{std::numeric_limits<std::int64_t>::max()};

void remember_former(Membership& m) {
  m.former.push_back(m.id);
  if (m.former.size() > kFormerIdsMax) m.former.erase(m.former.begin());
}

void end_life(Membership& m, MonotonicInstant now, Effects& effects) {
  m.phase = m.ending ? Phase::kEnded : Phase::kOut;
  m.join_due = now;
  m.id.clear();
  m.revision.reset(), m.beating.reset(), m.doubt.reset();
  m.listed = false;
  m.shards.clear(), m.root.reset();
  m.settled.clear(), m.root_settled = {};
  m.held.clear(), m.root_held.reset(), m.writes.clear();
  if (m.ending) effects.push_back(Ended{});
}

// The trust lapsed, or the own row is not ours any more.
void drop_everything(Membership& m, MonotonicInstant now, Effects& effects) {
  effects.push_back(DropEverything{});
  remember_former(m);
  end_life(m, now, effects);
}

void send_beat(Membership& m, MonotonicInstant now, Effects& effects) {
  m.beating = BeatWrite{m.next_ticket++, m.revision.value_or(0), now};
  m.beat_due = now + m.timing.beat_every;
  effects.push_back(
      Beat{m.beating->ticket, worker_row_name(m.id), m.beating->expected, encode_row(WorkerRow{})});
}

void tick(Membership& m, const Tick& event, MonotonicInstant now, Effects& effects) {
  if (m.phase == Phase::kOut) {
    if (m.ending) {
      end_life(m, now, effects);
    } else if (now >= m.join_due && event.fresh_id) {
      PAWL_ASSERT(is_worker_id(*event.fresh_id));
      m.id = *event.fresh_id;
      m.phase = Phase::kJoining;
      send_beat(m, now, effects);
    }
    return;
  }
  if (m.phase != Phase::kIn) return;
  if (!m.beating && m.revision && now >= m.beat_due) send_beat(m, now, effects);
  if (!m.listing && now >= m.list_due) {
    m.listing = true;
    m.list_due = now + m.timing.list_every;
    effects.push_back(ListRows{});
  }
}

void join_answered(Membership& m, const BeatWrite& beat, LeaseOutcome outcome, MonotonicInstant now,
                   Effects& effects) {
  if (outcome == LeaseOutcome::kDone) {
    m.phase = Phase::kIn;
    m.revision = 1;
    m.joined = now;
    m.trusted_until = beat.began + m.timing.trust;
    m.list_due = now;
    return;
  }
  // A row that may come into being later is of no use: what it is done by could come once more after it was erased.
  if (outcome == LeaseOutcome::kUnknown) remember_former(m);
  end_life(m, now, effects);
  m.join_due = now + m.timing.beat_every;
}

void beat_answered(Membership& m, LeaseOutcome outcome, MonotonicInstant now, Effects& effects) {
  const BeatWrite beat = *std::exchange(m.beating, std::nullopt);
  if (m.phase == Phase::kJoining) return join_answered(m, beat, outcome, now, effects);
  if (m.phase == Phase::kErasing) return end_life(m, now, effects);
  switch (outcome) {
    case LeaseOutcome::kDone:
      m.revision = beat.expected + 1;
      m.trusted_until = std::max(m.trusted_until, beat.began + m.timing.trust);
      m.doubt.reset();
      return;
    case LeaseOutcome::kConflict:
      // Or an earlier beat of ours, the answer to which was lost, has come first.
      if (!m.doubt || m.doubt->expected != beat.expected) {
        drop_everything(m, now, effects);
        return;
      }
      break;
    case LeaseOutcome::kNotDone:
      m.beat_due = std::min(m.beat_due, now + m.timing.beat_every / 4);
      return;
    case LeaseOutcome::kUnknown:
      if (!m.doubt || m.doubt->expected != beat.expected) m.doubt = beat;
      break;
  }
  m.revision.reset();
  m.beat_due = now;
  m.list_due = now;
}

void shard_write_done(Membership& m, const Membership::Write& write, Effects& effects) {
  const auto revision = write.expected + 1;
  m.shards[write.shard] = {revision, write.row, false};
  if (write.what != What::kTake) {
    m.held.erase(write.shard);
    return;
  }
  m.held[write.shard] = {revision, m.ending ? Hold::kReleasing : Hold::kHeld, false};
  if (!m.ending) effects.push_back(StartShard{write.shard});
}

void root_write_done(Membership& m, const Membership::Write& write, Effects& effects) {
  const auto revision = write.expected + 1;
  const bool take = write.what == What::kTakeRoot;
  m.root = RowView<RootRow>{revision, {take ? m.id : std::string()}, false};
  if (!take || m.ending) return;
  m.root_held = revision;
  effects.push_back(StartRoot{});
}

void write_answered(Membership& m, const WriteAnswered& event, MonotonicInstant now,
                    Effects& effects) {
  if (m.beating && m.beating->ticket == event.ticket) {
    beat_answered(m, event.outcome, now, effects);
    return;
  }
  const auto found = m.writes.find(event.ticket);
  if (found == m.writes.end()) return;  // of an earlier life
  const auto write = std::move(found->second);
  m.writes.erase(found);
  const bool done = event.outcome == LeaseOutcome::kDone;
  if (write.what == What::kFence) {
    if (done) {
      m.workers.erase(write.worker);
      m.gone.insert(write.worker);
    } else {
      m.list_due = std::min(m.list_due, now + m.timing.list_every / 5);
    }
    return;
  }
  if (write.shard != 0) {
    m.settled[write.shard] = now;
    if (done) return shard_write_done(m, write, effects);
  } else {
    m.root_settled = now;
    if (done) return root_write_done(m, write, effects);
  }
  doubt_view(m, write, now);
}

void round_ended(Membership& m, ShardNumber shard, Effects& effects) {
  const auto held = m.held.find(shard);
  if (held == m.held.end() || held->second.state != Hold::kLeaving) return;
  held->second.state = Hold::kReleasing;
  effects.push_back(StopShard{shard});
}

void shard_finished(Membership& m, const ShardFinished& event) {
  const auto held = m.held.find(event.shard);
  if (held == m.held.end()) return;
  if (held->second.state != Hold::kHeld && held->second.state != Hold::kLeaving) return;
  held->second.state = Hold::kFinishing;
  held->second.gap = event.gap;
}

void rows_listed(Membership& m, const RowsListed& event, MonotonicInstant now, Effects& effects) {
  m.listing = false;
  if (m.phase != Phase::kIn) return;
  if (!take_listing(m, event, now, effects)) drop_everything(m, now, effects);
}

}  // namespace

bool Membership::is_dead(const std::string& worker, const Seen& seen) const {
  return seen.until - seen.since >= timing.lease || gone.contains(worker) ||
         std::find(former.begin(), former.end(), worker) != former.end();
}

bool Membership::may_write_shard(ShardNumber shard, MonotonicInstant now) const {
  const auto one = held.find(shard);
  return may_write(now) && one != held.end() &&
         (one->second.state == Hold::kHeld || one->second.state == Hold::kLeaving);
}

std::size_t Membership::others_alive() const {
  return static_cast<std::size_t>(
      std::count_if(workers.begin(), workers.end(),
                    [&](const auto& worker) { return !is_dead(worker.first, worker.second); }));
}

MonotonicInstant Membership::next_tick() const {
  switch (phase) {
    case Phase::kOut:
      return join_due;
    case Phase::kIn: {
      auto due = trusted_until;
      if (!beating && revision) due = std::min(due, beat_due);
      if (!listing) due = std::min(due, list_due);
      return due;
    }
    case Phase::kErasing:
      return trusted_until;
    case Phase::kJoining:
    case Phase::kEnded:
      break;
  }
  return kNever;
}

std::vector<MembershipEffect> step(Membership& m, const MembershipEvent& event,
                                   MonotonicInstant now) {
  Effects effects;
  if (m.phase == Phase::kEnded) return effects;
  const bool in_life = m.phase == Phase::kIn || m.phase == Phase::kErasing;
  if (in_life && now >= m.trusted_until) drop_everything(m, now, effects);
  if (const auto* time = std::get_if<Tick>(&event)) {
    tick(m, *time, now, effects);
  } else if (const auto* rows = std::get_if<RowsListed>(&event)) {
    rows_listed(m, *rows, now, effects);
  } else if (std::get_if<RowsNotListed>(&event) != nullptr) {
    m.listing = false;
    m.list_due = std::min(m.list_due, now + m.timing.list_every / 2);
  } else if (const auto* write = std::get_if<WriteAnswered>(&event)) {
    write_answered(m, *write, now, effects);
  } else if (const auto* round = std::get_if<RoundEnded>(&event)) {
    round_ended(m, round->shard, effects);
  } else if (const auto* finished = std::get_if<ShardFinished>(&event)) {
    shard_finished(m, *finished);
  } else {
    m.ending = true;
  }
  if (m.phase == Phase::kIn) balance(m, now, effects);
  return effects;
}

}  // namespace pawl::guard
