// The records of KeySpace::kAnswers: what was answered to commands that a client may send again.
// See docs/internals/data-directory.md, "Answers".
//
//   key    slot (4 bytes big-endian) | first 16 bytes of SHA-256(caller, kind, id)
//   value  instant (8, big-endian) | digest of the request (32) | the answer
// A slot is kAnswerLifetime long, counted from the epoch. An answer younger than that lies in the
// present slot or the one before, so a lookup is two point reads, and expiry removes whole slots
// with one range.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/instant.h"
#include "base/result.h"
#include "table/command.h"

namespace pawl::table {

// As long as the service keeps client request tokens (Amazon DynamoDB API reference,
// TransactWriteItems).
inline constexpr Duration kAnswerLifetime = std::chrono::minutes(10);

// The slot of an instant.
std::uint32_t answer_slot(Instant instant);
// What identifies a guard in any slot: 16 bytes.
std::string answer_id(const RepeatGuard& guard);
std::string answer_key(std::uint32_t slot, std::string_view id);

struct StoredAnswer {
  Instant instant;
  Digest request;
  std::string answer;
};
std::string encode_answer(Instant instant, const Digest& request, std::string_view answer);
Result<StoredAnswer> decode_answer(std::string_view encoded);  // kCorrupt

}  // namespace pawl::table
