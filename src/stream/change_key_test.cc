#include "stream/change_key.h"

#include <gtest/gtest.h>

namespace pawl::stream {
namespace {

// Bytes that stand in every data directory: they must never change, whatever becomes of ShardId.
TEST(ChangeKey, HasTheBytesThatAreStored) {
  const std::string expected(
      "\x9f\x86\xd0\x81\x88\x4c\x7d\x65"
      "\xab\xcd"
      "\x00\x00\x00\x00\x00\x00\x01\x02",
      kChangeKeySize);
  const ShardId shard{{0x9f86d081884c7d65}, 0xabcd};
  EXPECT_EQ(change_key(shard, {0x102}), expected);
  const auto parsed = parse_change_key(expected);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, std::pair(shard, SequenceNumber{0x102}));
  EXPECT_FALSE(parse_change_key(expected + "x").ok());
  EXPECT_FALSE(parse_change_key(expected.substr(1)).ok());
}

TEST(ChangeKeyDeathTest, HasNoRoomForAGuardedTablesShards) {
  EXPECT_EQ(change_key({{7}, kEmbeddedShardMax}, {1}).size(), kChangeKeySize);
  EXPECT_DEATH(change_key({{7}, kEmbeddedShardMax + 1}, {1}), "kEmbeddedShardMax");
}

}  // namespace
}  // namespace pawl::stream
