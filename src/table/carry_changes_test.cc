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
  ASSERT_TRUE(do_action(AdoptTable{old.incarnation, {{old, {1}}}})->done());
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
  ASSERT_TRUE(do_action(AdoptTable{incarnation(), {{shard(), {1}}}})->done());
  EXPECT_THAT(story(shard()), ElementsAre());
  write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"));
  EXPECT_THAT(story(shard()), ElementsAre("MODIFY 1"));
}

// A deleted table whose changes are not all in pages; its name is another table's by now.
TEST_F(CommitterTest, AdoptionOfAClosingTableLeavesItsNamesakeAlone) {
  create("users");
  write(put(R"({"id":{"S":"A"}})"));
  write(put(R"({"id":{"S":"B"}})"));
  const ShardId old = shard();
  ASSERT_TRUE(do_action(DeleteTable{"users"})->done());
  create("users");
  write(put(R"({"id":{"S":"C"}})"));
  const Incarnation namesake = incarnation();
  ASSERT_NE(namesake, old.incarnation);
  const ReplyPtr adopted = do_action(AdoptTable{old.incarnation, {{old, {1}}}});
  ASSERT_TRUE(adopted->done()) << adopted->message();
  const Incarnation next = adopted->outcome.table->incarnation;
  EXPECT_EQ(do_action(AdoptTable{old.incarnation, {}})->refusal(), Refusal::kInvalid) << "once";
  const auto expect_all = [&] {
    EXPECT_EQ(incarnation(), namesake);
    EXPECT_THAT(story({.incarnation = namesake, .number = 0}), ElementsAre("INSERT 0"));
    EXPECT_EQ(changes({.incarnation = next, .number = old.number}).size(), 1U);
    const auto known = tables.catalog->view()->by_incarnation;
    EXPECT_EQ(known.at(old.incarnation)->record.state, TableState::kReplaced);
    EXPECT_EQ(known.at(next)->record.state, TableState::kClosing);
    EXPECT_EQ(known.at(next)->record.parent, old.incarnation);
  };
  expect_all();
  crash();
  expect_all();
  tables.committer->table_settled(old.incarnation);
  tables.committer->table_settled(next);
  run();
  EXPECT_EQ(tables.catalog->view()->by_incarnation.size(), 1U);
  EXPECT_EQ(std::get<TableDescription>(tables.reader->describe("users")).item_count, 1U);
}

TEST_F(CommitterTest, AdoptionOfWhatIsUnknownIsRefused) {
  EXPECT_EQ(do_action(AdoptTable{{0x77}, {}})->refusal(), Refusal::kNoSuchTable);
}

}  // namespace
}  // namespace pawl::table
