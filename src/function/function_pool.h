// The processes of one function: what pool_step.h decides, done. Starts processes, gives them calls, writes the log around what
// they do, and hands out results. One thread: the executor of function_runner.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "function/function_command.h"
#include "function/function_meter.h"
#include "function/function_types.h"
#include "function/pool_step.h"
#include "port/clock.h"
#include "port/function_host.h"
#include "port/function_log.h"
#include "port/function_process.h"
#include "port/random.h"

namespace pawl::function {

// A call of a function that owns what it says. `done` is called once, on the runner's executor; `begun` before it, likewise.
struct FunctionCall {
  std::string function;
  std::string payload;
  std::string trace_id;    // empty: a new one
  std::string request_id;  // likewise
  std::function<void(InvocationResult)> done;
  std::function<void()> begun = {};  // as of an Invocation
};

// Makes a function's code ready to run, and says in which folder. `done` is called once, from any thread, also later.
using PrepareCode =
    std::function<void(FunctionPtr function, std::function<void(Result<std::string> folder)> done)>;

// All must outlive the pools.
struct PoolPorts {
  Clock& clock;
  Random& random;
  ProcessStarter& processes;
  FunctionLog& log;
  RuntimePlaces places;
  PrepareCode prepare;
  PoolLimits limits;  // but for the time-out, which a function has
  std::function<void(std::function<void()> work)>
      later;                      // runs it on the executor; from any thread
  std::function<void()> changed;  // next_tick() may be another now
};

class FunctionPool : public std::enable_shared_from_this<FunctionPool> {
 public:
  FunctionPool(FunctionPtr function, const PoolPorts& ports, std::shared_ptr<FunctionMeter> meter);
  ~FunctionPool();
  FunctionPool(const FunctionPool&) = delete;
  FunctionPool& operator=(const FunctionPool&) = delete;

  // `room`: whether another process may be started.
  void call(FunctionCall call, bool room);
  void replaced(FunctionPtr function);
  void deleted() { happen({PoolEvent::Kind::kDeleted}); }
  void stop() { happen({PoolEvent::Kind::kStopped}); }
  // Kills the process that has been idle the longest, if any is.
  void make_room() { happen({PoolEvent::Kind::kMakeRoom}); }
  void tick() { happen({PoolEvent::Kind::kTick}); }
  // As of the last step. An instant that has passed is still due: nothing was done about it yet.
  std::optional<MonotonicInstant> next_tick() const { return next_tick_; }

  const FunctionRecord& function() const { return *function_; }
  // Of a call that came now: whether it would want another process.
  bool would_start_another() const {
    return function::would_start_another(state_, limits_, ports_.clock.monotonic());
  }
  std::optional<MonotonicInstant> idle_until() const { return function::idle_until(state_); }
  std::size_t processes() const { return state_.workers.size(); }
  std::size_t dying() const { return function::dying(state_); }
  // Closed, and nothing is left of it.
  bool ended() const { return state_.closed && state_.workers.empty() && calls_.empty(); }

 private:
  struct Call;
  class Process;

  void happen(const PoolEvent& event);
  void carry_out(const PoolEffect& effect);
  void start(WorkerId worker);
  void prepared(WorkerId worker, const Result<std::string>& folder);
  void give(WorkerId worker, CallId call);
  void kill(WorkerId worker);
  void end(const PoolEffect& effect);
  void tell_failed_start(InvocationResult& result, Process& process, bool timed_out) const;
  void tell_end(Call& call, Process& process, Duration took, const std::string& last_line);
  void measure();
  Process* find(WorkerId worker);

  FunctionPtr function_;
  const PoolPorts& ports_;
  std::shared_ptr<FunctionMeter> meter_;
  PoolLimits limits_;
  PoolState state_;
  std::optional<MonotonicInstant> next_tick_;
  std::map<WorkerId, std::unique_ptr<Process>> processes_;
  std::map<CallId, std::unique_ptr<Call>> calls_;
  CallId newest_call_ = 0;
  std::deque<PoolEvent> events_;  // what happened while effects were carried out
  bool carrying_out_ = false;
};

}  // namespace pawl::function
