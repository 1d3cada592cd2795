#include "queue/queue_engine.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace pawl::queue {
namespace {

// How often queues are looked through for what has expired, and the store is asked for its room.
constexpr Duration kSweepInterval = std::chrono::milliseconds(500);
constexpr Duration kRoomInterval = std::chrono::milliseconds(100);
constexpr Duration kShowInterval =
    std::chrono::milliseconds(900);  // an idle engine wakes each second

Instant after(Instant at, Duration by) { return {at.microseconds + by.count()}; }

}  // namespace

QueueEngine::QueueEngine(EnginePorts ports, EngineListener& listener, EngineOptions options,
                         QueueCatalog catalog)
    : ports_(ports), listener_(listener), options_(options), catalog_(std::move(catalog)) {}

Result<std::unique_ptr<QueueEngine>> QueueEngine::open(EnginePorts ports, EngineListener& listener,
                                                       EngineOptions options) {
  const Instant now = ports.clock.now();
  PAWL_ASSIGN_OR_RETURN(auto catalog, QueueCatalog::open(ports.store, now));
  std::unique_ptr<QueueEngine> engine(
      new QueueEngine(ports, listener, options, std::move(catalog)));
  engine->show(now);
  return engine;
}

std::optional<Refusal> QueueEngine::push(Command& command) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Refusal::kStopping;
  if (commands_.size() >= options_.commands_max) return Refusal::kBusy;
  // One command may always wait, however large.
  if (!commands_.empty() && bytes_ + command.bytes > options_.bytes_max) return Refusal::kBusy;
  bytes_ += command.bytes;
  commands_.push_back(std::move(command));
  return std::nullopt;
}

void QueueEngine::submit(Command command) {
  if (const auto refusal = push(command)) return command.done(failed(*refusal));
  wake();
}

void QueueEngine::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool QueueEngine::has_commands() const {
  const std::lock_guard lock(mutex_);
  return !commands_.empty();
}

bool QueueEngine::is_on_queues(const Command& command) {
  const Action& action = command.action;
  return std::holds_alternative<Create>(action) || std::holds_alternative<SetAttributes>(action) ||
         std::holds_alternative<Delete>(action) || std::holds_alternative<Purge>(action);
}

// The commands of one round: one on queues, or as many others as fit.
std::deque<Command> QueueEngine::take() {
  std::deque<Command> taken;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  while (!commands_.empty() && taken.size() < options_.round_commands_max) {
    Command& next = commands_.front();
    const bool alone = is_on_queues(next);
    if (!taken.empty() && (alone || bytes + next.bytes > options_.batch_bytes_max)) break;
    bytes += next.bytes;
    taken.push_back(std::move(next));
    commands_.pop_front();
    if (alone) break;
  }
  bytes_ -= bytes;
  return taken;
}

void QueueEngine::show(Instant now) {
  shown_ = now;
  board_.put(figures_of(ports_.store, catalog_, now));
}

QueueEngine::Round QueueEngine::run_round() {
  if (ended_) return Round::kEnded;
  const Instant now = ports_.clock.now();
  if (now >= after(shown_, kShowInterval)) show(now);
  std::deque<Command> commands = take();
  const bool idle = commands.empty();
  if (!idle && is_on_queues(commands.front())) {
    return on_queues(commands.front(), now);
  }
  std::deque<Command> mutations;
  for (Command& command : commands) {
    if (std::holds_alternative<Receive>(command.action)) {
      wait_in_line(std::move(command));
    } else {
      mutations.push_back(std::move(command));
    }
  }
  const Round received = receive(now);
  if (received == Round::kEnded) {
    for (Command& command : mutations) command.done(std::nullopt);
    return Round::kEnded;
  }
  const Round mutated = mutations.empty() ? Round::kIdle : mutate(std::move(mutations), now);
  if (mutated == Round::kEnded) return Round::kEnded;
  return idle && received == Round::kIdle ? Round::kIdle : Round::kDone;
}

void QueueEngine::wait_in_line(Command command) {
  QueueShelf* shelf = catalog_.find(command.queue);
  if (shelf == nullptr) return command.done(failed(Refusal::kNoSuchQueue));
  if (waiters_ >= options_.waiters_max) return command.done(failed(Refusal::kBusy));
  const seconds wait =
      std::get<Receive>(command.action).wait.value_or(shelf->record.attributes.receive_wait);
  const MonotonicInstant now = ports_.clock.monotonic();
  Waiter waiter{std::move(command), waiting_ends_ ? now : now + wait, wait == seconds(0)};
  waited_for_.insert(shelf->record.name);
  shelf->waiters.push_back(std::move(waiter));
  ++waiters_;
}

