#include "table/answer_format.h"

#include <algorithm>

#include "base/coding.h"

namespace pawl::table {

std::uint32_t answer_slot(Instant instant) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(instant.microseconds, 0) /
                                    kAnswerLifetime.count());
}

std::string answer_id(const RepeatGuard& guard) {
  std::string text;
  append_u8(text, guard.client_token ? 1 : 0);
  append_bytes(text, guard.caller);
  append_bytes(text, guard.id);
  const Digest digest = sha256(text);
  return {reinterpret_cast<const char*>(digest.bytes.data()), 16};
}

std::string answer_key(std::uint32_t slot, std::string_view id) {
  std::string key;
  append_u32_be(key, slot);
  key += id;
  return key;
}

std::string encode_answer(Instant instant, const Digest& request, std::string_view answer) {
  std::string out;
  out.reserve(8 + request.bytes.size() + answer.size());
  append_u64_be(out, static_cast<std::uint64_t>(instant.microseconds));
  out.append(reinterpret_cast<const char*>(request.bytes.data()), request.bytes.size());
  out += answer;
  return out;
}

Result<StoredAnswer> decode_answer(std::string_view encoded) {
  Reader reader(encoded);
  StoredAnswer stored;
  stored.instant = {static_cast<std::int64_t>(reader.u64_be())};
  const std::string_view digest = reader.raw(stored.request.bytes.size());
  if (!reader.ok()) {
    return Error{ErrorCode::kCorrupt, "a stored answer can't be read",
                 "the data directory is damaged: restore it from the archive"};
  }
  std::copy(digest.begin(), digest.end(), stored.request.bytes.begin());
  stored.answer = reader.rest();
  return stored;
}

}  // namespace pawl::table
