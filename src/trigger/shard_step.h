// The decisions of one mapping for one shard of its stream, as a pure step: what to read, with what to call the function, what is
// tried again, what has failed for good, and how far the checkpoint may go.
//
//   stream --Read--> buffer --Invoke--> done --KeepCheckpoint--> kept
//                        \--KeepDeadLetters--> \--Deliver--> done
//
// Two profiles, which differ in what may be lost:
//   pawl  nothing. A change is done when the function has answered for it, or when its dead letter is durable. An age or a
//         number of retries is what the client wants to wait, not what may be dropped: whatever fails for good becomes a dead
//         letter, and never before it has been tried. A batch that goes on failing is split until the change that fails is
//         alone, so that none is condemned for its neighbour's sake.
//   aws   what the service loses (FACTS, "Lambda event source mapping"): a batch out of retries is dropped whole, what is too
//         old is dropped untried, what the source has trimmed is gone without a word.
//
// Invariants, in both:
//   a change is given to the function only when every one before it that matches the filter is done (order in the shard);
//   kept <= done, and everything through `done` was answered for, or dropped as the profile allows;
//   at most one of reading, invoking, keeping and delivering is under way; a checkpoint may be kept beside it.
// Source of the service's rules: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB".
//
// After a crash: a new step from the last durable checkpoint; what was done after it is delivered again. Counts of attempts
// begin anew. trigger_stage.h is the shell; shard_step_exploration_test.cc visits every state of a small world around it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"

namespace pawl::trigger {

enum class Profile : std::uint8_t { kPawl, kAws };

// Waits after a failure of the function: doubled from the first to the last.
inline constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
inline constexpr Duration kRetryLast = std::chrono::seconds(10);
// Where the function was not begun at all: all its processes are at work, or there is none yet.
inline constexpr Duration kBusyFirst = std::chrono::milliseconds(10);
inline constexpr Duration kBusyLast = std::chrono::seconds(1);
// Failures of one batch, under pawl, after which it is split whether the client asked for that or not.
inline constexpr std::uint32_t kSplitAfter = 3;
inline constexpr std::uint32_t kDeliveriesMax = 3;  // of one failure to its destination

struct StepSettings {
  Profile profile = Profile::kPawl;
  bool enabled = true;
  std::size_t batch_size = 100;
  std::size_t bytes_max = 0;                 // of the records of a batch
  Duration window{0};                        // how long a batch may wait to become full
  std::optional<std::uint32_t> retries_max;  // nothing: no end
  std::optional<Duration> age_max;           // likewise
  std::optional<Duration> retention;         // aws: the source forgets what is older
  bool bisect = false;
  bool has_destination = false;
  bool operator==(const StepSettings&) const = default;
};

// Why a change has failed for good.
enum class Reason : std::uint8_t { kRetriesExhausted, kTooOld, kTooLarge, kTrimmed };

// A change that was read and matches the filter.
struct Taken {
  SequenceNumber sequence;
  Instant instant;
  std::size_t bytes = 0;  // of its record in the payload
  bool operator==(const Taken&) const = default;
};

// -- what happened --

// The shard's changes go through `newest`; time has passed. Never answers an effect.
struct Woken {
  SequenceNumber newest;
};
// Takes effect when what is under way has ended. What was read is read anew: the filter may be another.
struct Configured {
  StepSettings settings;
};
// aws: the position of a LATEST mapping is set anew when it is updated.
struct MovedTo {
  SequenceNumber position;
};
struct ReadAnswered {
  std::vector<Taken> records = {};  // those that match, in order
  SequenceNumber through;           // everything through here was looked at
  bool full = false;                // the next one did not fit any more
  bool ended = false;               // nothing will ever come behind `through`
};
struct ReadFailed {
  std::optional<SequenceNumber> gone_through;  // changes through here were trimmed; else try again
};
struct Invoked {
  enum class Outcome : std::uint8_t {
    kDone,
    kPartly,    // all before `failed_from`, which is of the batch
    kFailed,    // it threw, was killed, exited, or answered rubbish
    kNotBegun,  // throttled, or can't be started: never counted
  };
  Outcome outcome = Outcome::kFailed;
  SequenceNumber failed_from;
};
struct DeadLettersKept {
  bool durable = false;
};
struct Delivered {
  bool done = false;
};
struct CheckpointKept {
  SequenceNumber through;
};
// A Read or an Invoke was not begun: a Configured came in between (`reread`). Nothing is counted.
struct Withdrawn {};
using StepEvent = std::variant<Woken, Configured, MovedTo, ReadAnswered, ReadFailed, Invoked,
                               DeadLettersKept, Delivered, CheckpointKept, Withdrawn>;

// -- what to do about it, and to answer with the event of its kind --

// `bytes_max` is for records; where nothing is buffered, one is taken however large it is.
struct Read {
  SequenceNumber after;
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
  bool operator==(const Read&) const = default;
};
// With the first `count` of the buffer.
struct Invoke {
  std::size_t count = 0;
  bool operator==(const Invoke&) const = default;
};
// Make dead letters of the first `count` of the buffer durable. Of kTrimmed: one, of what is missing behind `done` and
// through `gone_through`, and count is 0.
struct KeepDeadLetters {
  std::size_t count = 0;
  Reason reason = Reason::kRetriesExhausted;
  std::uint32_t attempts = 0;
  SequenceNumber gone_through;
  bool operator==(const KeepDeadLetters&) const = default;
};
// Tell the on-failure destination of them.
struct Deliver {
  std::size_t count = 0;
  Reason reason = Reason::kRetriesExhausted;
  std::uint32_t attempts = 0;
  bool operator==(const Deliver&) const = default;
};
// May be done with others' in one sync; begun at once, and answered beside everything else.
struct KeepCheckpoint {
  SequenceNumber through;
  bool operator==(const KeepCheckpoint&) const = default;
};
using StepEffect = std::variant<Read, Invoke, KeepDeadLetters, Deliver, KeepCheckpoint>;

// What the step counts, since its start.
struct StepCounts {
  std::uint64_t delivered = 0;          // changes that the function answered for
  std::uint64_t failures = 0;           // invocations that failed
  std::uint64_t not_begun = 0;          // and that could not be begun
  std::uint64_t dead_letters = 0;       // kept (pawl)
  std::uint64_t dropped = 0;            // failed for good, and forgotten (aws)
  std::uint64_t expired = 0;            // gone from the source before they were done (aws)
  std::uint64_t failed_deliveries = 0;  // of failures, to the destination, given up
  bool operator==(const StepCounts&) const = default;
};

// Regular value type. Its members are for reading; only step() writes them.
struct ShardStep {
  enum class Phase : std::uint8_t { kOpen, kReading, kInvoking, kKeeping, kDelivering };
  // A stretch of the buffer that is given to the function by itself. They follow each other from the buffer's start; behind
  // the last one batches are not formed yet.
  struct Piece {
    std::size_t count = 0;
    std::uint32_t attempts = 0;  // failed ones that count
    bool operator==(const Piece&) const = default;
  };
  struct Condemned {
    std::size_t count = 0;
    Reason reason = Reason::kRetriesExhausted;
    std::uint32_t attempts = 0;
    std::uint32_t deliveries = 0;
    bool kept = false;  // its dead letters are durable
    SequenceNumber gone_through = {};
    bool operator==(const Condemned&) const = default;
  };

