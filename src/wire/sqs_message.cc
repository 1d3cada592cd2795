#include "wire/sqs_message.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/assert.h"
#include "base/base64.h"
#include "base/coding.h"
#include "base/hex.h"
#include "item/utf8.h"
#include "queue/queue_format.h"
#include "wire/sqs_queue_attributes.h"

namespace pawl::wire {
namespace {

constexpr std::size_t kAttributesMax = 10;
constexpr std::size_t kNameMax = 256;
constexpr std::size_t kTraceMax = 1024;
constexpr std::string_view kTraceName = "AWSTraceHeader";

SqsError invalid(std::string message) {
  return sqs_error(sqs_errors::kInvalidParameter, std::move(message));
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text.substr(0, kNameMax)) + "'";
}

bool is_legal_name(std::string_view name) {
  if (name.empty() || name.size() > kNameMax || name.front() == '.' || name.back() == '.') {
    return false;
  }
  if (name.find("..") != std::string_view::npos) return false;
  for (const std::string_view reserved : {"aws.", "amazon."}) {
    if (name.size() >= reserved.size() &&
        equal_ignoring_case(name.substr(0, reserved.size()), reserved)) {
      return false;
    }
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// [+-]digits[.digits][e[+-]digits]
bool is_number(std::string_view text) {
  std::size_t at = 0;
  const auto sign = [&] { at += at < text.size() && (text[at] == '+' || text[at] == '-') ? 1 : 0; };
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0 || count > 38) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    const std::size_t exponent = digits();
    if (exponent == 0 || exponent > 3) return false;
  }
  return at == text.size();
}

// "String", "Number.int": the part before the label.
std::string_view base_type(std::string_view type) { return type.substr(0, type.find('.')); }

SqsResult<queue::MessageAttribute> parse_attribute(const std::string& name, const SqsInput& input) {
  queue::MessageAttribute attribute;
  attribute.name = name;
  if (input.has("StringListValues") || input.has("BinaryListValues") ||
      input.has("StringListValue") || input.has("BinaryListValue")) {
    return sqs_unsupported("list values of message attributes (nor does the service)");
  }
  WIRE_ASSIGN(const auto type, input.text("DataType"));
  WIRE_ASSIGN(const auto text, input.text("StringValue"));
  WIRE_ASSIGN(const auto binary, input.text("BinaryValue"));
  attribute.type = type.value_or("");
  const std::string_view base = base_type(attribute.type);
  const bool known = base == "String" || base == "Number" || base == "Binary";
  if (!known || attribute.type.size() > kNameMax || !is_legal_text(attribute.type)) {
    return invalid("The message attribute " + in_quotes(name) +
                   " must have a data type of String, Number or Binary.");
  }
  attribute.binary = base == "Binary";
  if (attribute.binary) {
    const auto bytes = from_base64(binary.value_or(""));
    if (!bytes) return invalid("The message attribute " + in_quotes(name) + " is no base64.");
    attribute.value = *bytes;
  } else {
    attribute.value = text.value_or("");
  }
  if (attribute.value.empty()) {
    return invalid("The message attribute " + in_quotes(name) +
                   " must contain a non-empty value of its data type " + in_quotes(base) + ".");
  }
  if (!attribute.binary && !is_legal_text(attribute.value)) {
    return sqs_error(sqs_errors::kInvalidContents,
                     "The message attribute " + in_quotes(name) + " has illegal characters.");
  }
  if (base == "Number" && !is_number(attribute.value)) {
    return invalid("The message attribute " + in_quotes(name) + " is no number.");
  }
  return attribute;
}

SqsResult<std::vector<queue::MessageAttribute>> parse_attributes(const SqsInput& input) {
  WIRE_ASSIGN(const auto entries, input.map("MessageAttributes", "MessageAttribute"));
  if (entries.size() > kAttributesMax) {
    return invalid("A message has at most 10 attributes.");
  }
  std::vector<queue::MessageAttribute> attributes;
  for (const auto& [name, value] : entries) {
    if (!is_legal_name(name)) {
      return invalid("The message attribute name " + in_quotes(name) + " is invalid.");
    }
    WIRE_ASSIGN(queue::MessageAttribute attribute, parse_attribute(name, value));
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

SqsResult<std::string> parse_trace(const SqsInput& input) {
  WIRE_ASSIGN(const auto entries, input.map("MessageSystemAttributes", "MessageSystemAttribute"));
  std::string trace;
  for (const auto& [name, value] : entries) {
    if (name != kTraceName) {
      return invalid("The message system attribute name " + in_quotes(name) + " is invalid.");
    }
    WIRE_ASSIGN(const auto attribute, parse_attribute(name, value));
    if (attribute.type != "String" || attribute.value.size() > kTraceMax) {
      return invalid("AWSTraceHeader must be a String of at most 1024 bytes.");
    }
    trace = attribute.value;
  }
  return trace;
}

std::vector<queue::MessageAttribute> trace_attribute(const queue::Message& message) {
  if (message.trace.empty()) return {};
  return {{std::string(kTraceName), "String", message.trace, false}};
}

std::string milliseconds_text(Instant at) { return std::to_string(at.microseconds / 1000); }

bool wants(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return one == "All" || one == name; });
}

bool wants_attribute(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) {
    if (one == "All" || one == name) return true;
    return one.ends_with(".*") && name.starts_with(one.substr(0, one.size() - 2));
  });
}

