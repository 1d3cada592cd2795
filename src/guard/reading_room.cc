#include "guard/reading_room.h"

#include <algorithm>

namespace pawl::guard {
namespace {

// The alarm ends the wait; this is only a bound.
constexpr Duration kLongWait = std::chrono::minutes(1);

}  // namespace

Awaitable<ReadingRoom::Seat> ReadingRoom::take(Alarm& alarm, std::function<bool()> gives_up) {
  if (free_ > 0) {
    --free_;
    co_return Seat(*this);
  }
  Waiting waiting{&alarm, false};
  waiting_.push_back(&waiting);
  while (!waiting.seated && !gives_up()) co_await alarm.wait_until(clock_.monotonic() + kLongWait);
  if (waiting.seated) co_return Seat(*this);
  std::erase(waiting_, &waiting);
  co_return Seat();
}

// The seat goes to who has waited longest, if anybody has.
void ReadingRoom::free() {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  waiting_.front()->seated = true;
  waiting_.front()->alarm->ring();
  waiting_.pop_front();
}

}  // namespace pawl::guard
