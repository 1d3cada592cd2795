#include "function/function_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::function {
namespace {

constexpr Duration kLongest = std::chrono::hours(1);

InvocationResult not_run(std::string why) {
  InvocationResult result;
  result.outcome = InvocationResult::Outcome::kNotRun;
  result.why = std::move(why);
  return result;
}

}  // namespace

FunctionRunner::FunctionRunner(RunnerPorts ports, const RunnerOptions& options)
    : ports_(std::move(ports)),
      options_(options),
      pool_ports_{ports_.clock,
                  ports_.random,
                  ports_.processes,
                  ports_.log,
                  ports_.places,
                  ports_.prepare,
                  options.limits,
                  [this](std::function<void()> work) { post(std::move(work)); },
                  [this] { alarm_->ring(); }},
      alarm_(ports_.clock.make_alarm()) {}

FunctionRunner::~FunctionRunner() = default;

void FunctionRunner::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    posted_.push_back(std::move(work));
  }
  alarm_->ring();
}

void FunctionRunner::submit(FunctionCall call) {
  // std::function must be copyable; a call is large.
  auto kept = std::make_shared<FunctionCall>(std::move(call));
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      posted_.emplace_back([this, kept] { begin(std::move(*kept)); });
      kept = nullptr;
    }
  }
  if (kept) return kept->done(not_run("the server stops"));
  alarm_->ring();
}

Awaitable<InvocationResult> FunctionRunner::invoke(Invocation invocation) {
  struct Waiting {
    std::unique_ptr<Alarm> alarm;
    std::mutex mutex;
    std::optional<InvocationResult> result;  // guarded by mutex
  };
  const auto waiting = std::make_shared<Waiting>();
  waiting->alarm = ports_.clock.make_alarm();
  FunctionCall call;
  call.function = invocation.function;
  call.payload = invocation.payload;
  call.trace_id = invocation.trace_id;
  call.begun = std::move(invocation.begun);
  call.done = [waiting](InvocationResult result) {
    {
      const std::lock_guard lock(waiting->mutex);
      waiting->result = std::move(result);
    }
    waiting->alarm->ring();
  };
  submit(std::move(call));
  for (;;) {
    std::optional<InvocationResult> result;
    {
      const std::lock_guard lock(waiting->mutex);
      result = std::move(waiting->result);
      waiting->result.reset();
    }
    if (result) co_return std::move(*result);
    const MonotonicInstant until = ports_.clock.monotonic() + kLongest;
    const auto woken = co_await waiting->alarm->wait_until(until);
    static_cast<void>(woken);
  }
}

void FunctionRunner::function_changed(const std::string& name) {
  post([this, name] { apply_change(name); });
}

std::size_t FunctionRunner::processes() const {
  std::size_t total = 0;
  for (const auto& [id, pool] : pools_) total += pool->processes();
  return total;
}

void FunctionRunner::begin(FunctionCall call) {
  if (stopping_) return call.done(not_run("the server stops"));
  const FunctionPtr function = ports_.catalog.find(call.function);
  if (!function) return call.done(not_run(fmt::format("there is no function {}", call.function)));
  if (calls_ + held_.size() >= options_.calls_max) {
    InvocationResult result;
    result.outcome = InvocationResult::Outcome::kThrottled;
    result.why = "too many calls of functions are under way";
    meters_.of(*function)->ended(result, std::nullopt, ports_.clock.now());
    return call.done(std::move(result));
  }
  auto& pool = pools_[function->id];
  if (!pool) {
    pool = std::make_shared<FunctionPool>(function, pool_ports_, meters_.of(*function));
  } else if (pool->function().revision != function->revision) {
    pool->replaced(function);  // the news of the change are still on their way
  }
  const bool room = processes() < options_.processes_max;
  if (!room && pool->would_start_another() && make_room()) {
    return held_.push_back(std::move(call));
  }
  ++calls_;
  call.done = [this, done = std::move(call.done)](InvocationResult result) {
    --calls_;
    done(std::move(result));
  };
  pool->call(std::move(call), room);
}

// Whether a process is on its way out now that was idle. Each that is killed is one call's: none is killed twice.
bool FunctionRunner::make_room() {
  FunctionPool* longest = nullptr;
  for (const auto& [id, pool] : pools_) {
    const auto until = pool->idle_until();
    if (until && (longest == nullptr || *until < *longest->idle_until())) longest = pool.get();
  }
  if (longest == nullptr) return false;
  longest->make_room();
  return true;
}

void FunctionRunner::begin_held() {
  for (std::size_t left = held_.size(); left > 0; --left) {
    std::size_t dying = 0;
    for (const auto& [id, pool] : pools_) dying += pool->dying();
    // Without a process that is on its way out, for each of them, nothing would wake it: then it asks anew, for another one.
    const bool will_have_room = held_.size() <= dying;
    if (!stopping_ && processes() >= options_.processes_max && will_have_room) return;
    FunctionCall call = std::move(held_.front());
    held_.pop_front();
    begin(std::move(call));
  }
}

void FunctionRunner::apply_change(const std::string& name) {
  const FunctionPtr function = ports_.catalog.find(name);
  for (const auto& [id, pool] : pools_) {
    if (pool->function().name != name) continue;
    if (!function || function->id != id) {
      pool->deleted();
    } else if (pool->function().revision != function->revision) {
      pool->replaced(function);
    }
  }
  meters_.forget(name, function ? function->id : 0);
}

void FunctionRunner::stop() {
  post([this] {
    stopping_ = true;
    for (const auto& [id, pool] : pools_) pool->stop();
  });
}

Awaitable<void> FunctionRunner::run() {
  for (;;) {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(posted_);
    }
    begin_held();
    for (const auto& one : work) one();
    if (stopping_) begin_held();  // are told
    const MonotonicInstant now = ports_.clock.monotonic();
    MonotonicInstant next = now + kLongest;
    for (const auto& [id, pool] : pools_) {
      if (const auto due = pool->next_tick(); due && *due <= now) pool->tick();
      if (const auto due = pool->next_tick()) next = std::min(next, *due);
    }
    std::erase_if(pools_, [](const auto& entry) { return entry.second->ended(); });
    if (stopping_ && pools_.empty()) {
      const std::lock_guard lock(mutex_);
      // What came in between is told, not run: see begin().
      if (posted_.empty()) {
        ended_ = true;
        co_return;
      }
      continue;
    }
    const auto woken = co_await alarm_->wait_until(next);
    static_cast<void>(woken);
  }
}

}  // namespace pawl::function
