// How streams, shards and positions are called at the wire: ARNs, shard ids and sequence-number strings.
//
//   ARN              arn:aws:dynamodb:REGION:000000000000:table/NAME/stream/2026-11-22T18:35:35.771
//   shard id         shardId-00000001795372535771-0000002a   the label in milliseconds, the number in 8 hexadecimal digits
//   sequence number  100000000000000000042                   stream/sequence_text.h
//
// Ids of another label are other ids, though both labels show parts of one log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/instant.h"
#include "stream/sequence_text.h"

namespace pawl::wire {

// Bounds of the service model.
inline constexpr std::size_t kStreamArnMin = 37;
inline constexpr std::size_t kStreamArnMax = 1024;
inline constexpr std::size_t kShardIdMin = 28;
inline constexpr std::size_t kShardIdMax = 65;
inline constexpr std::size_t kSequenceTextMin = 21;
inline constexpr std::size_t kSequenceTextMax = 40;

struct StreamName {
  std::string_view table;
  std::string_view label;
};
// The parts of an ARN; region and account are nobody's here, so they are not compared.
std::optional<StreamName> parse_stream_arn(std::string_view arn);
std::string stream_arn(std::string_view region, std::string_view table, Instant label);

std::string shard_id(Instant label, std::uint32_t number);
// The number of a shard of the stream with this label.
std::optional<std::uint32_t> parse_shard_id(std::string_view id, Instant label);

using stream::append_sequence;
using stream::parse_sequence;
using stream::sequence_text;

}  // namespace pawl::wire
