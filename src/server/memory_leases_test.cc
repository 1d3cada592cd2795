#include "server/memory_leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "port/conformance/run_awaitable.h"

namespace pawl::server {
namespace {

using ::testing::ElementsAre;

TEST(MemoryLeases, ARowIsWrittenByWhoKnowsItsRevision) {
  MemoryLeases leases;
  const auto put = [&](const std::string& name, std::uint64_t expected, const std::string& value) {
    return run_awaitable(leases.put(name, expected, value)).outcome;
  };
  EXPECT_TRUE(run_awaitable(leases.create_if_absent()).ok());
  EXPECT_EQ(put("shard/2", 0, "a"), LeaseOutcome::kDone);
  EXPECT_EQ(put("shard/2", 0, "b"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("shard/2", 1, "b"), LeaseOutcome::kDone);
  EXPECT_EQ(put("shard/1", 1, "c"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("shard/1", 0, "c"), LeaseOutcome::kDone);
  EXPECT_EQ(put("root", 0, "r"), LeaseOutcome::kDone);
  EXPECT_THAT(*run_awaitable(leases.list("shard/")),
              ElementsAre(LeaseRow{"shard/1", 1, "c"}, LeaseRow{"shard/2", 2, "b"}));
  EXPECT_EQ(run_awaitable(leases.erase("shard/2", 1)).outcome, LeaseOutcome::kConflict);
  EXPECT_EQ(run_awaitable(leases.erase("shard/2", 2)).outcome, LeaseOutcome::kDone);
  EXPECT_EQ(run_awaitable(leases.erase("shard/2", 2)).outcome, LeaseOutcome::kConflict);
  EXPECT_FALSE(*run_awaitable(leases.get("shard/2")));
  EXPECT_EQ(run_awaitable(leases.get("root"))->value().value, "r");
}

}  // namespace
}  // namespace pawl::server
