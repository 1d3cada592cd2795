#include <gtest/gtest.h>

#include <string>

#include "expression/expression.h"

namespace pawl::expression {
namespace {

TEST(Condition, ComparesWithAGivenValue) {
  auto placeholders =
      Placeholders::make({{"#a", "a"}}, {{":one", item::Value(item::Number(1))}}).value();
  const auto condition = Condition::parse("#a = :one", Condition::Kind::kCondition, placeholders);
  ASSERT_TRUE(condition.ok()) << condition.error().message;
  EXPECT_TRUE(placeholders.check_all_used().ok());
  EXPECT_TRUE(condition->holds({{"a", item::Value(item::Number(1))}}).value());
  EXPECT_FALSE(condition->holds({}).value());
}

TEST(Update, Counts) {
  auto placeholders =
      Placeholders::make({{"#v", "v"}}, {{":one", item::Value(item::Number(1))}}).value();
  const auto update = Update::parse("ADD #v :one", placeholders);
  ASSERT_TRUE(update.ok()) << update.error().message;
  const auto applied = update->apply({{"v", item::Value(item::Number(41))}});
  ASSERT_TRUE(applied.ok());
  EXPECT_EQ(applied->item, (item::Item{{"v", item::Value(item::Number(42))}}));
  EXPECT_EQ(applied->updated_old, (item::Item{{"v", item::Value(item::Number(41))}}));
  EXPECT_EQ(applied->updated_new, applied->item);
}

}  // namespace
}  // namespace pawl::expression
