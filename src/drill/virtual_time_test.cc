#include "drill/virtual_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <string>

#include "fault/memory_ledger_store.h"
#include "fault/memory_object_store.h"

namespace pawl {
namespace {

using boost::asio::co_spawn;
using boost::asio::detached;
using std::chrono::hours;
using std::chrono::seconds;

// Sleeps `times` times, and writes down when it woke.
Awaitable<void> ticker(VirtualTime& time, char name, Duration period, int times,
                       std::string& trace) {
  const auto alarm = time.clock().make_alarm();
  for (int i = 0; i < times; ++i) {
    EXPECT_EQ(co_await alarm->wait_until(time.now() + period), Alarm::Woken::kDeadline);
    trace += name;
    trace += std::to_string(time.now().microseconds / 1'000'000) + " ";
  }
}

TEST(VirtualTime, JumpsFromDeadlineToDeadline) {
  VirtualTime time;
  std::string trace;
  co_spawn(time.executor(), ticker(time, 'a', seconds(2), 3, trace), detached);
  co_spawn(time.executor(), ticker(time, 'b', seconds(3), 2, trace), detached);
  EXPECT_TRUE(time.run_until_idle());
  EXPECT_EQ(trace, "a2 b3 a4 b6 a6 ");
  EXPECT_EQ(time.now().microseconds, 6'000'000);
}

TEST(VirtualTime, RunsADayInAMoment) {
  VirtualTime time;
  std::string trace;
  co_spawn(time.executor(), ticker(time, 'a', seconds(1), 86'400, trace), detached);
  time.run_for(hours(24));
  EXPECT_EQ(time.now().microseconds, 86'400'000'000);
  EXPECT_TRUE(trace.ends_with("a86400 "));
}

TEST(VirtualTime, RunUntilStopsAtItsDeadline) {
  VirtualTime time;
  std::string trace;
  co_spawn(time.executor(), ticker(time, 'a', seconds(2), 3, trace), detached);
  time.run_for(seconds(5));
  EXPECT_EQ(trace, "a2 a4 ");
  EXPECT_EQ(time.now().microseconds, 5'000'000);
  EXPECT_EQ(time.next_deadline(), MonotonicInstant{6'000'000});
}

TEST(VirtualTime, HandlersNeverRunInsidePost) {
  VirtualTime time;
  bool ran = false;
  boost::asio::post(time.executor(), [&] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_EQ(time.run_ready(), 1U);
  EXPECT_TRUE(ran);
  EXPECT_EQ(time.run_ready(), 0U);
}

TEST(VirtualTime, AnAlarmRingsBeforeAndDuringAWait) {
  VirtualTime time;
  const auto alarm = time.clock().make_alarm();
  std::vector<Alarm::Woken> woken;
  const auto sleeper = [&]() -> Awaitable<void> {
    for (int i = 0; i < 3; ++i)
      woken.push_back(co_await alarm->wait_until(time.now() + seconds(10)));
  };
  alarm->ring();
  alarm->ring();
  co_spawn(time.executor(), sleeper(), detached);
  time.run_for(seconds(1));
  EXPECT_THAT(woken, testing::ElementsAre(Alarm::Woken::kRung));
  alarm->ring();
  alarm->ring();
  time.run_for(seconds(1));
  EXPECT_THAT(woken, testing::ElementsAre(Alarm::Woken::kRung, Alarm::Woken::kRung));
  EXPECT_TRUE(time.run_until_idle());
  EXPECT_EQ(woken.back(), Alarm::Woken::kDeadline);
  EXPECT_EQ(time.now().microseconds, 11'000'000);
}

// Three coroutines that race for the order of their marks.
std::string race(std::optional<std::uint64_t> seed, std::uint64_t* digest = nullptr) {
  VirtualTime time({seed, Instant{}});
  std::string trace;
  for (const char name : {'a', 'b', 'c'}) {
    co_spawn(time.executor(), ticker(time, name, seconds(1), 5, trace), detached);
  }
  EXPECT_TRUE(time.run_until_idle());
  if (digest != nullptr) *digest = time.trace_digest();
  return trace;
}

TEST(VirtualTime, TheSameSeedGivesTheSameRun) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    EXPECT_EQ(race(seed, &first), race(seed, &second));
    EXPECT_EQ(first, second);
  }
}

TEST(VirtualTime, SeedsExploreInterleavings) {
  std::set<std::string> traces;
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::uint64_t digest = 0;
    traces.insert(race(seed, &digest));
    digests.insert(digest);
  }
  EXPECT_GT(traces.size(), 40U);
  EXPECT_EQ(digests.size(), traces.size());
  EXPECT_TRUE(race(std::nullopt).starts_with("a1 b1 c1 "));
}

// Counts its lives, as a coroutine's locals do.
struct Local {
  explicit Local(int& count) : alive(count) { ++alive; }
  ~Local() { --alive; }
  Local(const Local&) = delete;
  int& alive;
};

TEST(VirtualTime, ACrashDestroysAProcessAndNoOther) {
  VirtualTime time;
  const VirtualProcess first = time.start_process();
  const VirtualProcess second = time.start_process();
  int alive = 0;
  std::string trace;
  const auto run = [&](char name) -> Awaitable<void> {
    const Local local(alive);
    co_await ticker(time, name, seconds(1), 4, trace);
  };
  co_spawn(time.executor(first), run('a'), detached);
  co_spawn(time.executor(second), run('b'), detached);
  time.run_for(Duration(2'500'000));
  EXPECT_EQ(alive, 2);
  time.crash(first);
  EXPECT_EQ(alive, 1);
  EXPECT_FALSE(time.is_alive(first));
  co_spawn(time.executor(first), run('x'), detached);  // the dead start nothing
  EXPECT_TRUE(time.run_until_idle());
  EXPECT_EQ(trace, "a1 b1 a2 b2 b3 b4 ");
  EXPECT_EQ(alive, 0);
}

TEST(VirtualTime, AProcessMayCrashItself) {
  VirtualTime time;
  const VirtualProcess process = time.start_process();
  int alive = 0;
  bool went_on = false;
  const auto run = [&]() -> Awaitable<void> {
    const Local local(alive);
    const auto alarm = time.clock().make_alarm();
    time.crash(process);
    co_await alarm->wait_until(time.now() + seconds(1));
    went_on = true;
  };
  co_spawn(time.executor(process), run(), detached);
  EXPECT_TRUE(time.run_until_idle());
  EXPECT_FALSE(went_on);
  EXPECT_EQ(alive, 0);
}

TEST(VirtualTime, DestructorsMayRingAndPostDuringACrash) {
  VirtualTime time;
  const VirtualProcess process = time.start_process();
  const auto alarm = time.clock().make_alarm();
  struct Noisy {
    VirtualTime& time;
    VirtualProcess process;
    Alarm& alarm;
    ~Noisy() {
      alarm.ring();
      boost::asio::post(time.executor(process), [] { ADD_FAILURE() << "the dead ran"; });
    }
  };
  const auto run = [&]() -> Awaitable<void> {
    const Noisy noisy{time, process, *alarm};
    co_await alarm->wait_until(time.now() + seconds(1));
  };
  co_spawn(time.executor(process), run(), detached);
  time.run_ready();
  time.crash(process);
  EXPECT_TRUE(time.run_until_idle());
}

TEST(VirtualTime, WhatIsLeftIsDestroyedWithIt) {
  int alive = 0;
  {
    VirtualTime time;
    const auto run = [&]() -> Awaitable<void> {
      const Local local(alive);
      const auto alarm = time.clock().make_alarm();
      co_await alarm->wait_until({1LL << 60});
    };
    co_spawn(time.executor(), run(), detached);
    co_spawn(time.executor(time.start_process()), run(), detached);
    time.run_ready();
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(VirtualTime, TheWallClockNeverGoesBack) {
  VirtualTime time;
  const Instant start = time.clock().now();
  EXPECT_EQ(start.to_string(), "2026-01-01T00:00:00.000000Z");
  time.skew_wall(seconds(-10));
  time.run_for(seconds(4));
  EXPECT_EQ(time.clock().now(), start);
  time.run_for(seconds(7));
  EXPECT_EQ(time.clock().now().microseconds, start.microseconds + 1'000'000);
}

TEST(VirtualTime, StoresAreSlowInVirtualTimeAndCrashBetweenEffects) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    VirtualTime time({seed, Instant{}});
    SeededFaultPlan plan(seed);
    plan.set(FaultPoint::kObjectDelay, 900).set(FaultPoint::kObjectCrash, 500);
    MemoryObjectStore objects(&plan, {&time.clock(), seconds(1)});
    const VirtualProcess process = time.start_process();
    std::set<std::string> acknowledged;
    const auto writer = [&]() -> Awaitable<void> {
      for (int i = 0;; ++i) {
        const std::string name = std::to_string(i);
        const PutRequest request{name, "body", Digest{}};
        const auto results = co_await objects.put_if_absent({&request, 1});
        if (results.at(0).outcome == PutOutcome::kStored) acknowledged.insert(name);
      }
    };
    co_spawn(time.executor(process), writer(), detached);
    time.run_for(seconds(static_cast<std::int64_t>(20 + seed % 7)));
    time.crash(process);
    objects.crash();
    EXPECT_GE(acknowledged.size(), 3U);
    for (const std::string& name : acknowledged) EXPECT_TRUE(objects.objects().contains(name));
    EXPECT_LE(objects.objects().size(), acknowledged.size() + 1);
    EXPECT_TRUE(time.run_until_idle());
  }
}

}  // namespace
}  // namespace pawl
