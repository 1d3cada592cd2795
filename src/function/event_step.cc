#include "function/event_step.h"

#include <algorithm>

namespace pawl::function {
namespace {

constexpr Duration kRetryAfter = std::chrono::minutes(1);
constexpr Duration kRefusedFirst = std::chrono::seconds(1);
constexpr Duration kRefusedMax = std::chrono::minutes(5);

Instant later(Instant now, Duration by) { return {now.microseconds + by.count()}; }

}  // namespace

EventDecision after_attempt(const EventState& state, InvocationResult::Outcome outcome,
                            Instant now) {
  using Outcome = InvocationResult::Outcome;
  EventDecision decision;
  decision.next = state;
  EventState& next = decision.next;
  switch (outcome) {
    case Outcome::kReturned:
      return decision;
    case Outcome::kFailed:
    case Outcome::kTimedOut:
    case Outcome::kExited:
      ++next.attempts;
      next.refusals = 0;
      next.due = later(now, kRetryAfter * next.attempts);
      decision.verdict =
          next.attempts < kEventAttemptsMax ? EventVerdict::kAgain : EventVerdict::kDiscarded;
      return decision;
    case Outcome::kThrottled:
    case Outcome::kNotRun:
      next.due = later(now, std::min(kRefusedMax, Duration(kRefusedFirst.count()
                                                           << std::min(next.refusals, 16U))));
      ++next.refusals;
      decision.verdict = later(state.accepted, kEventAgeMax) <= now ? EventVerdict::kDiscarded
                                                                    : EventVerdict::kAgain;
      return decision;
  }
  return decision;
}

}  // namespace pawl::function
