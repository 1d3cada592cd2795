#include "item/stored_json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "item/dynamodb_json.h"
#include "item/item_codec.h"
#include "item/item_generators_test.h"
#include "item/item_size.h"

namespace pawl::item {
namespace {

std::string long_way(const Item& item) {
  std::string json;
  append_item_json(json, item);
  return json;
}

TEST(StoredJson, EveryTypeOnce) {
  const std::string json =
      R"({"b":{"B":"AP8="},"bs":{"BS":["AA==","AQ=="]},"f":{"BOOL":false},"l":{"L":[{"N":"-1.5"},{"L":[]}]},)"
      R"("m":{"M":{"k":{"NULL":true},"é":{"S":"\""}}},"ns":{"NS":["-3","20"]},"ss":{"SS":["x","y"]},"t":{"BOOL":true}})";
  const Item item = parse_item_text(json).value();
  const std::string stored = encode_item(item) + "rest";
  Reader reader(stored);
  std::string out = "before";
  EXPECT_EQ(append_stored_item_json(out, reader).value(), size_of(item));
  EXPECT_EQ(out, "before" + json);
  EXPECT_EQ(reader.rest(), "rest");
}

RC_GTEST_PROP(StoredJson, IsTheSameAsTheLongWay, ()) {
  const Item original = *generate::item();
  const std::string stored = encode_item(original);
  Reader reader(stored);
  std::string out;
  RC_ASSERT(append_stored_item_json(out, reader).value() == size_of(original));
  RC_ASSERT(reader.at_end());
  RC_ASSERT(out == long_way(original));
}

// Damage is refused exactly where reading refuses it.
RC_GTEST_PROP(StoredJson, RefusesWhatReadingRefuses, ()) {
  std::string stored = encode_item(*generate::item());
  const auto at = *rc::gen::inRange<std::size_t>(0, stored.size());
  stored[at] = *rc::gen::arbitrary<char>();
  Reader alone(stored);
  Reader both(stored);
  std::string out;
  const auto size = append_stored_item_json(out, alone);
  const auto read = read_item(both);
  RC_ASSERT(size.ok() == read.ok());
  if (read.ok()) {
    RC_ASSERT(out == long_way(*read));
    RC_ASSERT(alone.rest() == both.rest());
  } else {
    RC_ASSERT(size.error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace pawl::item
