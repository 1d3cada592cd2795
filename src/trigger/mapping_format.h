// How mappings are stored: docs/internals/triggers.md. They have an ordered store of their own (DATA/triggers), of which they
// use three key spaces; the names of KeySpace are the table's, so they are given names here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "port/key_value_store.h"
#include "trigger/mapping.h"

namespace pawl::trigger {

inline constexpr KeySpace kMappings = KeySpace::kCatalog;     // format, mapping records
inline constexpr KeySpace kCheckpoints = KeySpace::kItems;    // one a mapping and shard
inline constexpr KeySpace kDeadLetters = KeySpace::kChanges;  // what failed for good

inline constexpr unsigned kMappingFormat = 1;
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kMappingPrefix = "mapping/";

// mapping/ id (16)
std::string mapping_key(const MappingId& id);
std::string encode_mapping(const MappingRecord& mapping);
Result<MappingRecord> decode_mapping(std::string_view bytes);

// id (16) shard (4) -> varint
std::string checkpoint_key(const MappingId& id, std::uint32_t shard);
std::string encode_checkpoint(SequenceNumber through);
Result<SequenceNumber> decode_checkpoint(std::string_view bytes);

// id (16) shard (4) first sequence (8)
std::string dead_letter_key(const MappingId& id, std::uint32_t shard, SequenceNumber first);
std::string encode_dead_letter(const DeadLetter& letter);
Result<DeadLetter> decode_dead_letter(std::string_view bytes);

// The first key of a mapping in checkpoints and dead letters, and the first behind all of its keys.
std::string mapping_start(const MappingId& id);
std::string mapping_end(const MappingId& id);
// The shard in a key of checkpoints or dead letters; nothing if it is too short.
std::optional<std::uint32_t> shard_of_key(std::string_view key);

}  // namespace pawl::trigger
