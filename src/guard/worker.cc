#include "guard/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace pawl::guard {
namespace {

// What runs out when a task has ended or somebody stops is the alarm; this is only a bound.
constexpr Duration kLongWait = std::chrono::minutes(1);
constexpr Duration kPublishEvery = std::chrono::milliseconds(200);

}  // namespace

Worker::Worker(GuardPorts ports, GuardedTable table)
    : ports_(std::move(ports)),
      table_(std::move(table)),
      alarm_(ports_.clock.make_alarm()),
      tasks_(*alarm_),
      working_(*alarm_),
      room_(ports_.clock, kReadersSeated) {
  PAWL_ASSERT(!ports_.objects.may_doubt());
}

void Worker::stop() {
  stopping_ = true;
  alarm_->ring();
}

// A new life begins when nothing of the old one is under way any more, also when the very tick that ends that one could
// begin it: what the old one still had to put, and tries once more after a while, would go out under the new one's trust.
std::optional<std::string> Worker::fresh_id() {
  if (working_.running() > 0) return std::nullopt;
  return fmt::format("{:016x}", ports_.random.next());
}

void Worker::tell(MembershipEvent event) {
  events_.push_back(std::move(event));
  alarm_->ring();
}

Awaitable<void> Worker::run() {
  executor_ = co_await boost::asio::this_coro::executor;
  bool end_asked = false;
  while (!ended_) {
    if (stopping_ && !std::exchange(end_asked, true)) take(EndAsked{});
    if (!ended_ && ports_.clock.monotonic() >= next_tick()) take(Tick{fresh_id()});
    while (!ended_ && !events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      take(event);
    }
    publish();
    if (!ended_) co_await alarm_->wait_until(next_tick());
  }
  drop_everything();
  while (tasks_.running() + working_.running() > 0)
    co_await alarm_->wait_until(ports_.clock.monotonic() + kLongWait);
}

// Without a life there is nothing to do before one may begin (fresh_id()); the end of what is under way rings.
MonotonicInstant Worker::next_tick() const {
  if (membership_.phase == Membership::Phase::kOut && working_.running() > 0)
    return ports_.clock.monotonic() + kLongWait;
  return membership_.next_tick();
}

void Worker::take(const MembershipEvent& event) {
  const auto effects = step(membership_, event, ports_.clock.monotonic());
  const auto now = ports_.clock.monotonic();
  trusted_until_ = membership_.may_write(now) ? membership_.trusted_until.microseconds : 0;
  for (const auto& effect : effects) perform(effect);
  if (const auto* rows = std::get_if<RowsListed>(&event); rows != nullptr && root_)
    root_->rows_listed(*rows);
}

void Worker::perform(const MembershipEffect& effect) {
  if (std::holds_alternative<ListRows>(effect)) {
    tasks_.spawn(executor_, list_rows());
  } else if (const auto* beat = std::get_if<Beat>(&effect)) {
    tasks_.spawn(executor_, put_row(beat->ticket, beat->name, beat->expected, beat->value));
  } else if (const auto* put = std::get_if<PutRow>(&effect)) {
    tasks_.spawn(executor_, put_row(put->ticket, put->name, put->expected, put->value));
  } else if (const auto* erase = std::get_if<EraseRow>(&effect)) {
    tasks_.spawn(executor_, erase_row(erase->ticket, erase->name, erase->expected));
  } else if (const auto* start = std::get_if<StartShard>(&effect)) {
    start_shard(start->shard);
  } else if (const auto* end = std::get_if<EndRound>(&effect)) {
    const auto reader = readers_.find(end->shard);
    if (reader != readers_.end()) reader->second->end_round();
  } else if (const auto* stop = std::get_if<StopShard>(&effect)) {
    const auto reader = readers_.extract(stop->shard);
    if (!reader.empty()) reader.mapped()->drop();
  } else if (std::holds_alternative<StartRoot>(effect)) {
    start_root();
  } else if (std::holds_alternative<StopRoot>(effect)) {
    if (root_) std::exchange(root_, nullptr)->drop();
  } else if (std::holds_alternative<DropEverything>(effect)) {
    drop_everything();
  } else if (const auto* problem = std::get_if<RowProblem>(&effect)) {
    why_ = "lease row '" + problem->name + "': " + problem->why;
  } else {
    ended_ = true;
  }
}

