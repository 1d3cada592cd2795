#include "guard/balance.h"

#include <algorithm>
#include <utility>

namespace pawl::guard {
namespace {

using Effects = std::vector<MembershipEffect>;
using Hold = Membership::Hold;
using Phase = Membership::Phase;
using Write = Membership::Write;
using What = Membership::Write::What;

// FNV-1a, 64 bits: workers prefer shards in different orders, so that they don't all want the same one.
std::uint64_t preference(const std::string& id, ShardNumber shard) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001B3ULL; };
  for (const char c : id) add(static_cast<std::uint8_t>(c));
  add(static_cast<std::uint8_t>(shard & 0xFF)), add(static_cast<std::uint8_t>(shard >> 8 & 0xFF));
  add(static_cast<std::uint8_t>(shard >> 16 & 0xFF)), add(static_cast<std::uint8_t>(shard >> 24));
  return hash ^ (hash >> 29);
}

bool has_room(const Membership& m) { return m.writes.size() < kWritesInFlightMax; }

bool is_written(const Membership& m, ShardNumber shard) {
  return std::any_of(m.writes.begin(), m.writes.end(),
                     [&](const auto& write) { return write.second.shard == shard && shard != 0; });
}

bool root_is_written(const Membership& m) {
  return std::any_of(m.writes.begin(), m.writes.end(), [](const auto& write) {
    return write.second.what == What::kTakeRoot || write.second.what == What::kReleaseRoot;
  });
}

void put_shard(Membership& m, What what, const ShardRow& row, std::uint64_t expected,
               Effects& effects) {
  const auto ticket = m.next_ticket++;
  m.writes[ticket] = {what, row.number, {}, expected, row};
  effects.push_back(PutRow{ticket, shard_row_name(row.number), expected, encode_row(row)});
}

void put_root(Membership& m, What what, const std::string& owner, std::uint64_t expected,
              Effects& effects) {
  const auto ticket = m.next_ticket++;
  m.writes[ticket] = {what, 0, {}, expected, {}};
  effects.push_back(
      PutRow{ticket, std::string(kRootRowName), expected, encode_row(RootRow{owner})});
}

bool can_be_read(const ShardRow& row) { return !row.waits && !row.finished; }

// Nobody reads it, or whoever did is fenced, or it is an own earlier write of this life that was in doubt.
bool is_free(const Membership& m, const std::string& owner) {
  return owner.empty() || owner == m.id || m.gone.contains(owner);
}

// The row as it is known, with another owner.
ShardRow given_to(const Membership& m, ShardNumber shard, std::string owner, bool finished) {
  auto row = m.shards.at(shard).row;
  row.owner = std::move(owner);
  row.waits = false;
  row.finished = finished;
  return row;
}

// Releases and finishes, the first time and again.
void give_back(Membership& m, Effects& effects) {
  for (auto& [shard, held] : m.held) {
    if (held.state != Hold::kReleasing && held.state != Hold::kFinishing) continue;
    const auto view = m.shards.find(shard);
    if (view == m.shards.end() || view->second.stale) continue;
    if (is_written(m, shard) || !has_room(m)) continue;
    const bool finish = held.state == Hold::kFinishing;
    auto row = given_to(m, shard, {}, finish);
    row.gap = held.gap;
    put_shard(m, finish ? What::kFinish : What::kRelease, row, held.revision, effects);
  }
}

// Rows that name this worker without its holding them: a take whose answer was lost, when there is no share left for it.
void give_back_strays(Membership& m, Effects& effects) {
  for (const auto& [shard, view] : m.shards) {
    if (view.stale || view.row.owner != m.id) continue;
    if (m.held.contains(shard) || is_written(m, shard)) continue;
    if (!has_room(m)) return;
    put_shard(m, What::kRelease, given_to(m, shard, {}, view.row.finished), view.revision, effects);
  }
}

