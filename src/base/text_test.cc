// Hexadecimal and base64 text.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "base/base64.h"
#include "base/hex.h"

namespace pawl {
namespace {

using namespace std::string_literals;

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  EXPECT_EQ(to_hex("\x00\x7f\xff"s), "007fff");
  EXPECT_EQ(from_hex("007fFF"), "\x00\x7f\xff"s);
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, RefusesOddLengthAndForeignCharacters) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex("0x"));
  EXPECT_FALSE(from_hex("\xff\xff"));
}

TEST(Hex, NumbersNeedExactlyTheirDigits) {
  EXPECT_EQ(parse_hex_number("00ff", 4), 255U);
  EXPECT_EQ(parse_hex_number("ffffffffffffffff", 16), ~std::uint64_t{0});
  EXPECT_FALSE(parse_hex_number("0ff", 4));
  EXPECT_FALSE(parse_hex_number("00FF", 4));
  EXPECT_FALSE(parse_hex_number("-0ff", 4));
  EXPECT_FALSE(parse_hex_number("", 0));
  EXPECT_FALSE(parse_hex_number("00000000000000000", 17));
}

RC_GTEST_PROP(Hex, RoundTrips, (const std::string& bytes)) {
  RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
}

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xfb\xff\xbf"), "+/+/");
}

TEST(Base64, AppendsAfterWhatIsThere) {
  std::string out = "x:";
  append_base64(out, "foo");
  EXPECT_EQ(out, "x:Zm9v");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  EXPECT_FALSE(from_base64("Zh=="));  // bits beyond the only byte
  EXPECT_FALSE(from_base64("Zm9="));  // bits beyond the second byte
  EXPECT_FALSE(from_base64("Zg"));    // no padding
  EXPECT_FALSE(from_base64("Zg="));
  EXPECT_FALSE(from_base64("Z==="));
  EXPECT_FALSE(from_base64("===="));
  EXPECT_FALSE(from_base64("Zg==Zg=="));  // padding in the middle
  EXPECT_FALSE(from_base64("Zm9v\n"));
  EXPECT_FALSE(from_base64("Zm9-"));  // the URL alphabet
  EXPECT_FALSE(from_base64("Zm9\0"s));
}

RC_GTEST_PROP(Base64, RoundTrips, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
}

RC_GTEST_PROP(Base64, EveryTextThatIsReadIsTheOneThatIsWritten, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf("AQgZw/+=9"s));
  const auto bytes = from_base64(text);
  if (bytes) RC_ASSERT(to_base64(*bytes) == text);
}

}  // namespace
}  // namespace pawl
