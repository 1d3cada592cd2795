// Primary keys: what names an item in its table.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "item/value.h"

namespace pawl::item {

// A key attribute: S, N or B only.
struct KeyAttribute {
  std::string name;
  Type type = Type::kString;
  bool operator==(const KeyAttribute&) const = default;
};

struct KeySchema {
  KeyAttribute partition;
  std::optional<KeyAttribute> sort;
  bool operator==(const KeySchema&) const = default;
};

// Checks one key attribute value against its schema: type, size (1 to 2,048 bytes for a partition
// key, 1 to 1,024 for a sort key). Errors: kInvalid with the service's message.
enum class KeyRole { kPartition, kSort };
Status check_key_value(const KeyAttribute& attribute, KeyRole role, const Value& value);

// The key attributes of `item` alone. Errors: kInvalid where one is missing or wrong.
Result<Item> key_of(const KeySchema& schema, const Item& item);

// Checks what a request gives as a key: exactly the attributes of the schema, each right. Errors:
// kInvalid
// ("The provided key element does not match the schema", or as check_key_value says).
Status check_key(const KeySchema& schema, const Item& key);

// The key as stored bytes: partition value, then sort value, each in an encoding whose byte order
// is the service's order (S and B by unsigned bytes, N by value) and which is no prefix of
// another's. `key` must have passed key_of() for this schema.
std::string encode_key(const KeySchema& schema, const Item& key);
// The two halves alone: encode_key(k) == encode_partition(k) + encode_sort(k).
std::string encode_key_value(const Value& value);
void append_key_value(std::string& out, const Value& value);
// What the encodings of all S or B values that begin with `prefix` (S or B), and of no others,
// begin with.
std::string encode_key_prefix(const Value& prefix);
// The key that encode_key wrote. Errors: kCorrupt.
Result<Item> decode_key(const KeySchema& schema, std::string_view encoded);

// A stable 64-bit hash of the partition key's encoding: chooses the partition, for ever, so it
// never changes (it is the first 8 bytes, big-endian, of SHA-256).
std::uint64_t partition_hash(std::string_view encoded_partition_value);

}  // namespace pawl::item
