// An Alarm on Asio: a timer on the io_context of whoever waits.
#pragma once

#include <memory>
#include <mutex>

#include "port/clock.h"

namespace pawl {

// One waiter at a time; ring() from any thread, also while nobody waits. Costs a post() a ring at most, and only
// while somebody waits.
class AsioAlarm final : public Alarm {
 public:
  AsioAlarm();
  ~AsioAlarm() override;

  void ring() override;
  Awaitable<Woken> wait_until(MonotonicInstant deadline) override;

 private:
  // A longer wait ends here, as if at its deadline: who waits looks at the clock again anyway.
  static constexpr Duration kWaitMax = std::chrono::hours(24);

  struct Waiting;
  class Leave;

  std::mutex mutex_;
  bool rung_ = false;
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace pawl
