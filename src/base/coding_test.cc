#include "base/coding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace pawl {
namespace {

using namespace std::string_literals;

std::string varint(std::uint64_t value) {
  std::string out;
  append_varint(out, value);
  return out;
}

TEST(Coding, IntegersAreBigEndian) {
  std::string out;
  append_u8(out, 0x01);
  append_u16_be(out, 0x0203);
  append_u32_be(out, 0x04050607);
  append_u64_be(out, 0x08090a0b0c0d0e0f);
  EXPECT_EQ(out, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"s);
  Reader reader(out);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16_be(), 0x0203);
  EXPECT_EQ(reader.u32_be(), 0x04050607U);
  EXPECT_EQ(reader.u64_be(), 0x08090a0b0c0d0e0fU);
  EXPECT_TRUE(reader.at_end());
}

TEST(Coding, VarintsHaveTheirKnownForms) {
  EXPECT_EQ(varint(0), "\x00"s);
  EXPECT_EQ(varint(127), "\x7f"s);
  EXPECT_EQ(varint(128), "\x80\x01"s);
  EXPECT_EQ(varint(300), "\xac\x02"s);
  EXPECT_EQ(varint(~std::uint64_t{0}), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

bool varint_refused(std::string_view bytes) {
  Reader reader(bytes);
  EXPECT_EQ(reader.varint(), 0U);
  return !reader.ok();
}

TEST(Coding, HostileVarintsAreRefused) {
  EXPECT_TRUE(varint_refused(""));
  EXPECT_TRUE(varint_refused("\x80"));
  EXPECT_TRUE(varint_refused("\x80\x00"s));                                 // 0 in two bytes
  EXPECT_TRUE(varint_refused("\xff\x80\x00"s));                             // 127 in three
  EXPECT_TRUE(varint_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));  // 2^64 and more
  EXPECT_TRUE(varint_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST(Coding, ReadingPastTheEndFailsForGood) {
  Reader reader("\x01\x02\x03");
  EXPECT_EQ(reader.u32_be(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0U);  // although three bytes were there
  EXPECT_EQ(reader.varint(), 0U);
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_EQ(reader.raw(0), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.at_end());
}

TEST(Coding, ALengthBeyondTheEndIsRefused) {
  Reader reader("\x05only");
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.ok());
  Reader huge("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01rest");
  EXPECT_EQ(huge.bytes(), "");
  EXPECT_FALSE(huge.ok());
}

RC_GTEST_PROP(Coding, RoundTrips,
              (std::uint64_t number, const std::string& bytes, std::uint16_t small)) {
  std::string out;
  append_varint(out, number >> small % 64);
  append_bytes(out, bytes);
  append_u16_be(out, small);
  append_u64_be(out, number);
  Reader reader(out);
  RC_ASSERT(reader.varint() == number >> small % 64);
  RC_ASSERT(reader.bytes() == bytes);
  RC_ASSERT(reader.u16_be() == small);
  RC_ASSERT(reader.rest().size() == 8U);
  RC_ASSERT(reader.u64_be() == number);
  RC_ASSERT(reader.at_end());
}

RC_GTEST_PROP(Coding, BigEndianBytesSortAsNumbers, (std::uint64_t a, std::uint64_t b)) {
  std::string left;
  std::string right;
  append_u64_be(left, a);
  append_u64_be(right, b);
  RC_ASSERT((left < right) == (a < b));
}

}  // namespace
}  // namespace pawl