constexpr std::string_view kSystemNames[] = {
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
};

void write_system(SqsAnswer& answer, const queue::ReceivedMessage& got,
                  const std::vector<std::string>& names, std::string_view region) {
  const std::pair<std::string_view, std::string> known[] = {
      {"SenderId", got.message.sender.empty() ? "anonymous" : got.message.sender},
      {"SentTimestamp", milliseconds_text(got.state.sent)},
      {"ApproximateReceiveCount", std::to_string(got.state.receives)},
      {"ApproximateFirstReceiveTimestamp", milliseconds_text(got.state.first_received)},
      {"AWSTraceHeader", got.message.trace},
      {"DeadLetterQueueSourceArn",
       got.state.source.empty() ? "" : queue_arn(region, got.state.source)},
  };
  bool begun = false;
  for (const auto& [name, value] : known) {
    if (value.empty() || !wants(names, name)) continue;
    if (!begun) answer.begin_map("Attributes", "Attribute");
    begun = true;
    answer.map_text(name, value);
  }
  if (begun) answer.end_map();
}

}  // namespace

std::array<std::uint8_t, 16> md5(std::string_view bytes) {
  std::array<std::uint8_t, 16> digest{};
  unsigned size = 0;
  PAWL_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) ==
              1);
  PAWL_ASSERT(size == digest.size());
  return digest;
}

