#include "guard/listing.h"

#include <algorithm>
#include <utility>

namespace pawl::guard {
namespace {

using Effects = std::vector<MembershipEffect>;
using Hold = Membership::Hold;
using Seen = Membership::Seen;
using What = Membership::Write::What;

struct Listed {
  std::set<std::string> present;  // workers
  std::optional<std::uint64_t> own;
  std::map<ShardNumber, RowView<ShardRow>> shards;
  RowView<RootRow> root;
  bool root_damaged = false;
};

void tell_of(Membership& m, const LeaseRow& row, const Error& error, Effects& effects) {
  const auto told = m.problems.find(row.name);
  if (told != m.problems.end() && told->second == row.revision) return;
  if (told == m.problems.end() && m.problems.size() >= kRowProblemsMax) return;
  m.problems[row.name] = row.revision;
  effects.push_back(RowProblem{row.name.substr(0, kRowBytesMax), error.to_string()});
}

Listed sort_rows(Membership& m, const RowsListed& event, MonotonicInstant now, Effects& effects) {
  Listed listed;
  std::map<std::string, Seen> workers;
  for (const auto& row : event.rows) {
    auto parsed = parse_row(row);
    if (!parsed.ok()) {
      if (row.name == kRootRowName) {
        listed.root = {row.revision, {}, true};
        listed.root_damaged = true;
      }
      tell_of(m, row, parsed.error(), effects);
      continue;
    }
    if (const auto* worker = std::get_if<WorkerRow>(&*parsed)) {
      listed.present.insert(worker->id);
      if (worker->id == m.id) {
        listed.own = row.revision;
      } else if (workers.size() < kWorkersMax) {
        const auto before = m.workers.find(worker->id);
        const bool same = before != m.workers.end() && before->second.revision == row.revision;
        const auto since = same ? before->second.since : now;
        workers[worker->id] = {row.revision, since, std::max(since, event.began)};
      }
    } else if (auto* root = std::get_if<RootRow>(&*parsed)) {
      listed.root = {row.revision, std::move(*root), false};
    } else {
      const auto& shard = std::get<ShardRow>(*parsed);
      listed.shards[shard.number] = {row.revision, shard, false};
    }
  }
  // Who was known and isn't there any more is fenced for good; ids are not used again.
  std::set<std::string> named, gone;
  const auto name = [&](const std::string& owner) {
    if (owner.empty() || owner == m.id || !named.insert(owner).second) return;
    const bool known = m.workers.contains(owner) || m.named.contains(owner) ||
                       std::find(m.former.begin(), m.former.end(), owner) != m.former.end();
    if (m.gone.contains(owner) || (known && !listed.present.contains(owner))) gone.insert(owner);
  };
  name(listed.root.row.owner);
  for (const auto& [number, view] : listed.shards) name(view.row.owner);
  m.named = std::move(named), m.gone = std::move(gone), m.workers = std::move(workers);
  return listed;
}

// False: this life is over.
bool check_own_row(Membership& m, const RowsListed& event, const Listed& listed) {
  if (event.began < m.joined) return true;
  if (!listed.own) return false;
  if (m.beating || m.revision || !m.doubt) return true;
  if (*listed.own == m.doubt->expected) {
    m.revision = listed.own;
    return true;
  }
  if (*listed.own != m.doubt->expected + 1) return false;
  m.revision = listed.own;
  m.trusted_until = std::max(m.trusted_until, m.doubt->began + m.timing.trust);
  m.doubt.reset();
  return true;
}

// Another has written the row, or it is gone. What was on its way back may just have been done.
bool lost(const Membership& m, ShardNumber shard, Membership::Held& held) {
  const auto view = m.shards.find(shard);
  if (view == m.shards.end() || view->second.row.owner != m.id) return true;
  const bool was_read = held.state == Hold::kHeld || held.state == Hold::kLeaving;
  if (was_read) return view->second.revision != held.revision;
  held.revision = view->second.revision;
  return false;
}

void take_view(Membership& m, const RowsListed& event, Listed listed, MonotonicInstant now,
               Effects& effects) {
  std::set<ShardNumber> written;
  bool root_written = m.root_settled > event.began;
  for (const auto& [ticket, write] : m.writes) {
    if (write.shard != 0) written.insert(write.shard);
    root_written |= write.what == What::kTakeRoot || write.what == What::kReleaseRoot;
  }
  std::erase_if(m.settled, [&](const auto& one) { return one.second <= event.began; });
  for (const auto& [shard, when] : m.settled) written.insert(shard);
  for (const auto shard : written) {  // ours is the newer view
    listed.shards.erase(shard);
    const auto view = m.shards.find(shard);
    if (view != m.shards.end()) listed.shards.insert(*view);
  }
  m.shards = std::move(listed.shards);
  for (auto held = m.held.begin(); held != m.held.end();) {
    if (written.contains(held->first) || !lost(m, held->first, held->second)) {
      ++held;
      continue;
    }
    const bool was_read = held->second.state == Hold::kHeld || held->second.state == Hold::kLeaving;
    if (was_read) effects.push_back(StopShard{held->first});
    held = m.held.erase(held);
  }
  if (root_written) return;
  m.root = std::move(listed.root);
  if (listed.root_damaged) {
    const bool same = m.damaged_root && m.damaged_root->revision == m.root->revision;
    m.damaged_root = Membership::Seen{m.root->revision, same ? m.damaged_root->since : now, now};
    // Whoever owned it has seen it by then, and stopped.
    m.root->stale = event.began - m.damaged_root->since < m.timing.lease;
  } else {
    m.damaged_root.reset();
  }
  if (!m.root_held || (m.root->revision == *m.root_held && m.root->row.owner == m.id)) return;
  m.root_held.reset();
  effects.push_back(StopRoot{});
}

void fence_the_dead(Membership& m, Effects& effects) {
  for (const auto& worker : m.workers) {
    const auto& id = worker.first;
    const auto& seen = worker.second;
    if (m.writes.size() >= kWritesInFlightMax) return;
    if (!m.is_dead(id, seen)) continue;
    const bool under_way = std::any_of(m.writes.begin(), m.writes.end(), [&](const auto& write) {
      return write.second.worker == id;
    });
    if (under_way) continue;
    const auto ticket = m.next_ticket++;
    m.writes[ticket] = {What::kFence, 0, id, seen.revision, {}};
    effects.push_back(EraseRow{ticket, worker_row_name(id), seen.revision});
  }
}

}  // namespace

bool take_listing(Membership& m, const RowsListed& event, MonotonicInstant now, Effects& effects) {
  std::erase_if(m.problems, [&](const auto& told) {
    return std::none_of(event.rows.begin(), event.rows.end(), [&](const LeaseRow& row) {
      return row.name == told.first && row.revision == told.second;
    });
  });
  auto listed = sort_rows(m, event, now, effects);
  if (!check_own_row(m, event, listed)) return false;
  m.listed = true;
  take_view(m, event, std::move(listed), now, effects);
  fence_the_dead(m, effects);
  return true;
}

}  // namespace pawl::guard
