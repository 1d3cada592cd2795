#include "function/pool_step.h"

#include <algorithm>

namespace pawl::function {
namespace {

using State = Worker::State;

// One step: the state, and what has been decided so far.
class Step {
 public:
  Step(PoolState& state, const PoolLimits& limits, MonotonicInstant now)
      : state_(state), limits_(limits), now_(now) {}

  std::vector<PoolEffect> run(const PoolEvent& event);
  // Of a call that came now.
  bool is_full() const { return held() + state_.waiting.size() >= limits_.workers_max; }
  bool needs_another() const { return coming() + count(State::kIdle) <= state_.waiting.size(); }

 private:
  Worker* find(WorkerId id);
  std::size_t count(State state) const;
  // Calls that are with a process.
  std::size_t held() const;
  // Processes that will ask for work without anything being started.
  std::size_t coming() const;

  void called(const PoolEvent& event);
  void ready(Worker& worker);
  void exited(WorkerId id);
  void tick();
  void at_deadline(Worker& worker);
  void replace();
  void make_room();
  void close(bool kill_all);
  void kill(Worker& worker);
  void end(CallId call, CallEnd how, WorkerId worker);
  void end_waiting(CallEnd how);
  void serve_waiting();

  PoolState& state_;
  const PoolLimits& limits_;
  MonotonicInstant now_;
  std::vector<PoolEffect> effects_;
};

Worker* Step::find(WorkerId id) {
  for (Worker& worker : state_.workers) {
    if (worker.id == id) return &worker;
  }
  return nullptr;
}

std::size_t Step::count(State state) const {
  return static_cast<std::size_t>(
      std::count_if(state_.workers.begin(), state_.workers.end(),
                    [state](const Worker& worker) { return worker.state == state; }));
}

std::size_t Step::held() const {
  return static_cast<std::size_t>(
      std::count_if(state_.workers.begin(), state_.workers.end(),
                    [](const Worker& w) { return w.call.has_value(); }));
}

std::size_t Step::coming() const {
  std::size_t finishing = 0;
  for (const Worker& worker : state_.workers) {
    if (worker.state == State::kFinishing && !worker.replaced && now_ < worker.soon_until) {
      ++finishing;
    }
  }
  return count(State::kPreparing) + count(State::kStarting) + finishing;
}

void Step::end(CallId call, CallEnd how, WorkerId worker) {
  effects_.push_back({PoolEffect::Kind::kEnd, worker, call, how});
}

void Step::end_waiting(CallEnd how) {
  for (const CallId call : state_.waiting) end(call, how, 0);
  state_.waiting.clear();
}

void Step::kill(Worker& worker) {
  if (worker.state == State::kDying) return;
  worker.state = State::kDying;
  worker.deadline = {};
  effects_.push_back({PoolEffect::Kind::kKill, worker.id, 0, {}});
}

void Step::called(const PoolEvent& event) {
  if (state_.closed) return end(event.call, CallEnd::kClosed, 0);
  if (is_full() || (!event.room && needs_another())) {
    return end(event.call, CallEnd::kThrottled, 0);
  }
  state_.waiting.push_back(event.call);
}

void Step::ready(Worker& worker) {
  if (worker.state == State::kBusy) {
    // It asks for more and has not answered: nobody knows what has become of the call.
    worker.end = CallEnd::kExited;
    return kill(worker);
  }
  if (worker.state == State::kDying || worker.state == State::kIdle) return;
  state_.failed_starts = 0;
  if (worker.replaced || state_.closed) return kill(worker);
  worker.state = State::kIdle;
  worker.deadline = now_ + limits_.idle_max;
}

void Step::exited(WorkerId id) {
  Worker* const found = find(id);
  if (found == nullptr) return;
  const Worker worker = *found;
  state_.workers.erase(state_.workers.begin() + (found - state_.workers.data()));
  const bool dying = worker.state == State::kDying;
  const bool starting = worker.state == State::kPreparing || worker.state == State::kStarting;
  if (worker.call) end(*worker.call, dying ? worker.end : CallEnd::kExited, id);
  if (!starting && !worker.failed_start) return;
  const Duration backoff =
      limits_.backoff_first * (1U << std::min<std::uint32_t>(state_.failed_starts, 10));
  state_.start_after = now_ + std::min(backoff, limits_.backoff_max);
  ++state_.failed_starts;
  if (state_.waiting.empty()) return;
  end(state_.waiting.front(), starting ? CallEnd::kStartFailed : CallEnd::kStartTimedOut, id);
  state_.waiting.pop_front();
}

void Step::at_deadline(Worker& worker) {
  switch (worker.state) {
    case State::kPreparing:
    case State::kStarting:
      worker.failed_start = true;
      return kill(worker);
    case State::kBusy:
      worker.end = CallEnd::kTimedOut;
      return kill(worker);
    case State::kIdle:
    case State::kFinishing:
      return kill(worker);
    case State::kDying:
      return;
  }
}

void Step::tick() {
  for (Worker& worker : state_.workers) {
    if (worker.state != State::kDying && worker.deadline <= now_) at_deadline(worker);
  }
}

void Step::replace() {
  state_.failed_starts = 0;
  state_.start_after = {};
  for (Worker& worker : state_.workers) {
    worker.replaced = true;
    if (worker.state != State::kBusy && worker.state != State::kFinishing) kill(worker);
  }
  // The limit may be lower than when they came.
  while (!state_.waiting.empty() && held() + state_.waiting.size() > limits_.workers_max) {
    end(state_.waiting.back(), CallEnd::kThrottled, 0);
    state_.waiting.pop_back();
  }
}

void Step::make_room() {
  Worker* oldest = nullptr;
  for (Worker& worker : state_.workers) {
    if (worker.state != State::kIdle) continue;
    if (oldest == nullptr || worker.deadline < oldest->deadline) oldest = &worker;
  }
  if (oldest != nullptr) kill(*oldest);
}

void Step::close(bool kill_all) {
  state_.closed = true;
  end_waiting(CallEnd::kClosed);
  for (Worker& worker : state_.workers) {
    if (worker.state == State::kBusy && !kill_all) continue;
    if (worker.state == State::kBusy) worker.end = CallEnd::kClosed;
    kill(worker);
  }
}

void Step::serve_waiting() {
  for (Worker& worker : state_.workers) {
    if (state_.waiting.empty()) return;
    if (worker.state != State::kIdle) continue;
    worker.state = State::kBusy;
    worker.call = state_.waiting.front();
    worker.deadline = now_ + limits_.timeout;
    state_.waiting.pop_front();
    effects_.push_back({PoolEffect::Kind::kGive, worker.id, *worker.call, {}});
  }
  std::size_t on_their_way = coming();
  while (state_.waiting.size() > on_their_way && state_.workers.size() < limits_.workers_max &&
         now_ >= state_.start_after) {
    Worker worker;
    worker.id = ++state_.newest_worker;
    worker.deadline = now_ + limits_.prepare_max;
    state_.workers.push_back(worker);
    effects_.push_back({PoolEffect::Kind::kStart, worker.id, 0, {}});
    ++on_their_way;
  }
}

std::vector<PoolEffect> Step::run(const PoolEvent& event) {
  using Kind = PoolEvent::Kind;
  Worker* const worker = find(event.worker);
  switch (event.kind) {
    case Kind::kCalled:
      called(event);
      break;
    case Kind::kRunning:
      if (worker == nullptr || worker->state != State::kPreparing) break;
      worker->state = State::kStarting;
      worker->deadline = now_ + limits_.start_max;
      break;
    case Kind::kReady:
      if (worker != nullptr) ready(*worker);
      break;
    case Kind::kAnswered:
      if (worker == nullptr || worker->state != State::kBusy) break;
      end(*worker->call, CallEnd::kAnswered, worker->id);
      worker->call.reset();
      worker->state = State::kFinishing;
      worker->deadline = now_ + limits_.timeout;
      worker->soon_until = now_ + limits_.soon;
      break;
    case Kind::kExited:
      exited(event.worker);
      break;
    case Kind::kReplaced:
      replace();
      break;
    case Kind::kDeleted:
    case Kind::kStopped:
      close(event.kind == Kind::kStopped);
      break;
    case Kind::kMakeRoom:
      make_room();
      break;
    case Kind::kTick:
      tick();
      break;
  }
  serve_waiting();
  return std::move(effects_);
}

}  // namespace

std::vector<PoolEffect> step(PoolState& state, const PoolLimits& limits, const PoolEvent& event,
                             MonotonicInstant now) {
  return Step(state, limits, now).run(event);
}

bool would_start_another(const PoolState& state, const PoolLimits& limits, MonotonicInstant now) {
  PoolState same = state;
  const Step call(same, limits, now);
  return !state.closed && !call.is_full() && call.needs_another();
}

std::optional<MonotonicInstant> idle_until(const PoolState& state) {
  std::optional<MonotonicInstant> first;
  for (const Worker& worker : state.workers) {
    if (worker.state == State::kIdle && (!first || worker.deadline < *first)) {
      first = worker.deadline;
    }
  }
  return first;
}

std::size_t dying(const PoolState& state) {
  return static_cast<std::size_t>(
      std::count_if(state.workers.begin(), state.workers.end(),
                    [](const Worker& worker) { return worker.state == State::kDying; }));
}

std::optional<MonotonicInstant> next_tick(const PoolState& state, MonotonicInstant now) {
  std::optional<MonotonicInstant> next;
  const auto consider = [&next](MonotonicInstant at) {
    if (!next || at < *next) next = at;
  };
  for (const Worker& worker : state.workers) {
    if (worker.state == State::kDying) continue;
    consider(worker.deadline);
    const bool may_start = worker.state == State::kFinishing && !state.waiting.empty();
    if (may_start && worker.soon_until > now) consider(worker.soon_until);
  }
  if (!state.waiting.empty() && state.start_after > now) consider(state.start_after);
  return next;
}

}  // namespace pawl::function
