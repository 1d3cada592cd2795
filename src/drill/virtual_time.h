// Virtual time: an executor for coroutines whose clock stands still while they work and jumps to the next
// deadline when they all wait. It lets the shells of the pipeline, which run on Asio in the server, run for a
// simulated day in seconds, and the same way each time.
//
// One thread. Ready handlers are run in the order in which they became ready, or, with a seed, in an order drawn
// from it, which explores interleavings. A run is a function of the seed and of what it is given: trace_digest()
// tells two runs apart.
//
// Work belongs to a process, the simulated kind. crash() ends one: its pending handlers and sleeps are dropped, which
// destroys its coroutines without resuming them; whatever it still posts is dropped too. Destructors do run, so
// they must do no I/O.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "drill/unique_handler.h"
#include "fault/fault_plan.h"
#include "port/clock.h"

namespace pawl {

class VirtualTime;

// A process that runs in virtual time; a new one each time it is started. Process 0 always runs: it is
// the test's own.
struct VirtualProcess {
  std::uint32_t id = 0;
  friend constexpr auto operator<=>(VirtualProcess, VirtualProcess) = default;
};

// What coroutines run on. A small value; must not outlive its VirtualTime.
class VirtualExecutor {
 public:
  VirtualExecutor(VirtualTime& time, VirtualProcess process) : time_(&time), process_(process) {}

  template <typename Handler>
  void execute(Handler&& handler) const;
  VirtualProcess process() const { return process_; }

  // What Asio asks of an executor. Handlers never run inside execute().
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept;
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  VirtualExecutor require(boost::asio::execution::blocking_t::never_t) const noexcept {
    return *this;
  }
  friend bool operator==(const VirtualExecutor& a, const VirtualExecutor& b) noexcept {
    return a.time_ == b.time_ && a.process_ == b.process_;
  }
  friend bool operator!=(const VirtualExecutor& a, const VirtualExecutor& b) noexcept {
    return !(a == b);
  }

 private:
  VirtualTime* time_;
  VirtualProcess process_;
};

class VirtualTime final : public boost::asio::execution_context {
 public:
  struct Settings {
    std::optional<std::uint64_t>
        seed;  // nothing: handlers run in the order in which they became ready
    Instant start{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z
  };

  VirtualTime();
  explicit VirtualTime(Settings settings);
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  // Every process sees the same time; a process may be given a clock that is wrong with skew_wall().
  Clock& clock();
  MonotonicInstant now() const { return now_; }
  // The wall clock is set by this much, forwards or back. clock() clamps it as the system clock's adapter does.
  void skew_wall(Duration by) { skew_ = skew_ + by; }

  VirtualProcess start_process();
  VirtualExecutor executor(VirtualProcess process = {}) { return {*this, process}; }
  bool is_alive(VirtualProcess process) const { return dead_.find(process.id) == dead_.end(); }
  // Ends a process other than 0. May be called by a handler, also by one of that very process, which then
  // runs on to its next suspension and no further.
  void crash(VirtualProcess process);

  // Runs one ready handler; if there is none, goes to the next deadline. False if there is neither.
  bool step();
  // Runs until nothing is ready, without advancing the clock. At most `handlers_max`; returns how many ran.
  std::size_t run_ready(std::size_t handlers_max = kForever);
  // Runs until nothing is left to do before `deadline`, where the clock then stands.
  void run_until(MonotonicInstant deadline);
  void run_for(Duration time) { run_until(now_ + time); }
  // Runs until nothing is ready and nobody sleeps. False if `handlers_max` were not enough.
  bool run_until_idle(std::size_t handlers_max = kForever);

  std::optional<MonotonicInstant> next_deadline() const;
  std::uint64_t handlers_run() const { return handlers_run_; }
  // Of every handler that ran, in order: its process, number and time. Equal for equal runs.
  std::uint64_t trace_digest() const { return trace_; }

  static constexpr std::size_t kForever = static_cast<std::size_t>(-1);

 private:
  friend class VirtualExecutor;
  friend class VirtualAlarm;
  class VirtualClock;

  struct Ready {
    VirtualProcess process;
    std::uint64_t number;
    UniqueHandler handler;
  };
  // Sleeps are ordered by deadline, then by when they began.
  struct SleepKey {
    MonotonicInstant deadline;
    std::uint64_t number = 0;
    friend constexpr auto operator<=>(SleepKey, SleepKey) = default;
  };
  struct Sleep {
    VirtualProcess process;
    UniqueHandler wake;
  };

  void post(VirtualProcess process, UniqueHandler handler);
  SleepKey sleep_until(MonotonicInstant deadline, VirtualProcess process, UniqueHandler wake);
  bool wake_now(SleepKey key);  // false if it isn't asleep any more
  bool run_one();
  bool wake_next(std::optional<MonotonicInstant> no_later_than);
  void drop_everything();

  MonotonicInstant now_{0};
  Instant start_;
  Duration skew_{0};
  std::optional<SeededRandom> random_;
  std::uint32_t processes_ = 0;
  std::set<std::uint32_t> dead_;
  std::deque<Ready> ready_;
  std::map<SleepKey, Sleep> sleeping_;
  std::uint64_t numbers_ = 0;
  std::uint64_t handlers_run_ = 0;
  std::uint64_t trace_ = 0;
  std::unique_ptr<VirtualClock> clock_;
};

template <typename Handler>
void VirtualExecutor::execute(Handler&& handler) const {
  time_->post(process_, UniqueHandler(std::forward<Handler>(handler)));
}

inline boost::asio::execution_context& VirtualExecutor::query(
    boost::asio::execution::context_t) const noexcept {
  return *time_;
}

}  // namespace pawl
