// A clock that stands until a test moves it; both readings go together. One thread.
#pragma once

#include <memory>

#include "port/clock.h"

namespace pawl {

class ManualClock final : public Clock {
 public:
  Instant now() override { return now_; }
  MonotonicInstant monotonic() override { return monotonic_; }
  // Nobody may wait by it.
  std::unique_ptr<Alarm> make_alarm() override { return nullptr; }
  void advance(Duration by) {
    now_.microseconds += by.count();
    monotonic_ = monotonic_ + by;
  }
  // The wall clock alone: it may jump.
  void set(Instant now) { now_ = now; }

 private:
  Instant now_{1'800'000'000'000'000};
  MonotonicInstant monotonic_{0};
};

}  // namespace pawl
