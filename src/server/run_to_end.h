// Runs one coroutine where there is no server around it: at a start, and in commands.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

#include "base/assert.h"
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

}  // namespace pawl::server
