// Which mappings a person is told of, and how.
#include "server/status_mappings.h"

#include <gmock/gmock.h>

namespace pawl::server {
namespace {

using ::testing::HasSubstr;

// One shard, of which three changes wait.
trigger::MappingStatus mapping() {
  trigger::MappingStatus status;
  status.record.config.function = "thumbnails";
  status.record.source.table = "users";
  status.state = trigger::MappingState::kEnabled;
  trigger::ShardTaskStatus shard;
  shard.newest = {10};
  shard.done = shard.kept = {7};
  status.shards.push_back(shard);
  status.oldest.push_back(Instant{5});
  return status;
}

TEST(MappingAlarms, NoneWhereChangesAreOnTheirWay) {
  EXPECT_TRUE(mapping_alarms({mapping()}).empty());
}

TEST(MappingAlarms, OneThatStandsStillIsNamed) {
  auto status = mapping();
  status.shards[0].stalled_for = std::chrono::seconds(90);
  status.last_result = "PROBLEM: Function could not be called";
  status.why = "there is no such function";
  const auto alarms = mapping_alarms({status});
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].kind, "mapping-stalled");
  EXPECT_TRUE(alarms[0].standing);
  for (const auto* words :
       {"users", "thumbnails", "90 s", "3 changes", "there is no such function"}) {
    EXPECT_THAT(alarms[0].text, HasSubstr(words));
  }
  // The change that stands in the way says more.
  status.shards[0].blocked_at = SequenceNumber{8};
  const auto blocked = mapping_alarms({status});
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].kind, "mapping-blocked");
}

TEST(MappingAlarms, WhatADisabledOneHoldsIsNoted) {
  auto status = mapping();
  status.state = trigger::MappingState::kDisabled;
  const auto alarms = mapping_alarms({status});
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].kind, "mapping-paused");
  EXPECT_FALSE(alarms[0].standing);
  EXPECT_EQ(alarms[0].since, Instant{5});
  EXPECT_THAT(alarms[0].text, HasSubstr("3 changes"));
  status.shards[0].done = {10};
  EXPECT_TRUE(mapping_alarms({status}).empty());
}

}  // namespace
}  // namespace pawl::server
