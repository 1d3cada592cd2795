// What becomes of an asynchronous invocation after an attempt, pure. Source: Lambda developer guide, "How Lambda handles errors and
// retries with asynchronous invocation".
#pragma once

#include <cstdint>

#include "base/instant.h"
#include "port/function_host.h"

namespace pawl::function {

inline constexpr std::uint32_t kEventAttemptsMax = 3;
inline constexpr Duration kEventAgeMax = std::chrono::hours(6);

// Where an event stands.
struct EventState {
  Instant accepted;
  Instant due;                 // not begun before
  std::uint32_t attempts = 0;  // that the function failed at
  std::uint32_t refusals = 0;  // in a row: it was throttled, or could not be started

  bool operator==(const EventState&) const = default;
};

enum class EventVerdict : std::uint8_t {
  kDone,
  kAgain,      // `next` is its state from now on
  kDiscarded,  // the function has failed at it three times, or did not take it for six hours
};
struct EventDecision {
  EventVerdict verdict = EventVerdict::kDone;
  EventState next;
};

// An attempt that failed is made again a minute later, then two. What was not begun does not count as an attempt: it is begun
// again after a second, doubled each time up to five minutes.
EventDecision after_attempt(const EventState& state, InvocationResult::Outcome outcome,
                            Instant now);

}  // namespace pawl::function
