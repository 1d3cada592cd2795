#include "server/supervised_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "bucket/own_ledger_store.h"
#include "guard/chains_reached.h"
#include "guard/guarded_definition.h"
#include "guard/rendered_change.h"
#include "item/change.h"
#include "observe/log.h"
#include "server/bucket_archive.h"
#include "stream/sequence_text.h"

namespace pawl::server {
namespace {

constexpr const char* kReader = "expectation";  // among those who hold the change log
constexpr const char* kHow = "expectation";     // in the entry of what Pawl puts in
constexpr Duration kOpenAgain = std::chrono::seconds(2);
constexpr Duration kLook = std::chrono::milliseconds(500);
// Of a deleted table: whether all of it is entered.
constexpr Duration kLookForEnd = std::chrono::seconds(2);
// What a look at objects may come behind its deadline, and a worker behind its start.
constexpr Duration kLookSlack = std::chrono::seconds(15);

guard::CheckRules rules_of(const ExpectationConfig& config) {
  guard::CheckRules rules;
  rules.deadline = config.deadline;
  rules.writes = config.writes;
  rules.asks_again = true;
  rules.how = kHow;
  return rules;
}

std::size_t badness(pipeline::FlowState state) {
  using State = pipeline::FlowState;
  const State from_best[] = {State::kIdle, State::kFlowing, State::kUnproven, State::kLagging,
                             State::kStalled};
  return static_cast<std::size_t>(std::find(std::begin(from_best), std::end(from_best), state) -
                                  std::begin(from_best));
}

std::optional<std::vector<SequenceNumber>> sequences_of(
    std::span<const guard::RenderedChange* const> changes) {
  std::vector<SequenceNumber> sequences;
  for (const auto* const change : changes) {
    const auto sequence = stream::parse_sequence(change->entry.source);
    if (!sequence) return std::nullopt;
    sequences.push_back(*sequence);
  }
  return sequences;
}

Duration between(Instant from, Instant to) {
  return Duration{std::max<std::int64_t>(0, to.microseconds - from.microseconds)};
}

}  // namespace

SupervisedTable::SupervisedTable(const SupervisionGround& ground,
                                 boost::asio::any_io_executor executor, std::string name,
                                 Incarnation incarnation, ExpectationConfig config,
                                 guard::ObjectsTaken& taken)
    : ground_(ground),
      executor_(std::move(executor)),
      name_(std::move(name)),
      incarnation_(incarnation),
      config_(std::move(config)),
      taken_(taken),
      stream_(ground_.tables, incarnation_),
      table_(ground_.tables, incarnation_),
      objects_(ground_.buckets, config_.bucket),
      watch_(ground_.buckets, config_.bucket),
      redelivery_(ground_.functions, executor_),
      check_{watch_,
             taken_,
             rules_of(config_),
             [this](const guard::RenderedChange& change) { log_.take(change); },
             [this](const guard::ShardSource& source,
                    std::span<const guard::RenderedChange* const> changes,
                    Duration within) { ask_again(source, changes, within); },
             [this](const guard::ShardSource& source,
                    std::span<const guard::RenderedChange* const> changes) {
               return given(source, changes);
             },
             [this](const guard::ShardSource& source, const std::string& number) {
               paged(source, number);
             }},
      alarm_(ground_.clock.make_alarm()),
      began_(ground_.clock.monotonic()) {}

SupervisedTable::~SupervisedTable() = default;

void SupervisedTable::stop() {
  stopping_ = true;
  redelivery_.stop();
  alarm_->ring();
}

void SupervisedTable::note(std::string why) {
  const std::lock_guard lock(mutex_);
  why_ = std::move(why);
}

bool SupervisedTable::is_deleted() const {
  const auto view = ground_.tables.catalog->view();
  const auto found = view->by_incarnation.find(incarnation_);
  return found == view->by_incarnation.end() ||
         found->second->record.state != table::TableState::kActive;
}

std::vector<ShardId> SupervisedTable::shards() const {
  const auto view = ground_.tables.catalog->view();
  const auto found = view->by_incarnation.find(incarnation_);
  if (found == view->by_incarnation.end()) return {};
  return found->second->shards();
}

Awaitable<Status> SupervisedTable::open() {
  const auto archive =
      co_await open_bucket_archive(ground_.buckets, config_.bucket, ground_.random);
  if (!archive.ok()) co_return archive.error();
  archive_ = fmt::format("{:016x}", archive->id);
  const auto facts = co_await table_.describe();
  if (!facts.ok()) co_return facts.error();
  auto schema = guard::key_schema_of(*facts);
  if (!schema.ok()) co_return schema.error();
  auto names = archive::NameTemplate::parse(config_.names);
  if (!names.ok()) co_return names.error();
  auto version_attribute = config_.version_attribute;
  if (!version_attribute) {
    const auto last = names->last_attribute();
    const bool is_key =
        last && (*last == facts->partition.name || (facts->sort && *last == facts->sort->name));
    if (!is_key) version_attribute = last;
  }
  guard::GuardedTable guarded{archive_,
                              "pawl " PAWL_VERSION,
                              incarnation_,
                              facts->arn,
                              {name_, std::move(schema).value()},
                              std::move(names).value(),
                              std::move(version_attribute),
                              true};
  guarded.held = true;
  bucket::OwnLedgerStore ledger(ground_.buckets, config_.bucket);
  const auto fits = co_await guard::check_root_chain(ledger, guarded);
  if (!fits.ok()) {
    if (fits.error().code != ErrorCode::kInvalid) co_return fits;
    co_return Error{ErrorCode::kInvalid, fits.error().message,
                    "give the table the expectation that it had, or name another bucket"};
  }
  guard::GuardPorts ports{stream_,
                          table_,
                          leases_,
                          objects_,
                          [this]() -> std::unique_ptr<LedgerStore> {
                            return std::make_unique<bucket::OwnLedgerStore>(ground_.buckets,
                                                                            config_.bucket);
                          },
                          ground_.clock,
                          ground_.random,
                          &check_};
  guarded_ = guarded;
  auto worker = std::make_unique<guard::Worker>(std::move(ports), std::move(guarded));
  const std::lock_guard lock(mutex_);
  worker_ = std::move(worker);
  opened_ = true;
  co_return ok();
}

// Whether the table is an older one than the ledger, whose last entry of the shard that is. Also when it has grown past it since:
// then another change has that one's number. It can be asked as long as the log has it: a hold keeps what comes behind it, not
// itself, and where it is trimmed the ledger goes on behind a gap (docs/internals/supervised.md).
Status SupervisedTable::check_older(ShardId shard, const ledger::PageEntry& last) {
  const auto position = ground_.tables.log->position(shard);
  const auto sequence = stream::parse_sequence(last.source);
  if (!position || !sequence || !is_older_.empty()) return ok();
  if (*sequence > position->newest) {
    is_older_ = fmt::format(
        "the bucket's ledger knows change {} of shard {}, and the table does not: it is older",
        last.source, shard.to_string());
    return ok();
  }
  PAWL_ASSIGN_OR_RETURN(const auto record, stream_.record_at(shard, *sequence));
  if (!record) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto change, guard::render_change(*guarded_, shard, last.sequence,
                                                                *record, std::nullopt));
  if (guard::tells_of(last, change)) return ok();
  is_older_ = fmt::format(
      "the bucket's ledger knows another change {} of shard {} than the table: it was older, "
      "and has grown since",
      last.source, shard.to_string());
  return ok();
}

