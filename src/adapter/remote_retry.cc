#include "adapter/remote_retry.h"

#include <algorithm>

namespace pawl {

AttemptEnd classify_answer(unsigned status, std::string_view error_code) {
  if (status >= 200 && status < 300) return AttemptEnd::kDone;
  if (error_code == "RequestTimeTooSkewed" || error_code == "RequestExpired")
    return AttemptEnd::kSkewed;
  if (error_code == "ExpiredToken" || error_code == "ExpiredTokenException" ||
      error_code == "TokenRefreshRequired")
    return AttemptEnd::kExpired;
  if (status == 429 || status == 503 || error_code == "SlowDown" || error_code == "Throttling" ||
      error_code == "ThrottlingException" || error_code == "RequestLimitExceeded") {
    // A 503 that names no reason may come from something in between, after the store has carried it out.
    return error_code.empty() && status == 503 ? AttemptEnd::kUnknown : AttemptEnd::kSlowDown;
  }
  if (status == 409 || status == 408 || error_code == "RequestTimeout") return AttemptEnd::kNotDone;
  if (status >= 500) return AttemptEnd::kUnknown;
  return AttemptEnd::kRejected;
}

bool RetryBudget::take(std::uint32_t cost) {
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void RetryBudget::give(std::uint32_t tokens) { tokens_ = std::min(kTokensMax, tokens_ + tokens); }

namespace {

RetryDecision finish(const RetryState& state, AttemptEnd end, RetryBudget& budget) {
  RetryDecision decision;
  if (end == AttemptEnd::kDone) {
    decision.outcome = RemoteOutcome::kDone;
    budget.give(state.cost > 0 ? state.cost : 1);
  } else {
    decision.outcome = state.maybe_done ? RemoteOutcome::kUnknown : RemoteOutcome::kNotDone;
  }
  return decision;
}

Duration jittered(std::uint32_t attempts, std::uint64_t random, const RetryPolicy& policy) {
  const auto doublings = std::min<std::uint32_t>(attempts - 1, 20);
  const Duration most =
      std::min(policy.backoff_first * (std::int64_t{1} << doublings), policy.backoff_last);
  return Duration{static_cast<std::int64_t>(random % static_cast<std::uint64_t>(most.count() + 1))};
}

}  // namespace

RetryDecision after_attempt(RetryState& state, AttemptEnd end, Duration elapsed,
                            std::uint64_t random, RetryBudget& budget, const RetryPolicy& policy) {
  ++state.attempts;
  if (end == AttemptEnd::kUnknown) state.maybe_done = true;
  if (end == AttemptEnd::kDone || end == AttemptEnd::kRejected) return finish(state, end, budget);
  // Refused for a reason that can be mended: once each, at once.
  if (end == AttemptEnd::kSkewed || end == AttemptEnd::kExpired) {
    bool& mended = end == AttemptEnd::kSkewed ? state.corrected : state.renewed;
    if (mended) return finish(state, end, budget);
    mended = true;
    RetryDecision decision;
    decision.again = true;
    decision.correct_clock = end == AttemptEnd::kSkewed;
    decision.renew_credentials = end == AttemptEnd::kExpired;
    return decision;
  }
  const Duration wait = jittered(state.attempts, random, policy);
  if (state.attempts >= policy.attempts_max || elapsed + wait >= policy.deadline)
    return finish(state, end, budget);
  const std::uint32_t cost =
      end == AttemptEnd::kUnknown ? RetryBudget::kNoAnswerCost : RetryBudget::kRetryCost;
  if (!budget.take(cost)) return finish(state, end, budget);
  state.cost = cost;
  RetryDecision decision;
  decision.again = true;
  decision.wait = wait;
  return decision;
}

Duration corrected_skew(Duration skew_now, Instant server_date, Instant local_now) {
  const Duration difference{server_date.microseconds - local_now.microseconds};
  const Duration off = difference - skew_now;
  return off > kSkewTolerance || off < -kSkewTolerance ? difference : skew_now;
}

}  // namespace pawl