void Worker::start_shard(ShardNumber number) {
  const auto& row = membership_.shards.at(number).row;
  ShardSource source{{table_.incarnation, number}, row.stream, row.shard, row.born_after};
  ShardReader::Callbacks callbacks;
  callbacks.may_write = [this, number] {
    return membership_.may_write_shard(number, ports_.clock.monotonic());
  };
  callbacks.tell = [this](MembershipEvent event) { tell(std::move(event)); };
  auto& reader = readers_[number];
  if (reader) reader->drop();
  reader = std::make_shared<ShardReader>(ports_, table_, room_, items_, std::move(source),
                                         std::move(callbacks));
  working_.spawn(executor_, read_shard(reader));
}

Awaitable<void> Worker::read_shard(std::shared_ptr<ShardReader> reader) {
  co_await reader->run();
  std::erase_if(readers_, [&](const auto& one) { return one.second == reader; });
}

void Worker::start_root() {
  if (root_) root_->drop();
  root_ = std::make_shared<RootOwner>(
      ports_, table_, [this] { return membership_.may_write_root(ports_.clock.monotonic()); });
  working_.spawn(executor_, [](std::shared_ptr<RootOwner> kept) -> Awaitable<void> {
    co_await kept->run();
  }(root_));
}

void Worker::drop_everything() {
  for (const auto& [number, reader] : readers_) reader->drop();
  readers_.clear();
  if (root_) std::exchange(root_, nullptr)->drop();
}

Awaitable<void> Worker::list_rows() {
  const auto began = ports_.clock.monotonic();
  auto rows = co_await ports_.leases.list("");
  if (!rows.ok()) {
    why_ = rows.error().to_string();
    tell(RowsNotListed{});
    co_return;
  }
  why_.clear();
  tell(RowsListed{began, std::move(rows).value()});
}

Awaitable<void> Worker::put_row(std::uint64_t ticket, std::string name, std::uint64_t expected,
                                std::string value) {
  const auto written = co_await ports_.leases.put(std::move(name), expected, std::move(value));
  if (written.outcome != LeaseOutcome::kDone) why_ = written.why;
  tell(WriteAnswered{ticket, written.outcome});
}

Awaitable<void> Worker::erase_row(std::uint64_t ticket, std::string name, std::uint64_t expected) {
  const auto erased = co_await ports_.leases.erase(std::move(name), expected);
  if (erased.outcome != LeaseOutcome::kDone) why_ = erased.why;
  tell(WriteAnswered{ticket, erased.outcome});
}

void Worker::publish() {
  if (ports_.clock.monotonic() < publish_due_) return;
  publish_due_ = ports_.clock.monotonic() + kPublishEvery;
  WorkerStatus status;
  status.id = membership_.id;
  status.is_member = membership_.phase == Membership::Phase::kIn;
  status.owns_root = membership_.root_held.has_value();
  status.others = membership_.others_alive();
  for (const auto& [number, reader] : readers_) status.shards.push_back(reader->status());
  for (const auto& [number, view] : membership_.shards) {
    if (view.row.finished) continue;
    status.waiting += view.row.waits ? 1 : 0;
    status.unread += !view.row.waits && view.row.owner.empty() ? 1 : 0;
  }
  status.why = root_ && !root_->why().empty() ? root_->why() : why_;
  status.taken = ports_.clock.now();
  const std::lock_guard lock(published_mutex_);
  published_ = std::move(status);
}

std::optional<Duration> WorkerStatus::lag() const {
  std::optional<Duration> lag;
  for (const auto& shard : shards) {
    if (!shard.proven) return std::nullopt;
    const Duration behind{
        std::max<std::int64_t>(0, taken.microseconds - shard.proven->microseconds)};
    lag = std::max(lag.value_or(behind), behind);
  }
  return lag;
}

WorkerStatus Worker::status() const {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

}  // namespace pawl::guard
