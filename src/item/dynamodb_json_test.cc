#include "item/dynamodb_json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "item/item_generators_test.h"

namespace pawl::item {
namespace {

using namespace std::string_literals;

Result<Value> parse(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(json).get(element) != simdjson::SUCCESS) {
    return Error{ErrorCode::kInternal, "the test's JSON is no JSON", ""};
  }
  return parse_value(element);
}

std::string rendered(const Value& value) {
  std::string out;
  append_value_json(out, value);
  return out;
}

std::string rendered(const Item& item) {
  std::string out;
  append_item_json(out, item);
  return out;
}

// What `json` is given back as, or the error.
std::string echoed(const std::string& json) {
  const auto value = parse(json);
  if (value.ok()) return rendered(*value);
  const bool malformed = value.error().code == ErrorCode::kMalformed;
  return (malformed ? "malformed: " : "invalid: ") + value.error().message;
}

std::string nested(const std::string& open, int levels, const std::string& close) {
  std::string json;
  for (int i = 0; i < levels; ++i) json += open;
  json += R"({"S":"x"})";
  for (int i = 0; i < levels; ++i) json += close;
  return json;
}

TEST(DynamodbJson, EveryTypeIsGivenBackAsItCame) {
  for (const char* json :
       {R"({"S":"text"})", R"({"S":""})", R"({"S":"a\"\\\n\u0001é日本😀"})", R"({"N":"-1.5"})",
        R"({"B":"AAEC/w=="})", R"({"B":""})", R"({"BOOL":true})", R"({"BOOL":false})",
        R"({"NULL":true})", R"({"SS":["a","b"]})", R"({"SS":[""]})", R"({"NS":["-2","1","10"]})",
        R"({"BS":["","YQ=="]})", R"({"L":[]})", R"({"M":{}})",
        R"({"L":[{"S":"a"},{"L":[{"NULL":true}]}]})",
        R"({"M":{"a":{"N":"1"},"b":{"M":{"c":{"S":"d"}}}}})"}) {
    EXPECT_EQ(echoed(json), json);
  }
}

TEST(DynamodbJson, GivesTheCanonicalForm) {
  EXPECT_EQ(echoed(R"( { "N" : "1.50e3" } )"), R"({"N":"1500"})");
  EXPECT_EQ(echoed(R"({"SS":["b","a"]})"), R"({"SS":["a","b"]})");
  EXPECT_EQ(echoed(R"({"NS":["10","9","-1"]})"), R"({"NS":["-1","9","10"]})");
  EXPECT_EQ(echoed(R"({"M":{"b":{"S":"1"},"a":{"S":"2"}}})"),
            R"({"M":{"a":{"S":"2"},"b":{"S":"1"}}})");
  EXPECT_EQ(echoed(R"({"S":"\u00e9\/"})"), R"({"S":"é/"})");
}

TEST(DynamodbJson, UnknownAndNullTypeKeysCountAsAbsent) {
  EXPECT_EQ(echoed(R"({"S":"a","X":"b"})"), R"({"S":"a"})");
  EXPECT_EQ(echoed(R"({"S":null,"N":"1"})"), R"({"N":"1"})");
  EXPECT_EQ(echoed(R"({"S":"x","N":null})"), R"({"S":"x"})");
}

