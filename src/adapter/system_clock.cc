#include "adapter/system_clock.h"

#include "adapter/asio_alarm.h"
#include "adapter/posix_file.h"

namespace pawl {
namespace {

constexpr const char* kFileName = "clock";
constexpr std::size_t kFileSizeMax = 64;

std::int64_t system_now() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::unique_ptr<SystemClock>> SystemClock::open(int directory) {
  PAWL_ASSIGN_OR_RETURN(auto text, read_file(directory, kFileName, kFileSizeMax));
  std::unique_ptr<SystemClock> clock(new SystemClock(directory));
  if (text) {
    while (!text->empty() && text->back() == '\n') text->pop_back();
    const auto newest = Instant::parse(*text);
    if (!newest) {
      return Error{ErrorCode::kCorrupt, "the file \"clock\" of the data directory holds no instant",
                   "remove it if the system's clock is right"};
    }
    clock->newest_ = newest->microseconds;
    clock->persisted_ = newest->microseconds;
  }
  return clock;
}

Instant SystemClock::now() {
  const auto at = system_now();
  auto newest = newest_.load(std::memory_order_relaxed);
  while (at > newest) {
    if (newest_.compare_exchange_weak(newest, at, std::memory_order_relaxed)) return {at};
  }
  return {newest};
}

MonotonicInstant SystemClock::monotonic() {
  return {std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

std::unique_ptr<Alarm> SystemClock::make_alarm() { return std::make_unique<AsioAlarm>(); }

Status SystemClock::persist() {
  const auto newest = newest_.load(std::memory_order_relaxed);
  if (newest == persisted_.load(std::memory_order_relaxed)) return ok();
  PAWL_TRY(replace_file(directory_, kFileName, Instant{newest}.to_string() + "\n", 0600));
  persisted_.store(newest, std::memory_order_relaxed);
  return ok();
}

std::optional<Duration> SystemClock::set_back() const {
  const Duration behind{newest_.load(std::memory_order_relaxed) - system_now()};
  if (behind < kSetBackTolerance) return std::nullopt;
  return behind;
}

}  // namespace pawl