bool QueueEngine::may_serve(const QueueShelf& shelf, MonotonicInstant now) {
  if (shelf.waiters.empty()) return false;
  if (shelf.visible() > 0 && shelf.in_flight() < kInFlightMax) return true;
  // The first is not the first whose time is up, as each chose how long it waits.
  return std::any_of(shelf.waiters.begin(), shelf.waiters.end(),
                     [&](const Waiter& one) { return one.deadline <= now; });
}

Status QueueEngine::plan_receives(ReceiveRound& round, Instant now) {
  const MonotonicInstant tick = ports_.clock.monotonic();
  const bool sweep = now >= after(swept_, kSweepInterval);
  for (const auto& [name, shelf] : catalog_.shelves()) {
    if (!sweep) break;
    if (shelf->marks().expiry_due > now) continue;
    PAWL_TRY(shelf->advance(ports_.store, now));
    PAWL_TRY(round.expire(*shelf));
  }
  if (sweep && !round.full()) swept_ = now;
  for (const std::string& name : waited_for_) {
    QueueShelf* shelf = catalog_.find(name);
    if (shelf == nullptr) continue;
    PAWL_TRY(shelf->advance(ports_.store, now));
    if (waiting_ends_) {
      for (Waiter& waiter : shelf->waiters) waiter.deadline = std::min(waiter.deadline, tick);
    }
    if (may_serve(*shelf, tick)) PAWL_TRY(round.serve(*shelf, tick));
  }
  return ok();
}

QueueEngine::Round QueueEngine::receive(Instant now) {
  ReceiveRound round(ports_.store, catalog_, now);
  if (const Status planned = plan_receives(round, now); !planned.ok()) {
    round.undo();
    for (auto& served : round.served()) {
      served.command.done(failed(Refusal::kStorage, planned.error().message));
    }
    fail_waiters(planned.error());
    return Round::kDone;
  }
  waiters_ -= round.served().size();
  const WriteBatch& batch = round.finish();
  if (!batch.empty() && !write(batch, round.sync())) {
    for (auto& served : round.served()) {
      served.command.done(ended_ ? std::nullopt : std::optional(failed(Refusal::kStorage, why_)));
    }
    if (ended_) return end(), Round::kEnded;
    round.undo();
    return Round::kDone;
  }
  std::erase_if(waited_for_, [&](const std::string& name) {
    const QueueShelf* shelf = catalog_.find(name);
    return shelf == nullptr || shelf->waiters.empty();
  });
  for (auto& served : round.served()) served.command.done(std::move(served.answer));
  return !batch.empty() || !round.served().empty() ? Round::kDone : Round::kIdle;
}

// After an error nobody knows which queue's it was: everyone who waits is told.
void QueueEngine::fail_waiters(const Error& error) {
  listener_.trouble(error);
  for (const std::string& name : waited_for_) {
    QueueShelf* shelf = catalog_.find(name);
    if (shelf == nullptr) continue;
    for (Waiter& waiter : shelf->waiters) {
      waiter.command.done(failed(Refusal::kStorage, error.message));
    }
    shelf->waiters.clear();
  }
  waited_for_.clear();
  waiters_ = 0;
}

Answer QueueEngine::describe(const Command& command, Instant now) {
  if (QueueShelf* shelf = catalog_.find(command.queue)) {
    const Status counted = shelf->advance(ports_.store, now);
    if (!counted.ok()) return failed(Refusal::kStorage, counted.error().message);
  }
  return catalog_.describe(command);
}