// How far the ledger is: the change log is held from there on, and no more. Whether the table has ended, and all of it is there.
Awaitable<Result<bool>> SupervisedTable::learn_ends() {
  bucket::OwnLedgerStore ledger(ground_.buckets, config_.bucket);
  const auto reached = co_await guard::read_chains_reached(ledger, archive_, incarnation_);
  if (!reached.ok()) co_return reached.error();
  // Never gone on with, even when the table has grown past it.
  for (const ShardId shard : shards()) {
    const auto found = reached->find(shard.to_string());
    if (found == reached->end() || !found->second.last) continue;
    const auto checked = check_older(shard, *found->second.last);
    if (!checked.ok()) co_return checked.error();
  }
  if (!is_older_.empty()) {
    co_return Error{ErrorCode::kInvalid, is_older_,
                    "restore table and bucket from one copy of the data directory"};
  }
  bool all_closed = true;
  for (const ShardId shard : shards()) {
    const auto found = reached->find(shard.to_string());
    const bool is_known = found != reached->end();
    all_closed = all_closed && is_known && found->second.closed;
    const auto last = is_known && found->second.last
                          ? stream::parse_sequence(found->second.last->source)
                          : std::nullopt;
    const std::lock_guard lock(mutex_);
    auto& after = reached_[shard.number];
    after = std::max(after, last.value_or(SequenceNumber{}));
    ground_.holds.hold(kReader, shard, after);
  }
  ground_.holds.lift_table(incarnation_);
  co_return all_closed;
}

