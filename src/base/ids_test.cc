#include "base/ids.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pawl {
namespace {

static_assert(!std::is_convertible_v<SequenceNumber, Version>);
static_assert(!std::is_convertible_v<Version, std::uint64_t>);

TEST(Ids, NumbersCountUp) {
  EXPECT_EQ(SequenceNumber{}.next(), SequenceNumber{1});
  EXPECT_LT(Version{1}, Version{2});
}

TEST(Ids, IncarnationsHaveSixteenDigits) {
  EXPECT_EQ(Incarnation{0x9f86d081884c7d65}.to_string(), "9f86d081884c7d65");
  EXPECT_EQ(Incarnation{1}.to_string(), "0000000000000001");
  EXPECT_EQ(Incarnation::parse("9f86d081884c7d65"), Incarnation{0x9f86d081884c7d65});
  EXPECT_FALSE(Incarnation::parse("0000000000000000"));  // never an incarnation
  EXPECT_FALSE(Incarnation::parse("9F86d081884c7d65"));
  EXPECT_FALSE(Incarnation::parse("9f86d081884c7d6"));
}

TEST(Ids, ShardsCarryTheirIncarnation) {
  const ShardId shard{Incarnation{0x9f86d081884c7d65}, 3};
  EXPECT_EQ(shard.to_string(), "9f86d081884c7d65-0003");
  EXPECT_EQ(ShardId::parse("9f86d081884c7d65-0003"), shard);
  EXPECT_FALSE(ShardId::parse("9f86d081884c7d65_0003"));
  EXPECT_FALSE(ShardId::parse("9f86d081884c7d65-003"));
  EXPECT_FALSE(ShardId::parse("0000000000000000-0003"));
  EXPECT_FALSE(ShardId::parse("9f86d081884c7d65-00003"));
  EXPECT_FALSE(ShardId::parse("9f86d081884c7d65-"));
  EXPECT_FALSE(ShardId::parse(""));
}

TEST(Ids, ShardNumbersGrowBeyondFourDigits) {
  constexpr Incarnation kIncarnation{0x9f86d081884c7d65};
  for (const auto& [number, digits] : std::vector<std::pair<std::uint32_t, std::string>>{
           {0, "0000"}, {0xffff, "ffff"}, {0x10000, "10000"}, {0xffffffff, "ffffffff"}}) {
    const auto text = "9f86d081884c7d65-" + digits;
    EXPECT_EQ((ShardId{kIncarnation, number}.to_string()), text);
    EXPECT_EQ(ShardId::parse(text), (ShardId{kIncarnation, number}));
  }
  for (const char* digits : {"010000", "00010000", "100000000", "1000G", "FFFFF", "+ffff"}) {
    EXPECT_FALSE(ShardId::parse("9f86d081884c7d65-" + std::string(digits))) << digits;
  }
  EXPECT_LT((ShardId{kIncarnation, 0xffff}), (ShardId{kIncarnation, 0x10000}));
}

RC_GTEST_PROP(Ids, ShardsRoundTrip, (std::uint64_t incarnation, std::uint32_t number)) {
  RC_PRE(incarnation != 0U);
  const ShardId shard{Incarnation{incarnation}, number};
  RC_ASSERT(ShardId::parse(shard.to_string()) == shard);
}

}  // namespace
}  // namespace pawl
