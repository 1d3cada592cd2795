#include "table/committer.h"

#include "base/assert.h"
#include "item/change.h"
#include "table/old_streams.h"
#include "table/orphans.h"

namespace pawl::table {
namespace {

using Floors = CommitStep::Floors;

Failure failure_of(Refusal refusal, std::string message) {
  return {.refusal = refusal, .message = std::move(message), .item = {}, .reasons = {}};
}

std::string render_refusal(const Command& command, Failure failure) {
  Outcome outcome;
  outcome.failure = std::move(failure);
  return command.render(outcome);
}

}  // namespace

Committer::Committer(CommitterPorts ports, CommitterOptions options)
    : ports_(ports),
      options_(std::move(options)),
      queue_(options_.queue_commands_max, options_.queue_bytes_max),
      room_(options_.reserve),
      holds_(ports.catalog, ports.log, options_.stream_retention, options_.read_holds) {}

Result<std::unique_ptr<Committer>> Committer::open(CommitterPorts ports, CommitterOptions options) {
  std::unique_ptr<Committer> committer(new Committer(ports, std::move(options)));
  PAWL_TRY(committer->open_shards());
  PAWL_TRY(remove_orphans(ports.store, *ports.catalog.view()));
  return committer;
}

void Committer::settle_unrecorded(const TableRecord& table) {
  // Nobody archives its changes, so nobody else would say that they may go.
  if (table.state == TableState::kActive || table.definition.record.record) return;
  const std::lock_guard lock(mutex_);
  settled_.push_back(table.incarnation);
}

Status Committer::open_shards() {
  const auto tables = ports_.catalog.view();
  const auto& floors = ports_.catalog.floors_at_open();
  for (const auto& [incarnation, table] : tables->by_incarnation) {
    settle_unrecorded(table->record);
    for (const ShardId shard : table->shards()) {
      const auto floor = floors.find(shard);
      const SequenceNumber from = floor == floors.end() ? SequenceNumber{} : floor->second;
      PAWL_ASSIGN_OR_RETURN(const auto newest, ports_.log.open(shard, from));
      if (!newest) {
        step_.open(shard, {}, {}, {});
        continue;
      }
      PAWL_ASSIGN_OR_RETURN(const item::Change change,
                            item::decode_change(shard, newest->sequence, newest->encoded));
      step_.open(shard, newest->sequence, change.instant, from);
      if (!table->record.definition.record.record) step_.release(shard, newest->sequence);
    }
    holds_.begin(*table, step_);
  }
  return begin_old_streams(ports_.store, ports_.catalog, ports_.log);
}

void Committer::submit(Command command) {
  switch (queue_.push(command)) {
    case CommandQueue::Pushed::kTaken:
      if (waker_) waker_();
      return;
    case CommandQueue::Pushed::kFull:
      command.done(render_refusal(
          command, failure_of(Refusal::kBusy, "Too many writes are waiting for the disk")));
      return;
    case CommandQueue::Pushed::kClosed:
      command.done(
          render_refusal(command, failure_of(Refusal::kStopping, "The server is stopping")));
      return;
  }
}

void Committer::close() { queue_.close(); }

void Committer::refuse_writes(Refusal refusal, std::string reason) {
  const std::lock_guard lock(mutex_);
  refusal_ = failure_of(refusal, std::move(reason));
}

void Committer::allow_writes() {
  const std::lock_guard lock(mutex_);
  refusal_.reset();
}

void Committer::table_settled(Incarnation incarnation) {
  {
    const std::lock_guard lock(mutex_);
    settled_.push_back(incarnation);
  }
  if (waker_) waker_();
}

std::vector<TablePtr> Committer::take_settled() {
  std::vector<Incarnation> incarnations;
  {
    const std::lock_guard lock(mutex_);
    incarnations.swap(settled_);
  }
  std::vector<TablePtr> tables;
  const auto known = ports_.catalog.view();
  for (const Incarnation incarnation : incarnations) {
    const auto found = known->by_incarnation.find(incarnation);
    if (found == known->by_incarnation.end()) continue;
    // A table that still has its name goes on taking changes.
    PAWL_ASSERT(found->second->record.state != TableState::kActive);
    if (holds_.is_read(found->second->record, ports_.clock.now())) {
      still_read_.insert(incarnation);
    } else {
      still_read_.erase(incarnation);
      tables.push_back(found->second);
    }
  }
  return tables;
}

std::optional<Failure> Committer::refusal_now() const {
  {
    const std::lock_guard lock(mutex_);
    if (refusal_) return refusal_;
  }
  if (room_.enough()) return std::nullopt;
  return failure_of(Refusal::kNoRoom, "Writes are refused for want of room: " + room_.why());
}

Committer::Round Committer::run_round() {
  if (step_.ended()) return Round::kEnded;
  const MonotonicInstant now = ports_.clock.monotonic();
  if (room_.check(ports_.store, now)) ports_.listener.room_changed(room_.enough(), room_.why());
  beat(now);

  for (const auto& [shard, through] : ports_.log.take_releases()) step_.release(shard, through);
  look_at_streams(now);
  if (const auto settled = take_settled(); !settled.empty()) return settle_round(settled);

  std::vector<Pending> pending = queue_.take(options_.round_commands_max, options_.batch_bytes_max);
  const bool trim = (!trimmed_ || now - *trimmed_ >= options_.trim_interval) && step_.can_trim();
  if (pending.empty() && !trim) return Round::kIdle;
  if (trim) trimmed_ = now;
  if (!pending.empty() && mutations_of(pending.front().command) == nullptr) {
    return table_round(std::move(pending.front()));
  }
  return item_round(std::move(pending), trim);
}

Committer::Round Committer::item_round(std::vector<Pending> pending, bool trim) {
  const Instant now = ports_.clock.now();
  CommitRound round(ports_.store, step_, ports_.catalog.view(), options_.insert_only, now,
                    options_.batch_bytes_max);
  for (Pending& one : pending) round.prepare(one);
  if (const Status loaded = round.load(); !loaded.ok()) {
    refuse_all(pending, Refusal::kStorage, loaded.error().message);
    return Round::kDone;
  }
  const std::optional<Failure> refusal = refusal_now();
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (round.evaluate(pending[i], refusal)) continue;
    queue_.put_back({std::make_move_iterator(pending.begin() + static_cast<std::ptrdiff_t>(i)),
                     std::make_move_iterator(pending.end())});
    pending.resize(i);
    break;
  }
  WriteBatch& batch = round.finish();
  for (const ShardFloor& floor : step_.seal(trim ? Floors::kAdvance : Floors::kKeep)) {
    batch.put(KeySpace::kCatalog, floor_key(floor.shard), encode_floor(floor.floor));
  }
  const CommitStep::Settled settled = write(batch);
  if (settled.verdict == CommitStep::Settled::Verdict::kAnswer) round.publish_counts();
  const Round result = conclude(settled, pending);
  report(expiry_.expire(ports_.store, now));
  return result;
}

