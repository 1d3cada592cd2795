// Runs one coroutine where there is no server around it: at a start, and in commands.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/result.h"
#include "port/clock.h"

namespace pawl::server {

// Runs `work` to its end on `context`, which nobody else runs meanwhile.
template <typename T>
T run_to_end(boost::asio::io_context& context, Awaitable<T> work) {
  std::optional<T> result;
  const auto keep = [&]() -> Awaitable<void> { result.emplace(co_await std::move(work)); };
  boost::asio::co_spawn(context, keep(), boost::asio::detached);
  context.restart();
  context.run();
  PAWL_ASSERT(result.has_value());
  return *std::move(result);
}

// Likewise all of `work`, side by side; the first error of those that failed, when all have ended.
inline Status run_all_to_end(boost::asio::io_context& context,
                             std::vector<Awaitable<Status>> work) {
  Status failure = ok();
  const auto keep = [&failure](Awaitable<Status> one) -> Awaitable<void> {
    auto done = co_await std::move(one);
    if (!done.ok() && failure.ok()) failure = std::move(done);
  };
  for (auto& one : work)
    boost::asio::co_spawn(context, keep(std::move(one)), boost::asio::detached);
  context.restart();
  context.run();
  return failure;
}

}  // namespace pawl::server
