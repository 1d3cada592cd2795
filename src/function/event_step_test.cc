#include "function/event_step.h"

#include <gtest/gtest.h>

#include <vector>

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant kStart{1'800'000'000'000'000};
Instant at(Duration after) { return {kStart.microseconds + after.count()}; }

TEST(EventStep, ThreeAttemptsAMinuteAndTwoApart) {
  for (const Outcome bad : {Outcome::kFailed, Outcome::kTimedOut, Outcome::kExited}) {
    EventState state{kStart, kStart, 0, 5};
    auto decision = after_attempt(state, bad, at(seconds(1)));
    ASSERT_EQ(decision.verdict, EventVerdict::kAgain);
    EXPECT_EQ(decision.next.due, at(seconds(61)));
    EXPECT_EQ(decision.next.refusals, 0U);
    decision = after_attempt(decision.next, bad, at(seconds(61)));
    ASSERT_EQ(decision.verdict, EventVerdict::kAgain);
    EXPECT_EQ(decision.next.due, at(seconds(181)));
    EXPECT_EQ(after_attempt(decision.next, bad, at(seconds(181))).verdict,
              EventVerdict::kDiscarded);
    EXPECT_EQ(after_attempt(decision.next, Outcome::kReturned, at(seconds(181))).verdict,
              EventVerdict::kDone);
  }
}

TEST(EventStep, WhatWasNotBegunDoesNotCountButForSixHours) {
  EventState state{kStart, kStart, 2, 0};
  Instant now = kStart;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 12; ++i) {
    const auto decision =
        after_attempt(state, i % 2 == 0 ? Outcome::kThrottled : Outcome::kNotRun, now);
    ASSERT_EQ(decision.verdict, EventVerdict::kAgain);
    EXPECT_EQ(decision.next.attempts, 2U);
    waits.push_back((decision.next.due.microseconds - now.microseconds) / 1'000'000);
    state = decision.next;
    now = state.due;
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}));
  EXPECT_EQ(after_attempt(state, Outcome::kThrottled, at(hours(6))).verdict,
            EventVerdict::kDiscarded);
  EXPECT_EQ(after_attempt(state, Outcome::kThrottled, at(hours(6) - seconds(1))).verdict,
            EventVerdict::kAgain);
}

}  // namespace
}  // namespace pawl::function
