#include "adapter/system_clock.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <limits>
#include <thread>

#include "adapter/asio_alarm.h"
#include "adapter/ed25519_check.h"
#include "adapter/ed25519_signer.h"
#include "adapter/posix_file.h"
#include "adapter/temporary_directory.h"

namespace pawl {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, OnlyAdvancesOverRestarts) {
  const TemporaryDirectory directory;
  const auto fd = open_directory(directory.path());
  ASSERT_TRUE(fd.ok());
  Instant newest;
  {
    const auto clock = SystemClock::open(fd->get());
    ASSERT_TRUE(clock.ok());
    newest = (*clock)->now();
    EXPECT_GE((*clock)->now(), newest);
    EXPECT_FALSE((*clock)->set_back().has_value());
    ASSERT_TRUE((*clock)->persist().ok());
  }
  // As after the system's clock was set back by an hour.
  const Instant ahead{newest.microseconds + 3'600'000'000};
  ASSERT_TRUE(replace_file(fd->get(), "clock", ahead.to_string() + "\n", 0600).ok());
  const auto clock = SystemClock::open(fd->get());
  ASSERT_TRUE(clock.ok());
  EXPECT_EQ((*clock)->now(), ahead);
  ASSERT_TRUE((*clock)->set_back().has_value());
  EXPECT_GT(*(*clock)->set_back(), 3590s);
  ASSERT_TRUE(replace_file(fd->get(), "clock", "noon", 0600).ok());
  EXPECT_EQ(SystemClock::open(fd->get()).error().code, ErrorCode::kCorrupt);
}

struct Waited {
  Alarm::Woken woken = Alarm::Woken::kDeadline;
  Duration took{};
};

template <typename Before>
Waited wait(Duration deadline, Before before) {
  const TemporaryDirectory directory;
  const auto fd = open_directory(directory.path());
  const auto clock = SystemClock::open(fd->get());
  const auto alarm = (*clock)->make_alarm();
  boost::asio::io_context context;
  Waited waited;
  const auto start = (*clock)->monotonic();
  auto waiting = [&]() -> Awaitable<void> {
    waited.woken = co_await alarm->wait_until(start + deadline);
    waited.took = (*clock)->monotonic() - start;
  };
  boost::asio::co_spawn(context, waiting(), boost::asio::detached);
  std::thread ringer = before(*alarm);
  context.run();
  if (ringer.joinable()) ringer.join();
  return waited;
}

TEST(AsioAlarm, WakesAtTheDeadline) {
  const auto waited = wait(20ms, [](Alarm&) { return std::thread(); });
  EXPECT_EQ(waited.woken, Alarm::Woken::kDeadline);
  EXPECT_GE(waited.took, 20ms);
}

TEST(AsioAlarm, ARingBeforeTheWaitIsRemembered) {
  const auto waited = wait(60s, [](Alarm& alarm) {
    alarm.ring();
    alarm.ring();
    return std::thread();
  });
  EXPECT_EQ(waited.woken, Alarm::Woken::kRung);
}

TEST(AsioAlarm, ARingFromAnotherThreadEndsTheWait) {
  const auto waited = wait(60s, [](Alarm& alarm) {
    return std::thread([&alarm] {
      std::this_thread::sleep_for(10ms);
      alarm.ring();
    });
  });
  EXPECT_EQ(waited.woken, Alarm::Woken::kRung);
  EXPECT_LT(waited.took, 50s);
}

TEST(AsioAlarm, ARingAfterItsSleeperWasDestroyedIsHarmless) {
  AsioAlarm alarm;
  {
    boost::asio::io_context context;
    auto sleeping = [&]() -> Awaitable<void> {
      // Far beyond what fits the clock's nanoseconds.
      co_await alarm.wait_until(MonotonicInstant{std::numeric_limits<std::int64_t>::max()});
    };
    boost::asio::co_spawn(context, sleeping(), boost::asio::detached);
    EXPECT_EQ(context.run_one(), 1U);      // it went to sleep,
    EXPECT_EQ(context.run_for(20ms), 0U);  // and has not woken
  }
  alarm.ring();
}

TEST(Ed25519Signer, KeepsItsKeyAndItsSignaturesHold) {
  const TemporaryDirectory directory;
  const auto fd = open_directory(directory.path());
  const auto first = open_signer(fd->get());
  ASSERT_TRUE(first.ok());
  const auto again = open_signer(fd->get());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*first)->public_key(), (*again)->public_key());
  const auto signature = (*first)->sign("page");
  ASSERT_TRUE(signature.ok());
  const auto view = [](const auto& bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  EXPECT_TRUE(adapter::check_ed25519(view((*again)->public_key()), "page", view(*signature)));
  EXPECT_FALSE(adapter::check_ed25519(view((*again)->public_key()), "pagf", view(*signature)));
  auto forged = *signature;
  forged[10] ^= 1;
  EXPECT_FALSE(adapter::check_ed25519(view((*again)->public_key()), "page", view(forged)));
  ASSERT_TRUE(replace_file(fd->get(), "signing-key.pem", "no key", 0600).ok());
  EXPECT_EQ(open_signer(fd->get()).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pawl
