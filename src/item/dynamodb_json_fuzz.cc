// DynamoDB JSON: whatever is let in is given back the same, and survives being stored.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "item/dynamodb_json.h"
#include "item/item_codec.h"
#include "item/item_size.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace item = pawl::item;
  const auto parsed = item::parse_item_text({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) {
    PAWL_ASSERT(!parsed.error().message.empty());
    return 0;
  }
  PAWL_ASSERT(!item::nested_too_deeply(*parsed));
  (void)item::size_of(*parsed);

  std::string json;
  item::append_item_json(json, *parsed);
  const auto again = item::parse_item_text(json);
  PAWL_ASSERT(again.ok() && *again == *parsed);

  const auto stored = item::decode_item(item::encode_item(*parsed));
  PAWL_ASSERT(stored.ok() && *stored == *parsed);
  return 0;
}