Awaitable<void> SupervisedTable::run() {
  bool is_over = false;
  while (!stopping_) {
    auto status = ok();
    if (!opened_) {
      auto opened = co_await open();
      status = std::move(opened);
    }
    if (status.ok()) {
      const auto ends = co_await learn_ends();
      if (ends.ok()) {
        is_over = *ends;
        note({});
        break;
      }
      status = ends.error();
    }
    note(status.error().to_string());
    co_await alarm_->wait_until(ground_.clock.monotonic() + kOpenAgain);
  }
  if (!stopping_ && !is_over) co_await work();
  while (redelivery_.running() > 0) co_await alarm_->wait_until(ground_.clock.monotonic() + kLook);
  if (stopping_) co_return;
  for (const ShardId shard : shards()) ground_.holds.lift(kReader, shard);
}

// Until stop(), or until the ledger has all of a deleted table.
Awaitable<void> SupervisedTable::work() {
  working_ = true;
  boost::asio::co_spawn(executor_, worker_->run(), [this](const std::exception_ptr& error) {
    PAWL_ASSERT(error == nullptr);  // nothing of ours throws
    working_ = false;
    alarm_->ring();
  });
  auto look_for_end = ground_.clock.monotonic();
  bool is_over = false;
  while (!stopping_ && !is_over) {
    co_await alarm_->wait_until(ground_.clock.monotonic() + kLook);
    tell_missing();
    if (!is_deleted() || ground_.clock.monotonic() < look_for_end) continue;
    const auto ends = co_await learn_ends();
    is_over = ends.ok() && *ends;
    look_for_end = ground_.clock.monotonic() + kLookForEnd;
  }
  worker_->stop();
  while (working_) co_await alarm_->wait_until(ground_.clock.monotonic() + kLook);
  tell_missing();
}

void SupervisedTable::ask_again(const guard::ShardSource& source,
                                std::span<const guard::RenderedChange* const> changes,
                                Duration within) {
  const auto shard = ShardId::parse(source.shard);
  const auto sequences = sequences_of(changes);
  if (!shard || !sequences) return;
  const auto given = redelivery_.begin(*shard, *sequences, within);
  const auto count = std::count(given.begin(), given.end(), true);
  if (count == 0) return;
  const auto first =
      static_cast<std::size_t>(std::find(given.begin(), given.end(), true) - given.begin());
  observe::info("objects have not come: their changes are given to the function once more",
                {{"table", name_},
                 {"shard", source.shard},
                 {"changes", std::to_string(count)},
                 {"first", changes[first]->theirs}});
}

