#include "function/function_meter.h"

#include <gtest/gtest.h>

#include "function/function_fixture_test.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using std::chrono::milliseconds;

InvocationResult result_of(Outcome outcome, std::string why = {}, std::string payload = {}) {
  InvocationResult result;
  result.outcome = outcome;
  result.why = std::move(why);
  result.payload = std::move(payload);
  return result;
}

TEST(Meter, CountsByOutcomeAndKeepsTheLastFailure) {
  FunctionMeter meter;
  meter.ended(result_of(Outcome::kReturned), milliseconds(3), {1});
  EXPECT_FALSE(meter.figures().last_failure);
  meter.ended(result_of(Outcome::kThrottled, "all its processes are at work"), {}, {2});
  EXPECT_FALSE(meter.figures().last_failure) << "a throttle is no failure";
  meter.ended(result_of(Outcome::kFailed, "the handler failed", "{\"errorMessage\":\"no\"}"),
              milliseconds(30), {3});
  for (const Outcome outcome : {Outcome::kTimedOut, Outcome::kExited, Outcome::kNotRun}) {
    meter.ended(result_of(outcome, "why"), {}, {4});
    EXPECT_EQ(meter.figures().last_failure->outcome, outcome);
    EXPECT_EQ(meter.figures().last_failure->why, "why");
  }
  meter.ended(result_of(Outcome::kFailed, "the handler failed", "{\"errorMessage\":\"no\"}"), {},
              {5});
  const FunctionFigures figures = meter.figures();
  EXPECT_EQ(figures.ended, (std::array<std::uint64_t, kOutcomes>{1, 2, 1, 1, 1, 1}));
  EXPECT_EQ(figures.last_failure->at, Instant{5});
  EXPECT_EQ(figures.last_failure->why, "the handler failed: {\"errorMessage\":\"no\"}");
  EXPECT_EQ(figures.durations.count(), 2U) << "of those that were begun";
  EXPECT_EQ(figures.durations.total_ms, 33U);
}

TEST(Meter, WhatAFunctionSaysIsCut) {
  FunctionMeter meter;
  for (const std::size_t size : {0U, 1U, 500U, 510U, 511U, 512U, 513U, 6'000'000U}) {
    for (const std::size_t why : {0U, 1U, 509U, 510U, 511U, 512U, 513U}) {
      meter.ended(result_of(Outcome::kFailed, std::string(why, 'w'), std::string(size, 'p')), {},
                  {});
      const std::string kept = meter.figures().last_failure->why;
      EXPECT_LE(kept.size(), kFailureBytesMax);
      EXPECT_EQ(kept.substr(0, why), std::string(std::min(why, kFailureBytesMax), 'w'));
      if (why == 0) {
        EXPECT_EQ(kept.size(), std::min(size, kFailureBytesMax));
      }
    }
  }
}

TEST(Meter, ABoundBelongsToTheBucketBelowIt) {
  DurationFigures durations;
  durations.add(Duration::zero());
  durations.add(Duration(-5));  // a clock that does what it must not
  durations.add(milliseconds(5));
  durations.add(milliseconds(5) + Duration(1));
  durations.add(milliseconds(60'000));
  durations.add(milliseconds(60'001));
  durations.add(std::chrono::hours(1));
  EXPECT_EQ(durations.calls.front(), 3U);
  EXPECT_EQ(durations.calls[1], 1U);
  EXPECT_EQ(durations.calls[11], 1U);
  EXPECT_EQ(durations.calls[12], 2U);
  EXPECT_EQ(durations.count(), 7U);
}

TEST(Meters, ANamesakeBeginsAtZero) {
  FunctionMeters meters;
  FunctionRecord function = record_named("archive");
  meters.of(function)->ended(result_of(Outcome::kReturned), {}, {});
  meters.discarded_event(function.id);
  meters.discarded_event(99);
  EXPECT_EQ(meters.of(function), meters.of(function));
  const auto running = meters.of(function);
  FunctionRecord other = record_named("other");
  other.id = 9;
  static_cast<void>(meters.of(other));
  meters.forget("archive", function.id);
  ASSERT_EQ(meters.figures().size(), 2U) << "it was changed, not deleted";
  EXPECT_EQ(meters.figures()[function.id].discarded_events, 1U);
  meters.forget("archive", 8);
  running->ended(result_of(Outcome::kReturned), {}, {});  // its last call
  const auto left = meters.figures();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.begin()->first, other.id);
}

TEST(Figures, TheFirstByNameAreListedAndTheOthersSummed) {
  std::vector<FunctionPtr> functions;
  std::map<std::uint64_t, FunctionFigures> figures;
  std::map<std::uint64_t, std::uint64_t> events;
  for (std::uint64_t id = 1; id <= kListedMax + 3; ++id) {
    FunctionRecord function = record_named("f" + std::to_string(1000 + id));
    function.id = id;
    functions.push_back(std::make_shared<const FunctionRecord>(function));
    if (id == kListedMax + 2) continue;  // never called
    FunctionMeter meter;
    meter.ended(result_of(Outcome::kFailed, "why"), milliseconds(7), {});
    meter.processes({1, 2, 3, 4, 5, 6});
    meter.discarded_event();
    figures[id] = meter.figures();
    events[id] = 2;
  }
  events[777] = 5;  // of one that was deleted
  const FunctionsFigures all = figures_of(functions, figures, events);
  ASSERT_EQ(all.listed.size(), kListedMax);
  EXPECT_EQ(all.listed.back().name, "f1100");
  EXPECT_EQ(all.listed.back().events, 2U);
  EXPECT_EQ(all.other_functions, 3U);
  EXPECT_EQ(all.others.events, 4U);
  const FunctionFigures& others = all.others.figures;
  EXPECT_EQ(others.count(Outcome::kFailed), 2U);
  EXPECT_EQ(others.durations.count(), 2U);
  EXPECT_EQ(others.durations.total_ms, 14U);
  EXPECT_EQ(others.discarded_events, 2U);
  EXPECT_EQ(others.now.starting, 2U);
  EXPECT_EQ(others.now.idle, 4U);
  EXPECT_EQ(others.now.busy, 6U);
  EXPECT_EQ(others.now.ending, 8U);
  EXPECT_EQ(others.now.calls, 10U);
  EXPECT_EQ(others.now.waiting, 12U);
}

}  // namespace
}  // namespace pawl::function
