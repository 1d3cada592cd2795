#include "wire/shard_iterator.h"

#include "base/base64.h"
#include "base/coding.h"
#include "sigv4/signature.h"

namespace pawl::wire {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kBodySize = 38;
constexpr std::size_t kProofSize = 16;
constexpr std::size_t kTokenSize = (kBodySize + kProofSize) / 3 * 4;  // a multiple of 3: no padding
static_assert((kBodySize + kProofSize) % 3 == 0);

std::string proof_of(std::string_view body, std::string_view key) {
  const sigv4::HmacKey digest = sigv4::hmac_sha256(key, body);
  return {digest.begin(), digest.begin() + kProofSize};
}

// In a time that does not tell where they differ.
bool equal(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

std::string encode_iterator(const ShardIterator& iterator, std::string_view key) {
  std::string body;
  append_u8(body, kFormat);
  append_u8(body, iterator.after ? 0 : 1);
  append_u64_be(body, iterator.incarnation.value);
  append_u64_be(body, static_cast<std::uint64_t>(iterator.label.microseconds));
  append_u32_be(body, iterator.shard);
  append_u64_be(body, iterator.after.value_or(SequenceNumber{}).value);
  append_u64_be(body, static_cast<std::uint64_t>(iterator.made.microseconds));
  body += proof_of(body, key);
  return to_base64(body);
}

std::optional<ShardIterator> decode_iterator(std::string_view token, std::string_view key) {
  if (token.size() != kTokenSize) return std::nullopt;
  const auto bytes = from_base64(token);
  if (!bytes || bytes->size() != kBodySize + kProofSize) return std::nullopt;
  const std::string_view body = std::string_view(*bytes).substr(0, kBodySize);
  if (!equal(std::string_view(*bytes).substr(kBodySize), proof_of(body, key))) return std::nullopt;
  Reader reader(body);
  if (reader.u8() != kFormat) return std::nullopt;
  const bool from_horizon = reader.u8() == 1;
  ShardIterator iterator;
  iterator.incarnation = {reader.u64_be()};
  iterator.label = {static_cast<std::int64_t>(reader.u64_be())};
  iterator.shard = reader.u32_be();
  const SequenceNumber after{reader.u64_be()};
  if (!from_horizon) iterator.after = after;
  iterator.made = {static_cast<std::int64_t>(reader.u64_be())};
  return iterator;
}

}  // namespace pawl::wire
