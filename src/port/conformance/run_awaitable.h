// Runs one coroutine to its end on an io_context of its own, for tests.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "base/assert.h"
#include "port/clock.h"

namespace pawl {

template <typename T>
T run_awaitable(Awaitable<T> awaitable) {
  boost::asio::io_context context;
  std::optional<T> result;
  // co_spawn of an awaitable that returns something would need a T out of nothing.
  const auto keep = [](Awaitable<T> inner, std::optional<T>& into) -> Awaitable<void> {
    into.emplace(co_await std::move(inner));
  };
  boost::asio::co_spawn(context, keep(std::move(awaitable), result),
                        [](std::exception_ptr failure) {
                          if (failure) std::rethrow_exception(failure);
                        });
  context.run();
  PAWL_ASSERT(result.has_value());
  return std::move(*result);
}

}  // namespace pawl