QueueEngine::Round QueueEngine::mutate(std::deque<Command> commands, Instant now) {
  const std::optional<Failure> no_room = room(now);
  MutationRound round(ports_.store, catalog_, ports_.random, now);
  std::vector<std::pair<Command, Answer>> planned;
  std::optional<Error> error;
  for (Command& command : commands) {
    Answer answer;
    if (std::holds_alternative<Describe>(command.action)) {
      answer = describe(command, now);
    } else if (std::holds_alternative<List>(command.action)) {
      answer = catalog_.list(command);
    } else if (!error) {
      auto one = round.plan(command, no_room);
      if (one.ok()) {
        answer = std::move(one).value();
      } else {
        error = one.error();
      }
    }
    planned.emplace_back(std::move(command), std::move(answer));
  }
  const WriteBatch& batch = round.finish();
  const bool done = !error && (batch.empty() || write(batch, round.sync()));
  if (error) {
    listener_.trouble(*error);
    why_ = error->message;
  }
  if (!done && !ended_) round.undo();
  for (auto& [command, answer] : planned) {
    if (done) {
      command.done(std::move(answer));
    } else if (ended_) {
      command.done(std::nullopt);
    } else {
      command.done(failed(Refusal::kStorage, why_));
    }
  }
  if (ended_) return end(), Round::kEnded;
  return Round::kDone;
}

QueueEngine::Round QueueEngine::on_queues(const Command& command, Instant now) {
  QueueCatalog::Plan plan = catalog_.plan(command, now);
  const bool makes = plan.record && !plan.emptied;
  if (const auto no_room = room(now); makes && no_room && !plan.batch.empty()) {
    plan.answer.failure = no_room;
    plan.batch.clear();
  }
  if (plan.batch.empty()) {
    command.done(std::move(plan.answer));
    return Round::kDone;
  }
  if (!write(plan.batch, Sync::kYes)) {
    command.done(ended_ ? std::nullopt : std::optional(failed(Refusal::kStorage, why_)));
    if (ended_) return end(), Round::kEnded;
    return Round::kDone;
  }
  for (Waiter& waiter : catalog_.apply(plan, command.queue, now)) {
    --waiters_;
    waiter.command.done(failed(Refusal::kNoSuchQueue));
  }
  if (plan.emptied) {
    const Status removed = remove_space(ports_.store, *plan.emptied);
    if (!removed.ok()) listener_.trouble(removed.error());  // the next start removes it
  }
  command.done(std::move(plan.answer));
  return Round::kDone;
}

bool QueueEngine::write(const WriteBatch& batch, Sync sync) {
  const WriteResult result = ports_.store.write(batch, sync);
  why_ = result.why;
  ended_ = result.outcome == WriteOutcome::kUnknown;
  return result.outcome == WriteOutcome::kDone;
}

void QueueEngine::end() {
  close();
  std::deque<Command> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(commands_);
  }
  for (Command& command : left) command.done(std::nullopt);
  for (const std::string& name : waited_for_) {
    QueueShelf* shelf = catalog_.find(name);
    if (shelf == nullptr) continue;
    for (Waiter& waiter : shelf->waiters) waiter.command.done(std::nullopt);
    shelf->waiters.clear();
  }
  listener_.outcome_unknown("writing a batch of queues: nobody knows whether it is durable: " +
                            why_);
}

std::optional<Failure> QueueEngine::room(Instant now) {
  if (now < after(room_asked_, kRoomInterval)) return no_room_;
  room_asked_ = now;
  const auto left = ports_.store.room();
  const bool enough = left.ok() && left.value().free_bytes >= options_.reserve_bytes &&
                      left.value().free_inodes >= options_.reserve_inodes;
  no_room_.reset();
  if (!enough) {
    no_room_ = {Refusal::kNoRoom, left.ok() ? std::to_string(left.value().free_bytes) +
                                                  " bytes are free on the disk, and " +
                                                  std::to_string(options_.reserve_bytes) +
                                                  " are held in reserve"
                                            : left.error().message};
  }
  return no_room_;
}

Duration QueueEngine::until_next_wake() {
  const Instant now = ports_.clock.now();
  const MonotonicInstant tick = ports_.clock.monotonic();
  // What can have expired is looked at as often.
  Duration left = std::chrono::seconds(1);
  for (const std::string& name : waited_for_) {
    QueueShelf* shelf = catalog_.find(name);
    if (shelf == nullptr) continue;
    for (const Waiter& waiter : shelf->waiters) left = std::min(left, waiter.deadline - tick);
    const auto ready = shelf->next_ready(ports_.store);
    if (ready.ok() && ready.value()) {
      left = std::min(left, Duration((*ready)->microseconds - now.microseconds));
    }
  }
  return std::max(left, Duration(0));
}

}  // namespace pawl::queue