// What is held or about to be, without what is on its way back.
std::size_t share_used(const Membership& m) {
  const auto held = std::count_if(m.held.begin(), m.held.end(),
                                  [](const auto& one) { return one.second.state == Hold::kHeld; });
  const auto taking = std::count_if(m.writes.begin(), m.writes.end(), [](const auto& write) {
    return write.second.what == What::kTake;
  });
  return static_cast<std::size_t>(held + taking);
}

void release_surplus(Membership& m, std::size_t share, Effects& effects) {
  std::vector<std::pair<std::uint64_t, ShardNumber>> held;
  for (const auto& [shard, one] : m.held) {
    if (one.state == Hold::kHeld) held.emplace_back(preference(m.id, shard), shard);
  }
  if (held.size() <= share) return;
  std::sort(held.begin(), held.end());
  for (std::size_t i = share; i < held.size(); ++i) {
    m.held[held[i].second].state = Hold::kLeaving;
    effects.push_back(EndRound{held[i].second});
  }
}

void take_free(Membership& m, std::size_t share, Effects& effects) {
  auto used = share_used(m);
  if (used >= share || !has_room(m)) return;
  std::vector<std::pair<std::uint64_t, ShardNumber>> free;
  for (const auto& [shard, view] : m.shards) {
    if (view.stale || !can_be_read(view.row) || !is_free(m, view.row.owner)) continue;
    if (m.held.contains(shard) || is_written(m, shard)) continue;
    free.emplace_back(preference(m.id, shard), shard);
  }
  std::sort(free.begin(), free.end());
  for (const auto& [order, shard] : free) {
    if (used >= share || !has_room(m)) return;
    put_shard(m, What::kTake, given_to(m, shard, m.id, false), m.shards[shard].revision, effects);
    ++used;
  }
}

void take_root(Membership& m, Effects& effects) {
  if (m.root_held || root_is_written(m) || !has_room(m)) return;
  if (m.root && !m.root->stale && is_free(m, m.root->row.owner)) {
    put_root(m, What::kTakeRoot, m.id, m.root->revision, effects);
  }
}

void end(Membership& m, MonotonicInstant now, Effects& effects) {
  release_surplus(m, 0, effects);
  if (!root_is_written(m)) {
    if (m.root_held) {
      effects.push_back(StopRoot{});
      put_root(m, What::kReleaseRoot, {}, *m.root_held, effects);
      m.root_held.reset();
    } else if (m.root && !m.root->stale && m.root->row.owner == m.id) {
      put_root(m, What::kReleaseRoot, {}, m.root->revision, effects);
    }
  }
  give_back_strays(m, effects);
  const bool nothing_held = m.held.empty() && !m.root_held && m.writes.empty();
  if (!nothing_held || m.beating || !m.revision) return;
  m.phase = Phase::kErasing;
  m.beating = Membership::BeatWrite{m.next_ticket++, *m.revision, now};
  effects.push_back(EraseRow{m.beating->ticket, worker_row_name(m.id), *m.revision});
}

}  // namespace

void doubt_view(Membership& m, const Write& write, MonotonicInstant now) {
  if (write.shard != 0) {
    if (const auto view = m.shards.find(write.shard); view != m.shards.end())
      view->second.stale = true;
  } else if (m.root) {
    m.root->stale = true;
  }
  m.list_due = std::min(m.list_due, now + m.timing.list_every / 5);
}

void balance(Membership& m, MonotonicInstant now, Effects& effects) {
  give_back(m, effects);
  if (m.ending) {
    end(m, now, effects);
    return;
  }
  if (!m.listed) return;
  const auto readable =
      static_cast<std::size_t>(std::count_if(m.shards.begin(), m.shards.end(), [](const auto& one) {
        return can_be_read(one.second.row);
      }));
  const auto workers = m.others_alive() + 1;
  const auto share = (readable + workers - 1) / workers;
  release_surplus(m, share, effects);
  take_free(m, share, effects);
  give_back_strays(m, effects);
  take_root(m, effects);
}

}  // namespace pawl::guard
