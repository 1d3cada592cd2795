// The nouns of a queue: its attributes, a message, and where a message stands. Plain data, shared by the decisions
// (message_step.h), the stored forms (queue_format.h) and the commands (command.h).
//
// A queue here is a standard queue as Amazon SQS has them: at least once, no order promised, messages that are received
// stay hidden for a while and come back unless they are deleted. Source: the Amazon SQS developer guide and API reference.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"

namespace pawl::queue {

using std::chrono::seconds;

// The service's bounds.
inline constexpr std::uint32_t kMessageBytesMax = 256 * 1024;  // of a message, and of a whole batch
inline constexpr std::uint32_t kMessageBytesMin = 1024;        // least MaximumMessageSize
inline constexpr seconds kVisibilityMax{43'200};
inline constexpr seconds kDelayMax{900};
inline constexpr seconds kWaitMax{20};
inline constexpr seconds kRetentionMin{60};
inline constexpr seconds kRetentionMax{1'209'600};
inline constexpr std::uint32_t kReceivesMax = 1000;  // of a redrive policy
inline constexpr std::size_t kBatchMax = 10;         // messages of one request
inline constexpr std::uint64_t kInFlightMax = 120'000;

// After `receives_max` receives without a deletion a message goes to the queue named `target`.
struct RedrivePolicy {
  std::string target;
  std::uint32_t receives_max = 0;  // 1 to kReceivesMax
  bool operator==(const RedrivePolicy&) const = default;
};

struct QueueAttributes {
  seconds visibility{30};
  seconds retention{345'600};
  seconds delay{0};
  seconds receive_wait{0};
  std::uint32_t message_bytes_max = kMessageBytesMax;
  std::optional<RedrivePolicy> redrive;
  bool operator==(const QueueAttributes&) const = default;
};

// Those that a request names; the others stay as they are. Each is within the bounds above already.
struct AttributeChanges {
  std::optional<seconds> visibility;
  std::optional<seconds> retention;
  std::optional<seconds> delay;
  std::optional<seconds> receive_wait;
  std::optional<std::uint32_t> message_bytes_max;
  std::optional<std::optional<RedrivePolicy>> redrive;  // the inner nothing takes the policy away
};

struct QueueRecord {
  std::uint64_t id = 0;     // for ever this queue's: a namesake that comes after it has another
  std::uint64_t space = 0;  // where its messages are; a purge gives it a new one
  std::string name;
  Instant created;
  Instant modified;
  QueueAttributes attributes;
};

struct MessageAttribute {
  std::string name;
  std::string type;  // "String", "Number", "Binary", each with an optional ".label"
  std::string value;
  bool binary = false;
};

using MessageId = std::array<std::uint8_t, 16>;

// What a client sent. Never changes.
struct Message {
  std::string body;
  std::array<std::uint8_t, 16> body_md5{};
  std::vector<MessageAttribute> attributes;
  std::string trace;   // AWSTraceHeader, or empty
  std::string sender;  // access key id, or empty
};

// Where a message stands. `ready` is the one thing that decides who may have it: from then on, whoever asks.
struct MessageState {
  MessageId id{};
  Instant sent;
  Instant ready;                      // delayed or in flight until then
  Instant first_received;             // 0: never
  Instant last_received;              // 0: never
  std::uint32_t receives = 0;         // over all queues
  std::uint32_t receives_before = 0;  // of those, before it came to this queue as a dead letter
  std::string source;                 // the queue that it came from as a dead letter, or empty

  bool operator==(const MessageState&) const = default;
};

// What a receive hands out, and a deletion brings back: this receive of this message.
struct Receipt {
  std::uint64_t queue = 0;
  std::uint64_t space = 0;
  std::uint64_t sequence = 0;
  MessageId id{};
  std::uint32_t receives = 0;
  bool operator==(const Receipt&) const = default;
};

}  // namespace pawl::queue
