// One run of guard_simulation_test.cc: who works, what happens to them and to the table, and what must be so in the end.
#include <algorithm>
#include <utility>

#include "guard/simulation_worker_test.h"

namespace pawl::guard::simulation {
namespace {

constexpr Time kTakenOverWithin = 10 * kSecond;
constexpr Time kDrainedWithin = 90 * kSecond;

Outside make_outside(std::uint64_t seed) {
  Outside outside;
  outside.dice = Dice(seed);
  return outside;
}

}  // namespace

World::World(std::uint64_t seed, Bug planted)
    : bug(planted),
      outside(make_outside(seed)),
      stream(outside),
      leases(outside),
      ledger(outside, stream),
      objects(outside) {
  auto& dice = outside.dice;
  const auto count = dice.between(2, 4);
  for (Time i = 0; i < count; ++i) {
    const double rate = 0.9 + static_cast<double>(dice.below(201)) / 1000.0;
    workers.push_back(std::make_unique<Worker>(*this, static_cast<std::size_t>(i), rate,
                                               dice.between(0, 1000) * kSecond));
  }
  trouble_ends_ = dice.between(10, 18) * kSecond;
  plan_faults();
  plan_client();
  plan_trouble();
}

// A quarter of the runs has well-behaved services, so that what the workers do to each other stands alone.
void World::plan_faults() {
  auto& dice = outside.dice;
  auto& plan = outside.plan;
  plan.trims = dice.below(4) == 0;
  plan.enabled_again = dice.below(10) == 0;
  plan.listing_partial = static_cast<unsigned>(dice.below(200));
  plan.stream_empty = static_cast<unsigned>(dice.below(200));
  if (dice.below(4) == 0) return;
  const auto rate = [&](unsigned most) { return static_cast<unsigned>(dice.below(most)); };
  plan.lease_unknown = rate(60), plan.lease_refused = rate(40), plan.lease_slow = rate(40);
  plan.page_unknown = rate(150), plan.page_late = rate(60), plan.object_unknown = rate(60);
  plan.stream_fails = rate(100), plan.stream_expires = rate(60);
}

void World::plan_client() {
  auto& dice = outside.dice;
  auto& agenda = outside.agenda;
  const auto writes = dice.between(20, 80);
  for (Time i = 0; i < writes; ++i)
    agenda.at(dice.between(0, trouble_ends_), [this] { stream.write(); });
  for (auto turns = dice.below(4); turns > 0; --turns) {
    agenda.at(dice.between(0, trouble_ends_), [this, in_two = dice.below(2) == 0] {
      in_two ? stream.split() : stream.roll_over();
    });
  }
  if (outside.plan.enabled_again)
    agenda.at(dice.between(0, trouble_ends_), [this] { stream.enable_again(); });
  if (outside.plan.trims) {
    for (Time at = 0; at < trouble_ends_ + 10 * kSecond; at += kSecond)
      agenda.at(at, [this] { stream.trim(); });
  }
}

void World::plan_trouble() {
  auto& dice = outside.dice;
  for (auto& worker : workers) start_again(*worker, dice.between(0, 2 * kSecond));
  for (auto troubles = dice.below(6); troubles > 0; --troubles)
    outside.agenda.at(dice.between(kSecond, trouble_ends_), [this] { trouble(); });
}

void World::start_again(Worker& worker, Time when) {
  outside.agenda.at(when, [this, &worker] {
    if (worker.running()) return;
    workers_disturbed = outside.agenda.now();
    worker.start();
  });
}

void World::trouble() {
  auto& dice = outside.dice;
  auto& worker = *workers[dice.below(workers.size())];
  if (!worker.running() || worker.paused()) return;
  const Time now = outside.agenda.now();
  const auto held = std::make_shared<std::vector<ShardNumber>>(worker.shards());
  workers_disturbed = now;
  switch (dice.below(5)) {
    case 0:
      ++counts.clean_ends;
      worker.end_cleanly();
      start_again(worker, now + dice.between(3 * kSecond, 6 * kSecond));
      return;
    case 1:
    case 2:
      ++counts.pauses;
      worker.pause(now + dice.between(500 * kMillisecond, 12 * kSecond));
      return;
    default:
      ++counts.crashes;
      worker.crash();
      start_again(worker, now + dice.between(kSecond, 14 * kSecond));
  }
  watch_taken_over(held, now);
}

// Checker: what a dead worker held is read by others within ten seconds, if nothing else went wrong meanwhile.
void World::watch_taken_over(std::shared_ptr<std::vector<ShardNumber>> shards, Time died) {
  outside.agenda.at(outside.agenda.now() + 100 * kMillisecond, [this, shards, died] {
    if (workers_disturbed > died || outside.lease_disturbed > died - kSecond) return;
    const auto others = std::any_of(workers.begin(), workers.end(), [](const auto& worker) {
      return worker->running() && !worker->paused();
    });
    if (!others) return;
    std::erase_if(*shards, [&](ShardNumber shard) {
      const auto row = leases.rows().find(shard_row_name(shard));
      if (row == leases.rows().end() || std::get<ShardRow>(*parse_row(row->second)).finished)
        return true;
      return std::any_of(workers.begin(), workers.end(),
                         [&](const auto& worker) { return worker->reads(shard); });
    });
    if (shards->empty()) {
      ++counts.rebalances;
    } else if (outside.agenda.now() - died >= kTakenOverWithin) {
      outside.breaks("rebalance: shard " + std::to_string(shards->front()) +
                     " is not read by anybody 10 s after its reader died");
    } else {
      watch_taken_over(shards, died);
    }
  });
}

bool World::is_drained() const {
  std::set<std::string> closed;
  for (const auto& entry : ledger.root()) {
    const auto* one = std::get_if<ShardClosed>(&entry);
    if (one != nullptr) closed.insert(*ledger.source_of(one->number));
  }
  if (closed.size() != stream.all().size()) return false;
  return std::none_of(leases.rows().begin(), leases.rows().end(),
                      [](const auto& row) { return row.first.starts_with("shard/"); });
}

std::string World::state() const {
  std::string text;
  for (const auto& [name, row] : leases.rows())
    text += " " + name + " " + std::to_string(row.revision) + " " + row.value;
  for (const auto& worker : workers) text += " | " + worker->state();
  for (const auto& entry : ledger.root()) {
    const auto* opened = std::get_if<ShardOpened>(&entry);
    if (opened != nullptr) {
      text += " | " + std::to_string(opened->number) + " " + opened->stream + " " + opened->shard;
    } else {
      text += " | closed " + std::to_string(std::get<ShardClosed>(entry).number);
    }
  }
  return text;
}

void World::run() {
  auto& agenda = outside.agenda;
  while (agenda.run_one(trouble_ends_) && outside.broken.empty()) {
  }
  outside.plan.on = false;
  stream.close_all();
  for (auto& worker : workers) {
    if (worker->ended() || !worker->running()) start_again(*worker, agenda.now());
  }
  Time next_look = agenda.now();
  const Time end = trouble_ends_ + kDrainedWithin;
  while (outside.broken.empty() && agenda.now() < end) {
    next_look += 500 * kMillisecond;
    while (agenda.run_one(next_look) && outside.broken.empty()) {
    }
    if (is_drained()) break;
  }
  if (outside.broken.empty() && !is_drained())
    outside.breaks("the end: not everything is read and closed;" + state());
  if (outside.broken.empty()) check_ledger();
  counts.refused = ledger.refused();
  counts.shards += stream.all().size();
  outside.trace.add(agenda.done());
}

void World::check_ledger() {
  // Where the first listing was not entered by one root owner, the rest of it counts as a gap.
  const bool calm = counts.crashes + counts.pauses + counts.clean_ends + counts.lapses == 0;
  for (const auto& entry : ledger.root()) {
    const auto* opened = std::get_if<ShardOpened>(&entry);
    if (opened == nullptr) continue;
    check_shard(*stream.find(opened->shard), opened->number);
    if (opened->gap && !outside.plan.enabled_again && outside.plan.listing_partial == 0 && calm)
      outside.breaks("lineage: a gap where there is none");
  }
}

// Checker P1: every record is in the ledger exactly once, with its object, or before a gap that was entered.
void World::check_shard(const ModelShard& shard, ShardNumber number) {
  std::size_t next = 0;
  std::uint64_t dense = 0;
  const bool end_gap =
      std::any_of(ledger.root().begin(), ledger.root().end(), [&](const LineageEntry& entry) {
        const auto* closed = std::get_if<ShardClosed>(&entry);
        return closed != nullptr && closed->number == number && closed->gap;
      });
  for (const auto& page : ledger.chain(number).pages) {
    for (const auto& entry : page.entries) {
      ++counts.records;
      std::size_t at = next;
      while (at < shard.records.size() && shard.records[at].sequence != entry.record.sequence) ++at;
      if (at == shard.records.size()) {
        outside.breaks("P1: a record is in the ledger twice, or was never written");
        return;
      }
      if (at > next && !entry.gap) outside.breaks("P1: a record is missing, and no gap is entered");
      if (at > shard.trimmed && at > next) outside.breaks("P1: a record was passed over");
      if (entry.gap) ++counts.gaps;
      if (entry.number != ++dense) outside.breaks("P1: numbers are not dense");
      if (!objects.holds({entry.record.sequence, entry.attempt, entry.number}))
        outside.breaks("P1/P4: an entry's object is missing, or another's");
      next = at + 1;
    }
  }
  counts.trimmed += shard.trimmed;
  if (next < shard.records.size() && (!end_gap || shard.trimmed != shard.records.size()))
    outside.breaks("P1: the end of a shard is missing");
}

}  // namespace pawl::guard::simulation
