#include "clock.h"

#include <chrono>

namespace scripted {
namespace {

std::int64_t machine_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

std::int64_t Clock::now_ms() const { return machine_ms() + advanced_ms_; }
std::int64_t Clock::date_ms() const { return machine_ms() + skew_ms_; }

}  // namespace scripted
