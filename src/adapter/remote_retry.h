// What to do after an attempt at a remote request: the decisions alone, pure. s3_client.h is the shell that asks.
//
// A remote write has three outcomes. An attempt that was sent and not answered, or answered with 500, may have been
// carried out (FACTS: "a 500 on PUT is ambiguous"), and no later refusal takes that back: once an attempt was in doubt,
// the request ends as done or as unknown, never as not done.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/instant.h"

namespace pawl {

enum class RemoteOutcome : std::uint8_t {
  kDone,
  kNotDone,  // definitely
  kUnknown,  // may or may not have been done
};

// How one attempt ended.
enum class AttemptEnd : std::uint8_t {
  kDone,      // 2xx
  kRejected,  // a definite answer that repeating won't change: 403, 404, 412
  kNotDone,   // not carried out; again may succeed: never sent, 409, 408
  kSlowDown,  // not carried out, and the store asks for fewer requests: 503 SlowDown, 429
  kUnknown,   // no answer, 500, 502, 504
  kSkewed,    // refused because our clock is wrong
  kExpired,   // refused because the credentials have expired
};

// Of an answer with this status and, from its body, the service's error code ("" where it gave none).
AttemptEnd classify_answer(unsigned status, std::string_view error_code);

struct RetryPolicy {
  std::uint32_t attempts_max = 5;
  Duration backoff_first =
      std::chrono::milliseconds(50);  // doubled each time; the wait is random below it
  Duration backoff_last = std::chrono::seconds(2);
  Duration deadline =
      std::chrono::seconds(15);  // from the first attempt on; no attempt is begun after it
};

// Retries that all requests of a client share: a store that fails everything gets not many times the load. Sizes as in
// the AWS SDKs' standard retry mode: 500 tokens, 5 a retry (10 after no answer), one back for each first success.
class RetryBudget {
 public:
  static constexpr std::uint32_t kTokensMax = 500;
  static constexpr std::uint32_t kRetryCost = 5;
  static constexpr std::uint32_t kNoAnswerCost = 10;

  bool take(std::uint32_t cost);
  void give(std::uint32_t tokens);
  std::uint32_t left() const { return tokens_; }

 private:
  std::uint32_t tokens_ = kTokensMax;
};

// One request's attempts so far. Only after_attempt() writes it.
struct RetryState {
  std::uint32_t attempts = 0;
  std::uint32_t cost = 0;   // taken from the budget for the last retry
  bool maybe_done = false;  // an attempt was in doubt
  bool corrected = false;   // the clock, once
  bool renewed = false;     // the credentials, once
};

struct RetryDecision {
  bool again = false;
  RemoteOutcome outcome = RemoteOutcome::kUnknown;  // where it is not tried again
  Duration wait{0};                                 // where it is
  bool correct_clock = false;                       // from the answer's Date, first
  bool renew_credentials = false;                   // first
};

// `elapsed` since the first attempt began; `random` is uniform over all values (full jitter).
RetryDecision after_attempt(RetryState& state, AttemptEnd end, Duration elapsed,
                            std::uint64_t random, RetryBudget& budget, const RetryPolicy& policy);

// How far the server's clock is from ours, from the Date of its answers. A difference below a minute is delay and
// rounding, and left alone; S3 refuses from 15 minutes on.
inline constexpr Duration kSkewTolerance = std::chrono::minutes(1);
Duration corrected_skew(Duration skew_now, Instant server_date, Instant local_now);

}  // namespace pawl
