// Time for commands that only read: nothing is stamped with it, so it is kept nowhere and not clamped (system_clock.h is).
#pragma once

#include <chrono>
#include <memory>

#include "adapter/asio_alarm.h"
#include "port/clock.h"

namespace pawl::adapter {

class ReadingClock final : public Clock {
 public:
  Instant now() override { return {count<std::chrono::system_clock>()}; }
  MonotonicInstant monotonic() override { return {count<std::chrono::steady_clock>()}; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<AsioAlarm>(); }

 private:
  template <typename T>
  static std::int64_t count() {
    return std::chrono::duration_cast<Duration>(T::now().time_since_epoch()).count();
  }
};

}  // namespace pawl::adapter
