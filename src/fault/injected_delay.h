// A wait that a fault plan asks for, in virtual or real time.
#pragma once

#include "fault/fault_plan.h"
#include "port/clock.h"

namespace pawl {

// How slow a store is: a plan's answer n of kDelayChoices means n times `unit`. Without a clock there is no
// waiting at all, and the plan isn't asked.
struct InjectedDelay {
  static constexpr std::size_t kDelayChoices = 4;

  Clock* clock = nullptr;
  Duration unit{1000};

  // The coroutine suspends even for a wait of nothing, so that others, and crashes, may come between.
  Awaitable<void> wait(FaultPlan* plan, FaultPoint point) const {
    if (clock == nullptr) co_return;
    const std::size_t times = plan == nullptr ? 0 : plan->choose(point, kDelayChoices);
    const auto alarm = clock->make_alarm();
    co_await alarm->wait_until(clock->monotonic() + unit * static_cast<std::int64_t>(times));
  }
};

}  // namespace pawl