// The messages of DynamoDB (those of DynamoDB Local differ in places).
TEST(DynamodbJson, InvalidValues) {
  const std::string empty =
      "invalid: Supplied AttributeValue is empty, must contain exactly one of the supported "
      "datatypes";
  const std::string invalid = "invalid: One or more parameter values were invalid: ";
  EXPECT_EQ(echoed("{}"), empty);
  EXPECT_EQ(echoed("null"), empty);
  EXPECT_EQ(echoed(R"({"X":"a"})"), empty);
  EXPECT_EQ(echoed(R"({"S":null})"), empty);
  EXPECT_EQ(echoed(R"({"L":[{}]})"), empty);
  EXPECT_EQ(echoed(R"({"L":[null]})"), empty);
  EXPECT_EQ(echoed(R"({"M":{"a":{}}})"), empty);
  EXPECT_EQ(echoed(R"({"S":"a","N":"1"})"),
            "invalid: Supplied AttributeValue has more than one datatypes set, must contain "
            "exactly one of the "
            "supported datatypes");
  EXPECT_EQ(echoed(R"({"N":"x","S":"a"})"),
            "invalid: The parameter cannot be converted to a numeric value: x");
  EXPECT_EQ(echoed(R"({"NULL":false})"),
            invalid + "Null attribute value types must have the value of true");
  EXPECT_EQ(echoed(R"({"SS":[]})"), invalid + "An string set  may not be empty");
  EXPECT_EQ(echoed(R"({"NS":[]})"), invalid + "An number set  may not be empty");
  EXPECT_EQ(echoed(R"({"BS":[]})"), invalid + "Binary sets should not be empty");
  EXPECT_EQ(echoed(R"({"SS":["b","a","b"]})"),
            invalid + "Input collection [b, a, b] contains duplicates.");
  EXPECT_EQ(echoed(R"({"NS":["1","1.0"]})"), "invalid: Input collection contains duplicates");
  EXPECT_EQ(echoed(R"({"BS":["YQ==","YQ=="]})"),
            invalid + "Input collection [YQ==, YQ==]of type BS contains duplicates.");
  EXPECT_EQ(echoed(R"({"SS":["a",null]})"),
            invalid + "An string set may not have a null string as a member");
  EXPECT_EQ(echoed(R"({"NS":["1","x"]})"),
            "invalid: The parameter cannot be converted to a numeric value: x");
  EXPECT_EQ(echoed(R"({"M":{"":{"S":"x"}}})"), "invalid: Empty attribute name");
}

TEST(DynamodbJson, MalformedValues) {
  const std::string structure = "malformed: Start of structure or map found where not expected";
  EXPECT_EQ(echoed("1"), "malformed: Unexpected value type in payload");
  EXPECT_EQ(echoed(R"("a")"), "malformed: Unexpected value type in payload");
  EXPECT_EQ(echoed("[]"),
            "malformed: Unrecognized collection type class "
            "com.amazonaws.dynamodb.v20120810.AttributeValue");
  EXPECT_EQ(echoed(R"({"S":1})"), "malformed: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"S":1.5})"), "malformed: DECIMAL_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"N":1})"), "malformed: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"S":true})"), "malformed: TRUE_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"S":{}})"), structure);
  EXPECT_EQ(echoed(R"({"S":[]})"),
            "malformed: Unrecognized collection type class java.lang.String");
  EXPECT_EQ(echoed(R"({"BOOL":1})"), "malformed: NUMBER_VALUE cannot be converted to Boolean");
  EXPECT_EQ(echoed(R"({"BOOL":"true"})"), "malformed: Unexpected token received from parser");
  EXPECT_EQ(echoed(R"({"NULL":"true"})"), "malformed: Unexpected token received from parser");
  EXPECT_EQ(echoed(R"({"B":1})"),
            "malformed: only base-64-encoded strings are convertible to bytes");
  EXPECT_EQ(echoed(R"({"B":"YQ"})"),
            "malformed: Base64 encoded length is expected a multiple of 4 bytes but found: 2");
  EXPECT_EQ(echoed(R"({"B":"YR=="})"), "malformed: Invalid Base64 character");
  EXPECT_EQ(echoed(R"({"B":"%%%%"})"), "malformed: Invalid Base64 character");
  EXPECT_EQ(echoed(R"({"SS":"a"})"), "malformed: Unexpected field type");
  EXPECT_EQ(echoed(R"({"SS":[1]})"), "malformed: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"NS":[1]})"), "malformed: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"BS":[{}]})"), structure);
  EXPECT_EQ(echoed(R"({"L":{}})"), structure);
  EXPECT_EQ(echoed(R"({"L":"a"})"), "malformed: Unexpected field type");
  EXPECT_EQ(echoed(R"({"L":["a"]})"), "malformed: Unexpected value type in payload");
  EXPECT_EQ(echoed(R"({"M":"a"})"), "malformed: Unexpected field type");
  EXPECT_EQ(echoed(R"({"M":[]})"),
            "malformed: Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>");
}

TEST(DynamodbJson, NothingSentTwiceIsDroppedInSilence) {
  EXPECT_EQ(echoed(R"({"S":"1","S":"2"})"), "malformed: Duplicate field 'S'");
  EXPECT_EQ(echoed(R"({"S":null,"S":"2"})"), "malformed: Duplicate field 'S'");
  EXPECT_EQ(echoed(R"({"M":{"a":{"S":"1"},"\u0061":{"S":"2"}}})"),
            "malformed: Duplicate field 'a'");
}

