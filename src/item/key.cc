#include "item/key.h"

#include <utility>

#include "base/assert.h"
#include "base/digest.h"
#include "item/utf8.h"

namespace pawl::item {
namespace {

// A NUL inside a string or binary is written 00 FF, and 00 00 ends it: below every continuation, so
// a prefix sorts before what it is a prefix of.
constexpr char kNul = '\0';
constexpr char kEscapedNul = '\xFF';

void append_escaped(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + bytes.size() + 2);
  for (;;) {
    const std::size_t nul = bytes.find(kNul);
    out.append(bytes.substr(0, nul));
    if (nul == std::string_view::npos) return;
    out.push_back(kNul);
    out.push_back(kEscapedNul);
    bytes.remove_prefix(nul + 1);
  }
}

void append_terminated(std::string& out, std::string_view bytes) {
  append_escaped(out, bytes);
  out.push_back(kNul);
  out.push_back(kNul);
}

bool read_terminated(std::string_view& input, std::string& bytes) {
  for (;;) {
    const std::size_t nul = input.find(kNul);
    if (nul == std::string_view::npos || nul + 1 == input.size()) return false;
    bytes.append(input.substr(0, nul));
    const char next = input[nul + 1];
    input.remove_prefix(nul + 2);
    if (next == kNul) return true;
    if (next != kEscapedNul) return false;
    bytes.push_back(kNul);
  }
}

Error corrupt() { return {ErrorCode::kCorrupt, "A stored key is damaged.", ""}; }
Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message), ""}; }

Result<Value> read_key_value(const KeyAttribute& attribute, std::string_view& input) {
  if (attribute.type == Type::kNumber) {
    PAWL_ASSIGN_OR_RETURN(Number number, Number::read_ordered(input));
    return Value{number};
  }
  std::string bytes;
  if (!read_terminated(input, bytes) || bytes.empty()) return corrupt();
  if (attribute.type == Type::kBinary) return Value{Binary{std::move(bytes)}};
  if (!is_utf8(bytes)) return corrupt();
  return Value{String{std::move(bytes)}};
}

const Value& attribute_of(const Item& key, const KeyAttribute& attribute) {
  const auto found = key.find(attribute.name);
  PAWL_ASSERT(found != key.end());
  return found->second;
}

Status check_member(const KeyAttribute& attribute, KeyRole role, const Item& item, Item* copy) {
  const auto found = item.find(attribute.name);
  if (found == item.end()) {
    return invalid("One or more parameter values were invalid: Missing the key " + attribute.name +
                   " in the item");
  }
  PAWL_TRY(check_key_value(attribute, role, found->second));
  if (copy != nullptr) copy->emplace_hint(copy->end(), attribute.name, found->second);
  return ok();
}

}  // namespace

Status check_key_value(const KeyAttribute& attribute, KeyRole role, const Value& value) {
  if (value.type() != attribute.type) {
    return invalid("One or more parameter values were invalid: Type mismatch for key " +
                   attribute.name + " expected: " + std::string(name_of(attribute.type)) +
                   " actual: " + std::string(name_of(value.type())));
  }
  std::size_t size = 1;  // numbers are always right
  if (const auto* string = value.get_if<String>()) size = string->text.size();
  if (const auto* binary = value.get_if<Binary>()) size = binary->bytes.size();
  if (size == 0) {
    return invalid(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
        "contain an "
        "empty " +
        std::string(value.is<String>() ? "string" : "binary") + " value. Key: " + attribute.name);
  }
  if (role == KeyRole::kPartition && size > kPartitionKeySizeMax) {
    return invalid(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
        "limit of2048 "
        "bytes");
  }
  if (role == KeyRole::kSort && size > kSortKeySizeMax) {
    return invalid(
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded "
        "the size "
        "limit of 1024 bytes");
  }
  return ok();
}

Result<Item> key_of(const KeySchema& schema, const Item& item) {
  Item key;
  PAWL_TRY(check_member(schema.partition, KeyRole::kPartition, item, &key));
  if (schema.sort) PAWL_TRY(check_member(*schema.sort, KeyRole::kSort, item, &key));
  return key;
}

Status check_key(const KeySchema& schema, const Item& key) {
  const auto mismatch = [] {
    return invalid("The provided key element does not match the schema");
  };
  if (key.size() != (schema.sort ? 2U : 1U)) return mismatch();
  for (const auto* attribute : {&schema.partition, schema.sort ? &*schema.sort : nullptr}) {
    if (attribute == nullptr) continue;
    const auto found = key.find(attribute->name);
    if (found == key.end() || found->second.type() != attribute->type) return mismatch();
    const auto role = attribute == &schema.partition ? KeyRole::kPartition : KeyRole::kSort;
    PAWL_TRY(check_key_value(*attribute, role, found->second));
  }
  return ok();
}

void append_key_value(std::string& out, const Value& value) {
  if (const auto* string = value.get_if<String>()) {
    append_terminated(out, string->text);
  } else if (const auto* binary = value.get_if<Binary>()) {
    append_terminated(out, binary->bytes);
  } else {
    value.as<Number>().append_ordered(out);
  }
}

std::string encode_key_value(const Value& value) {
  std::string out;
  append_key_value(out, value);
  return out;
}

std::string encode_key_prefix(const Value& prefix) {
  std::string out;
  append_escaped(out, prefix.is<String>() ? prefix.as<String>().text : prefix.as<Binary>().bytes);
  return out;
}

std::string encode_key(const KeySchema& schema, const Item& key) {
  std::string out;
  append_key_value(out, attribute_of(key, schema.partition));
  if (schema.sort) append_key_value(out, attribute_of(key, *schema.sort));
  return out;
}

Result<Item> decode_key(const KeySchema& schema, std::string_view encoded) {
  Item key;
  PAWL_ASSIGN_OR_RETURN(Value partition, read_key_value(schema.partition, encoded));
  key.emplace(schema.partition.name, std::move(partition));
  if (schema.sort) {
    PAWL_ASSIGN_OR_RETURN(Value sort, read_key_value(*schema.sort, encoded));
    key.emplace(schema.sort->name, std::move(sort));
  }
  if (!encoded.empty()) return corrupt();
  return key;
}

std::uint64_t partition_hash(std::string_view encoded_partition_value) {
  const Digest digest = sha256(encoded_partition_value);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) hash = hash << 8 | digest.bytes[i];
  return hash;
}

}  // namespace pawl::item
