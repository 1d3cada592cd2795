// The system's clocks. The wall clock only advances, over restarts too: the newest instant that was given out is kept
// in DATA/clock, and a clock that was set back stands still until the world has caught up.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "base/result.h"
#include "port/clock.h"

namespace pawl {

// Thread-safe. monotonic() is the count of std::chrono::steady_clock, in microseconds.
class SystemClock final : public Clock {
 public:
  // How far the system's clock may lag behind what was given out before it counts as set back.
  static constexpr Duration kSetBackTolerance = std::chrono::seconds(1);

  // `directory` is the open data directory, which must outlive the clock; the file "clock" in it is read. Errors:
  // kCorrupt if that is damaged; kUnavailable.
  static Result<std::unique_ptr<SystemClock>> open(int directory);

  Instant now() override;
  MonotonicInstant monotonic() override;
  std::unique_ptr<Alarm> make_alarm() override;

  // Writes the newest instant down, if it has moved. To be called every few seconds, and at a stop. After a crash
  // up to that much is forgotten, which only matters if the system's clock is set back at the same time; what must
  // never go back (a shard's instants) is kept by its owner besides.
  Status persist();

  // How far the system's clock is behind what was given out, if it was set back: an alarm.
  std::optional<Duration> set_back() const;

 private:
  explicit SystemClock(int directory) : directory_(directory) {}

  int directory_;
  std::atomic<std::int64_t> newest_{0};  // microseconds, the last that now() returned
  std::atomic<std::int64_t> persisted_{0};
};

}  // namespace pawl
