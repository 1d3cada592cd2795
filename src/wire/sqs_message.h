// Messages as clients send them: what is legal, how its size counts, and the digests that clients check.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "queue/command.h"
#include "wire/sqs_answer.h"
#include "wire/sqs_value.h"

namespace pawl::wire {

// Of these bytes (RFC 1321). SQS says with it what it received; it protects nothing.
std::array<std::uint8_t, 16> md5(std::string_view bytes);
std::string hex_of(const std::array<std::uint8_t, 16>& digest);
// As documented ("Calculating the MD5 message digest for message attributes"): sorted by name; of each the name, the data
// type and the value, each behind its length (4 bytes, big-endian), and before the value one byte: 1 for text, 2 for binary.
std::string attributes_md5(const std::vector<queue::MessageAttribute>& attributes);

// #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF: what XML 1.0 can carry.
bool is_legal_text(std::string_view text);

// A Send entry out of SendMessage's parameters, or of an entry of SendMessageBatch's.
SqsResult<queue::Send::Entry> parse_sqs_message(const SqsInput& input, std::string_view sender);
// The digests in an answer to a send; those of what was not sent are left out.
void write_sent(SqsAnswer& answer, const queue::Message& message, const queue::MessageId& id);

// "00112233-4455-6677-8899-aabbccddeeff"
std::string message_id_text(const queue::MessageId& id);

// What a receive asks to be told of each message.
struct SqsReceiveNames {
  std::vector<std::string> system;      // "All" or names
  std::vector<std::string> attributes;  // "All", ".*", "prefix.*" or names
};
// Errors: InvalidAttributeName.
SqsResult<SqsReceiveNames> parse_receive_names(const SqsInput& input);
// `region`: of the dead letter queue's source.
void write_received(SqsAnswer& answer, const queue::ReceivedMessage& message,
                    const SqsReceiveNames& names, std::string_view region);

}  // namespace pawl::wire
