// Every decision about the processes of one function, pure: the state before, an event and the time in; the state after, and what
// is to be done, out. The shell (function_runner.h) does it.
//
// What holds, whatever the order of events (explored in pool_exploration_test.cc):
// - a call is given to one process, once, and ended once; it is never given again: what its handler did before has happened;
// - a process has one call at a time, and gets one only when it has asked for it;
// - no process is started, and no call taken, beyond `workers_max`: a call beyond that is refused at once. Where the limit is
//   lowered, what is under way goes on, and what waits beyond the new limit is refused;
// - a call that is at its time-out ends when its process is gone, so nothing of it happens after its end;
// - a call that waits has a process coming, or a start that is due: it never waits for ever;
// - processes of code or settings that were replaced get no further call.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/instant.h"

namespace pawl::function {

using CallId = std::uint64_t;
using WorkerId = std::uint64_t;

struct PoolLimits {
  std::size_t workers_max = 4;
  Duration timeout = std::chrono::seconds(3);       // of a call, from when it is given
  Duration prepare_max = std::chrono::seconds(60);  // until a process runs: its code is unpacked
  Duration start_max = std::chrono::seconds(10);    // from there until it asks for work
  Duration idle_max = std::chrono::minutes(5);      // then it is stopped
  // So long a process that has answered is taken to ask again at once; only then another is started for who waits.
  Duration soon = std::chrono::milliseconds(50);
  // After a process that ended before it asked for work: no other is started for so long, doubled each time.
  Duration backoff_first = std::chrono::milliseconds(250);
  Duration backoff_max = std::chrono::seconds(5);
};

enum class CallEnd : std::uint8_t {
  kAnswered,       // by the handler, with a result or an error
  kTimedOut,       // its process was killed for that, and is gone
  kExited,         // its process ended by itself
  kStartFailed,    // not begun: the process that was started for it ended before it asked for work
  kStartTimedOut,  // not begun: likewise, killed because it did not ask for so long
  kThrottled,      // not begun: all are at work
  kClosed,         // not begun, or killed: the function was deleted, or the server stops
};

struct Worker {
  enum class State : std::uint8_t {
    kPreparing,  // its code is made ready
    kStarting,   // it runs, and has not asked for work
    kIdle,       // it has asked, and waits
    kBusy,       // it has `call`
    kFinishing,  // it has answered, and not asked again
    kDying,      // killed; `call` and `end`, if any, are told when it is gone
  };
  WorkerId id = 0;
  State state = State::kPreparing;
  bool replaced = false;      // its code or settings are not the function's any more
  MonotonicInstant deadline;  // of the state
  MonotonicInstant soon_until;
  std::optional<CallId> call;
  CallEnd end = CallEnd::kExited;
  bool failed_start = false;  // it is dying because it did not start in time

  bool operator==(const Worker&) const = default;
};

struct PoolState {
  std::vector<Worker> workers;  // by id
  std::deque<CallId> waiting;
  std::uint32_t failed_starts = 0;  // in a row
  MonotonicInstant start_after;
  WorkerId newest_worker = 0;
  bool closed = false;

  bool operator==(const PoolState&) const = default;
};

struct PoolEvent {
  enum class Kind : std::uint8_t {
    kCalled,    // `call`: somebody wants it done
    kRunning,   // `worker` has been started
    kReady,     // `worker` asks for work
    kAnswered,  // `worker` has answered its call
    kExited,    // `worker` is gone, or could not be started
    kReplaced,  // code or settings are others now, the limits, too
    kMakeRoom,  // another function needs room: the process that has been idle the longest, if any is, shall go
    kDeleted,  // the function is no more; what is under way goes on
    kStopped,  // likewise, and what is under way is killed
    kTick,     // time has passed
  };
  Kind kind = Kind::kTick;
  WorkerId worker = 0;
  CallId call = 0;
  bool room = true;  // of kCalled: whether another process may be started at all
};

struct PoolEffect {
  enum class Kind : std::uint8_t {
    kStart,  // `worker`
    kGive,   // `call` to `worker`
    kKill,   // `worker`; kExited must follow
    kEnd,    // `call`, by `end`; `worker` had it, or 0
  };
  Kind kind = Kind::kStart;
  WorkerId worker = 0;
  CallId call = 0;
  CallEnd end = CallEnd::kAnswered;

  bool operator==(const PoolEffect&) const = default;
};

// Effects are in the order in which they are to be done.
std::vector<PoolEffect> step(PoolState& state, const PoolLimits& limits, const PoolEvent& event,
                             MonotonicInstant now);

// Whether a call that came now would want a process to be started for it.
bool would_start_another(const PoolState& state, const PoolLimits& limits, MonotonicInstant now);
// Until when the process that has been idle the longest would be kept; nothing if none is idle.
std::optional<MonotonicInstant> idle_until(const PoolState& state);

// Processes that are killed, and not gone yet.
std::size_t dying(const PoolState& state);

// When kTick is due next, after a step at `now`: what was due by then has been done. Nothing: only events can change anything.
std::optional<MonotonicInstant> next_tick(const PoolState& state, MonotonicInstant now);

}  // namespace pawl::function
