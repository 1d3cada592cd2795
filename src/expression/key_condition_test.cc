// Key conditions against the answers of DynamoDB Local, except where it leaves out what the service says: it does not
// name the missing key, and misspells the message about a sort key that is too long.
#include <gtest/gtest.h>

#include <string>

#include "expression/service_answers_test.h"

namespace pawl::expression {
namespace {

const item::KeySchema kPlain{{"k", item::Type::kString}, std::nullopt};
const item::KeySchema kSorted{{"k", item::Type::kString},
                              item::KeyAttribute{"s", item::Type::kString}};
const item::KeySchema kNumbered{{"k", item::Type::kString},
                                item::KeyAttribute{"s", item::Type::kNumber}};

std::string_view name_of(KeyCondition::SortOperator op) {
  switch (op) {
    case KeyCondition::SortOperator::kNone:
      return "";
    case KeyCondition::SortOperator::kEqual:
      return "=";
    case KeyCondition::SortOperator::kLess:
      return "<";
    case KeyCondition::SortOperator::kLessEqual:
      return "<=";
    case KeyCondition::SortOperator::kGreater:
      return ">";
    case KeyCondition::SortOperator::kGreaterEqual:
      return ">=";
    case KeyCondition::SortOperator::kBetween:
      return "BETWEEN";
    case KeyCondition::SortOperator::kBeginsWith:
      return "begins_with";
  }
  return "";
}

std::string show(const item::Value& value) {
  if (const auto* string = value.get_if<item::String>()) return string->text;
  if (const auto* number = value.get_if<item::Number>()) return number->to_string();
  return "?";
}

// "partition operator low high", or the message.
std::string key_answer(const ServiceAnswer& answer, const item::KeySchema& schema) {
  return ask(
      answer,
      [&](std::string_view text, Placeholders& placeholders) {
        return KeyCondition::parse(text, schema, placeholders);
      },
      [](const KeyCondition& condition) {
        std::string text = show(condition.partition());
        const auto& sort = condition.sort();
        if (sort.op == KeyCondition::SortOperator::kNone) return text;
        text += ' ' + std::string(name_of(sort.op)) + ' ' + show(sort.low);
        if (sort.op == KeyCondition::SortOperator::kBetween) text += ' ' + show(sort.high);
        return text;
      });
}

constexpr std::string_view kText = R"({":k":{"S":"x"},":s":{"S":"b"},":t":{"S":"c"}})";
constexpr std::string_view kTwo = R"({":k":{"S":"x"},":s":{"S":"b"}})";
constexpr std::string_view kOne = R"({":k":{"S":"x"}})";
constexpr std::string_view kWrongType =
    "One or more parameter values were invalid: Condition parameter type does not match schema "
    "type";

// clang-format off
constexpr ServiceAnswer kSortedAnswers[] = {
    {"k = :k", kOne, "", "x"},
    {":k = k", kOne, "", "x"},
    {"(k) = (:k)", kOne, "", "x"},
    {"#k = :k", kOne, "#k=k", "x"},
    {"k = :k AND s = :s", kTwo, "", "x = b"},
    {"s = :s AND k = :k", kTwo, "", "x = b"},
    {"((k = :k) and (s = :s))", kTwo, "", "x = b"},
    {"k = :k AND s < :s", kTwo, "", "x < b"},
    {"k = :k AND s <= :s", kTwo, "", "x <= b"},
    {"k = :k AND s > :s", kTwo, "", "x > b"},
    {"k = :k AND s >= :s", kTwo, "", "x >= b"},
    {"k = :k AND :s < s", kTwo, "", "x > b"},
    {":s >= s AND k = :k", kTwo, "", "x <= b"},
    {"k = :k AND s BETWEEN :s AND :t", kText, "", "x BETWEEN b c"},
    {"k = :k AND begins_with(s, :s)", kTwo, "", "x begins_with b"},
    {"begins_with(s, :s) AND k = :k", kTwo, "", "x begins_with b"},

    {"k = :k AND s <> :s", kTwo, "", "Invalid operator used in KeyConditionExpression: <>"},
    {"k = :k OR s = :s", kTwo, "", "Invalid operator used in KeyConditionExpression: OR"},
    {"k = :k AND NOT s = :s", kTwo, "", "Invalid operator used in KeyConditionExpression: NOT"},
    {"k = :k AND s IN (:s)", kTwo, "", "Invalid operator used in KeyConditionExpression: IN"},
    {"k = :k AND contains(s, :s)", kTwo, "", "Invalid operator used in KeyConditionExpression: contains"},
    {"attribute_exists(k)", "", "", "Invalid operator used in KeyConditionExpression: attribute_exists"},
    {"k = :k AND size(s) = :s", kTwo, "", "KeyConditionExpressions cannot contain nested operations"},
    {"k > :k", kOne, "", "Query key condition not supported"},
    {"begins_with(k, :k)", kOne, "", "Query key condition not supported"},
    {"k BETWEEN :k AND :k", kOne, "", "Query key condition not supported"},
    {"k = :k AND s BETWEEN :t AND :s", kText, "", "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:c}, upper bound operand: AttributeValue: {S:b}"},
    {"k = :k AND begins_with(:s, s)", kTwo, "", "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand"},
    {":s BETWEEN s AND :t AND k = :k", kText, "", "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand"},
    {"k = s", "", "", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
    {":k = :k", kOne, "", "Invalid condition in KeyConditionExpression: No key attribute specified"},
    {"k = k", "", "", "Invalid KeyConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [k]"},
    {"k = :k AND k = :k", kOne, "", "KeyConditionExpressions must only contain one condition per key"},
    {"k = :k AND s > :s AND s < :t", kText, "", "KeyConditionExpressions must only contain one condition per key"},
    {"k = :k AND s = :s AND zz = :t", kText, "", "Conditions can be of length 1 or 2 only"},
    {"k.a = :k", kOne, "", "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: k"},
    {"k = :k AND s[0] = :s", kTwo, "", "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s"},
    {"k = :k AND zz.a = :s", kTwo, "", "KeyConditionExpressions cannot have conditions on nested attributes"},
    {"s = :s", R"({":s":{"S":"b"}})", "", "Query condition missed key schema element: k"},
    {"k = :k AND zz = :s", kTwo, "", "Query condition missed key schema element: s"},
    {"k = :k", R"({":k":{"N":"1"}})", "", kWrongType},
    {"k > :k AND zz = :k", R"({":k":{"N":"1"}})", "", kWrongType},
    {"k = :k AND s = :s", R"({":k":{"S":"x"},":s":{"N":"1"}})", "", kWrongType},
    {"k = :k AND s = :s", R"({":k":{"S":"x"},":s":{"L":[]}})", "", kWrongType},
    {"k = :k AND s < :s", R"({":k":{"S":"x"},":s":{"BOOL":true}})", "", "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
    {"k = :k", R"({":k":{"S":""}})", "", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: k"},
    {"k = :k AND begins_with(s, :s)", R"({":k":{"S":"x"},":s":{"S":""}})", "", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: s"},
    {"", "", "", "Invalid KeyConditionExpression: The expression can not be empty;"},
    {"k", "", "", R"(Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "k")"},
    {"((k = :k))", kOne, "", "Invalid KeyConditionExpression: The expression has redundant parentheses;"},
    {"k = :q", kOne, "", "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :q"},
    {"k = :k", kTwo, "", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:s}"},
};

constexpr ServiceAnswer kPlainAnswers[] = {
    {"k = :k", kOne, "", "x"},
    {"k = :k AND s = :s", kTwo, "", "Query key condition not supported"},
    {"s = :s AND zz = :k", kTwo, "", "Query key condition not supported"},
    {"s = :s", R"({":s":{"S":"b"}})", "", "Query condition missed key schema element: k"},
};

constexpr ServiceAnswer kNumberedAnswers[] = {
    {"k = :k AND s = :s", R"({":k":{"S":"x"},":s":{"N":"1.50"}})", "", "x = 1.5"},
    {"k = :k AND s BETWEEN :s AND :t", R"({":k":{"S":"x"},":s":{"N":"2"},":t":{"N":"10"}})", "", "x BETWEEN 2 10"},
    {"k = :k AND s = :s", kTwo, "", kWrongType},
    {"k = :k AND begins_with(s, :s)", R"({":k":{"S":"x"},":s":{"N":"1"}})", "", "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
    {"k = :k AND begins_with(s, :s)", kTwo, "", kWrongType},
};
// clang-format on

TEST(KeyCondition, IsReadAndRefusedAsByTheService) {
  for (const auto& answer : kSortedAnswers) {
    EXPECT_EQ(key_answer(answer, kSorted), answer.expected) << answer.expression;
  }
  for (const auto& answer : kPlainAnswers) {
    EXPECT_EQ(key_answer(answer, kPlain), answer.expected) << answer.expression;
  }
  for (const auto& answer : kNumberedAnswers) {
    EXPECT_EQ(key_answer(answer, kNumbered), answer.expected) << answer.expression;
  }
}

TEST(KeyCondition, BoundsTheSizeOfKeys) {
  const auto parse = [](std::size_t partition, std::size_t sort) {
    auto placeholders =
        Placeholders::make({}, {{":k", item::Value(item::String{std::string(partition, 'k')})},
                                {":s", item::Value(item::String{std::string(sort, 's')})}})
            .value();
    const auto parsed = KeyCondition::parse("k = :k AND s = :s", kSorted, placeholders);
    return parsed.ok() ? std::string() : parsed.error().message;
  };
  EXPECT_EQ(parse(2048, 1024), "");
  EXPECT_EQ(parse(2049, 1),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of2048 bytes");
  EXPECT_EQ(parse(1, 1025),
            "One or more parameter values were invalid: Aggregated size of all range keys has "
            "exceeded the size limit of 1024 bytes");
}

TEST(ScalarKeys, AreNotLookedInto) {
  auto placeholders = Placeholders::make({}, {{":v", item::Value(item::Number(1))}}).value();
  const auto condition =
      Condition::parse("k = :v AND a.s = :v", Condition::Kind::kCondition, placeholders).value();
  EXPECT_TRUE(check_scalar_keys(condition.nested_attributes(), kSorted).ok());
  const auto projection = Projection::parse("a, s.x", placeholders).value();
  EXPECT_EQ(check_scalar_keys(projection.nested_attributes(), kSorted).error().message,
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
            "allowed: Key: s");
  EXPECT_TRUE(check_scalar_keys(projection.nested_attributes(), kPlain).ok());
  const auto update = Update::parse("SET a = if_not_exists(b, k[0]) + :v", placeholders).value();
  EXPECT_FALSE(check_scalar_keys(update.nested_attributes(), kPlain).ok());
}

}  // namespace
}  // namespace pawl::expression
