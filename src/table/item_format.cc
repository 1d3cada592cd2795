#include "table/item_format.h"

#include "base/assert.h"
#include "base/coding.h"
#include "item/item_codec.h"

namespace pawl::table {
namespace {

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, "a stored " + std::string(what) + " can't be read",
          "the data directory is damaged: restore it with `pawl restore` from the archive"};
}

}  // namespace

ItemPlace place_of(Incarnation space, const item::KeySchema& schema, const item::Item& key) {
  const auto partition = key.find(schema.partition.name);
  PAWL_ASSERT(partition != key.end());
  const std::string encoded = item::encode_key(schema, key);
  ItemPlace place;
  place.hash =
      item::partition_hash(schema.sort ? item::encode_key_value(partition->second) : encoded);
  place.key.reserve(kItemKeyHeaderSize + encoded.size());
  append_u64_be(place.key, space.value);
  append_u64_be(place.key, place.hash);
  place.key += encoded;
  return place;
}

std::string partition_prefix(Incarnation space, const item::Value& partition_value) {
  const std::string encoded = item::encode_key_value(partition_value);
  return hash_prefix(space, item::partition_hash(encoded)) + encoded;
}

std::string hash_prefix(Incarnation space, std::uint64_t hash) {
  std::string prefix;
  append_u64_be(prefix, space.value);
  append_u64_be(prefix, hash);
  return prefix;
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::uint16_t partition_of(std::uint64_t hash, std::uint16_t partitions) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint16_t>((static_cast<Wide>(hash) * partitions) >> 64);
}

std::string encode_stored_item(Version version, const item::Item& item) {
  std::string out;
  append_varint(out, version.value);
  item::append_item(out, item);
  return out;
}

Result<StoredItem> decode_stored_item(std::string_view encoded) {
  Reader reader(encoded);
  StoredItem stored;
  stored.version = {reader.varint()};
  if (!reader.ok()) return corrupt("item");
  PAWL_ASSIGN_OR_RETURN(stored.item, item::read_item(reader));
  if (!reader.at_end()) return corrupt("item");
  return stored;
}

std::string encode_deleted_version(Version version) {
  std::string out;
  append_varint(out, version.value);
  return out;
}

Result<Version> decode_deleted_version(std::string_view encoded) {
  Reader reader(encoded);
  const Version version{reader.varint()};
  if (!reader.at_end()) return corrupt("version counter");
  return version;
}

}  // namespace pawl::table
