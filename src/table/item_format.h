// The keys and records of KeySpace::kItems and KeySpace::kDeletedVersions.
// See docs/internals/data-directory.md, "Items".
//
//   key      space (8 bytes) | hash of the partition key (8, big-endian) | item::encode_key
//   item     varint version | item::append_item
//   deleted  varint version: that of the removal
// A key is in at most one of the two: a re-created item takes its counter back with it.
//
// The hash comes first so that Scan segments are ranges of it that cover a table evenly; the items
// of one partition key still lie together, in the order of their sort keys, so a Query is one
// range.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "item/key.h"
#include "item/value.h"

namespace pawl::table {

inline constexpr std::size_t kItemKeyHeaderSize = 16;  // space and hash

// Where an item is stored, and which partition orders its changes.
struct ItemPlace {
  std::string key;
  std::uint64_t hash = 0;
};

// `key` must have passed item::key_of() for this schema.
ItemPlace place_of(Incarnation space, const item::KeySchema& schema, const item::Item& key);

// The prefix that all keys of a partition key value share, and that no other key has.
std::string partition_prefix(Incarnation space, const item::Value& partition_value);
// The first possible key of a space at or after a hash.
std::string hash_prefix(Incarnation space, std::uint64_t hash);
// The first key after all keys that start with `prefix`; empty if there is none.
std::string after_prefix(std::string prefix);

// Which of `partitions` orders the changes of a hash: an even range of hashes each. Never changes.
std::uint16_t partition_of(std::uint64_t hash, std::uint16_t partitions);

struct StoredItem {
  Version version;
  item::Item item;
};
std::string encode_stored_item(Version version, const item::Item& item);
Result<StoredItem> decode_stored_item(std::string_view encoded);  // kCorrupt

std::string encode_deleted_version(Version version);
Result<Version> decode_deleted_version(std::string_view encoded);  // kCorrupt

}  // namespace pawl::table
