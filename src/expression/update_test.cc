// What updates return and promise beyond the answers in the tables.
#include <gtest/gtest.h>

#include <string>

#include "expression/service_answers_test.h"

namespace pawl::expression {
namespace {

item::Item parse_item(std::string_view json) { return item::parse_item_text(json).value(); }

Update::Applied apply(std::string_view text, std::string_view values, const item::Item& before) {
  auto placeholders = placeholders_of({text, values, "", ""}).value();
  return Update::parse(text, placeholders).value().apply(before).value();
}

// UPDATED_OLD and UPDATED_NEW return the updated paths alone, in their places. DynamoDB Local returns the whole
// top-level attribute; the service itself does not (the Alternator tests, which also run against it, say how).
TEST(UpdatedImages, HoldTheUpdatedPathsAlone) {
  const auto before = parse_item(
      R"({"a":{"M":{"b":{"S":"dog"},"c":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}},"d":{"S":"cat"}})");
  auto applied = apply("SET a.b = :v, a.c[1] = :v", R"({":v":{"S":"new"}})", before);
  EXPECT_EQ(json_of(applied.updated_old), R"({"a":{"M":{"b":{"S":"dog"},"c":{"L":[{"N":"2"}]}}}})");
  EXPECT_EQ(json_of(applied.updated_new),
            R"({"a":{"M":{"b":{"S":"new"},"c":{"L":[{"S":"new"}]}}}})");
  EXPECT_EQ(
      json_of(applied.item),
      R"({"a":{"M":{"b":{"S":"new"},"c":{"L":[{"N":"1"},{"S":"new"},{"N":"3"}]}}},"d":{"S":"cat"}})");

  // What is new has no old value; what is appended is not found at its index afterwards.
  applied = apply("SET a.x = :v, a.c[100] = :v", R"({":v":{"N":"8"}})", before);
  EXPECT_EQ(json_of(applied.updated_old), "{}");
  EXPECT_EQ(json_of(applied.updated_new), R"({"a":{"M":{"x":{"N":"8"}}}})");

  // After a removal its index holds what came behind.
  applied = apply("REMOVE a.c[1], a.c[7], d", "", before);
  EXPECT_EQ(json_of(applied.updated_old), R"({"a":{"M":{"c":{"L":[{"N":"2"}]}}},"d":{"S":"cat"}})");
  EXPECT_EQ(json_of(applied.updated_new), R"({"a":{"M":{"c":{"L":[{"N":"3"}]}}}})");
}

TEST(UpdatedImages, HoldWhatKeptItsValue) {
  const auto before = parse_item(R"({"n":{"N":"1"},"s":{"SS":["x"]}})");
  const auto applied =
      apply("SET n = :v DELETE s :s", R"({":v":{"N":"1"},":s":{"SS":["y"]}})", before);
  EXPECT_EQ(applied.item, before);
  EXPECT_EQ(applied.updated_old, before);
  EXPECT_EQ(applied.updated_new, before);
}

TEST(Update, CountsFromNothing) {
  auto placeholders =
      Placeholders::make({{"#v", "_version"}}, {{":one", item::Value(item::Number(1))}}).value();
  const auto update = Update::parse("ADD #v :one", placeholders).value();
  EXPECT_TRUE(placeholders.check_all_used().ok());
  EXPECT_EQ(update.attributes(), AttributeNames{"_version"});
  item::Item item;
  for (int i = 0; i < 3; ++i) item = update.apply(item).value().item;
  EXPECT_EQ(json_of(item), R"({"_version":{"N":"3"}})");
}

TEST(Update, RefusesWhatNestsTooDeep) {
  const auto nested = [](int levels) {
    item::Value value(item::Number(1));
    for (int i = 0; i < levels; ++i) value = item::Value(item::Map{{"a", std::move(value)}});
    return value;
  };
  auto placeholders = Placeholders::make({}, {{":v", nested(30)}}).value();
  const item::Item before{{"m", nested(16)}};
  EXPECT_TRUE(Update::parse("SET m.a = :v", placeholders).value().apply(before).ok());
  const auto refused = Update::parse("SET m.a.a = :v", placeholders).value().apply(before);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "Nesting Levels have exceeded supported limits");
}

TEST(Update, RefusesNumbersThatLeaveTheirRange) {
  const auto error = [](std::string_view text, std::string_view values) {
    auto placeholders = placeholders_of({text, values, "", ""}).value();
    const auto applied = Update::parse(text, placeholders).value().apply(answered_item());
    return applied.ok() ? std::string() : applied.error().message;
  };
  EXPECT_EQ(error("SET a = a + :v", R"({":v":{"N":"1E36"}})"), "");
  EXPECT_NE(error("SET a = a + :v", R"({":v":{"N":"1E100"}})"), "");
  EXPECT_NE(error("ADD a :v", R"({":v":{"N":"1E-100"}})"), "");
  EXPECT_NE(error("SET a = :v - :w", R"({":v":{"N":"1.1E-130"},":w":{"N":"1E-130"}})"), "");
}

// One pass over texts of the size of an item: a search that backtracks would take hours here.
TEST(Condition, SearchesLongTextsInLinearTime) {
  const std::size_t half = item::kItemSizeMax / 2;
  auto placeholders =
      Placeholders::make({}, {{":part", item::Value(item::String{std::string(half, 'a') + 'b'})}})
          .value();
  const auto condition =
      Condition::parse("contains(s, :part)", Condition::Kind::kFilter, placeholders).value();
  EXPECT_FALSE(
      condition.holds({{"s", item::Value(item::String{std::string(2 * half, 'a')})}}).value());
}

TEST(Condition, NamesWhatItReads) {
  auto placeholders =
      Placeholders::make({{"#x", "x.y"}}, {{":v", item::Value(item::Number(1))}}).value();
  const auto condition = Condition::parse("a = :v AND NOT (size(b.c[0]) > :v OR #x IN (:v, d))",
                                          Condition::Kind::kCondition, placeholders)
                             .value();
  EXPECT_EQ(condition.attributes(), (AttributeNames{"a", "b", "d", "x.y"}));
  EXPECT_EQ(condition.nested_attributes(), AttributeNames{"b"});
}

TEST(Condition, KeepsItsValuesAlive) {
  std::optional<Condition> condition;
  {
    auto placeholders =
        Placeholders::make({}, {{":v", item::Value(item::String{"a text of its own length"})}})
            .value();
    condition = Condition::parse("s = :v", Condition::Kind::kCondition, placeholders).value();
  }
  const Condition copy = *condition;
  condition.reset();
  EXPECT_TRUE(copy.holds({{"s", item::Value(item::String{"a text of its own length"})}}).value());
}

}  // namespace
}  // namespace pawl::expression
