#include "item/source_number.h"

#include <gtest/gtest.h>

namespace pawl::item {
namespace {

TEST(SourceNumber, HasOneForm) {
  for (const char* good :
       {"0", "1", "100000000003498069978", "9999999999999999999999999999999999999999"})
    EXPECT_TRUE(is_source_number(good)) << good;
  for (const char* bad :
       {"", "00", "01", "-1", "+1", "1 ", "1a", "1.0", "10000000000000000000000000000000000000000"})
    EXPECT_FALSE(is_source_number(bad)) << bad;
}

TEST(SourceNumber, IsOrderedAsANumber) {
  EXPECT_TRUE(source_before("9", "10"));
  EXPECT_FALSE(source_before("10", "9"));
  EXPECT_TRUE(source_before("100000000003498069978", "100000000003498069979"));
  EXPECT_FALSE(source_before("7", "7"));
  EXPECT_LT(padded_source("9"), padded_source("10"));
  EXPECT_EQ(padded_source("12"), "0000000000000000000000000000000000000012");
}

TEST(SourceNumber, IsWhatTheServiceWrites) {
  EXPECT_EQ(source_of("000000000000000000123"), "123");
  EXPECT_EQ(source_of("100000000003498069978"), "100000000003498069978");
  EXPECT_EQ(source_of("000"), "0");
  EXPECT_EQ(source_of(""), "");
  EXPECT_EQ(sequence_of("123"), "000000000000000000123");
  EXPECT_EQ(sequence_of("0").size(), 21U);
  EXPECT_EQ(sequence_of("1000000000034980699781"), "1000000000034980699781");
}

}  // namespace
}  // namespace pawl::item
