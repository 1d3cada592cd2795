#include "trigger/filter.h"

#include <gtest/gtest.h>

namespace pawl::trigger {
namespace {

constexpr std::string_view kRecord =
    R"({"eventName":"MODIFY","dynamodb":{"Keys":{"id":{"S":"A1"}},"NewImage":{"id":{"S":"A1"},)"
    R"("points":{"N":"7"},"tags":{"SS":["red","green"]},"gone":{"NULL":true},"list":{"L":[{"S":"x"},{"S":"y"}]}},)"
    R"("SizeBytes":26,"StreamViewType":"NEW_IMAGE"}})";

bool matches(std::string_view pattern) {
  const auto parsed = FilterPattern::parse(pattern);
  EXPECT_TRUE(parsed.ok()) << pattern << (parsed.ok() ? "" : parsed.error().message);
  return parsed.ok() && parsed->matches(kRecord);
}
// Of an attribute of the new image.
bool image_matches(std::string_view attribute, std::string_view rules) {
  return matches(R"({"dynamodb":{"NewImage":{")" + std::string(attribute) +
                 "\":" + std::string(rules) + "}}}");
}

TEST(Filter, ExactValues) {
  EXPECT_TRUE(matches("{}"));
  EXPECT_TRUE(matches(R"({"eventName":["INSERT","MODIFY"]})"));
  EXPECT_FALSE(matches(R"({"eventName":["REMOVE"]})"));
  EXPECT_FALSE(matches(R"({"eventName":["modify"]})"));
  EXPECT_TRUE(matches(R"({"dynamodb":{"SizeBytes":[26]}})"));
  EXPECT_FALSE(matches(R"({"dynamodb":{"SizeBytes":["26"]}})"));
  EXPECT_TRUE(image_matches("points", R"({"N":["7"]})"));
  EXPECT_TRUE(image_matches("gone", R"({"NULL":[true]})"));
  EXPECT_FALSE(image_matches("gone", R"({"NULL":[false,null]})"));
  // All fields must match.
  EXPECT_FALSE(matches(R"({"eventName":["MODIFY"],"eventSource":["aws:dynamodb"]})"));
}

// A list without anything in it is as a field that is missing.
TEST(Filter, EmptyLists) {
  constexpr std::string_view kEmpty =
      R"({"dynamodb":{"NewImage":{"list":{"L":[]},"full":{"L":[{"S":"x"}]}}}})";
  const auto pattern = [](std::string_view field, std::string_view rules) {
    return FilterPattern::parse(R"({"dynamodb":{"NewImage":{")" + std::string(field) +
                                R"(":{"L":)" + std::string(rules) + "}}}}")
        .value();
  };
  EXPECT_TRUE(pattern("list", R"([{"exists":false}])").matches(kEmpty));
  EXPECT_TRUE(pattern("list", R"({"S":[{"exists":false}]})").matches(kEmpty));
  EXPECT_FALSE(pattern("list", R"([{"exists":true}])").matches(kEmpty));
  EXPECT_FALSE(pattern("list", R"(["x"])").matches(kEmpty));
  EXPECT_FALSE(pattern("full", R"({"S":[{"exists":false}]})").matches(kEmpty));
}

TEST(Filter, ARecordThatIsNoneIsAnError) {
  const Filter filter = Filter::parse({R"({"eventName":["MODIFY"]})"}).value();
  EXPECT_TRUE(filter.matches(kRecord).value());
  EXPECT_FALSE(filter.matches(R"({"eventName":"INSERT"})").value());
  EXPECT_FALSE(filter.matches(R"({"eventName":"MODIFY")").ok());
}

TEST(Filter, Lists) {
  EXPECT_TRUE(image_matches("tags", R"({"SS":["green"]})"));
  EXPECT_FALSE(image_matches("tags", R"({"SS":["blue"]})"));
  EXPECT_TRUE(image_matches("list", R"({"L":{"S":["y"]}})"));
  EXPECT_FALSE(image_matches("list", R"({"L":{"S":["z"]}})"));
}