std::vector<std::uint32_t> SupervisedTable::given(
    const guard::ShardSource& source, std::span<const guard::RenderedChange* const> changes) const {
  const auto shard = ShardId::parse(source.shard);
  const auto sequences = sequences_of(changes);
  if (!shard || !sequences) return std::vector<std::uint32_t>(changes.size());
  return redelivery_.begun(*shard, *sequences);
}

void SupervisedTable::paged(const guard::ShardSource& source, const std::string& number) {
  const auto shard = ShardId::parse(source.shard);
  const auto sequence = stream::parse_sequence(number);
  if (!shard || !sequence) return;
  ground_.holds.hold(kReader, *shard, *sequence);
  redelivery_.forget(*shard, *sequence);
  const std::lock_guard lock(mutex_);
  auto& reached = reached_[shard->number];
  reached = std::max(reached, *sequence);
  moved_at_[shard->number] = ground_.clock.monotonic();
}

void SupervisedTable::tell_missing() {
  const auto missing = log_.take_missing();
  for (const auto& one : missing.first)
    observe::alarm("an object has not come", {{"table", name_}, {"what", one}});
  if (missing.more > 0) {
    observe::alarm("more objects have not come",
                   {{"table", name_}, {"changes", std::to_string(missing.more)}});
  }
}

void SupervisedTable::look_at_shard(ShardId shard, const guard::WorkerStatus& worker,
                                    ExpectationStatus& status) const {
  const auto position = ground_.tables.log->position(shard);
  if (!position) return;
  const auto reader =
      std::find_if(worker.shards.begin(), worker.shards.end(),
                   [&](const auto& one) { return one.source.shard == shard.to_string(); });
  const auto reached = reached_.find(shard.number);
  const auto moved = moved_at_.find(shard.number);
  // What was trimmed before anybody expected anything of it was never owed.
  const SequenceNumber entered =
      std::max(position->floor, reached == reached_.end() ? SequenceNumber{} : reached->second);
  const Instant now = ground_.clock.now();
  pipeline::FlowFacts facts;
  facts.due = entered < position->newest;
  facts.waits = 3 * config_.deadline + kLookSlack;
  facts.since_move =
      ground_.clock.monotonic() - (moved == moved_at_.end() ? began_ : moved->second);
  if (reader != worker.shards.end() && reader->proven) {
    facts.heard = true;
    facts.since_move = std::min(facts.since_move, between(*reader->proven, now));
  }
  if (facts.due) {
    const auto read =
        ground_.tables.log->visit(shard, entered, 1, [&](SequenceNumber, std::string_view encoded) {
          Reader bytes(encoded);
          const auto head = item::read_change_head(bytes);
          if (head.ok()) facts.oldest_age = between(head->instant, now);
          return false;
        });
    if (!read.ok()) status.why = read.error().to_string();
  }
  status.committed += position->newest.value;
  status.entered += entered.value;
  if (facts.oldest_age)
    status.oldest_age = std::max(status.oldest_age.value_or(Duration{}), *facts.oldest_age);
  if (reader != worker.shards.end()) {
    status.awaited += reader->in_hand;
    if (!reader->why.empty()) status.why = reader->why;
  }
  const auto state = pipeline::judge(facts);
  if (badness(state) > badness(status.state)) status.state = state;
}

ExpectationStatus SupervisedTable::status() const {
  ExpectationStatus status;
  status.table = name_;
  status.incarnation = incarnation_;
  status.config = config_;
  status.deleted = is_deleted();
  status.state = pipeline::FlowState::kIdle;
  status.counts = log_.counts();
  status.redelivery = redelivery_.status();
  const auto all = shards();
  const std::lock_guard lock(mutex_);
  const auto worker = opened_ ? worker_->status() : guard::WorkerStatus{};
  status.why = why_.empty() ? worker.why : why_;
  for (const ShardId shard : all) look_at_shard(shard, worker, status);
  // The worker says what it has in hand a moment later.
  status.awaited =
      std::min(status.awaited, status.committed - std::min(status.committed, status.entered));
  return status;
}

}  // namespace pawl::server
