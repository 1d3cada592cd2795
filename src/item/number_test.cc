#include "item/number.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <limits>
#include <string>

#include "base/hex.h"
#include "item/item_generators_test.h"

namespace pawl::item {
namespace {

using namespace std::string_literals;
using boost::multiprecision::cpp_int;

constexpr const char* kOverflow =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
constexpr const char* kUnderflow =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
constexpr const char* kTooManyDigits =
    "Attempting to store more than 38 significant digits in a Number";

// The plain text of a number, or the message.
std::string echoed(const std::string& text) {
  const auto number = Number::parse(text);
  return number.ok() ? number->to_string() : number.error().message;
}

Number parsed(const std::string& text) { return Number::parse(text).value(); }

std::string ordered(const Number& number) {
  std::string out;
  number.append_ordered(out);
  return out;
}

std::string compact(const Number& number) {
  std::string out;
  number.append_compact(out);
  return out;
}

TEST(Number, PlainTextOfWhatWasParsed) {
  EXPECT_EQ(echoed("0"), "0");
  EXPECT_EQ(echoed("-0"), "0");
  EXPECT_EQ(echoed("0.000"), "0");
  EXPECT_EQ(echoed("0e500"), "0");
  EXPECT_EQ(echoed("0e-99999999999999999999"), "0");
  EXPECT_EQ(echoed("007"), "7");
  EXPECT_EQ(echoed("+5"), "5");
  EXPECT_EQ(echoed(".5"), "0.5");
  EXPECT_EQ(echoed("5."), "5");
  EXPECT_EQ(echoed("1.500"), "1.5");
  EXPECT_EQ(echoed("-120"), "-120");
  EXPECT_EQ(echoed("1.e3"), "1000");
  EXPECT_EQ(echoed("1E5"), "100000");
  EXPECT_EQ(echoed("15e-5"), "0.00015");
  EXPECT_EQ(echoed("1e0125"), "1" + std::string(125, '0'));
  EXPECT_EQ(echoed("1234567890.0987654321e+2"), "123456789009.87654321");
}

TEST(Number, TheEndsOfTheRange) {
  const std::string nines(38, '9');
  EXPECT_EQ(echoed("9.9999999999999999999999999999999999999E+125"), nines + std::string(88, '0'));
  EXPECT_EQ(echoed("-" + nines + "e88"), "-" + nines + std::string(88, '0'));
  EXPECT_EQ(echoed("1e-130"), "0." + std::string(129, '0') + "1");
  EXPECT_EQ(echoed("1" + std::string(125, '0')), "1" + std::string(125, '0'));
  const std::string longest = echoed("-1." + std::string(36, '0') + "1e-130");
  EXPECT_EQ(longest, "-0." + std::string(129, '0') + "1" + std::string(36, '0') + "1");
  EXPECT_LE(longest.size(), Number::kTextMax);

  EXPECT_EQ(echoed("1e126"), kOverflow);
  EXPECT_EQ(echoed("-1e126"), kOverflow);
  EXPECT_EQ(echoed("10e125"), kOverflow);
  EXPECT_EQ(echoed("1e99999999999999999999"), kOverflow);
  EXPECT_EQ(echoed("1e-131"), kUnderflow);
  EXPECT_EQ(echoed("0.1e-130"), kUnderflow);
  EXPECT_EQ(echoed("1e-99999999999999999999"), kUnderflow);
}

TEST(Number, AtMost38SignificantDigits) {
  const std::string ones(38, '1');
  EXPECT_EQ(echoed(ones), ones);
  EXPECT_EQ(echoed(ones + "00000"), ones + "00000");
  EXPECT_EQ(echoed(ones + ".0000"), ones);
  EXPECT_EQ(echoed(std::string(50, '0') + ones), ones);
  EXPECT_EQ(echoed(ones + "1"), kTooManyDigits);
  EXPECT_EQ(echoed(ones + ".1"), kTooManyDigits);
  EXPECT_EQ(echoed("0." + ones + "1"), kTooManyDigits);
  EXPECT_EQ(echoed("1" + std::string(37, '0') + "1"), kTooManyDigits);
  EXPECT_EQ(echoed("1" + std::string(100, '0') + ".1"), kTooManyDigits);
  EXPECT_EQ(echoed(std::string(100'000, '1')), kOverflow);
}

TEST(Number, WhatIsNoNumber) {
  const std::string message = "The parameter cannot be converted to a numeric value";
  EXPECT_EQ(echoed(""), message);
  for (const std::string& text :
       {" 5"s,       "5 "s,    "abc"s,   "1e"s, "1e+"s,  "e5"s,    "--1"s, "+-1"s,
        "-"s,        "+"s,     "."s,     "-."s, "0x10"s, "1_000"s, "1,5"s, "NaN"s,
        "Infinity"s, "1.2.3"s, "1e1.5"s, "1d"s, "1\0"s,  "１"s}) {
    EXPECT_EQ(echoed(text), message + ": " + text);
  }
  // Repeated only so far, and cut at a character.
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text += "é";
  EXPECT_EQ(echoed(text).size(), message.size() + 2 + 255);
}

TEST(Number, FromIntegers) {
  EXPECT_EQ(Number(0), Number{});
  EXPECT_EQ(Number(1500), parsed("1500"));
  EXPECT_EQ(Number(-7), parsed("-7"));
  EXPECT_EQ(Number(std::numeric_limits<std::int64_t>::min()).to_string(), "-9223372036854775808");
  EXPECT_EQ(Number(std::numeric_limits<std::int64_t>::max()).to_string(), "9223372036854775807");
}

std::string sum(const std::string& a, const std::string& b) {
  const auto result = Number::add(parsed(a), parsed(b));
  return result.ok() ? result->to_string() : result.error().message;
}

TEST(Number, SumsAreExactOrRefused) {
  const std::string nines(38, '9');
  EXPECT_EQ(sum("1", "2"), "3");
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("5", "-5"), "0");
  EXPECT_EQ(sum("1e37", "1"), "1" + std::string(36, '0') + "1");
  EXPECT_EQ(sum("1e38", "1"), kTooManyDigits);
  EXPECT_EQ(sum("1e38", "-1"), nines);
  EXPECT_EQ(sum("-1e38", "1"), "-" + nines);
  EXPECT_EQ(sum("1.1e38", "-1"), kTooManyDigits);
  EXPECT_EQ(sum("2e38", "-1"), kTooManyDigits);
  EXPECT_EQ(sum("9e38", "-1"), kTooManyDigits);
  EXPECT_EQ(sum("1e39", "-1"), kTooManyDigits);
  EXPECT_EQ(sum(nines, "1"), "1" + std::string(38, '0'));
  EXPECT_EQ(sum(nines, "2"), kTooManyDigits);
  EXPECT_EQ(sum(nines, nines), kTooManyDigits);
  EXPECT_EQ(sum("1e125", "1e-130"), kTooManyDigits);
  EXPECT_EQ(sum("9.9e125", "9e124"), kOverflow);
  EXPECT_EQ(sum(nines + "e88", "1e88"), kOverflow);
  EXPECT_EQ(sum("1.1e-130", "-1e-130"), kUnderflow);
  EXPECT_EQ(Number::subtract(parsed("1"), parsed("3"))->to_string(), "-2");
  EXPECT_EQ(Number::subtract(parsed("0"), parsed("0")).value(), Number{});
  EXPECT_EQ(Number::subtract(parsed("0"), parsed("2"))->to_string(), "-2");
}

// As DynamoDB Local accounts them (measured at the 400 KB limit).
TEST(Number, StoredSize) {
  EXPECT_EQ(parsed("0").stored_size(), 1U);
  EXPECT_EQ(parsed("1").stored_size(), 2U);
  EXPECT_EQ(parsed("-1").stored_size(), 3U);
  EXPECT_EQ(parsed("10").stored_size(), 2U);
  EXPECT_EQ(parsed("100").stored_size(), 2U);
  EXPECT_EQ(parsed("12").stored_size(), 2U);
  EXPECT_EQ(parsed("1.2").stored_size(), 3U);
  EXPECT_EQ(parsed("123").stored_size(), 3U);
  EXPECT_EQ(parsed("0.01").stored_size(), 2U);
  EXPECT_EQ(parsed("0.012").stored_size(), 3U);
  EXPECT_EQ(parsed(std::string(38, '9')).stored_size(), 20U);
  EXPECT_EQ(parsed("-" + std::string(38, '9') + "e1").stored_size(), 21U);
}

TEST(Number, HostileOrderedBytes) {
  for (const std::string& bytes :
       {""s, "\x00"s, "\x04"s, "\x03"s, "\x03\x82"s, "\x03\x82\x0b"s, "\x03\x82\x00"s,
        "\x03\x82\x02\x00"s /* 01 */, "\x03\x82\x0b\x01\x00"s /* 10 00 */,
        "\x03\x82\x65\x00"s /* 100 */, "\x03\x82\xff\x00"s,
        "\x03\x82"s + std::string(20, '\x0c') + "\x00"s, "\x01\x7d"s, "\x01\x7d\xff"s}) {
    std::string_view input = bytes;
    EXPECT_FALSE(Number::read_ordered(input).ok()) << to_hex(bytes);
  }
}

TEST(Number, HostileCompactBytes) {
  const std::string too_large =
      compact(parsed(std::string(38, '9'))).substr(1, 18) + "\x02";  // above 10^38
  for (const std::string& bytes :
       {""s, "\x00"s, "\x01\x00"s /* minus zero */, "\x02\x00"s,
        "\x00\x0a"s /* 10 with exponent 0 */, "\x00\x81\x00"s, "\x00\x80"s, "\x00"s + too_large,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"s, "\xfc\x07\x01"s /* 1e127 */,
        "\x00"s + std::string(18, '\xff') + "\x7f"s, "\xff\x7f\x01"s}) {
    Reader reader(bytes);
    EXPECT_FALSE(Number::read_compact(reader).ok()) << to_hex(bytes);
  }
  EXPECT_EQ(compact(parsed("-" + std::string(38, '9') + "e-100")).size(), 21U);  // the longest
}

// The same numbers as exact integers: an independent reckoning.
constexpr int kScale = 170;

cpp_int power(int exponent) {
  return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(exponent));
}

cpp_int scaled(const std::string& plain) {
  std::string digits;
  int fraction = 0;
  bool point = false;
  for (const char c : plain) {
    if (c == '.') {
      point = true;
    } else if (c != '-') {
      // A leading zero would make it octal.
      if (!digits.empty() || c != '0') digits += c;
      if (point) ++fraction;
    }
  }
  const cpp_int magnitude = cpp_int(digits.empty() ? "0" : digits) * power(kScale - fraction);
  return plain.starts_with('-') ? -magnitude : magnitude;
}

// Why a number can't be had, or nothing.
std::string refusal_of(const cpp_int& exact) {
  if (exact == 0) return "";
  std::string digits = cpp_int(boost::multiprecision::abs(exact)).str();
  const int leading = static_cast<int>(digits.size()) - 1 - kScale;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (leading > 125) return kOverflow;
  if (leading < -130) return kUnderflow;
  if (digits.size() > 38) return kTooManyDigits;
  return "";
}

RC_GTEST_PROP(Number, SumsAndDifferencesAgreeWithExactIntegers, ()) {
  const Number a = *generate::number();
  const Number b = *generate::number();
  const cpp_int left = scaled(a.to_string());
  const cpp_int right = scaled(b.to_string());
  const auto check = [](const Result<Number>& result, const cpp_int& exact) {
    const std::string refusal = refusal_of(exact);
    RC_ASSERT(result.ok() == refusal.empty());
    if (result.ok()) {
      RC_ASSERT(scaled(result->to_string()) == exact);
    } else {
      RC_ASSERT(result.error().message == refusal);
    }
  };
  check(Number::add(a, b), left + right);
  check(Number::subtract(a, b), left - right);
}

RC_GTEST_PROP(Number, OrderAgreesWithExactIntegers, ()) {
  const Number a = *generate::number();
  const Number b = *generate::number();
  const cpp_int left = scaled(a.to_string());
  const cpp_int right = scaled(b.to_string());
  RC_ASSERT((a < b) == (left < right));
  RC_ASSERT((a == b) == (left == right));
  RC_ASSERT((ordered(a) < ordered(b)) == (left < right));
  RC_ASSERT((ordered(a) == ordered(b)) == (left == right));
}

RC_GTEST_PROP(Number, NeighboursKeepTheirOrder, ()) {
  const Number a = *generate::number();
  const auto b = Number::add(a, Number(*rc::gen::inRange<std::int64_t>(-2, 3)));
  RC_PRE(b.ok());
  RC_ASSERT((a <=> *b) == (scaled(a.to_string()).compare(scaled(b->to_string())) <=> 0));
  RC_ASSERT((ordered(a) <=> ordered(*b)) == (a <=> *b));
}

RC_GTEST_PROP(Number, RoundTrips, ()) {
  const Number number = *generate::number();
  RC_ASSERT(parsed(number.to_string()) == number);
  RC_ASSERT(number.to_string().size() <= Number::kTextMax);

  const std::string key = ordered(number);
  RC_ASSERT(key.size() <= 24U);
  const std::string followed = key + "rest";
  std::string_view input = followed;
  RC_ASSERT(Number::read_ordered(input).value() == number);
  RC_ASSERT(input == "rest");

  const std::string stored = compact(number);
  RC_ASSERT(stored.size() <= 21U);
  Reader reader(stored);
  RC_ASSERT(Number::read_compact(reader).value() == number);
  RC_ASSERT(reader.at_end());
}

RC_GTEST_PROP(Number, WhatIsReadIsWhatIsWritten, ()) {
  // Bytes near valid ones: an encoding with one byte changed, or cut off.
  std::string bytes = ordered(*generate::number());
  bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  std::string_view input = bytes;
  if (const auto number = Number::read_ordered(input); number.ok()) {
    RC_ASSERT(ordered(*number) == bytes.substr(0, bytes.size() - input.size()));
  }
  std::string stored = compact(*generate::number());
  stored[*rc::gen::inRange<std::size_t>(0, stored.size())] = *rc::gen::arbitrary<char>();
  Reader reader(stored);
  if (const auto number = Number::read_compact(reader); number.ok()) {
    RC_ASSERT(compact(*number) == stored.substr(0, stored.size() - reader.rest().size()));
  }
}

}  // namespace
}  // namespace pawl::item
