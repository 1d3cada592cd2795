#include "pipeline/recorder.h"

#include <algorithm>

#include "pipeline/recorder_state.h"
#include "pipeline/table_events.h"

namespace pawl::pipeline {

Recorder::Recorder(RecorderPorts ports, RecorderOptions options)
    : ports_(ports), options_(std::move(options)), alarm_(ports.clock.make_alarm()) {
  ports_.board.set_alarm(alarm_.get());
  published_monotonic_ = looked_ = ports_.clock.monotonic();
  published_looked_ = looked_;
  published_looked_at_ = looked_at_ = ports_.clock.now();
}

Recorder::~Recorder() { ports_.board.set_alarm(nullptr); }

void Recorder::stop() {
  stopping_ = true;
  alarm_->ring();
}

Awaitable<Status> Recorder::run() {
  const auto start = ports_.clock.monotonic();
  beat_due_ = start;
  tip_due_ = start;
  idle_tip_due_ = start + options_.idle_tip_interval;
  checkpoint_due_ = start + options_.checkpoint_interval;
  std::optional<MonotonicInstant> stop_by;
  while (!fatal_) {
    take_news();
    // Shards of a new table are told of before their first round, which may take long: else nothing seems to be due.
    if (shards_.size() != published_facts_.size()) publish();
    const bool moved = co_await round();
    pass_heartbeats();
    co_await close_deleted();
    co_await write_checkpoint(false);
    co_await write_tip(false);
    publish();
    const auto now = ports_.clock.monotonic();
    if (stopping_) {
      take_news();  // what was committed during the round is due, too
      if (!stop_by) {
        stop_by = now + options_.stop_grace;
        // No change waits for its interval any longer.
        for (auto& [id, shard] : shards_) shard->page_due = {};
      }
      if (!has_due_work() || now >= *stop_by) break;
    }
    if (moved || fatal_) continue;
    const auto wake = next_wake();
    co_await alarm_->wait_until(stop_by ? std::min(wake, *stop_by) : wake);
  }
  if (fatal_) {
    publish();
    co_return *fatal_;
  }
  co_await write_checkpoint(true);
  co_await write_tip(true);
  publish();
  co_return ok();
}

Recorder::Table& Recorder::add_table(const RecordedTable& facts) {
  auto names = archive::NameTemplate::parse(facts.definition.record.name_template);
  if (!names.ok()) {
    // Templates are checked when a table is created; one that is wrong all the same must not stop the archive.
    raise(AlarmKind::kDamaged, facts.definition.name,
          names.error().to_string() + ": objects are named by the default template");
    names = archive::NameTemplate::parse(archive::kDefaultTemplate);
  }
  auto table = std::make_unique<Table>();
  table->facts = facts;
  table->named = {facts.definition.name, facts.definition.schema};
  table->names = std::move(names).value();
  const auto interval = options_.page_intervals.find(facts.definition.name);
  table->page_interval =
      interval == options_.page_intervals.end() ? options_.page_interval : interval->second;
  auto& slot = tables_[facts.incarnation];
  slot = std::move(table);
  return *slot;
}

Recorder::Shard& Recorder::add_shard(Table& table, ShardId id, archive::Progress progress,
                                     const ledger::ChainEndState& chain) {
  auto shard = std::make_unique<Shard>();
  shard->id = id;
  shard->table = &table;
  shard->progress = std::move(progress);
  shard->chain = chain;
  shard->committed = shard->progress.paged;
  // As status() said of it until now: meeting it is no move.
  shard->moved = looked_;
  shard->moved_at = std::max(looked_at_, table.facts.created);
  auto& slot = shards_[id];
  slot = std::move(shard);
  return *slot;
}

// New tables get their event, and deleted ones are noticed.
void Recorder::refresh_tables() {
  const auto revision = ports_.tables.revision();
  if (revision == tables_revision_) return;
  tables_revision_ = revision;
  for (const auto& facts : ports_.tables.tables()) {
    if (settled_.contains(facts.incarnation)) continue;
    const auto known = tables_.find(facts.incarnation);
    if (known == tables_.end()) {
      Table& table = add_table(facts);
      for (const auto id : facts.shards)
        add_shard(table, id, archive::Progress::of_new_shard(), {});
      root_events_.emplace_back(created_event(facts));
      continue;
    }
    Table& table = *known->second;
    if (!facts.deleted || table.facts.deleted) continue;
    table.facts.deleted = true;
    for (const auto id : table.facts.shards) {
      shards_.at(id)->check_source = true;
      shards_.at(id)->at_end = false;
    }
  }
}

void Recorder::take_news() {
  const auto looked = ports_.clock.monotonic();
  const auto looked_at = ports_.clock.now();
  // In this order: a table is listed before its changes are told.
  const auto news = ports_.board.take();
  refresh_tables();
  looked_ = looked;
  looked_at_ = looked_at;
  for (const auto& [id, newest] : news.committed) {
    const auto found = shards_.find(id);
    if (found == shards_.end()) continue;  // of a table that is not recorded
    found->second->committed = std::max(found->second->committed, newest);
  }
  if (news.heartbeat) {
    for (auto& [id, shard] : shards_) {
      if (!shard->beat) shard->beat = Shard::Beat{*news.heartbeat, shard->committed};
    }
  }
  const auto now = ports_.clock.monotonic();
  if (now < beat_due_) return;
  beat_due_ = now + kHeartbeatInterval;
  // The heartbeat goes through the change log too: each shard is read once an interval.
  for (auto& [id, shard] : shards_) shard->check_source = true;
}

void Recorder::pass_heartbeats() {
  for (auto& [id, shard] : shards_) {
    if (!shard->beat || shard->beat->committed > shard->progress.paged || shard->check_source)
      continue;
    shard->heartbeat = shard->beat->instant;
    shard->beat.reset();
    shard->moved = ports_.clock.monotonic();
    shard->moved_at = ports_.clock.now();
    heartbeats_moved_ = true;
  }
}

bool Recorder::has_due_work() const {
  return !root_events_.empty() ||
         std::any_of(shards_.begin(), shards_.end(), [](const auto& entry) {
           return !entry.second->flight.empty() ||
                  entry.second->committed > entry.second->progress.paged;
         });
}

// Never an instant at which nothing could be done: the recorder would spin until it can.
MonotonicInstant Recorder::next_wake() const {
  MonotonicInstant wake = beat_due_;
  // Pages, checkpoints and the tip wait for the ledger, whatever is due.
  if (ledger_broken_) return std::min(wake, ledger_retry_at_);
  if (!root_events_.empty()) wake = std::min(wake, ledger_retry_at_);
  if (tip_moved_) wake = std::min(wake, tip_due_);
  if (chains_moved_) wake = std::min(wake, checkpoint_due_);
  for (const auto& [id, shard] : shards_) {
    if (shard->progress.phase != archive::Progress::Phase::kOpen) continue;  // the ledger's turn
    const MonotonicInstant retry_at = shard->progress.retry_at;
    if (!shard->flight.empty()) wake = std::min(wake, retry_at);
    if (shard->committed > shard->progress.read())
      wake = std::min(wake, shard->reads_from(options_.page_changes_full));
  }
  return wake;
}

void Recorder::note_failure(Shard& shard, std::string_view where, std::string why) {
  ++totals_.failures;
  shard.where = where;
  shard.why = std::move(why);
}

void Recorder::raise(AlarmKind kind, const std::string& subject, std::string text) {
  auto& alarm = alarms_[{kind, subject}];
  if (alarm.subject.empty()) alarm.since = ports_.clock.now();
  alarm.kind = kind;
  alarm.subject = subject;
  alarm.text = std::move(text);
}

void Recorder::lower(AlarmKind kind, const std::string& subject) { alarms_.erase({kind, subject}); }

}  // namespace pawl::pipeline
