#include "adapter/remote_retry.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace pawl {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

TEST(ClassifyAnswer, TellsWhatIsDefiniteFromWhatIsNot) {
  EXPECT_EQ(classify_answer(200, ""), AttemptEnd::kDone);
  EXPECT_EQ(classify_answer(204, ""), AttemptEnd::kDone);
  EXPECT_EQ(classify_answer(301, "PermanentRedirect"), AttemptEnd::kRejected);
  EXPECT_EQ(classify_answer(403, "AccessDenied"), AttemptEnd::kRejected);
  EXPECT_EQ(classify_answer(404, "NoSuchKey"), AttemptEnd::kRejected);
  EXPECT_EQ(classify_answer(412, "PreconditionFailed"), AttemptEnd::kRejected);
  EXPECT_EQ(classify_answer(409, "ConditionalRequestConflict"), AttemptEnd::kNotDone);
  EXPECT_EQ(classify_answer(400, "RequestTimeout"), AttemptEnd::kNotDone);
  EXPECT_EQ(classify_answer(503, "SlowDown"), AttemptEnd::kSlowDown);
  EXPECT_EQ(classify_answer(429, ""), AttemptEnd::kSlowDown);
  EXPECT_EQ(classify_answer(503, ""), AttemptEnd::kUnknown);
  EXPECT_EQ(classify_answer(500, "InternalError"), AttemptEnd::kUnknown);
  EXPECT_EQ(classify_answer(502, ""), AttemptEnd::kUnknown);
  EXPECT_EQ(classify_answer(403, "RequestTimeTooSkewed"), AttemptEnd::kSkewed);
  EXPECT_EQ(classify_answer(400, "ExpiredToken"), AttemptEnd::kExpired);
}

TEST(AfterAttempt, DoneAndRejectedEndIt) {
  RetryBudget budget;
  RetryState state;
  auto decision = after_attempt(state, AttemptEnd::kDone, {}, kMost, budget, {});
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.outcome, RemoteOutcome::kDone);
  RetryState rejected;
  decision = after_attempt(rejected, AttemptEnd::kRejected, {}, kMost, budget, {});
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.outcome, RemoteOutcome::kNotDone);
}

TEST(AfterAttempt, WhatWasInDoubtStaysInDoubt) {
  RetryBudget budget;
  RetryState state;
  EXPECT_TRUE(after_attempt(state, AttemptEnd::kUnknown, {}, 0, budget, {}).again);
  const auto decision = after_attempt(state, AttemptEnd::kRejected, {}, 0, budget, {});
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.outcome, RemoteOutcome::kUnknown);
}

TEST(AfterAttempt, WaitsGrowAndAreBoundedAndRandom) {
  RetryPolicy policy;
  policy.attempts_max = 12;
  policy.deadline = std::chrono::hours(1);
  RetryBudget budget;
  RetryState state;
  std::vector<std::int64_t> most;
  for (int i = 0; i < 8; ++i) {
    RetryState least = state;
    RetryBudget copy = budget;
    EXPECT_EQ(after_attempt(least, AttemptEnd::kSlowDown, {}, 0, copy, policy).wait, Duration{0});
    // The largest wait: `random` is taken modulo the bound plus one.
    const auto bound = std::min<std::int64_t>(50'000LL << i, 2'000'000);
    const auto decision = after_attempt(state, AttemptEnd::kSlowDown, {},
                                        static_cast<std::uint64_t>(bound), budget, policy);
    EXPECT_TRUE(decision.again);
    most.push_back(decision.wait.count());
  }
  EXPECT_EQ(most, (std::vector<std::int64_t>{50'000, 100'000, 200'000, 400'000, 800'000, 1'600'000,
                                             2'000'000, 2'000'000}));
}

TEST(AfterAttempt, EndsAfterItsAttemptsAndItsDeadline) {
  RetryPolicy policy;
  policy.attempts_max = 2;
  RetryBudget budget;
  RetryState state;
  EXPECT_TRUE(after_attempt(state, AttemptEnd::kNotDone, {}, 0, budget, policy).again);
  const auto last = after_attempt(state, AttemptEnd::kNotDone, {}, 0, budget, policy);
  EXPECT_FALSE(last.again);
  EXPECT_EQ(last.outcome, RemoteOutcome::kNotDone);
  RetryState late;
  EXPECT_FALSE(after_attempt(late, AttemptEnd::kNotDone, policy.deadline, 0, budget, policy).again);
}

TEST(AfterAttempt, ClockAndCredentialsAreMendedOnceEach) {
  RetryBudget budget;
  RetryState state;
  auto decision = after_attempt(state, AttemptEnd::kSkewed, {}, 0, budget, {});
  EXPECT_TRUE(decision.again && decision.correct_clock && !decision.renew_credentials);
  decision = after_attempt(state, AttemptEnd::kExpired, {}, 0, budget, {});
  EXPECT_TRUE(decision.again && decision.renew_credentials && !decision.correct_clock);
  decision = after_attempt(state, AttemptEnd::kSkewed, {}, 0, budget, {});
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.outcome, RemoteOutcome::kNotDone);
}

TEST(RetryBudget, AStoreThatFailsEverythingIsLeftAlone) {
  RetryBudget budget;
  std::uint32_t retries = 0;
  for (int request = 0; request < 1000; ++request) {
    RetryState state;
    while (after_attempt(state, AttemptEnd::kSlowDown, {}, 0, budget, {}).again) ++retries;
  }
  EXPECT_EQ(retries, RetryBudget::kTokensMax / RetryBudget::kRetryCost);
  for (int i = 0; i < 1000; ++i) {
    RetryState state;
    static_cast<void>(after_attempt(state, AttemptEnd::kDone, {}, 0, budget, {}));
  }
  EXPECT_EQ(budget.left(), RetryBudget::kTokensMax);
}

RC_GTEST_PROP(AfterAttempt, NeverCallsDoubtfulNotDone, (const std::vector<std::uint8_t>& ends)) {
  RetryBudget budget;
  RetryState state;
  bool doubt = false;
  for (const auto number : ends) {
    const auto end = static_cast<AttemptEnd>(number % 7);
    doubt = doubt || end == AttemptEnd::kUnknown;
    const auto decision = after_attempt(state, end, {}, number, budget, {});
    if (decision.again) continue;
    RC_ASSERT((decision.outcome == RemoteOutcome::kDone) == (end == AttemptEnd::kDone));
    RC_ASSERT(!doubt || decision.outcome != RemoteOutcome::kNotDone);
    break;
  }
  RC_ASSERT(state.attempts <= RetryPolicy{}.attempts_max + 2);
}

TEST(ClockSkew, IsTakenFromTheServerBeyondDelayAndRounding) {
  const Instant local = Instant::parse("2026-11-22T18:00:00Z").value();
  const auto after = [&](Duration by) { return Instant{local.microseconds + by.count()}; };
  EXPECT_EQ(corrected_skew({}, after(std::chrono::seconds(30)), local), Duration{0});
  EXPECT_EQ(corrected_skew({}, after(std::chrono::minutes(20)), local), std::chrono::minutes(20));
  EXPECT_EQ(corrected_skew({}, after(-std::chrono::hours(9)), local), -std::chrono::hours(9));
  EXPECT_EQ(corrected_skew(std::chrono::minutes(20), after({}), local), Duration{0});
}

}  // namespace
}  // namespace pawl
