#include "stream/change_key.h"

#include "base/assert.h"
#include "base/coding.h"

namespace pawl::stream {

std::string change_key(ShardId shard, SequenceNumber sequence) {
  PAWL_ASSERT(shard.number <= kEmbeddedShardMax);
  std::string key;
  key.reserve(kChangeKeySize);
  append_u64_be(key, shard.incarnation.value);
  append_u16_be(key, static_cast<std::uint16_t>(shard.number));
  append_u64_be(key, sequence.value);
  return key;
}

Result<std::pair<ShardId, SequenceNumber>> parse_change_key(std::string_view key) {
  Reader reader(key);
  ShardId shard{.incarnation = {reader.u64_be()}, .number = reader.u16_be()};
  const SequenceNumber sequence{reader.u64_be()};
  if (!reader.at_end()) {
    return Error{ErrorCode::kCorrupt,
                 "a key of the change log has " + std::to_string(key.size()) + " bytes, not 18",
                 "the data directory is damaged: restore it from the archive"};
  }
  return std::pair{shard, sequence};
}

}  // namespace pawl::stream
