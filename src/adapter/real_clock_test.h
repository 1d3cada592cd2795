// The system's clocks, for tests that talk to something real. The wall clock can be wrong.
#pragma once

#include <chrono>
#include <memory>

#include "adapter/asio_alarm.h"
#include "port/clock.h"

namespace pawl {

class RealClock final : public Clock {
 public:
  Duration off{0};  // how wrong the wall clock is
  Instant now() override { return {count<std::chrono::system_clock>() + off.count()}; }
  MonotonicInstant monotonic() override { return {count<std::chrono::steady_clock>()}; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<AsioAlarm>(); }

 private:
  template <typename T>
  static std::int64_t count() {
    return std::chrono::duration_cast<Duration>(T::now().time_since_epoch()).count();
  }
};

}  // namespace pawl
