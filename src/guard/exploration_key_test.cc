// What makes two states of the exploration the same: everything but what only grows. Times are told by their distance from
// now, revisions by their distance from the row's present one, holders by their order, tickets by what they are of.
#include <algorithm>
#include <set>

#include "guard/exploration_world_test.h"

namespace pawl::guard::exploration {
namespace {

class Key {
 public:
  explicit Key(const World& world) : world_(world) {}

  std::string take() {
    tell_shared();
    for (const auto& worker : world_.workers) tell_worker(worker);
    return std::move(out_);
  }

 private:
  Key& add(std::string_view text) {
    out_.append(text).push_back(',');
    return *this;
  }
  Key& add(std::int64_t value) { return add(std::to_string(value)); }

  // Milliseconds until `at`, between the bounds.
  Key& until(MonotonicInstant at, std::int64_t least, std::int64_t most) {
    return add(std::clamp((at - world_.now).count() / 1000, least, most));
  }

  Key& revision(const std::string& row, std::uint64_t value) {
    if (value == 0) return add("z");
    const auto found = world_.rows.find(row);
    if (found == world_.rows.end())
      return add("n").add(std::min<std::int64_t>(static_cast<std::int64_t>(value), 4));
    return add(std::max<std::int64_t>(
        static_cast<std::int64_t>(value) - static_cast<std::int64_t>(found->second.revision), -4));
  }

  Key& holder(ShardNumber shard, int value) {
    std::set<int> all;
    if (const auto chain = world_.chains.find(shard); chain != world_.chains.end()) {
      for (const auto& page : chain->second.pages) all.insert(page.holder);
    }
    for (const auto& worker : world_.workers) {
      const auto reader = worker.readers.find(shard);
      if (reader != worker.readers.end()) all.insert(reader->second.holder);
    }
    for (const auto& late : world_.late) {
      if (late.what == LateWrite::What::kPage && late.shard == shard) all.insert(late.page.holder);
    }
    return add(std::distance(all.begin(), all.lower_bound(value)));
  }

  void tell_entry(const LineageEntry& entry) {
    if (const auto* opened = std::get_if<ShardOpened>(&entry)) {
      add("o")
          .add(opened->number)
          .add(opened->shard)
          .add(opened->parent.value_or(0))
          .add(opened->gap);
    } else {
      add("c").add(std::get<ShardClosed>(entry).number);
    }
  }

  void tell_page(ShardNumber shard, const Page& page) {
    holder(shard, page.holder);
    for (const int record : page.records) add(record);
    add("/");
  }

  void tell_shared() {
    add(world_.broken).add(world_.stream.split);
    add(world_.left.crashes).add(world_.left.pauses);
    add(world_.left.doubtful_rows).add(world_.left.doubtful_pages);
    add(world_.left.preemptions).add(world_.left.slow_readers);
    const auto busy = [](const Worker& worker) {
      return !worker.paused && (!worker.effects.empty() || worker.root);
    };
    if (busy(world_.workers[0]) && busy(world_.workers[1]))
      add(static_cast<std::int64_t>(world_.active));
    for (const auto& [name, row] : world_.rows) add(name).add(row.value);
    for (const auto& entry : world_.root_chain) tell_entry(entry);
    for (const auto& [shard, chain] : world_.chains) {
      add(shard);
      for (const auto& page : chain.pages) tell_page(shard, page);
    }
    for (const auto& late : world_.late) {
      add("late").add(static_cast<std::int64_t>(late.what)).add(late.name).add(late.value);
      revision(late.name, late.expected);
      add(late.shard).add(static_cast<std::int64_t>(late.index));
      if (late.what == LateWrite::What::kPage) tell_page(late.shard, late.page);
      if (late.what == LateWrite::What::kRootPage) tell_entry(late.entry);
    }
  }

  void tell_beat(const Membership& m, const std::optional<Membership::BeatWrite>& beat) {
    if (!beat) {
      add("-");
      return;
    }
    revision(worker_row_name(m.id), beat->expected).until(beat->began, -2000, 0);
  }

