// Instants and durations. Stages never read a clock: they are told the time through port/clock.h.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

using Duration = std::chrono::microseconds;

// A point on the wall clock: microseconds since 1970-01-01T00:00:00Z. For people and for records;
// never subtract two of them to measure a wait, since clocks are set.
struct Instant {
  std::int64_t microseconds = 0;

  // "2026-11-22T18:00:00.123456Z": always 27 characters, for years 0000 to 9999.
  std::string to_string() const;
  // That form, with 0 to 6 digits after the point, or none.
  static std::optional<Instant> parse(std::string_view text);
  friend constexpr auto operator<=>(Instant, Instant) = default;
};

// A point on a clock that only advances and has no meaning outside this process: for waits and ages.
struct MonotonicInstant {
  std::int64_t microseconds = 0;

  friend constexpr auto operator<=>(MonotonicInstant, MonotonicInstant) = default;
  friend constexpr MonotonicInstant operator+(MonotonicInstant at, Duration by) {
    return {at.microseconds + by.count()};
  }
  friend constexpr Duration operator-(MonotonicInstant later, MonotonicInstant earlier) {
    return Duration{later.microseconds - earlier.microseconds};
  }
};

}  // namespace pawl
