// Shard iterators: where a reader of a stream is, as a token that says it all by itself. Nothing of it is kept on the server,
// so an iterator is as good after a restart as before, and nobody can exhaust anything by asking for many.
//
// The token is base64 of: format (1) · from horizon (1) · incarnation (8) · label (8) · shard (4) · after (8) · made (8), all
// big-endian, and the first 16 bytes of their HMAC-SHA-256 under a key that the data directory keeps. So a client can't
// make one for itself, and what comes back is what was given out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/instant.h"

namespace pawl::wire {

// How long an iterator is good for (API reference of DynamoDB Streams, GetShardIterator).
inline constexpr Duration kIteratorLife = std::chrono::minutes(15);

struct ShardIterator {
  Incarnation incarnation;
  Instant label;
  std::uint32_t shard = 0;
  std::optional<SequenceNumber> after;  // nothing: from what is oldest when it is used
  Instant made;
  bool operator==(const ShardIterator&) const = default;
};

// `key` is secret. Thread-safe.
std::string encode_iterator(const ShardIterator& iterator, std::string_view key);
// Nothing for what encode_iterator() did not make under this key. Says nothing of its age.
std::optional<ShardIterator> decode_iterator(std::string_view token, std::string_view key);

}  // namespace pawl::wire
