// The server's own clock. It runs with the machine's and is only ever put forward, by POST /_control/advance, so that 24 hours
// of retention or 15 minutes of an iterator's life are over at once. The Date header is another clock: the machine's, off by
// `skew_s`, for clients that must notice that their clock is wrong.
#pragma once

#include <cstdint>

namespace scripted {

class Clock {
 public:
  // Milliseconds since 1970.
  std::int64_t now_ms() const;
  std::int64_t date_ms() const;

  void advance(std::int64_t ms) { advanced_ms_ += ms; }
  void set_skew_s(std::int64_t skew_s) { skew_ms_ = skew_s * 1000; }
  std::int64_t advanced_ms() const { return advanced_ms_; }
  std::int64_t skew_s() const { return skew_ms_ / 1000; }

 private:
  std::int64_t advanced_ms_ = 0;
  std::int64_t skew_ms_ = 0;
};

}  // namespace scripted