// As often as records are removed: before that nothing depends on it.
void Committer::look_at_streams(MonotonicInstant now) {
  if (held_ && now - *held_ < options_.trim_interval) return;
  held_ = now;
  report(holds_.advance(ports_.clock.now(), step_));
  const std::lock_guard lock(mutex_);
  settled_.insert(settled_.end(), still_read_.begin(), still_read_.end());
}

bool Committer::table_command_refused(const Command& command) const {
  // Adoption is what ends a refusal, and writes next to nothing.
  return !std::holds_alternative<AdoptTable>(command.action) && refusal_now().has_value();
}

Committer::Round Committer::table_round(Pending pending) {
  const Instant now = ports_.clock.now();
  CommitRound round(ports_.store, step_, ports_.catalog.view(), options_.insert_only, now,
                    options_.batch_bytes_max);
  round.prepare(pending);
  std::vector<Pending> alone;
  if (const Status loaded = round.load(); !loaded.ok()) {
    alone.push_back(std::move(pending));
    refuse_all(alone, Refusal::kStorage, loaded.error().message);
    return Round::kDone;
  }
  TablePlan plan;
  if (round.answer_again(pending)) {
    // Nothing to do: it was done before.
  } else if (table_command_refused(pending.command)) {
    pending.answer = render_refusal(pending.command, *refusal_now());
  } else {
    plan = plan_table_command(pending.command, {.catalog = ports_.catalog,
                                                .log = ports_.log,
                                                .random = ports_.random,
                                                .now = now,
                                                .stream_retention = options_.stream_retention,
                                                .read_holds = options_.read_holds});
    pending.answer = pending.command.render(plan.outcome);
  }
  if (plan.event == TablePlan::Event::kAdopted) {
    const auto carried = carry_changes(ports_.store, ports_.log,
                                       std::get<AdoptTable>(pending.command.action).archived,
                                       plan.records.back().incarnation);
    if (carried.result.outcome != WriteOutcome::kDone) {
      why_ = carried.result.why;
      alone.push_back(std::move(pending));
      if (carried.result.outcome == WriteOutcome::kUnknown) {
        step_.seal(Floors::kKeep);
        step_.settle(WriteOutcome::kUnknown);
        end(alone);
        return Round::kEnded;
      }
      refuse_all(alone, Refusal::kStorage, "The table was not adopted: " + why_);
      return Round::kDone;
    }
    plan.carried = carried.shards;
  }
  if (plan.event != TablePlan::Event::kNone) {
    for (const TableRecord& record : plan.records) {
      round.batch().put(KeySpace::kCatalog, table_key(record.incarnation), encode_table(record));
    }
    if (plan.event == TablePlan::Event::kCreated || plan.event == TablePlan::Event::kAdopted) {
      round.batch().put(KeySpace::kCatalog, count_key(plan.records.back().incarnation),
                        encode_count(plan.count));
    }
    round.remember(pending);
  }
  step_.seal(Floors::kKeep);
  const CommitStep::Settled settled = write(round.finish());
  const bool done = settled.verdict == CommitStep::Settled::Verdict::kAnswer;
  // The catalog first, so that whoever gets the answer finds the table.
  if (done) apply(plan);
  alone.push_back(std::move(pending));
  const Round result = conclude(settled, alone);
  if (done) announce(plan);
  return result;
}

