// A store that stops answering for a while, and then goes on as if nothing had been: a hanging disk, a lost network.
#pragma once

#include <algorithm>

#include "port/clock.h"

namespace pawl::drill {

class StoppedStore {
 public:
  explicit StoppedStore(Clock& clock) : clock_(clock) {}

  void stop_for(Duration time) { until_ = std::max(until_, clock_.monotonic() + time); }
  bool stopped() const { return clock_.monotonic() < until_; }
  // At the start of each call of the store.
  Awaitable<void> wait() {
    if (!stopped()) co_return;
    const auto alarm = clock_.make_alarm();
    while (stopped()) (void)co_await alarm->wait_until(until_);
  }

 private:
  Clock& clock_;
  MonotonicInstant until_{};
};

}  // namespace pawl::drill