TEST(DynamodbJson, AMalformedPlaceOutweighsAnInvalidOneBeforeIt) {
  EXPECT_EQ(echoed(R"({"L":[{"N":"x"},{"S":1}]})"),
            "malformed: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(echoed(R"({"L":[{},{"N":"x"}]})"),
            "invalid: Supplied AttributeValue is empty, must contain exactly one of the supported "
            "datatypes");
}

TEST(DynamodbJson, LoneSurrogatesAreNoText) {
  for (const char* json : {R"({"S":"\ud800"})", R"({"S":"\udc00"})", R"({"S":"\udc00\ud800"})",
                           R"({"SS":["\udfff"]})", R"({"M":{"\udc00":{"S":"a"}}})"}) {
    EXPECT_FALSE(parse(json).ok()) << json;
  }
  EXPECT_EQ(echoed(R"({"S":"\ud83d\ude00"})"), R"({"S":"😀"})");
}

TEST(DynamodbJson, NestingIsBounded) {
  const std::string lists = nested(R"({"L":[)", 31, "]}");
  const std::string maps = nested(R"({"M":{"a":)", 31, "}}");
  EXPECT_EQ(echoed(lists), lists);
  EXPECT_EQ(echoed(maps), maps);
  for (const int levels : {32, 33, 200}) {
    EXPECT_EQ(echoed(nested(R"({"L":[)", levels, "]}")),
              "invalid: Nesting Levels have exceeded supported limits");
    EXPECT_EQ(echoed(nested(R"({"M":{"a":)", levels, "}}")),
              "invalid: Nesting Levels have exceeded supported limits");
  }
  EXPECT_TRUE(parse_item_text(R"({"v":)" + lists + "}").ok());
  const auto deep = parse_item_text(R"({"v":)" + nested(R"({"L":[)", 32, "]}") + "}");
  EXPECT_EQ(deep.error().message,
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond "
            "supported limit");
  EXPECT_FALSE(parse_item_text(std::string(100'000, '[')).ok());
  EXPECT_FALSE(parse_item_text(nested(R"({"L":[)", 50'000, "]}")).ok());
}

TEST(DynamodbJson, NamesAreBounded) {
  const std::string name(65'535, 'n');
  EXPECT_TRUE(parse_item_text(R"({")" + name + R"(":{"S":"x"}})").ok());
  const auto longer = parse_item_text(R"({")" + name + R"(n":{"S":"x"}})");
  EXPECT_EQ(longer.error().message, "Attribute name is too large, must be less than 65536 bytes");
}

TEST(DynamodbJson, ErrorsRepeatOnlySoMuchOfTheInput) {
  std::string set = R"({"SS":[)";
  for (int i = 0; i < 20'000; ++i) set += '"' + std::to_string(i / 2) + "\",";
  set += R"("z"]})";
  const auto duplicates = parse(set);
  EXPECT_LT(duplicates.error().message.size(), 3000U);
  EXPECT_TRUE(duplicates.error().message.ends_with("...] contains duplicates."));
  EXPECT_LT(parse(R"({"N":")" + std::string(100'000, 'x') + R"("})").error().message.size(), 1000U);
}

TEST(DynamodbJson, ItemsFromText) {
  EXPECT_EQ(rendered(parse_item_text(R"({"h":{"S":"k"},"a":{"N":"1"}})").value()),
            R"({"a":{"N":"1"},"h":{"S":"k"}})");
  EXPECT_EQ(rendered(Item{}), "{}");
  for (const std::string& text : {""s, "{"s, "nonsense"s, "{} {}"s, "\xff"s,
                                  R"({"a":{"S":")"s + '\x01' + R"("}})", R"([])"s, R"("x")"s}) {
    const auto item = parse_item_text(text);
    ASSERT_FALSE(item.ok()) << text;
    EXPECT_EQ(item.error().code, ErrorCode::kMalformed) << text;
  }
}

RC_GTEST_PROP(DynamodbJson, ItemsRoundTrip, ()) {
  const Item item = *generate::item();
  const std::string json = rendered(item);
  const auto parsed = parse_item_text(json);
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == item);
  RC_ASSERT(rendered(*parsed) == json);
}

}  // namespace
}  // namespace pawl::item
