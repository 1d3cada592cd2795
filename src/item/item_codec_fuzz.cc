// Stored bytes of items, changes, keys and numbers: what is read is exactly what would have been written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "item/change.h"
#include "item/dynamodb_json.h"
#include "item/item_codec.h"
#include "item/item_size.h"
#include "item/key.h"
#include "item/stored_json.h"

namespace {

using namespace pawl;  // NOLINT: one file, no header

// The short way to JSON refuses what reading refuses, and says the same of what it takes.
void check_stored_json(std::string_view bytes) {
  Reader both(bytes);
  const auto read = item::read_item(both);
  Reader alone(bytes);
  std::string json;
  const auto size = item::append_stored_item_json(json, alone);
  PAWL_ASSERT(size.ok() == read.ok());
  if (!read.ok()) return;
  std::string expected;
  item::append_item_json(expected, *read);
  PAWL_ASSERT(json == expected && *size == item::size_of(*read));
  PAWL_ASSERT(alone.rest().size() == both.rest().size());
}

void check_item(std::string_view bytes) {
  check_stored_json(bytes);
  const auto read = item::decode_item(bytes);
  if (!read.ok()) return;
  PAWL_ASSERT(item::encode_item(*read) == bytes);
  PAWL_ASSERT(!item::nested_too_deeply(*read));
  std::string json;
  item::append_item_json(json, *read);
  // Valid JSON always; refused only for what parsing is stricter about (an empty set or name).
  const auto parsed = item::parse_item_text(json);
  PAWL_ASSERT(parsed.ok() ? *parsed == *read : parsed.error().code == ErrorCode::kInvalid);
}

void check_change(std::string_view bytes) {
  const auto read = item::decode_change(ShardId{Incarnation{1}, 2}, SequenceNumber{3}, bytes);
  if (read.ok()) PAWL_ASSERT(item::encode_change(*read) == bytes);
}

void check_keys(std::string_view bytes) {
  using item::Type;
  for (const Type partition : {Type::kString, Type::kNumber, Type::kBinary}) {
    item::KeySchema schema{{"h", partition}, item::KeyAttribute{"r", Type::kNumber}};
    for (const bool with_sort : {true, false}) {
      if (!with_sort) schema.sort.reset();
      const auto key = item::decode_key(schema, bytes);
      if (key.ok()) PAWL_ASSERT(item::encode_key(schema, *key) == bytes);
    }
  }
}

void check_number_text(std::string_view text) {
  const auto number = item::Number::parse(text);
  if (!number.ok()) return;
  const std::string plain = number->to_string();
  PAWL_ASSERT(plain.size() <= item::Number::kTextMax);
  const auto again = item::Number::parse(plain);
  PAWL_ASSERT(again.ok() && *again == *number);
  PAWL_ASSERT(number->stored_size() <= 21);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte chooses, so that a corpus grows for each.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      check_item(bytes);
      break;
    case 1:
      check_change(bytes);
      break;
    case 2:
      check_keys(bytes);
      break;
    default:
      check_number_text(bytes);
      break;
  }
  return 0;
}
