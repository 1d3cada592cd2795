// Coroutines that go on beside their owner, which at its end waits for all of them: they use what is the owner's.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstddef>
#include <exception>
#include <utility>

#include "base/assert.h"
#include "port/clock.h"

namespace pawl::guard {

// One executor. Must outlive what was spawned, which the owner makes sure of by waiting until running() is 0.
class Tasks {
 public:
  // `ended` is rung each time one has ended; it must outlive the tasks.
  explicit Tasks(Alarm& ended) : ended_(ended) {}
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  // `work` begins soon, on `executor`.
  template <typename Executor>
  void spawn(const Executor& executor, Awaitable<void> work) {
    ++running_;
    boost::asio::co_spawn(executor, std::move(work), [this](const std::exception_ptr& error) {
      PAWL_ASSERT(error == nullptr);  // nothing of ours throws
      --running_;
      ended_.ring();
    });
  }

  std::size_t running() const { return running_; }

 private:
  Alarm& ended_;
  std::size_t running_ = 0;
};

}  // namespace pawl::guard
