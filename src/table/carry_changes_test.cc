#include "table/carry_changes.h"

#include <gmock/gmock.h>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;

TEST_F(CommitterTest, AdoptionCarriesWhatTheLedgerDoesNotHave) {
  create("users");
  for (int i = 0; i < 3; ++i)
    write(update(R"({"id":{"S":"A"}})", "ADD v :one", R"({":one":{"N":"1"}})"));
  const ShardId old = shard();
  const auto before = changes(old);
  tables.committer->refuse_writes(Refusal::kNeedsAdopt, "test");
  ASSERT_TRUE(do_action(AdoptTable{"users", {{old, {1}}}})->done());
  ASSERT_NE(shard(), old);
  auto expected = std::vector<item::Change>{before[1], before[2]};
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i].shard = shard(), expected[i].sequence = {i + 1};
  EXPECT_EQ(changes(shard()), expected);
  EXPECT_EQ(changes(old), before);  // held until it is settled
  tables.committer->allow_writes();
  write(update(R"({"id":{"S":"A"}})", "ADD v :one", R"({":one":{"N":"1"}})"));
  EXPECT_THAT(story(shard()), ElementsAre("MODIFY 1", "MODIFY 2", "MODIFY 3"));
  crash();
  EXPECT_THAT(story(shard()), ElementsAre("MODIFY 1", "MODIFY 2", "MODIFY 3"));
}

TEST_F(CommitterTest, AdoptionCarriesNothingOfWhatTheLedgerHas) {
  create("users");
  write(put(R"({"id":{"S":"A"}})"));
  ASSERT_TRUE(do_action(AdoptTable{"users", {{shard(), {1}}}})->done());
  EXPECT_THAT(story(shard()), ElementsAre());
  write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"));
  EXPECT_THAT(story(shard()), ElementsAre("MODIFY 1"));
}

}  // namespace
}  // namespace pawl::table
