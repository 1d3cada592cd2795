#include "guard/simulation_worker_test.h"

#include <utility>

namespace pawl::guard::simulation {

// -- process and clock --

Worker::Worker(World& world, std::size_t place, double clock_rate, Time clock_offset)
    : world_(world), place_(place), clock_rate_(clock_rate), clock_offset_(clock_offset) {}

MonotonicInstant Worker::clock() const {
  return {clock_offset_ +
          static_cast<Time>(static_cast<double>(world_.outside.agenda.now()) * clock_rate_)};
}

std::optional<Time> Worker::world_time(MonotonicInstant at) const {
  const auto left = at - clock();
  if (left > std::chrono::seconds(1000)) return std::nullopt;  // an answer comes first
  const auto wait = static_cast<Time>(static_cast<double>(left.count()) / clock_rate_) + 1;
  return world_.outside.agenda.now() + std::max(wait, kMillisecond);
}

bool Worker::paused() const { return running_ && world_.outside.agenda.now() < paused_until_; }

Worker::Work Worker::in_process(Work work) {
  return [this, process = process_, work = std::move(work)] {
    if (!running_ || process != process_) return;
    if (paused()) {
      waiting_.push_back([this, process, work] {
        if (running_ && process == process_) work();
      });
    } else {
      work();
    }
  };
}

void Worker::at(MonotonicInstant when, Work work) {
  if (const auto time = world_time(when))
    world_.outside.agenda.at(*time, in_process(std::move(work)));
}

void Worker::start() {
  running_ = true;
  ++process_;
  paused_until_ = 0;
  waiting_.clear();
  membership_ = Membership{};
  wake_at_.reset(), root_wake_at_.reset();
  world_.outside.trace.add("start"), world_.outside.trace.add(place_);
  tick();
}

void Worker::crash() {
  world_.outside.tell("worker " + std::to_string(place_) + " dies");
  running_ = false;
  readers_.clear();
  root_.reset();
  waiting_.clear();
}

void Worker::pause(Time until) {
  if (paused()) return;
  paused_until_ = until;
  world_.outside.tell("worker " + std::to_string(place_) + " pauses until " +
                      std::to_string(until));
  world_.outside.agenda.at(until, [this, process = process_] {
    if (!running_ || process != process_) return;
    auto waiting = std::exchange(waiting_, {});
    for (auto& work : waiting) work();
  });
}

void Worker::end_cleanly() { give(EndAsked{}); }

bool Worker::may_write_shard(ShardNumber shard) const {
  if (world_.bug == Bug::kTrustsForever) return membership_.held.contains(shard);
  return membership_.may_write_shard(shard, clock());
}
bool Worker::may_write_root() const { return membership_.may_write_root(clock()); }

// -- membership --

void Worker::tick() {
  give(Tick{"w" + std::to_string(place_) + "-" + std::to_string(++world_.ids)});
}

void Worker::give(const MembershipEvent& event) {
  if (world_.bug == Bug::kTrustsForever && membership_.phase == Membership::Phase::kIn)
    membership_.trusted_until = clock() + std::chrono::hours(1);
  const auto effects = step(membership_, event, clock());
  for (const auto& effect : effects) perform(effect);
  wake_later();
}

void Worker::wake_later() {
  const auto when = world_time(membership_.next_tick());
  if (!when || (wake_at_ && *wake_at_ <= *when && *wake_at_ > world_.outside.agenda.now())) return;
  wake_at_ = when;
  world_.outside.agenda.at(*when, in_process([this, when] {
    if (wake_at_ != when) return;
    wake_at_.reset();
    tick();
  }));
}

void Worker::perform(const MembershipEffect& effect) {
  const auto answer = [this](std::uint64_t ticket) {
    return [this, ticket, process = process_](LeaseOutcome outcome) {
      if (process != process_) return;
      in_process([this, ticket, outcome] { give(WriteAnswered{ticket, outcome}); })();
    };
  };
  if (std::holds_alternative<ListRows>(effect)) {
    world_.leases.list([this, began = clock(), process = process_](auto rows) {
      if (process != process_) return;
      in_process([this, began, rows = std::move(rows)] {
        if (!rows) return give(RowsNotListed{});
        const RowsListed listed{began, *rows};
        give(listed);
        if (root_) give_root(listed);
      })();
    });
  } else if (const auto* beat = std::get_if<Beat>(&effect)) {
    world_.leases.put(beat->name, beat->expected, beat->value, answer(beat->ticket));
  } else if (const auto* put = std::get_if<PutRow>(&effect)) {
    world_.leases.put(put->name, put->expected, put->value, answer(put->ticket));
  } else if (const auto* erase = std::get_if<EraseRow>(&effect)) {
    if (world_.bug == Bug::kTakesWithoutErasing) {
      world_.outside.agenda.at(world_.outside.agenda.now() + kMillisecond,
                               [done = answer(erase->ticket)] { done(LeaseOutcome::kDone); });
    } else {
      world_.leases.erase(erase->name, erase->expected, answer(erase->ticket));
    }
  } else if (const auto* shard = std::get_if<StartShard>(&effect)) {
    open_reader(shard->shard);
  } else if (const auto* round = std::get_if<EndRound>(&effect)) {
    const auto shard_number = round->shard;
    world_.outside.agenda.at(world_.outside.agenda.now(), in_process([this, shard_number] {
                               if (const auto reader = readers_.find(shard_number);
                                   reader != readers_.end())
                                 pump(std::shared_ptr(reader->second));
                             }));
  } else if (const auto* stop = std::get_if<StopShard>(&effect)) {
    readers_.erase(stop->shard);
  } else if (std::holds_alternative<StartRoot>(effect)) {
    start_root();
  } else if (std::holds_alternative<StopRoot>(effect)) {
    root_.reset();
  } else if (std::holds_alternative<DropEverything>(effect)) {
    ++world_.counts.lapses;
    readers_.clear();
    root_.reset();
  } else if (const auto* problem = std::get_if<RowProblem>(&effect)) {
    world_.outside.breaks("rows: " + problem->why);
  } else {
    running_ = false;  // ended
  }
}

// -- the root owner --

void Worker::start_root() {
  root_ = Root{};
  const auto life = ++root_life_;
  world_.outside.agenda.at(world_.outside.agenda.now() + world_.outside.latency(),
                           in_process([this, life] {
                             if (!root_ || life != root_life_) return;
                             read_root_chain();
                             give_root(ChainKnown{});
                           }));
}

void Worker::read_root_chain() {
  const auto& chain = world_.ledger.root();
  for (; root_->pages < chain.size(); ++root_->pages) give_root(EntryKnown{chain[root_->pages]});
}

void Worker::give_root(const LineageEvent& event) {
  const auto effects = step(root_->lineage, event, clock());
  for (const auto& effect : effects) perform_root(effect);
  wake_root_later();
}

void Worker::wake_root_later() {
  if (!root_) return;
  const auto when = world_time(root_->lineage.next_tick());
  const Time now = world_.outside.agenda.now();
  if (!when || (root_wake_at_ && *root_wake_at_ <= *when && *root_wake_at_ > now)) return;
  root_wake_at_ = when;
  world_.outside.agenda.at(*when, in_process([this, when] {
    if (root_wake_at_ != when) return;
    root_wake_at_.reset();
    if (root_) give_root(LineageTick{});
  }));
}

void Worker::perform_root(const LineageEffect& effect) {
  auto& agenda = world_.outside.agenda;
  const auto later = [&](Work work) {
    const auto life = root_life_;
    agenda.at(agenda.now() + world_.outside.latency(),
              in_process([this, life, work = std::move(work)] {
                if (root_ && life == root_life_) work();
              }));
  };
  const auto nobody_asks = [](LeaseOutcome) {};
  if (std::holds_alternative<DescribeTable>(effect)) {
    later([this] {
      if (world_.outside.goes_wrong(world_.outside.plan.stream_fails))
        return give_root(TableNotDescribed{});
      give_root(TableDescribed{world_.stream.newest()});
    });
  } else if (const auto* list = std::get_if<ListShards>(&effect)) {
    later([this, list = *list] {
      auto page = world_.stream.shards(list.stream, list.after);
      if (!page.ok()) return give_root(ShardsNotListed{page.error().kind});
      give_root(ShardsListed{std::move(*page)});
    });
  } else if (const auto* page = std::get_if<Enter>(&effect)) {
    enter(page->entry);
  } else if (const auto* problem = std::get_if<LineageProblem>(&effect)) {
    world_.outside.breaks("lineage: " + problem->what);
  } else if (!may_write_root()) {
    return;
  } else if (const auto* make = std::get_if<MakeRow>(&effect)) {
    auto row = make->row;
    if (world_.bug == Bug::kChildBeforeParent) row.waits = false;
    world_.leases.put(shard_row_name(row.number), 0, encode_row(row), nobody_asks);
  } else if (const auto* open = std::get_if<OpenRow>(&effect)) {
    world_.leases.put(shard_row_name(open->row.number), open->expected, encode_row(open->row),
                      nobody_asks);
  } else {
    const auto& remove = std::get<RemoveRow>(effect);
    world_.leases.erase(remove.name, remove.expected, nobody_asks);
  }
}

void Worker::enter(const LineageEntry& entry) {
  if (!may_write_root()) return;  // the root is about to be dropped
  for (const auto& other : world_.workers) {
    if (other.get() != this && other->running() && other->may_write_root())
      world_.outside.breaks("fencing: two may write the root chain");
  }
  const auto life = root_life_;
  const auto process = process_;
  world_.ledger.put_root(root_->pages, entry, [this, life, process](PagePut put) {
    if (process != process_) return;
    in_process([this, life, put] {
      if (!root_ || life != root_life_) return;
      if (put == PagePut::kStored) {
        ++root_->pages;
      } else {
        read_root_chain();
      }
      give_root(EnterAnswered{put == PagePut::kStored});
    })();
  });
}

}  // namespace pawl::guard::simulation
