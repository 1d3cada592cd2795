// Time, as stages see it. The server gives the system's; the drill gives a virtual one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/instant.h"

namespace pawl {

// The short name for what every asynchronous function of the stages returns.
template <typename T>
using Awaitable = boost::asio::awaitable<T>;

// A sleep that can be cut short. One coroutine waits at a time; ring() may be called from any thread,
// before, during or after a wait, and is remembered until the next wait returns.
class Alarm {
 public:
  enum class Woken { kRung, kDeadline };

  virtual ~Alarm() = default;
  virtual void ring() = 0;
  // Returns at once if rung since the last return. Resumes on the executor of the waiting coroutine.
  virtual Awaitable<Woken> wait_until(MonotonicInstant deadline) = 0;
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock, never less than anything it returned before, also over a restart: a clock that was
  // set back is clamped until the world has caught up, and said so by the implementation.
  virtual Instant now() = 0;
  virtual MonotonicInstant monotonic() = 0;
  // The alarm belongs to the caller and must not outlive the clock.
  virtual std::unique_ptr<Alarm> make_alarm() = 0;
};

}  // namespace pawl
