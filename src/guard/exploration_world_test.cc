#include "guard/exploration_world_test.h"

#include <algorithm>
#include <utility>

namespace pawl::guard::exploration {
namespace {

constexpr Duration kUnit = std::chrono::seconds(1);
constexpr MembershipTiming kTiming{kUnit, kUnit, 2 * kUnit, 3 * kUnit};

// Applies a row's write; the outcome as the store knows it.
LeaseOutcome apply_row(World& world, const LateWrite& write) {
  const auto row = world.rows.find(write.name);
  const auto revision = row == world.rows.end() ? 0 : row->second.revision;
  if (revision != write.expected) return LeaseOutcome::kConflict;
  if (write.what == LateWrite::What::kEraseRow) {
    if (revision == 0) return LeaseOutcome::kConflict;
    if (write.name.starts_with("worker/")) world.erased.push_back(write.name);
    world.rows.erase(row);
    return LeaseOutcome::kDone;
  }
  // Nobody takes from one whose row is still there.
  const LeaseRow after{write.name, revision + 1, write.value};
  if (revision != 0 && write.name.starts_with("shard/")) {
    const auto old_owner = std::get<ShardRow>(*parse_row(row->second)).owner;
    const auto new_owner = std::get<ShardRow>(*parse_row(after)).owner;
    const auto old_row = worker_row_name(old_owner);
    if (!old_owner.empty() && !new_owner.empty() && old_owner != new_owner &&
        world.rows.contains(old_row) &&
        std::find(world.erased.begin(), world.erased.end(), old_row) == world.erased.end())
      world.broken = "fencing: taken from one whose row was never erased";
  }
  world.rows[write.name] = after;
  return LeaseOutcome::kDone;
}

bool apply_root_page(World& world, const LateWrite& write) {
  if (world.root_chain.size() != write.index) return false;
  world.root_chain.push_back(write.entry);
  return true;
}

void land(World& world, const LateWrite& write) {
  switch (write.what) {
    case LateWrite::What::kPutRow:
    case LateWrite::What::kEraseRow:
      apply_row(world, write);
      break;
    case LateWrite::What::kPage:
      apply_page(world, write);
      break;
    case LateWrite::What::kRootPage:
      apply_root_page(world, write);
      break;
  }
}

StreamShardPage list_shards(const World& world) {
  StreamShardPage page;
  page.stream = {"stream", true, StreamView::kNewAndOldImages};
  page.shards.push_back({"P", "", "1", world.stream.split ? "9" : ""});
  if (world.stream.split) {
    page.shards.push_back({"A", "P", "11", ""});
    page.shards.push_back({"B", "P", "21", ""});
  }
  return page;
}

}  // namespace

World Machine::start(const Faults& faults) const {
  World world;
  world.left = faults;
  world.stream.split = !faults.splits;
  for (std::size_t w = 0; w < world.workers.size(); ++w) start_worker(world, w);
  return world;
}

void Machine::start_worker(World& world, std::size_t w) const {
  auto& worker = world.workers[w];
  worker.running = true;
  worker.paused = false;
  worker.membership = Membership{};
  worker.membership.timing = kTiming;
}

bool Machine::may_write_shard(const World& world, std::size_t w, ShardNumber shard) const {
  const auto& membership = world.workers[w].membership;
  if (bug_ == Bug::kTrustsForever) return membership.held.contains(shard);
  return membership.may_write_shard(shard, world.now);
}
bool Machine::may_write_root(const World& world, std::size_t w) const {
  const auto& membership = world.workers[w].membership;
  if (bug_ == Bug::kTrustsForever) return membership.root_held.has_value();
  return membership.may_write_root(world.now);
}

void Machine::give(World& world, std::size_t w, const MembershipEvent& event) const {
  auto& worker = world.workers[w];
  for (auto& effect : step(worker.membership, event, world.now)) {
    // What only this process does is done at once; what others can see is an action of its own.
    if (std::holds_alternative<DropEverything>(effect)) {
      worker.readers.clear();
      worker.root.reset();
      worker.effects.clear();
      worker.membership.listing = false;  // its answer is dropped with the effect
    } else if (const auto* stop = std::get_if<StopShard>(&effect)) {
      worker.readers.erase(stop->shard);
    } else if (const auto* round = std::get_if<EndRound>(&effect)) {
      worker.readers[round->shard].leaving = true;
    } else if (std::holds_alternative<StopRoot>(effect)) {
      worker.root.reset();
    } else if (std::holds_alternative<StartRoot>(effect)) {
      worker.root.emplace();
    } else if (const auto* started = std::get_if<StartShard>(&effect)) {
      Reader reader;
      reader.holder = ++world.holders[started->shard];
      worker.readers[started->shard] = reader;
    } else {
      worker.effects.push_back(std::move(effect));
    }
  }
}

void Machine::give_root(World& world, std::size_t w, const LineageEvent& event) const {
  auto& root = *world.workers[w].root;
  for (auto& effect : step(root.lineage, event, world.now)) {
    if (auto* make = std::get_if<MakeRow>(&effect);
        make != nullptr && bug_ == Bug::kChildBeforeParent)
      make->row.waits = false;
    const auto* enter = std::get_if<Enter>(&effect);
    if (enter != nullptr && bug_ == Bug::kEntersBeforeDurable) {
      if (const auto* opened = std::get_if<ShardOpened>(&enter->entry))
        root.effects.push_back(MakeRow{{opened->number, {}, opened->parent.has_value(), false}});
    }
    root.effects.push_back(std::move(effect));
  }
  // Waits between listings are not part of this world.
  root.lineage.list_due = std::min(root.lineage.list_due, world.now + kUnit);
  root.lineage.enter_due = {};
}

bool Machine::is_busy(const Worker& worker) {
  if (!worker.running || worker.paused) return false;
  return !worker.effects.empty() ||
         (worker.root && (!worker.root->read || !worker.root->effects.empty()));
}

bool Machine::has_work_for_readers(const World& world) {
  for (const auto& worker : world.workers) {
    if (worker.paused) continue;
    for (const auto& [shard, reader] : worker.readers) {
      const auto source = source_of(world, shard);
      if (!reader.opened || reader.leaving || !reader.in_hand.empty() || !source) return true;
      if (world.stream.closed(*source) || reader.read < world.stream.records(*source)) return true;
    }
  }
  return false;
}

std::vector<Machine::Next> Machine::successors(const World& world) const {
  std::vector<Next> next;
  bool all_idle = true;
  for (std::size_t w = 0; w < world.workers.size(); ++w) {
    const auto& worker = world.workers[w];
    if (!worker.running) {
      Next one{world, false};
      start_worker(one.world, w);
      next.push_back(std::move(one));
      continue;
    }
    if (worker.paused) {
      Next one{world, false};
      one.world.workers[w].paused = false;
      next.push_back(std::move(one));
      continue;
    }
    const bool preempts = w != world.active && is_busy(world.workers[world.active]);
    if (!preempts || world.left.preemptions > 0) {
      const auto first = next.size();
      worker_actions(world, w, next);
      for (auto i = first; i < next.size(); ++i) {
        next[i].world.active = w;
        if (preempts) --next[i].world.left.preemptions;
      }
    }
    const bool due = worker.membership.next_tick() <= world.now ||
                     (worker.root && worker.root->lineage.next_tick() <= world.now);
    if (due || is_busy(worker)) all_idle = false;
    if (world.left.crashes > 0) {
      Next one{world, true};
      --one.world.left.crashes;
      Worker dead;
      dead.lives = worker.lives;
      one.world.workers[w] = dead;
      next.push_back(std::move(one));
    }
    if (world.left.pauses > 0) {
      Next one{world, true};
      --one.world.left.pauses;
      one.world.workers[w].paused = true;
      next.push_back(std::move(one));
    }
  }
  for (std::size_t i = 0; i < world.late.size(); ++i) {
    Next one{world, true};
    const auto write = world.late[i];
    one.world.late.erase(one.world.late.begin() + static_cast<std::ptrdiff_t>(i));
    land(one.world, write);
    next.push_back(std::move(one));
  }
  if (!world.stream.split) {
    next.push_back({world, false});
    next.back().world.stream.split = true;
  }
  const bool slow = has_work_for_readers(world);
  if (all_idle && (!slow || world.left.slow_readers > 0)) {
    next.push_back({world, false});
    next.back().world.now = world.now + kUnit;
    if (slow) --next.back().world.left.slow_readers;
  }
  return next;
}

// What was begun goes on before anything else of the worker; readers are slow, and come in any order.
void Machine::worker_actions(const World& world, std::size_t w, std::vector<Next>& next) const {
  const auto& worker = world.workers[w];
  if (!worker.effects.empty()) {
    run_effect(world, w, next);
    return;
  }
  if (worker.root && !worker.root->read) {
    next.push_back({world, false});
    read_root_chain(next.back().world, w);
    give_root(next.back().world, w, ChainKnown{});
    return;
  }
  if (worker.root && !worker.root->effects.empty()) {
    run_root_effect(world, w, next);
    return;
  }
  if (worker.membership.next_tick() <= world.now) {
    next.push_back({world, false});
    auto& after = next.back().world;
    const auto& membership = worker.membership;
    const bool joins =
        membership.phase == Membership::Phase::kOut || world.now >= membership.trusted_until;
    if (joins) ++after.workers[w].lives;
    const std::string id = std::string(w == 0 ? "a" : "b") + std::to_string(after.workers[w].lives);
    give(after, w, Tick{id});
  } else if (worker.root && worker.root->lineage.next_tick() <= world.now) {
    next.push_back({world, false});
    give_root(next.back().world, w, LineageTick{});
  }
  reader_actions(world, w, next);
}

void Machine::run_effect(const World& world, std::size_t w, std::vector<Next>& next) const {
  World rest = world;
  auto& worker = rest.workers[w];
  const auto effect = std::move(worker.effects.front());
  worker.effects.pop_front();
  if (const auto* beat = std::get_if<Beat>(&effect)) {
    write_row(std::move(rest), w,
              {LateWrite::What::kPutRow, beat->name, beat->expected, beat->value, 0, 0, {}, {}},
              beat->ticket, next);
  } else if (const auto* put = std::get_if<PutRow>(&effect)) {
    write_row(std::move(rest), w,
              {LateWrite::What::kPutRow, put->name, put->expected, put->value, 0, 0, {}, {}},
              put->ticket, next);
  } else if (const auto* erase = std::get_if<EraseRow>(&effect)) {
    if (bug_ == Bug::kTakesWithoutErasing) {
      give(rest, w, WriteAnswered{erase->ticket, LeaseOutcome::kDone});
      next.push_back({std::move(rest), false});
      return;
    }
    write_row(std::move(rest), w,
              {LateWrite::What::kEraseRow, erase->name, erase->expected, {}, 0, 0, {}, {}},
              erase->ticket, next);
  } else if (std::holds_alternative<ListRows>(effect)) {
    RowsListed listed{rest.now, {}};
    for (const auto& [name, row] : rest.rows) listed.rows.push_back(row);
    give(rest, w, listed);
    if (auto& root = rest.workers[w].root; root && root->read) give_root(rest, w, listed);
    next.push_back({std::move(rest), false});
  } else {
    rest.broken = "an effect that should not be here";
    next.push_back({std::move(rest), false});
  }
}

void Machine::write_row(World world, std::size_t w, const LateWrite& write, std::uint64_t ticket,
                        std::vector<Next>& next) const {
  if (world.left.doubtful_rows > 0) {
    Next one{world, true};
    --one.world.left.doubtful_rows;
    one.world.late.push_back(write);
    give(one.world, w, WriteAnswered{ticket, LeaseOutcome::kUnknown});
    next.push_back(std::move(one));
  }
  const auto outcome = apply_row(world, write);
  give(world, w, WriteAnswered{ticket, outcome});
  next.push_back({std::move(world), false});
}

void Machine::run_root_effect(const World& world, std::size_t w, std::vector<Next>& next) const {
  World rest = world;
  auto& root = *rest.workers[w].root;
  const auto effect = std::move(root.effects.front());
  root.effects.pop_front();
  const auto row_write = [&](const LateWrite& write) {
    if (!may_write_root(rest, w)) {
      next.push_back({std::move(rest), false});
      return;
    }
    if (rest.left.doubtful_rows > 0) {
      Next one{rest, true};
      --one.world.left.doubtful_rows;
      one.world.late.push_back(write);
      next.push_back(std::move(one));
    }
    apply_row(rest, write);
    next.push_back({std::move(rest), false});
  };
  if (std::holds_alternative<DescribeTable>(effect)) {
    give_root(rest, w, TableDescribed{"stream"});
    next.push_back({std::move(rest), false});
  } else if (std::holds_alternative<ListShards>(effect)) {
    give_root(rest, w, ShardsListed{list_shards(rest)});
    next.push_back({std::move(rest), false});
  } else if (const auto* page = std::get_if<Enter>(&effect)) {
    enter(std::move(rest), w, page->entry, next);
  } else if (const auto* make = std::get_if<MakeRow>(&effect)) {
    row_write({LateWrite::What::kPutRow,
               shard_row_name(make->row.number),
               0,
               encode_row(make->row),
               0,
               0,
               {},
               {}});
  } else if (const auto* open = std::get_if<OpenRow>(&effect)) {
    row_write({LateWrite::What::kPutRow,
               shard_row_name(open->row.number),
               open->expected,
               encode_row(open->row),
               0,
               0,
               {},
               {}});
  } else if (const auto* remove = std::get_if<RemoveRow>(&effect)) {
    row_write({LateWrite::What::kEraseRow, remove->name, remove->expected, {}, 0, 0, {}, {}});
  } else {
    rest.broken = "lineage: " + std::get<LineageProblem>(effect).what;
    next.push_back({std::move(rest), false});
  }
}

void Machine::enter(World world, std::size_t w, const LineageEntry& entry,
                    std::vector<Next>& next) const {
  if (!may_write_root(world, w)) {
    next.push_back(
        {std::move(world), false});  // nothing is answered: the root is about to be dropped
    return;
  }
  const auto answer = [&](World& after, bool stored) {
    if (stored) {
      ++after.workers[w].root->pages;
    } else {
      read_root_chain(after, w);
    }
    give_root(after, w, EnterAnswered{stored});
  };
  const LateWrite write{LateWrite::What::kRootPage,   {}, 0,    {}, 0,
                        world.workers[w].root->pages, {}, entry};
  if (world.left.doubtful_pages > 0) {
    Next one{world, true};
    --one.world.left.doubtful_pages;
    one.world.late.push_back(write);
    answer(one.world, false);
    next.push_back(std::move(one));
  }
  const bool stored = apply_root_page(world, write);
  answer(world, stored);
  next.push_back({std::move(world), false});
}

void Machine::read_root_chain(World& world, std::size_t w) const {
  auto& root = *world.workers[w].root;
  for (; root.pages < world.root_chain.size(); ++root.pages)
    give_root(world, w, EntryKnown{world.root_chain[root.pages]});
  root.read = true;
}

}  // namespace pawl::guard::exploration