std::string hex_of(const std::array<std::uint8_t, 16>& digest) {
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string attributes_md5(const std::vector<queue::MessageAttribute>& attributes) {
  std::vector<const queue::MessageAttribute*> sorted;
  sorted.reserve(attributes.size());
  for (const auto& attribute : attributes) sorted.push_back(&attribute);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  std::string bytes;
  const auto append = [&](std::string_view text) {
    append_u32_be(bytes, static_cast<std::uint32_t>(text.size()));
    bytes.append(text);
  };
  for (const auto* attribute : sorted) {
    append(attribute->name);
    append(attribute->type);
    append_u8(bytes, attribute->binary ? 2 : 1);
    append(attribute->value);
  }
  return hex_of(md5(bytes));
}

bool is_legal_text(std::string_view text) {
  if (!item::is_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') return false;
    // U+FFFE and U+FFFF.
    if (byte == 0xEF && static_cast<unsigned char>(text[i + 1]) == 0xBF &&
        static_cast<unsigned char>(text[i + 2]) >= 0xBE) {
      return false;
    }
  }
  return true;
}

SqsResult<queue::Send::Entry> parse_sqs_message(const SqsInput& input, std::string_view sender) {
  queue::Send::Entry entry;
  WIRE_ASSIGN(const auto body, input.text("MessageBody"));
  if (!body || body->empty()) {
    return sqs_error(sqs_errors::kMissingParameter,
                     "The request must contain the parameter MessageBody.");
  }
  for (const std::string_view name : {"MessageDeduplicationId", "MessageGroupId"}) {
    if (input.has(name)) return sqs_unsupported("FIFO queues (" + std::string(name) + ")");
  }
  if (!is_legal_text(*body)) {
    return sqs_error(sqs_errors::kInvalidContents,
                     "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
                     "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
  }
  WIRE_ASSIGN(const auto delay, input.integer("DelaySeconds"));
  if (delay && (*delay < 0 || *delay > queue::kDelayMax.count())) {
    return invalid("Value " + std::to_string(*delay) +
                   " for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "
                   "<= 900.");
  }
  if (delay) entry.delay = queue::seconds(*delay);
  WIRE_ASSIGN(entry.message.attributes, parse_attributes(input));
  WIRE_ASSIGN(entry.message.trace, parse_trace(input));
  entry.message.body = *body;
  entry.message.body_md5 = md5(*body);
  entry.message.sender = sender;
  entry.bytes = body->size();
  for (const auto& attribute : entry.message.attributes) {
    entry.bytes += attribute.name.size() + attribute.type.size() + attribute.value.size();
  }
  return entry;
}

void write_sent(SqsAnswer& answer, const queue::Message& message, const queue::MessageId& id) {
  answer.text("MessageId", message_id_text(id));
  answer.text("MD5OfMessageBody", hex_of(message.body_md5));
  if (!message.attributes.empty()) {
    answer.text("MD5OfMessageAttributes", attributes_md5(message.attributes));
  }
  if (!message.trace.empty()) {
    answer.text("MD5OfMessageSystemAttributes", attributes_md5(trace_attribute(message)));
  }
}

std::string message_id_text(const queue::MessageId& id) {
  std::string text = hex_of(id);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

SqsResult<SqsReceiveNames> parse_receive_names(const SqsInput& input) {
  SqsReceiveNames names;
  WIRE_ASSIGN(names.system, input.texts("AttributeNames", "AttributeName"));
  // The newer name of the same list.
  WIRE_ASSIGN(auto newer, input.texts("MessageSystemAttributeNames", "MessageSystemAttributeName"));
  names.system.insert(names.system.end(), newer.begin(), newer.end());
  WIRE_ASSIGN(names.attributes, input.texts("MessageAttributeNames", "MessageAttributeName"));
  for (const std::string& name : names.system) {
    if (std::find(std::begin(kSystemNames), std::end(kSystemNames), name) ==
        std::end(kSystemNames)) {
      return sqs_error(sqs_errors::kInvalidAttributeName, "Unknown Attribute " + in_quotes(name));
    }
  }
  return names;
}

void write_received(SqsAnswer& answer, const queue::ReceivedMessage& got,
                    const SqsReceiveNames& names, std::string_view region) {
  answer.text("MessageId", message_id_text(got.state.id));
  answer.text("ReceiptHandle", queue::receipt_text(got.receipt));
  answer.text("MD5OfBody", hex_of(got.message.body_md5));
  answer.text("Body", got.message.body);
  write_system(answer, got, names.system, region);
  std::vector<queue::MessageAttribute> wanted;
  for (const auto& attribute : got.message.attributes) {
    if (wants_attribute(names.attributes, attribute.name)) wanted.push_back(attribute);
  }
  if (wanted.empty()) return;
  answer.text("MD5OfMessageAttributes", attributes_md5(wanted));
  answer.begin_map("MessageAttributes", "MessageAttribute");
  for (const auto& attribute : wanted) {
    answer.begin_map_item(attribute.name);
    if (attribute.binary) {
      answer.text("BinaryValue", to_base64(attribute.value));
    } else {
      answer.text("StringValue", attribute.value);
    }
    answer.text("DataType", attribute.type);
    answer.end_map_item();
  }
  answer.end_map();
}

}  // namespace pawl::wire