TEST(Filter, Operators) {
  EXPECT_TRUE(image_matches("id", R"({"S":[{"prefix":"A"}]})"));
  EXPECT_FALSE(image_matches("id", R"({"S":[{"prefix":"B"}]})"));
  EXPECT_TRUE(image_matches("id", R"({"S":[{"suffix":"1"}]})"));
  EXPECT_TRUE(image_matches("id", R"({"S":[{"equals-ignore-case":"a1"}]})"));
  EXPECT_TRUE(image_matches("id", R"({"S":[{"anything-but":["B1","B2"]}]})"));
  EXPECT_FALSE(image_matches("id", R"({"S":[{"anything-but":"A1"}]})"));
  EXPECT_FALSE(image_matches("id", R"({"S":[{"anything-but":{"prefix":"A"}}]})"));
  EXPECT_TRUE(image_matches("id", R"({"S":[{"anything-but":{"suffix":"2"}}]})"));
  EXPECT_FALSE(image_matches("other", R"({"S":[{"anything-but":"A1"}]})"));
  EXPECT_TRUE(matches(R"({"dynamodb":{"SizeBytes":[{"numeric":[">",20,"<=",26]}]}})"));
  EXPECT_FALSE(matches(R"({"dynamodb":{"SizeBytes":[{"numeric":["<",26]}]}})"));
  // A number of an item is a text.
  EXPECT_FALSE(image_matches("points", R"({"N":[{"numeric":["=",7]}]})"));
}

TEST(Filter, Existence) {
  EXPECT_TRUE(image_matches("id", R"({"S":[{"exists":true}]})"));
  EXPECT_FALSE(image_matches("id", R"([{"exists":true}])"));  // no leaf
  EXPECT_TRUE(image_matches("id", R"({"N":[{"exists":false}]})"));
  EXPECT_TRUE(image_matches("other", R"({"S":[{"exists":false}]})"));
  EXPECT_FALSE(image_matches("id", R"({"S":[{"exists":false}]})"));
  EXPECT_TRUE(matches(R"({"dynamodb":{"OldImage":{"id":{"S":[{"exists":false}]}}}})"));
}

TEST(Filter, Or) {
  EXPECT_TRUE(matches(R"({"$or":[{"eventName":["REMOVE"]},{"dynamodb":{"SizeBytes":[26]}}]})"));
  EXPECT_FALSE(matches(R"({"$or":[{"eventName":["REMOVE"]},{"dynamodb":{"SizeBytes":[27]}}]})"));
  EXPECT_FALSE(
      matches(R"({"eventName":["INSERT"],"$or":[{"dynamodb":{"SizeBytes":[26]}},{"x":["y"]}]})"));
}

TEST(Filter, OneOfSeveralMustMatch) {
  const auto filter = Filter::parse({R"({"eventName":["REMOVE"]})", R"({"eventName":["MODIFY"]})"});
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->matches(kRecord));
  EXPECT_FALSE(filter->passes_all());
  EXPECT_TRUE(Filter::parse({})->matches(kRecord));
  EXPECT_FALSE(Filter::parse(std::vector<std::string>(6, "{}")).ok());
}

TEST(Filter, RefusesWhatIsNoPattern) {
  for (const std::string& pattern : {std::string(""),
                                     std::string("[]"),
                                     std::string("{"),
                                     std::string(R"({"a":1})"),
                                     std::string(R"({"a":[]})"),
                                     std::string(R"({"a":[[1]]})"),
                                     std::string(R"({"a":["x"],"a":["y"]})"),
                                     std::string(R"({"a":[{"prefix":1}]})"),
                                     std::string(R"({"a":[{"cidr":"10.0.0.0/8"}]})"),
                                     std::string(R"({"a":[{"numeric":["<"]}]})"),
                                     std::string(R"({"a":[{"numeric":["!",1]}]})"),
                                     std::string(R"({"a":[{"numeric":["<",1,">",2,"=",3]}]})"),
                                     std::string(R"({"a":[{"exists":1}]})"),
                                     std::string(R"({"a":[{"anything-but":[]}]})"),
                                     std::string(R"({"a":[{"anything-but":{"prefix":""}}]})"),
                                     std::string(R"({"$or":[]})"),
                                     std::string(R"({"$or":{}})"),
                                     std::string(R"({"a":[{"prefix":"x","suffix":"y"}]})"),
                                     std::string(5000, ' ') + "{}",
                                     std::string(R"({"a":)") + std::string(2000, '[')}) {
    EXPECT_FALSE(FilterPattern::parse(pattern).ok()) << pattern.substr(0, 80);
  }
}

}  // namespace
}  // namespace pawl::trigger