Committer::Round Committer::settle_round(const std::vector<TablePtr>& tables) {
  WriteBatch batch;
  for (const TablePtr& table : tables) {
    const Incarnation incarnation = table->record.incarnation;
    batch.erase(KeySpace::kCatalog, table_key(incarnation));
    batch.erase(KeySpace::kCatalog, count_key(incarnation));
    for (const ShardId shard : table->shards()) batch.erase(KeySpace::kCatalog, floor_key(shard));
  }
  step_.seal(Floors::kKeep);
  const CommitStep::Settled settled = write(batch);
  std::vector<Pending> nobody;
  if (settled.verdict == CommitStep::Settled::Verdict::kRefuse) {
    const std::lock_guard lock(mutex_);
    for (const TablePtr& table : tables) settled_.push_back(table->record.incarnation);
    return Round::kIdle;  // tried again later, not at once
  }
  const Round result = conclude(settled, nobody);
  if (settled.verdict != CommitStep::Settled::Verdict::kAnswer) return result;
  for (const TablePtr& table : tables) {
    for (const ShardId shard : table->shards()) {
      step_.close(shard);
      ports_.log.forget(shard);
    }
    holds_.forget(*table);
    ports_.catalog.forget(table->record.incarnation);
    report(ports_.log.remove_all(table->record.incarnation));
  }
  return result;
}

CommitStep::Settled Committer::write(const WriteBatch& batch) {
  if (batch.empty()) return step_.settle(WriteOutcome::kDone);
  const WriteResult result = ports_.store.write(batch, Sync::kYes);
  why_ = result.why;
  return step_.settle(result.outcome);
}

