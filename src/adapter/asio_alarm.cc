#include "adapter/asio_alarm.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace pawl {

namespace asio = boost::asio;

struct AsioAlarm::Waiting {
  explicit Waiting(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
};

AsioAlarm::AsioAlarm() = default;
AsioAlarm::~AsioAlarm() = default;

void AsioAlarm::ring() {
  std::shared_ptr<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(rung_, true)) return;
    waiting = waiting_;
  }
  if (!waiting) return;
  // A timer belongs to its executor's thread. The state outlives the alarm, should that be gone by then.
  asio::post(waiting->timer.get_executor(), [waiting] { waiting->timer.cancel(); });
}

// In the coroutine's frame, so that a frame that is destroyed asleep (its io_context went first) takes the timer out of
// ring()'s reach.
class AsioAlarm::Leave {
 public:
  explicit Leave(AsioAlarm& alarm) : alarm_(alarm) {}
  ~Leave() {
    const std::lock_guard lock(alarm_.mutex_);
    alarm_.waiting_.reset();
  }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  AsioAlarm& alarm_;
};

Awaitable<Alarm::Woken> AsioAlarm::wait_until(MonotonicInstant deadline) {
  const auto state = std::make_shared<Waiting>(co_await asio::this_coro::executor);
  // MonotonicInstant is the steady clock's own count (system_clock.h). Bounded, because the microseconds
  // of a far deadline need not fit the clock's nanoseconds.
  const auto now = std::chrono::steady_clock::now();
  const MonotonicInstant start{
      std::chrono::duration_cast<Duration>(now.time_since_epoch()).count()};
  const Duration wait = std::clamp<Duration>(deadline - start, Duration::zero(), kWaitMax);
  state->timer.expires_at(now + wait);
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(rung_, false)) co_return Woken::kRung;
    waiting_ = state;
  }
  const Leave leave(*this);
  boost::system::error_code ignored;  // cancelled or expired: rung_ tells which
  co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const std::lock_guard lock(mutex_);
  co_return std::exchange(rung_, false) ? Woken::kRung : Woken::kDeadline;
}

}  // namespace pawl
