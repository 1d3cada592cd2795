#include "queue/queue_format.h"

#include <algorithm>

#include "base/assert.h"
#include "base/base64.h"
#include "base/coding.h"

namespace pawl::queue {
namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::uint8_t kReceiptFormat = 1;
constexpr std::size_t kAttributesMax = 64;  // more than a client may send

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, "a stored " + std::string(what) + " is not what was written",
          "restore DATA/queues from a copy, or move it away to start with no queues"};
}

void append_instant(std::string& out, Instant at) {
  append_u64_be(out, static_cast<std::uint64_t>(at.microseconds));
}
Instant read_instant(Reader& in) { return {static_cast<std::int64_t>(in.u64_be())}; }

std::string_view view_of(const std::array<std::uint8_t, 16>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::array<std::uint8_t, 16> read_16(Reader& in) {
  std::array<std::uint8_t, 16> result{};
  const std::string_view bytes = in.raw(result.size());
  std::copy(bytes.begin(), bytes.end(), result.begin());
  return result;
}

std::string key_of(std::string_view prefix, std::uint64_t number) {
  std::string key(prefix);
  append_u64_be(key, number);
  return key;
}

}  // namespace

std::string queue_key(std::uint64_t id) { return key_of(kQueuePrefix, id); }
std::string count_key(std::uint64_t space) { return key_of(kCountPrefix, space); }

std::string encode_queue(const QueueRecord& queue) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_u64_be(out, queue.id);
  append_u64_be(out, queue.space);
  append_instant(out, queue.created);
  append_instant(out, queue.modified);
  append_bytes(out, queue.name);
  const QueueAttributes& of = queue.attributes;
  append_varint(out, static_cast<std::uint64_t>(of.visibility.count()));
  append_varint(out, static_cast<std::uint64_t>(of.retention.count()));
  append_varint(out, static_cast<std::uint64_t>(of.delay.count()));
  append_varint(out, static_cast<std::uint64_t>(of.receive_wait.count()));
  append_varint(out, of.message_bytes_max);
  append_bytes(out, of.redrive ? of.redrive->target : "");
  append_varint(out, of.redrive ? of.redrive->receives_max : 0);
  return out;
}

Result<QueueRecord> decode_queue(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kRecordFormat) return corrupt("queue");
  QueueRecord queue;
  queue.id = in.u64_be();
  queue.space = in.u64_be();
  queue.created = read_instant(in);
  queue.modified = read_instant(in);
  queue.name = in.bytes();
  QueueAttributes& of = queue.attributes;
  of.visibility = seconds(in.varint());
  of.retention = seconds(in.varint());
  of.delay = seconds(in.varint());
  of.receive_wait = seconds(in.varint());
  of.message_bytes_max = static_cast<std::uint32_t>(in.varint());
  RedrivePolicy redrive;
  redrive.target = in.bytes();
  redrive.receives_max = static_cast<std::uint32_t>(in.varint());
  if (!redrive.target.empty()) of.redrive = std::move(redrive);
  if (!in.at_end() || queue.name.empty()) return corrupt("queue");
  return queue;
}

std::string encode_count(std::uint64_t count) {
  std::string out;
  append_varint(out, count);
  return out;
}

Result<std::uint64_t> decode_count(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t count = in.varint();
  if (!in.at_end()) return corrupt("count of a queue");
  return count;
}

std::string message_key(std::uint64_t space, std::uint64_t sequence) {
  std::string key;
  append_u64_be(key, space);
  append_u64_be(key, sequence);
  return key;
}

std::string encode_message(const Message& message) {
  std::string out;
  out.reserve(message.body.size() + 64);
  append_u8(out, kRecordFormat);
  out.append(view_of(message.body_md5));
  append_bytes(out, message.sender);
  append_bytes(out, message.trace);
  append_varint(out, message.attributes.size());
  for (const MessageAttribute& attribute : message.attributes) {
    append_bytes(out, attribute.name);
    append_bytes(out, attribute.type);
    append_u8(out, attribute.binary ? 1 : 0);
    append_bytes(out, attribute.value);
  }
  out.append(message.body);
  return out;
}

