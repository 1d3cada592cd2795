// How queues are stored: docs/internals/queues.md. Queues have an ordered store of their own (DATA/queues), of which they use
// four key spaces; the names of KeySpace are the table's, so they are given names here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "port/key_value_store.h"
#include "queue/queue_types.h"

namespace pawl::queue {

inline constexpr KeySpace kQueues = KeySpace::kCatalog;          // queue records, counts
inline constexpr KeySpace kMessages = KeySpace::kItems;          // what was sent; never changes
inline constexpr KeySpace kStates = KeySpace::kDeletedVersions;  // where each message stands
inline constexpr KeySpace kSchedule = KeySpace::kChanges;        // messages by when they are ready

inline constexpr unsigned kQueueFormat = 1;
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kQueuePrefix = "queue/";
inline constexpr std::string_view kCountPrefix = "count/";

// queue/ id (8), count/ space (8)
std::string queue_key(std::uint64_t id);
std::string count_key(std::uint64_t space);
std::string encode_queue(const QueueRecord& queue);
Result<QueueRecord> decode_queue(std::string_view bytes);
std::string encode_count(std::uint64_t count);
Result<std::uint64_t> decode_count(std::string_view bytes);

// Messages and states: space (8) sequence (8).
std::string message_key(std::uint64_t space, std::uint64_t sequence);
std::string encode_message(const Message& message);
Result<Message> decode_message(std::string_view bytes);
std::string encode_state(const MessageState& state);
Result<MessageState> decode_state(std::string_view bytes);

// The schedule: space (8) ready (8, microseconds) sequence (8) -> 1 byte: whether it was received in this space.
struct ScheduleKey {
  std::uint64_t space = 0;
  Instant ready;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const ScheduleKey&, const ScheduleKey&) = default;
};
std::string schedule_key(const ScheduleKey& key);
std::optional<ScheduleKey> parse_schedule_key(std::string_view bytes);
// Whether hiding counts as "in flight" (it was received) or as "delayed" (it was not).
std::string schedule_value(const MessageState& state);
bool is_received(std::string_view schedule_value);

// The first key of a space in any of the three, which is the end of the one before it.
std::string space_start(std::uint64_t space);
// The space that a key of messages, states or schedule is in; nothing if it is too short.
std::optional<std::uint64_t> space_of(std::string_view key);
// The sequence number in a key of messages or states.
std::optional<std::uint64_t> sequence_of(std::string_view key);

// A receipt as the text that clients carry: base64 of 45 bytes. Nothing if it was not made here.
std::string receipt_text(const Receipt& receipt);
std::optional<Receipt> parse_receipt(std::string_view text);

}  // namespace pawl::queue