  void tell_membership(const Membership& m) {
    add(static_cast<std::int64_t>(m.phase)).add(m.id).add(m.listing).add(m.listed);
    for (const auto& id : m.former) add(id);
    if (m.phase == Membership::Phase::kOut) until(m.join_due, 0, 5000);
    if (m.revision) revision(worker_row_name(m.id), *m.revision);
    tell_beat(m, m.beating), tell_beat(m, m.doubt);
    until(m.beat_due, 0, 5000).until(m.list_due, 0, 5000).until(m.trusted_until, 0, 5000);
    for (const auto& [id, seen] : m.workers) {
      add(id).revision(worker_row_name(id), seen.revision).until(seen.since, -3000, 0);
      add(std::min<std::int64_t>((seen.until - seen.since).count() / 1000, 3000));
    }
    add("named");
    for (const auto& id : m.named) add(id);
    add("gone");
    for (const auto& id : m.gone) add(id);
    for (const auto& [shard, view] : m.shards) {
      add(shard).revision(shard_row_name(shard), view.revision).add(view.row.owner);
      add(view.row.waits).add(view.row.finished).add(view.stale);
    }
    if (m.root)
      add("root").revision("root", m.root->revision).add(m.root->row.owner).add(m.root->stale);
    for (const auto& [shard, held] : m.held) {
      add("held").add(shard).revision(shard_row_name(shard), held.revision);
      add(static_cast<std::int64_t>(held.state));
    }
    if (m.root_held) add("owner").revision("root", *m.root_held);
    for (const auto& [ticket, write] : m.writes) {
      add(static_cast<std::int64_t>(write.what)).add(write.shard).add(write.worker);
    }
  }

  std::int64_t ticket_place(const Membership& m, std::uint64_t ticket) const {
    if (m.beating && m.beating->ticket == ticket) return -1;
    const auto found = m.writes.find(ticket);
    if (found == m.writes.end()) return -2;
    return std::distance(m.writes.begin(), found);
  }

  void tell_effect(const Membership& m, const MembershipEffect& effect) {
    add(static_cast<std::int64_t>(effect.index()));
    if (const auto* beat = std::get_if<Beat>(&effect)) {
      add(ticket_place(m, beat->ticket)).add(beat->name).revision(beat->name, beat->expected);
    } else if (const auto* put = std::get_if<PutRow>(&effect)) {
      add(ticket_place(m, put->ticket)).add(put->name).revision(put->name, put->expected);
      add(put->value);
    } else if (const auto* erase = std::get_if<EraseRow>(&effect)) {
      add(ticket_place(m, erase->ticket)).add(erase->name).revision(erase->name, erase->expected);
    }
  }

  void tell_lineage_effect(const LineageEffect& effect) {
    add(static_cast<std::int64_t>(effect.index()));
    if (const auto* enter = std::get_if<Enter>(&effect)) {
      tell_entry(enter->entry);
    } else if (const auto* make = std::get_if<MakeRow>(&effect)) {
      add(make->row.number).add(make->row.waits);
    } else if (const auto* open = std::get_if<OpenRow>(&effect)) {
      add(open->row.number).add(open->row.owner);
      revision(shard_row_name(open->row.number), open->expected);
    } else if (const auto* remove = std::get_if<RemoveRow>(&effect)) {
      add(remove->name).revision(remove->name, remove->expected);
    }
  }

  void tell_root(const RootOwner& root) {
    const auto& lineage = root.lineage;
    add("lineage").add(root.read).add(static_cast<std::int64_t>(root.pages));
    add(lineage.chain_known).add(lineage.first_listing).add(lineage.describing);
    add(lineage.listing.has_value()).add(static_cast<std::int64_t>(lineage.to_list.size()));
    for (const auto& [number, known] : lineage.shards)
      add(number).add(known.source.second).add(known.closed);
    add("finished");
    for (const auto& finished : lineage.finished) add(finished.first);
    add("open");
    for (const auto& one : lineage.to_open) add(one.source.second).add(one.parent);
    if (lineage.entering) tell_entry(*lineage.entering);
    until(lineage.list_due, 0, 1000);
    for (const auto& effect : root.effects) tell_lineage_effect(effect);
  }

  void tell_worker(const Worker& worker) {
    add("|").add(worker.running).add(worker.paused).add(worker.lives);
    if (!worker.running) return;
    tell_membership(worker.membership);
    for (const auto& effect : worker.effects) tell_effect(worker.membership, effect);
    for (const auto& [shard, reader] : worker.readers) {
      add("reader").add(shard).holder(shard, reader.holder).add(reader.opened);
      add(static_cast<std::int64_t>(reader.pages)).add(reader.paged).add(reader.read);
      add(reader.leaving).add(static_cast<std::int64_t>(reader.in_hand.size()));
    }
    if (worker.root) tell_root(*worker.root);
  }

  const World& world_;
  std::string out_;
};

}  // namespace

std::string World::key() const { return Key(*this).take(); }

}  // namespace pawl::guard::exploration
