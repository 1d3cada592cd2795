#include "adapter/asio_alarm.h"

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

Awaitable<Alarm::Woken> AsioAlarm::wait_until(MonotonicInstant deadline) {
  const auto state = std::make_shared<Waiting>(co_await asio::this_coro::executor);
  // MonotonicInstant is the steady clock's own count (system_clock.h).
  state->timer.expires_at(std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          Duration{deadline.microseconds})));
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(rung_, false)) co_return Woken::kRung;
    waiting_ = state;
  }
  boost::system::error_code ignored;  // cancelled or expired: rung_ tells which
  co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const std::lock_guard lock(mutex_);
  waiting_.reset();
  co_return std::exchange(rung_, false) ? Woken::kRung : Woken::kDeadline;
}

}  // namespace pawl
