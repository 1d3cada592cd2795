// What bounds expressions: size, operators, nesting, operands of IN. Limits and messages are the service's.
#include <gtest/gtest.h>

#include <string>

#include "expression/expression.h"

namespace pawl::expression {
namespace {

std::string repeat(std::string_view text, std::size_t times, std::string_view separator = "") {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) {
    if (i > 0) result += separator;
    result += text;
  }
  return result;
}

// The error of a condition, "" if it has none.
std::string condition_error(const std::string& text) {
  auto placeholders = Placeholders::make({}, {}).value();
  const auto parsed = Condition::parse(text, Condition::Kind::kCondition, placeholders);
  return parsed.ok() ? "" : parsed.error().message;
}

std::string update_error(const std::string& text) {
  auto placeholders = Placeholders::make({}, {{":v", item::Value(item::Number(1))}}).value();
  const auto parsed = Update::parse(text, placeholders);
  return parsed.ok() ? "" : parsed.error().message;
}

std::string projection_error(const std::string& text) {
  auto placeholders = Placeholders::make({}, {}).value();
  const auto parsed = Projection::parse(text, placeholders);
  return parsed.ok() ? "" : parsed.error().message;
}

constexpr std::string_view kTooManyOperators =
    "Invalid ConditionExpression: The expression contains too many operators; operator count: 301";

TEST(Bounds, SizeOfTheText) {
  EXPECT_EQ(condition_error(std::string(4092, 'a') + " = b"), "");
  EXPECT_EQ(condition_error(std::string(4093, 'a') + " = b"),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; "
            "expression size: 4097");
  EXPECT_EQ(update_error("REMOVE " + std::string(4090, 'a')),
            "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;");
  EXPECT_EQ(projection_error(std::string(4097, 'a')),
            "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;");
}

TEST(Bounds, Operators) {
  EXPECT_EQ(condition_error(repeat("a=b", 150, " or ")), "");  // 150 and 149
  EXPECT_EQ(condition_error(repeat("a=b", 151, " or ")), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("size(a)=b", 100, " or ")), "");
  EXPECT_EQ(condition_error(repeat("size(a)=b", 101, " or ")), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("not ", 299) + "a=b"), "");
  EXPECT_EQ(condition_error(repeat("not ", 300) + "a=b"), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("a=b", 300, " or ") + " and"),
            R"(Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "and")");
  std::string actions;
  for (int i = 0; i < 300; ++i) actions += ",a" + std::to_string(i) + "=b+:v";
  EXPECT_EQ(update_error("SET x=b" + actions), "");
  EXPECT_EQ(update_error("SET x=b+:v" + actions),
            "Invalid UpdateExpression: The expression contains too many operators; operator count: "
            "301");
}

TEST(Bounds, OperandsOfIn) {
  EXPECT_EQ(condition_error("a in (" + repeat("b", 100, ",") + ")"), "");
  EXPECT_EQ(condition_error("a in (" + repeat("b", 101, ",") + ")"),
            "Invalid ConditionExpression: The IN operator is provided with too many operands; "
            "number of operands: 101");
}

TEST(Bounds, NestingThatIsAllowedIsDeep) {
  EXPECT_EQ(condition_error(repeat("(not ", 299) + "a=b" + repeat(")", 299)), "");
  EXPECT_EQ(condition_error(repeat("(not ", 300) + "a=b" + repeat(")", 300)), kTooManyOperators);
  std::string alternatives;
  for (int i = 0; i < 150; ++i) alternatives += "if_not_exists(a" + std::to_string(i) + ",";
  EXPECT_EQ(update_error("SET a=" + alternatives + ":v" + repeat(")", 150)), "");
}

// What nests deeper than any valid expression is refused unread: the stack is bounded, whatever the text.
TEST(Bounds, NestingThatIsHostile) {
  EXPECT_EQ(condition_error(std::string(4096, '(')), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("not(", 1024)), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("not ", 1000) + "a=b"), kTooManyOperators);
  EXPECT_EQ(condition_error(repeat("f(", 2048)), kTooManyOperators);
  EXPECT_EQ(condition_error("a=" + std::string(4000, '(')), kTooManyOperators);
  EXPECT_NE(update_error("SET a=" + std::string(4000, '(')), "");
  EXPECT_NE(update_error("SET a=" + repeat("if_not_exists(", 290)), "");
  EXPECT_NE(condition_error(repeat("a.", 2048)), "");
  EXPECT_NE(condition_error("a" + repeat("[0]", 1300) + "=b"), "");
}

TEST(Bounds, ManyPathsAreCheckedForOverlapsQuickly) {
  std::string paths = "REMOVE aa";
  for (int i = 0; i < 800; ++i) paths += ",x" + std::to_string(i);
  EXPECT_EQ(update_error(paths), "");
  EXPECT_EQ(update_error(paths + ",aa"),
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or "
            "rewrite one of these paths; path one: [aa], path two: [aa]");
}

TEST(Bounds, PlaceholdersOfARequest) {
  const auto error = [](std::string key, std::string name) {
    const auto made = Placeholders::make({{std::move(key), std::move(name)}}, {});
    return made.ok() ? "" : made.error().message;
  };
  EXPECT_EQ(error("#" + std::string(254, 'a'), "a"), "");
  EXPECT_EQ(error("#" + std::string(255, 'a'), "a"),
            "ExpressionAttributeNames contains invalid key: The expression attribute map contains "
            "a key that is too long; size of key: 256");
  EXPECT_EQ(error("", "a"),
            "ExpressionAttributeNames contains invalid key: The expression attribute map contains "
            "an empty key;");
  EXPECT_EQ(error("#a", std::string(65535, 'a')), "");
  EXPECT_EQ(error("#a", std::string(65536, 'a')),
            "ExpressionAttributeNames contains invalid value: Attribute name is too large, must be "
            "less than 65536 bytes for key #a");
  const auto values = Placeholders::make(
      {}, {{":v", item::Value(item::String{std::string(kPlaceholderBytesMax, 'a')})}});
  ASSERT_FALSE(values.ok());
  EXPECT_EQ(values.error().message, "ExpressionAttributeValues exceeds max size");
}

}  // namespace
}  // namespace pawl::expression
