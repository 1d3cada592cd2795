// How much of what a process writes is kept: each line costs the thread that serves all processes some microseconds, and the log
// some bytes. What goes beyond is dropped, and counted.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace pawl {

// Fills with time, up to what it allows in five seconds. Once it is empty nothing is kept until it is half full again, so that what
// is kept comes in whole stretches, and not one line here and there. Time is given, and must not go back.
class LineBudget {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr double kLinesASecond = 20'000;
  static constexpr double kBytesASecond = 32 << 20;

  // Whether a line of so many bytes is kept.
  bool take(std::size_t bytes, Clock::time_point now) {
    const std::chrono::duration<double> passed = now - at_;
    at_ = now;
    seconds_lines_ = std::min(kFull, seconds_lines_ + passed.count());
    seconds_bytes_ = std::min(kFull, seconds_bytes_ + passed.count());
    const double least = dropped_ > 0 ? kFull / 2 : 0;
    if (std::min(seconds_lines_, seconds_bytes_) < least ||
        std::min(seconds_lines_, seconds_bytes_) <= 0) {
      ++dropped_;
      return false;
    }
    seconds_lines_ -= 1 / kLinesASecond;
    seconds_bytes_ -= static_cast<double>(bytes) / kBytesASecond;
    return true;
  }
  // Lines since the last that was kept, before take() said yes again: to be told, once.
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }

 private:
  static constexpr double kFull = 5;  // seconds of the rates above

  Clock::time_point at_;
  double seconds_lines_ = kFull;
  double seconds_bytes_ = kFull;
  std::uint64_t dropped_ = 0;
};

}  // namespace pawl
