// Promise P5 where it is hardest: the recorder's coroutine hangs in a call of a store, and what is asked then was not there
// when it got stuck. Every shard of every recorded table is named, whenever it came to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/recorder_world_test.h"

namespace pawl::pipeline {
namespace {

constexpr Incarnation kOrders{0x11};
constexpr ShardId kOrders0{kOrders, 0};
constexpr ShardId kOrders1{kOrders, 1};

void create_orders(RecorderWorld& world) {
  RecordedTable table = users_table();
  table.incarnation = kOrders;
  table.definition.name = "orders";
  table.shards = {kOrders0, kOrders1};
  table.created = world.clock.now();
  world.tables.list.push_back(table);
  ++world.tables.changed;
}

const ShardStatus* shard_of(const RecorderStatus& status, ShardId id) {
  const ShardStatus* found = nullptr;
  for (const auto& shard : status.shards) {
    if (shard.shard != id) continue;
    EXPECT_EQ(found, nullptr) << "listed twice";
    found = &shard;
  }
  return found;
}

// Lives on after one change; the call in which that change is stuck runs `stuck`.
void live_with(RecorderWorld& world, Recorder& recorder, int idles) {
  ASSERT_TRUE(RecorderWorld::wait(recorder.open()).ok());
  int idle = 0;
  world.clock.on_idle = [&] {
    world.board.heartbeat(world.clock.now());
    if (idle == 1 && !world.tables.list[0].deleted) world.commit(users_change(kShard0, 1, "A", 1));
    if (++idle >= idles) recorder.stop();
  };
  EXPECT_TRUE(RecorderWorld::wait(recorder.run()).ok());
}

struct Stage {
  const char* name;
  // Has `stuck` called in the first call of that stage that is about the change.
  void (*arm)(RecorderWorld& world, std::function<void()> stuck);
};

class StuckRecorder : public ::testing::TestWithParam<Stage> {};

TEST_P(StuckRecorder, NamesTablesThatAreCreatedMeanwhile) {
  RecorderWorld world;
  Recorder recorder(world.ports(), world.options);
  bool was_stuck = false;
  GetParam().arm(world, [&] {
    if (std::exchange(was_stuck, true)) return;
    world.clock.pass(std::chrono::seconds(1));
    create_orders(world);
    world.commit(users_change(kOrders0, 1, "O", 1));
    auto status = recorder.status();
    const auto* orders0 = shard_of(status, kOrders0);
    ASSERT_NE(orders0, nullptr);
    EXPECT_EQ(orders0->table, "orders");
    EXPECT_EQ(orders0->lag, 1U);
    EXPECT_EQ(orders0->state, FlowState::kFlowing) << "not yet";

    world.clock.pass(std::chrono::seconds(2));
    status = recorder.status();
    EXPECT_EQ(status.shards.size(), 4U);
    EXPECT_TRUE(std::is_sorted(status.shards.begin(), status.shards.end(),
                               [](const auto& a, const auto& b) { return a.shard < b.shard; }));
    orders0 = shard_of(status, kOrders0);
    ASSERT_NE(orders0, nullptr);
    EXPECT_EQ(orders0->state, FlowState::kStalled);
    EXPECT_EQ(orders0->where, GetParam().name);
    ASSERT_TRUE(orders0->stalled_since.has_value());
    EXPECT_GE(*orders0->stalled_since, world.tables.list.back().created);
    const auto* orders1 = shard_of(status, kOrders1);
    ASSERT_NE(orders1, nullptr);
    EXPECT_EQ(orders1->state, FlowState::kUnproven) << "nothing is due there, and nothing known";
    // A shard without work whose heartbeats stand still stands still where the recorder does, not at the commit.
    const auto* users1 = shard_of(status, kShard1);
    ASSERT_NE(users1, nullptr);
    EXPECT_EQ(users1->state, FlowState::kStalled);
    EXPECT_EQ(users1->where, GetParam().name);
  });
  live_with(world, recorder, 8);
  ASSERT_TRUE(was_stuck);
  const auto status = recorder.status();
  EXPECT_EQ(status.shards.size(), 4U);
  for (const auto& shard : status.shards) {
    EXPECT_EQ(shard.lag, 0U);
    EXPECT_EQ(shard.state, FlowState::kIdle) << shard.shard.to_string();
  }
}

TEST(RecorderFacts, WhatIsSettledIsNotNamedThoughItIsStillListed) {
  RecorderWorld world;
  world.tables.forgets_at_once = false;
  create_orders(world);
  Recorder recorder(world.ports(), world.options);
  world.commit(users_change(kOrders0, 1, "O", 1));
  world.clock.on_idle = [] {};
  world.tables.list[0].deleted = true;
  live_with(world, recorder, 3);
  const auto status = recorder.status();
  EXPECT_EQ(status.shards.size(), 2U);
  EXPECT_EQ(shard_of(status, kShard0), nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Stages, StuckRecorder,
    ::testing::Values(Stage{"archive",
                            [](RecorderWorld& world, std::function<void()> stuck) {
                              world.objects.fault = [stuck](auto) -> std::optional<PutOutcome> {
                                stuck();
                                return std::nullopt;
                              };
                            }},
                      Stage{"ledger",
                            [](RecorderWorld& world, std::function<void()> stuck) {
                              world.ledger.sync_fails = [&world, stuck] {
                                if (!world.objects.objects.empty()) stuck();
                                return false;
                              };
                            }}),
    [](const auto& stage) { return std::string(stage.param.name); });

}  // namespace
}  // namespace pawl::pipeline