Committer::Round Committer::conclude(const CommitStep::Settled& settled,
                                     std::vector<Pending>& pending) {
  if (settled.verdict == CommitStep::Settled::Verdict::kEnd) {
    end(pending);
    return Round::kEnded;
  }
  if (settled.verdict == CommitStep::Settled::Verdict::kRefuse) {
    refuse_all(pending, Refusal::kStorage, "The write was not done: " + why_);
    return Round::kDone;
  }
  for (const ShardAdvance& shard : settled.published) {
    ports_.log.publish(shard.shard, shard.newest);
  }
  for (Pending& one : pending) one.command.done(std::move(one.answer));
  if (!settled.published.empty()) ports_.listener.published(settled.published);
  const auto recorded = release_unrecorded(settled.published);
  if (!recorded.empty()) ports_.listener.committed(recorded);
  for (const ShardFloor& trim : settled.trims) report(ports_.log.trim(trim.shard, trim.floor));
  return Round::kDone;
}

void Committer::apply(const TablePlan& plan) {
  for (const TableRecord& record : plan.records) {
    ports_.catalog.put(record, plan.count);
    settle_unrecorded(record);
  }
  if (plan.event == TablePlan::Event::kCreated || plan.event == TablePlan::Event::kAdopted) {
    const auto tables = ports_.catalog.view();
    for (const ShardId shard :
         tables->by_incarnation.at(plan.records.back().incarnation)->shards()) {
      step_.open(shard, {}, {}, {});
      ports_.log.add(shard);
    }
  }
  for (const CarriedShard& carried : plan.carried) {
    step_.close(carried.shard);
    step_.open(carried.shard, carried.newest, carried.newest_instant, {});
    ports_.log.publish(carried.shard, carried.newest);
  }
  const auto tables = ports_.catalog.view();
  for (const TableRecord& record : plan.records) {
    holds_.begin(*tables->by_incarnation.at(record.incarnation), step_);
  }
  if (plan.event == TablePlan::Event::kDeleted) {
    report(remove_items(ports_.store, plan.records.back().space));
  }
}

void Committer::announce(const TablePlan& plan) {
  switch (plan.event) {
    case TablePlan::Event::kCreated:
      return ports_.listener.table_created(*plan.outcome.table);
    case TablePlan::Event::kDeleted:
      return ports_.listener.table_deleted(*plan.outcome.table);
    case TablePlan::Event::kAdopted:
      return ports_.listener.table_adopted(*plan.outcome.table, plan.records.front().incarnation);
    case TablePlan::Event::kUpdated:
    case TablePlan::Event::kNone:
      return;
  }
}

std::vector<ShardAdvance> Committer::release_unrecorded(
    const std::vector<ShardAdvance>& published) {
  std::vector<ShardAdvance> recorded;
  const auto tables = ports_.catalog.view();
  for (const ShardAdvance& shard : published) {
    const auto table = tables->by_incarnation.find(shard.shard.incarnation);
    // Nobody reads the changes of a table that is not recorded: they may go, and nobody need wake up for them.
    if (table != tables->by_incarnation.end() && !table->second->record.definition.record.record) {
      step_.release(shard.shard, shard.newest);
    } else {
      recorded.push_back(shard);
    }
  }
  return recorded;
}

// At a round's start everything that earlier rounds committed has been told, and nothing else is committed.
void Committer::beat(MonotonicInstant now) {
  if (beaten_ && now - *beaten_ < options_.heartbeat_interval) return;
  beaten_ = now;
  ports_.listener.heartbeat(ports_.clock.now());
}

void Committer::report(const Status& removal) {
  if (!removal.ok()) ports_.listener.trim_failed(removal.error());
}

void Committer::end(std::vector<Pending>& pending) {
  queue_.close();
  for (Pending& one : pending) one.command.done(std::nullopt);
  for (Pending& one : queue_.take_all()) one.command.done(std::nullopt);
  ports_.listener.failed("writing a batch: nobody knows whether it is durable: " + why_);
}

void Committer::refuse_all(std::vector<Pending>& pending, Refusal refusal, const std::string& why) {
  for (Pending& one : pending) {
    one.command.done(render_refusal(one.command, failure_of(refusal, why)));
  }
}

}  // namespace pawl::table