Result<Message> decode_message(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kRecordFormat) return corrupt("message");
  Message message;
  message.body_md5 = read_16(in);
  message.sender = in.bytes();
  message.trace = in.bytes();
  const std::uint64_t attributes = in.varint();
  if (attributes > kAttributesMax) return corrupt("message");
  for (std::uint64_t i = 0; i < attributes; ++i) {
    MessageAttribute attribute;
    attribute.name = in.bytes();
    attribute.type = in.bytes();
    attribute.binary = in.u8() != 0;
    attribute.value = in.bytes();
    message.attributes.push_back(std::move(attribute));
  }
  if (!in.ok()) return corrupt("message");
  message.body = in.rest();
  return message;
}

std::string encode_state(const MessageState& state) {
  std::string out;
  append_u8(out, kRecordFormat);
  out.append(view_of(state.id));
  append_instant(out, state.sent);
  append_instant(out, state.ready);
  append_instant(out, state.first_received);
  append_instant(out, state.last_received);
  append_varint(out, state.receives);
  append_varint(out, state.receives_before);
  append_bytes(out, state.source);
  return out;
}

Result<MessageState> decode_state(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kRecordFormat) return corrupt("message's state");
  MessageState state;
  state.id = read_16(in);
  state.sent = read_instant(in);
  state.ready = read_instant(in);
  state.first_received = read_instant(in);
  state.last_received = read_instant(in);
  state.receives = static_cast<std::uint32_t>(in.varint());
  state.receives_before = static_cast<std::uint32_t>(in.varint());
  state.source = in.bytes();
  if (!in.at_end() || state.receives < state.receives_before) return corrupt("message's state");
  return state;
}

std::string schedule_key(const ScheduleKey& key) {
  std::string out;
  append_u64_be(out, key.space);
  append_instant(out, key.ready);
  append_u64_be(out, key.sequence);
  return out;
}

std::optional<ScheduleKey> parse_schedule_key(std::string_view bytes) {
  Reader in(bytes);
  ScheduleKey key;
  key.space = in.u64_be();
  key.ready = read_instant(in);
  key.sequence = in.u64_be();
  if (!in.at_end()) return std::nullopt;
  return key;
}

std::string schedule_value(const MessageState& state) {
  return std::string(1, state.receives > state.receives_before ? '\1' : '\0');
}
bool is_received(std::string_view schedule_value) {
  return !schedule_value.empty() && schedule_value[0] != '\0';
}

std::string space_start(std::uint64_t space) {
  std::string key;
  append_u64_be(key, space);
  return key;
}

std::optional<std::uint64_t> space_of(std::string_view key) {
  Reader in(key);
  const std::uint64_t space = in.u64_be();
  if (!in.ok()) return std::nullopt;
  return space;
}

std::optional<std::uint64_t> sequence_of(std::string_view key) {
  Reader in(key);
  in.u64_be();
  const std::uint64_t sequence = in.u64_be();
  if (!in.at_end()) return std::nullopt;
  return sequence;
}

std::string receipt_text(const Receipt& receipt) {
  std::string bytes;
  append_u8(bytes, kReceiptFormat);
  append_u64_be(bytes, receipt.queue);
  append_u64_be(bytes, receipt.space);
  append_u64_be(bytes, receipt.sequence);
  bytes.append(view_of(receipt.id));
  append_u32_be(bytes, receipt.receives);
  return to_base64(bytes);
}

std::optional<Receipt> parse_receipt(std::string_view text) {
  if (text.size() > 64) return std::nullopt;
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  Reader in(*bytes);
  if (in.u8() != kReceiptFormat) return std::nullopt;
  Receipt receipt;
  receipt.queue = in.u64_be();
  receipt.space = in.u64_be();
  receipt.sequence = in.u64_be();
  receipt.id = read_16(in);
  receipt.receives = in.u32_be();
  if (!in.at_end()) return std::nullopt;
  return receipt;
}

}  // namespace pawl::queue