  // From a durable checkpoint.
  static ShardStep from(SequenceNumber checkpoint, const StepSettings& settings);

  StepSettings settings;
  SequenceNumber kept;      // the durable checkpoint
  SequenceNumber done;      // everything through here is
  SequenceNumber position;  // read through here
  SequenceNumber newest;    // the shard goes through here
  std::deque<Taken> buffer;
  std::size_t buffer_bytes = 0;
  MonotonicInstant buffered_since;  // when the first that is in no piece was read
  std::vector<Piece> pieces;
  std::optional<Condemned> condemned;
  Phase phase = Phase::kOpen;
  bool full = false;
  bool ended = false;
  bool keeping_checkpoint = false;
  bool reread = false;
  std::uint32_t failures = 0;   // in a row
  std::uint32_t not_begun = 0;  // calls that could not be begun, in a row
  MonotonicInstant retry_at;
  StepCounts counts;
  bool operator==(const ShardStep&) const = default;

  bool is_busy() const { return phase != Phase::kOpen; }
  // The change that stands in the way of all others: alone, and it has failed.
  const Taken* blocking() const;
};

// Effects in the order in which they must be begun. An event that answers must be one that the phase waits for.
std::vector<StepEffect> step(ShardStep& state, const StepEvent& event, Instant wall,
                             MonotonicInstant now);

// When a Woken is due by itself; nothing: not before something happens.
std::optional<MonotonicInstant> next_wake(const ShardStep& state);

}  // namespace pawl::trigger
