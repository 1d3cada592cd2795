#include "drill/virtual_time.h"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "base/assert.h"

namespace pawl {
namespace {

void mix(std::uint64_t& digest, std::uint64_t value) {
  digest = SeededRandom(digest ^ value).next();
}

}  // namespace

class VirtualTime::VirtualClock final : public Clock {
 public:
  explicit VirtualClock(VirtualTime& time) : time_(time) {}
  Instant now() override {
    const std::int64_t wall =
        time_.start_.microseconds + time_.now_.microseconds + time_.skew_.count();
    newest_ = std::max(newest_, wall);
    return {newest_};
  }
  MonotonicInstant monotonic() override { return time_.now_; }
  std::unique_ptr<Alarm> make_alarm() override;

 private:
  VirtualTime& time_;
  std::int64_t newest_ = 0;
};

// A sleep in virtual time. The sleeper's handler stays with VirtualTime, so that a crash can drop it; both the
// alarm and the coroutine may then be destroyed in any order.
class VirtualAlarm final : public Alarm {
 public:
  explicit VirtualAlarm(VirtualTime& time) : time_(time) {}

  void ring() override {
    rung_ = true;
    if (sleep_) time_.wake_now(*std::exchange(sleep_, std::nullopt));
  }

  Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
    if (std::exchange(rung_, false)) co_return Woken::kRung;
    const auto executor = co_await boost::asio::this_coro::executor;
    const VirtualExecutor* own = executor.target<VirtualExecutor>();
    PAWL_ASSERT(own != nullptr);  // a foreign executor would sleep in real time
    const VirtualProcess process = own->process();
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void()>(
        [this, deadline, process](auto handler) {
          sleep_ = time_.sleep_until(deadline, process, UniqueHandler(std::move(handler)));
        },
        boost::asio::use_awaitable);
    sleep_.reset();
    co_return std::exchange(rung_, false) ? Woken::kRung : Woken::kDeadline;
  }

 private:
  VirtualTime& time_;
  bool rung_ = false;
  std::optional<VirtualTime::SleepKey> sleep_;
};

std::unique_ptr<Alarm> VirtualTime::VirtualClock::make_alarm() {
  return std::make_unique<VirtualAlarm>(time_);
}

VirtualTime::VirtualTime() : VirtualTime(Settings{}) {}

VirtualTime::VirtualTime(Settings settings)
    : start_(settings.start),
      random_(settings.seed),
      clock_(std::make_unique<VirtualClock>(*this)) {}

VirtualTime::~VirtualTime() {
  drop_everything();
  shutdown();
  destroy();
}

Clock& VirtualTime::clock() { return *clock_; }

VirtualProcess VirtualTime::start_process() { return {++processes_}; }

void VirtualTime::post(VirtualProcess process, UniqueHandler handler) {
  // A dead process posts nothing; `handler` and its coroutine end here.
  if (is_alive(process)) ready_.push_back({process, ++numbers_, std::move(handler)});
}

VirtualTime::SleepKey VirtualTime::sleep_until(MonotonicInstant deadline, VirtualProcess process,
                                               UniqueHandler wake) {
  const SleepKey key{std::max(deadline, now_), ++numbers_};
  if (is_alive(process)) sleeping_.emplace(key, Sleep{process, std::move(wake)});
  return key;
}

bool VirtualTime::wake_now(SleepKey key) {
  auto node = sleeping_.extract(key);
  if (node.empty()) return false;
  post(node.mapped().process, std::move(node.mapped().wake));
  return true;
}

void VirtualTime::crash(VirtualProcess process) {
  PAWL_ASSERT(process.id != 0 && process.id <= processes_);
  if (!dead_.insert(process.id).second) return;
  // Taken out before they are destroyed: destructors may ring, post and cancel.
  std::vector<UniqueHandler> dropped;
  for (auto it = ready_.begin(); it != ready_.end();) {
    if (it->process == process) {
      dropped.push_back(std::move(it->handler));
      it = ready_.erase(it);
    } else {
      ++it;
    }
  }
  for (auto it = sleeping_.begin(); it != sleeping_.end();) {
    if (it->second.process == process) {
      dropped.push_back(std::move(it->second.wake));
      it = sleeping_.erase(it);
    } else {
      ++it;
    }
  }
}

void VirtualTime::drop_everything() {
  for (std::uint32_t process = 0; process <= processes_; ++process) dead_.insert(process);
  while (!ready_.empty() || !sleeping_.empty()) {
    const std::deque<Ready> ready = std::exchange(ready_, {});
    const std::map<SleepKey, Sleep> sleeping = std::exchange(sleeping_, {});
  }
}

bool VirtualTime::run_one() {
  if (ready_.empty()) return false;
  std::size_t chosen = 0;
  if (random_ && ready_.size() > 1)
    chosen = static_cast<std::size_t>(random_->below(ready_.size()));
  const auto at = ready_.begin() + static_cast<std::ptrdiff_t>(chosen);
  Ready next = std::move(*at);
  ready_.erase(at);
  ++handlers_run_;
  mix(trace_, next.process.id);
  mix(trace_, next.number);
  mix(trace_, static_cast<std::uint64_t>(now_.microseconds));
  next.handler();
  return true;
}

bool VirtualTime::wake_next(std::optional<MonotonicInstant> no_later_than) {
  if (sleeping_.empty()) return false;
  const MonotonicInstant deadline = sleeping_.begin()->first.deadline;
  if (no_later_than && deadline > *no_later_than) return false;
  now_ = deadline;
  // All that are due together become ready together, so that a seed may choose among them.
  while (!sleeping_.empty() && sleeping_.begin()->first.deadline == deadline) {
    wake_now(sleeping_.begin()->first);
  }
  return true;
}

bool VirtualTime::step() { return run_one() || wake_next(std::nullopt); }

std::size_t VirtualTime::run_ready(std::size_t handlers_max) {
  std::size_t ran = 0;
  while (ran < handlers_max && run_one()) ++ran;
  return ran;
}

void VirtualTime::run_until(MonotonicInstant deadline) {
  PAWL_ASSERT(deadline >= now_);
  while (run_one() || wake_next(deadline)) {
  }
  now_ = deadline;
}

bool VirtualTime::run_until_idle(std::size_t handlers_max) {
  for (std::size_t ran = 0; ran < handlers_max;) {
    if (run_one()) {
      ++ran;
    } else if (!wake_next(std::nullopt)) {
      return true;
    }
  }
  return ready_.empty() && sleeping_.empty();
}

std::optional<MonotonicInstant> VirtualTime::next_deadline() const {
  if (!ready_.empty()) return now_;
  if (sleeping_.empty()) return std::nullopt;
  return sleeping_.begin()->first.deadline;
}

}  // namespace pawl
