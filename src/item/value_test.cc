// Values, their sizes, and what is text.
#include "item/value.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <type_traits>

#include "item/item_generators_test.h"
#include "item/item_size.h"
#include "item/utf8.h"

namespace pawl::item {
namespace {

using namespace std::string_literals;

static_assert(!std::is_constructible_v<Value, const char*>);  // would be a bool
static_assert(!std::is_constructible_v<Value, std::string>);  // String or Binary?
static_assert(!std::is_constructible_v<Value, int>);

Value number(const std::string& text) { return Number::parse(text).value(); }

TEST(Value, TypesAreInTheOrderOfTheAlternatives) {
  const std::vector<std::pair<Value, std::string>> values = {
      {String{}, "S"},  {Number{}, "N"},     {Binary{}, "B"},     {true, "BOOL"},
      {Null{}, "NULL"}, {StringSet{}, "SS"}, {NumberSet{}, "NS"}, {BinarySet{}, "BS"},
      {List{}, "L"},    {Map{}, "M"}};
  for (const auto& [value, name] : values) EXPECT_EQ(name_of(value.type()), name);
}

TEST(Value, EqualityIsDeepAndNumbersCompareByValue) {
  const auto make = [](const std::string& text) {
    return Value{List{Map{{"n", number(text)}}, Null{}}};
  };
  EXPECT_EQ(make("1.50"), make("15e-1"));
  EXPECT_FALSE(make("1.5") == make("1.51"));
  EXPECT_FALSE(Value{String{"a"}} == Value{Binary{"a"}});
  EXPECT_FALSE(Value{true} == Value{false});
}

TEST(ValueDeathTest, AskingForAnotherAlternativeIsAProgrammersError) {
  EXPECT_DEATH((void)Value{true}.as<String>(), "assertion failed");
}

Value nested(std::size_t levels, bool maps) {
  Value value{Null{}};
  for (std::size_t i = 0; i < levels; ++i) {
    if (maps) {
      Map map;
      map.emplace("m", std::move(value));
      value = std::move(map);
    } else {
      List list;
      list.push_back(std::move(value));
      value = std::move(list);
    }
  }
  return value;
}

TEST(Value, TheItemIsTheFirstLevel) {
  for (const bool maps : {false, true}) {
    EXPECT_FALSE(nested_too_deeply(Item{{"a", nested(31, maps)}}));
    EXPECT_TRUE(nested_too_deeply(Item{{"a", nested(32, maps)}}));
    EXPECT_TRUE(nested_too_deeply(Item{{"a", Null{}}, {"b", nested(40, maps)}}));
  }
}

// Amazon DynamoDB developer guide, "Item sizes and formats", and probes of DynamoDB Local.
TEST(ItemSize, EveryType) {
  EXPECT_EQ(size_of(Value{String{"é"}}), 2U);
  EXPECT_EQ(size_of(Value{Binary{"abc"}}), 3U);
  EXPECT_EQ(size_of(number("123")), 3U);
  EXPECT_EQ(size_of(Value{true}), 1U);
  EXPECT_EQ(size_of(Value{Null{}}), 1U);
  EXPECT_EQ(size_of(Value{StringSet{{"a", "bc"}}}), 3U);
  EXPECT_EQ(size_of(Value{NumberSet{{Number(1), Number(2)}}}), 4U);
  EXPECT_EQ(size_of(Value{BinarySet{{"", "abc"}}}), 3U);
  EXPECT_EQ(size_of(Value{List{}}), 3U);
  EXPECT_EQ(size_of(Value{Map{}}), 3U);
  EXPECT_EQ(size_of(Value{List{true, String{"ab"}}}), 3U + 2U + 3U);
  EXPECT_EQ(size_of(Value{Map{{"key", String{"ab"}}}}), 3U + 1U + 3U + 2U);
  EXPECT_EQ(size_of(Item{}), 0U);
  EXPECT_EQ(size_of(Item{{"h", String{"k"}}, {"nn", number("0")}}), 2U + 3U);
}

TEST(Utf8, WhatIsText) {
  for (const std::string& text : {""s, "ascii, long enough for two words"s, "\0"s, "é"s, "日本語"s,
                                  "😀"s, "12345678é"s, "1234567é"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const std::string& bytes :
       {"\x80"s, "\xff"s, "\xc3"s, "\xc0\x80"s, "\xed\xa0\x80"s, "\xed\xbf\xbf"s,
        "\xf4\x90\x80\x80"s, "\xe6\x97"s, "12345678\xff"s, "1234567\xff"s,
        "long enough for several words, then \xc3"s}) {
    EXPECT_FALSE(is_utf8(bytes));
  }
}

RC_GTEST_PROP(Utf8, TextStaysText, ()) {
  const std::string text = *generate::text();
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(!is_utf8(text + "\xC3"));
}

}  // namespace
}  // namespace pawl::item
