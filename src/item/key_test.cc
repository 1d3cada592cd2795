#include "item/key.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "base/hex.h"
#include "item/item_generators_test.h"

namespace pawl::item {
namespace {

using namespace std::string_literals;

Value string(std::string text) { return String{std::move(text)}; }
Value binary(std::string bytes) { return Binary{std::move(bytes)}; }
Value number(const std::string& text) { return Number::parse(text).value(); }

KeySchema schema(Type partition, std::optional<Type> sort = std::nullopt) {
  KeySchema schema{{"h", partition}, std::nullopt};
  if (sort) schema.sort = KeyAttribute{"r", *sort};
  return schema;
}

std::string message(const Status& status) { return status.ok() ? "ok" : status.error().message; }

TEST(Key, EncodingsNeverChange) {
  EXPECT_EQ(to_hex(encode_key_value(string("ab"))), "61620000");
  EXPECT_EQ(to_hex(encode_key_value(string("a\0b"s))), "6100ff620000");
  EXPECT_EQ(to_hex(encode_key_value(binary("\0"s))), "00ff0000");
  EXPECT_EQ(to_hex(encode_key_value(number("0"))), "02");
  EXPECT_EQ(to_hex(encode_key_value(number("1"))), "03820b00");
  EXPECT_EQ(to_hex(encode_key_value(number("-1"))), "017df4ff");
  EXPECT_EQ(to_hex(encode_key_value(number("1234.5"))), "03850d233300");
  const Item key{{"h", string("A")}, {"r", number("12")}};
  EXPECT_EQ(to_hex(encode_key(schema(Type::kString, Type::kNumber), key)), "41000003830d00");
  EXPECT_EQ(partition_hash("A\0\0"s), 0x0f0f06e9528be639U);
}

TEST(Key, ValuesAreChecked) {
  const KeyAttribute attribute{"h", Type::kString};
  EXPECT_EQ(
      message(check_key_value(attribute, KeyRole::kPartition, string(std::string(2048, 'x')))),
      "ok");
  EXPECT_EQ(
      message(check_key_value(attribute, KeyRole::kPartition, string(std::string(2049, 'x')))),
      "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
      "limit "
      "of2048 bytes");
  EXPECT_EQ(message(check_key_value(attribute, KeyRole::kSort, string(std::string(1024, 'x')))),
            "ok");
  EXPECT_EQ(message(check_key_value(attribute, KeyRole::kSort, string(std::string(1025, 'x')))),
            "One or more parameter values were invalid: Aggregated size of all range keys has "
            "exceeded the size "
            "limit of 1024 bytes");
  EXPECT_EQ(message(check_key_value(attribute, KeyRole::kPartition, string(""))),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain "
            "an empty string value. Key: h");
  EXPECT_EQ(message(check_key_value({"r", Type::kBinary}, KeyRole::kSort, binary(""))),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain "
            "an empty binary value. Key: r");
  EXPECT_EQ(
      message(check_key_value(attribute, KeyRole::kPartition, number("1"))),
      "One or more parameter values were invalid: Type mismatch for key h expected: S actual: N");
  EXPECT_EQ(message(check_key_value({"n", Type::kNumber}, KeyRole::kPartition, Null{})),
            "One or more parameter values were invalid: Type mismatch for key n expected: N "
            "actual: NULL");
}

TEST(Key, KeyOfTakesTheKeyAttributesAlone) {
  const KeySchema both = schema(Type::kString, Type::kNumber);
  const Item item{{"h", string("a")}, {"r", number("1")}, {"x", Null{}}};
  EXPECT_EQ(key_of(both, item).value(), (Item{{"h", string("a")}, {"r", number("1")}}));
  EXPECT_EQ(key_of(schema(Type::kString), item).value(), (Item{{"h", string("a")}}));
  EXPECT_EQ(key_of(both, Item{{"h", string("a")}}).error().message,
            "One or more parameter values were invalid: Missing the key r in the item");
  EXPECT_EQ(key_of(both, Item{}).error().message,
            "One or more parameter values were invalid: Missing the key h in the item");
  // The sort key may come before the partition key in the order of names.
  const KeySchema backwards{{"z", Type::kString}, KeyAttribute{"a", Type::kString}};
  EXPECT_EQ(key_of(backwards, Item{{"a", string("1")}, {"z", string("2")}}).value(),
            (Item{{"a", string("1")}, {"z", string("2")}}));
}

TEST(Key, CheckKeyWantsExactlyTheKey) {
  const std::string mismatch = "The provided key element does not match the schema";
  const KeySchema both = schema(Type::kString, Type::kNumber);
  EXPECT_EQ(message(check_key(both, Item{{"h", string("a")}, {"r", number("1")}})), "ok");
  EXPECT_EQ(message(check_key(both, Item{{"h", string("a")}})), mismatch);
  EXPECT_EQ(message(check_key(both, Item{{"h", string("a")}, {"x", number("1")}})), mismatch);
  EXPECT_EQ(message(check_key(both, Item{{"h", string("a")}, {"r", string("1")}})), mismatch);
  EXPECT_EQ(message(check_key(schema(Type::kString), Item{{"h", string("a")}, {"r", number("1")}})),
            mismatch);
  EXPECT_EQ(message(check_key(both, Item{{"h", string("")}, {"r", number("1")}})),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain "
            "an empty string value. Key: h");
}

TEST(Key, HostileBytes) {
  const auto refused = [](const KeySchema& schema, const std::string& bytes) {
    const auto key = decode_key(schema, bytes);
    return !key.ok() && key.error().code == ErrorCode::kCorrupt;
  };
  const KeySchema text = schema(Type::kString);
  for (const std::string& bytes :
       {""s, "a"s, "a\0"s, "a\0\1"s, "a\0\xff"s, "\0\0"s, "a\0\0b"s, "\xff\0\0"s}) {
    EXPECT_TRUE(refused(text, bytes)) << to_hex(bytes);
  }
  const KeySchema both = schema(Type::kBinary, Type::kNumber);
  EXPECT_TRUE(decode_key(both, "\xff\0\0\x02"s).ok());
  for (const std::string& bytes : {"\xff\0\0"s, "\xff\0\0\x02\x02"s, "\xff\0\0\x03"s}) {
    EXPECT_TRUE(refused(both, bytes)) << to_hex(bytes);
  }
}

rc::Gen<Value> key_value(Type type) {
  return rc::gen::exec([type]() -> Value {
    if (type == Type::kNumber) return *generate::number();
    if (type == Type::kBinary) return Binary{*rc::gen::nonEmpty(generate::bytes())};
    return String{*rc::gen::suchThat(generate::text(),
                                     [](const std::string& text) { return !text.empty(); })};
  });
}

// Whether a stands before b in a table: what the service promises for sort keys.
bool precedes(const Value& a, const Value& b) {
  if (const auto* number = a.get_if<Number>()) return *number < b.as<Number>();
  if (const auto* string = a.get_if<String>()) return string->text < b.as<String>().text;
  return a.as<Binary>().bytes < b.as<Binary>().bytes;
}

RC_GTEST_PROP(Key, BytesSortAsValuesDo, ()) {
  const Type type = *rc::gen::element(Type::kString, Type::kNumber, Type::kBinary);
  const Value a = *key_value(type);
  const Value b = *key_value(type);
  const std::string left = encode_key_value(a);
  const std::string right = encode_key_value(b);
  RC_ASSERT((left < right) == precedes(a, b));
  RC_ASSERT((left == right) == (a == b));
  if (left != right) RC_ASSERT(!left.starts_with(right));
}

RC_GTEST_PROP(Key, APrefixSortsBeforeWhatItBegins, ()) {
  const std::string prefix = *rc::gen::nonEmpty(generate::bytes());
  const std::string rest = *rc::gen::nonEmpty(generate::bytes());
  RC_ASSERT(encode_key_value(binary(prefix)) < encode_key_value(binary(prefix + rest)));
}

RC_GTEST_PROP(Key, PrefixesMatchExactlyWhatBeginsWithThem, ()) {
  const std::string prefix = *generate::bytes();
  const std::string other = *rc::gen::nonEmpty(rc::gen::oneOf(
      generate::bytes(),
      rc::gen::map(generate::bytes(), [&](std::string rest) { return prefix + rest; })));
  RC_ASSERT(encode_key_value(binary(other)).starts_with(encode_key_prefix(binary(prefix))) ==
            other.starts_with(prefix));
}

RC_GTEST_PROP(Key, KeysRoundTripAndSortByPartitionFirst, ()) {
  const Type partition = *rc::gen::element(Type::kString, Type::kNumber, Type::kBinary);
  const Type sort = *rc::gen::element(Type::kString, Type::kNumber, Type::kBinary);
  const KeySchema both = schema(partition, sort);
  const Item a{{"h", *key_value(partition)}, {"r", *key_value(sort)}};
  const Item b{{"h", *key_value(partition)}, {"r", *key_value(sort)}};
  const std::string left = encode_key(both, a);
  const std::string right = encode_key(both, b);
  RC_ASSERT(decode_key(both, left).value() == a);
  RC_ASSERT(left == encode_key_value(a.at("h")) + encode_key_value(a.at("r")));
  const bool less =
      a.at("h") == b.at("h") ? precedes(a.at("r"), b.at("r")) : precedes(a.at("h"), b.at("h"));
  RC_ASSERT((left < right) == less);
}

RC_GTEST_PROP(Key, WhatIsReadIsWhatIsWritten, ()) {
  const KeySchema both =
      schema(*rc::gen::element(Type::kString, Type::kNumber, Type::kBinary), Type::kBinary);
  const std::string bytes =
      *generate::bytes() + *rc::gen::element("\0\0"s, ""s) + *generate::bytes() + "\0\0"s;
  if (const auto key = decode_key(both, bytes); key.ok())
    RC_ASSERT(encode_key(both, *key) == bytes);
}

}  // namespace
}  // namespace pawl::item
