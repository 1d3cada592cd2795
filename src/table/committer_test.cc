#include "table/committer.h"

#include <gmock/gmock.h>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CommitterTest, EveryChangeOfAnItemGetsTheNextVersionAlsoOverItsDeletion) {
  create("users");
  EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"))->done());
  EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":"2"}})"))->done());
  EXPECT_TRUE(write(remove(R"({"id":{"S":"A"}})"))->done());
  EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"))->done());
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0", "MODIFY 1", "REMOVE 2", "INSERT 3"));
  EXPECT_EQ(store.size(KeySpace::kDeletedVersions), 0U) << "the counter went back to its item";
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), R"({"id":{"S":"A"},"v":{"N":"1"}})");
}

TEST_F(CommitterTest, ACrashKeepsCountersOfDeletedKeys) {
  create("users");
  write(put(R"({"id":{"S":"A"}})"));
  write(remove(R"({"id":{"S":"A"}})"));
  crash();
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), "");
  write(put(R"({"id":{"S":"A"}})"));
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0", "REMOVE 1", "INSERT 2"));
}

TEST_F(CommitterTest, OneRoundIsOneSync) {
  create("users");
  const std::uint64_t before = store.syncs();
  std::vector<ReplyPtr> replies;
  for (int i = 0; i < 100; ++i) {
    replies.push_back(
        submit_action(one(update(R"({"id":{"S":"A"}})", "ADD v :one", R"({":one":{"N":"1"}})"))));
  }
  EXPECT_EQ(tables.committer->run_round(), Committer::Round::kDone);
  EXPECT_EQ(store.syncs(), before + 1);
  for (const ReplyPtr& reply : replies) EXPECT_TRUE(reply->done());
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), R"({"id":{"S":"A"},"v":{"N":"100"}})");
  const auto log = changes(shard());
  ASSERT_EQ(log.size(), 100U);
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].version->value, i);
    EXPECT_EQ(log[i].sequence.value, i + 1);
    if (i > 0) {
      EXPECT_EQ(log[i].old_image, log[i - 1].new_image);
    }
  }
}

TEST_F(CommitterTest, AWriteThatChangesNothingLeavesNoRecord) {
  create("users");
  write(put(R"({"id":{"S":"A"},"v":{"N":"1.0"}})"));
  const std::uint64_t syncs = store.syncs();
  const ReplyPtr same = write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"));
  EXPECT_TRUE(same->done());
  EXPECT_FALSE(same->outcome.mutations[0].changed);
  EXPECT_TRUE(write(update(R"({"id":{"S":"A"}})", "SET v = :v", R"({":v":{"N":"1"}})"))->done());
  EXPECT_TRUE(write(update(R"({"id":{"S":"A"}})"))->done());
  EXPECT_TRUE(write(remove(R"({"id":{"S":"B"}})"))->done());
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0"));
  EXPECT_EQ(store.syncs(), syncs) << "nothing to write, nothing to sync";
}

TEST_F(CommitterTest, AnUpdateCreatesTheItemWithItsKey) {
  create("users");
  const ReplyPtr bare = write(update(R"({"id":{"S":"A"}})"));
  EXPECT_TRUE(bare->done());
  EXPECT_TRUE(bare->outcome.mutations[0].changed);
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), R"({"id":{"S":"A"}})");
  const ReplyPtr added =
      write(update(R"({"id":{"S":"B"}})", "ADD v :one", R"({":one":{"N":"1"}})"));
  EXPECT_EQ(json_of(*added->outcome.mutations[0].new_image), R"({"id":{"S":"B"},"v":{"N":"1"}})");
  EXPECT_EQ(added->outcome.mutations[0].old_image, nullptr);
  EXPECT_EQ(json_of(added->outcome.mutations[0].updated_new), R"({"v":{"N":"1"}})");
  const ReplyPtr copied = write(update(R"({"id":{"S":"C"}})", "SET v = id"));
  ASSERT_TRUE(copied->done()) << "the key is there while the item is being made";
  EXPECT_EQ(read(R"({"id":{"S":"C"}})"), R"({"id":{"S":"C"},"v":{"S":"C"}})");
}

TEST_F(CommitterTest, RefusesWhatIsInvalid) {
  create("users");
  create("sorted", true);
  const auto refused = [this](Mutation mutation) {
    const ReplyPtr reply = write(std::move(mutation));
    EXPECT_EQ(reply->calls, 1);
    EXPECT_EQ(reply->refusal(), Refusal::kInvalid);
    return reply->message();
  };
  EXPECT_EQ(refused(put(R"({"v":{"N":"1"}})")),
            "One or more parameter values were invalid: Missing the key id in the item");
  EXPECT_EQ(
      refused(put(R"({"id":{"N":"1"}})")),
      "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N");
  EXPECT_EQ(refused(remove(R"({"id":{"S":"A"},"v":{"N":"1"}})")),
            "The provided key element does not match the schema");
  EXPECT_EQ(refused(remove(R"({"id":{"S":"A"}})", "sorted")),
            "The provided key element does not match the schema");
  EXPECT_EQ(
      refused(update(R"({"id":{"S":"A"}})", "SET id = :v", R"({":v":{"S":"B"}})")),
      "One or more parameter values were invalid: Cannot update attribute id. This attribute is "
      "part of the key");
  const std::string large(400 * 1024, 'x');
  EXPECT_EQ(refused(put(R"({"id":{"S":"A"},"v":{"S":")" + large + R"("}})")),
            "Item size has exceeded the maximum allowed size");
  EXPECT_EQ(
      refused(update(R"({"id":{"S":"A"}})", "SET v = :v", R"({":v":{"S":")" + large + R"("}})")),
      "Item size to update has exceeded the maximum allowed size");
  EXPECT_EQ(write(put(R"({"id":{"S":"A"}})", "nobody"))->refusal(), Refusal::kNoSuchTable);
  EXPECT_THAT(story(shard()), IsEmpty());
}

TEST_F(CommitterTest, TheLargestItemIsTaken) {
  create("users");
  // 2 bytes of "id", 1 of "A", 1 of "v".
  const std::string value(400 * 1024 - 4, 'x');
  EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"S":")" + value + R"("}})"))->done());
  EXPECT_EQ(write(put(R"({"id":{"S":"A"},"v":{"S":"x)" + value + R"("}})"))->refusal(),
            Refusal::kInvalid);
}

TEST_F(CommitterTest, AFailedConditionReturnsTheItemIfAskedTo) {
  create("users");
  write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"));
  Mutation mutation =
      with_condition(put(R"({"id":{"S":"A"},"v":{"N":"2"}})"), "attribute_not_exists(id)");
  ReplyPtr reply = write(mutation);
  EXPECT_EQ(reply->refusal(), Refusal::kConditionFailed);
  EXPECT_EQ(reply->message(), "The conditional request failed");
  EXPECT_FALSE(reply->outcome.failure->item);
  mutation.return_old_on_failure = true;
  reply = write(mutation);
  ASSERT_TRUE(reply->outcome.failure->item);
  EXPECT_EQ(json_of(*reply->outcome.failure->item), R"({"id":{"S":"A"},"v":{"N":"1"}})");
  EXPECT_TRUE(write(with_condition(put(R"({"id":{"S":"A"},"v":{"N":"2"}})"), "v = :one",
                                   R"({":one":{"N":"1"}})"))
                  ->done());
}

TEST_F(CommitterTest, ConditionsSeeWhatTheSameRoundHasChanged) {
  create("users");
  const auto create_once = [] {
    return one(with_condition(put(R"({"id":{"S":"A"}})"), "attribute_not_exists(id)"));
  };
  const ReplyPtr first = submit_action(create_once());
  const ReplyPtr second = submit_action(create_once());
  run();
  EXPECT_TRUE(first->done());
  EXPECT_EQ(second->refusal(), Refusal::kConditionFailed);
}

TEST_F(CommitterTest, ATransactionIsAllOrNothing) {
  create("users", false, 4);
  create("other");
  write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"));
  const ReplyPtr cancelled = do_action(all({
      put(R"({"id":{"S":"B"}})"),
      with_condition(mutation(Mutation::Kind::kCheck, R"({"id":{"S":"A"}})", "users"), "v = :v",
                     R"({":v":{"N":"2"}})"),
      update(R"({"id":{"S":"C"}})", "SET id = :v", R"({":v":{"S":"D"}})"),
      remove(R"({"id":{"S":"E"}})", "other"),
  }));
  EXPECT_EQ(cancelled->refusal(), Refusal::kTransactionCancelled);
  EXPECT_EQ(cancelled->message(),
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, "
            "ConditionalCheckFailed, ValidationError, None]");
  const auto& reasons = cancelled->outcome.failure->reasons;
  ASSERT_EQ(reasons.size(), 4U);
  EXPECT_FALSE(reasons[0].refusal);
  EXPECT_EQ(reasons[1].refusal, Refusal::kConditionFailed);
  EXPECT_EQ(reasons[2].refusal, Refusal::kInvalid);
  EXPECT_EQ(read(R"({"id":{"S":"B"}})"), "");

  EXPECT_TRUE(do_action(all({put(R"({"id":{"S":"B"}})"), put(R"({"id":{"S":"X"}})", "other"),
                             with_condition(
                                 mutation(Mutation::Kind::kCheck, R"({"id":{"S":"A"}})", "users"),
                                 "v = :v", R"({":v":{"N":"1"}})")}))
                  ->done());
  EXPECT_EQ(read(R"({"id":{"S":"X"}})", "other"), R"({"id":{"S":"X"}})");
  EXPECT_EQ(read(R"({"id":{"S":"B"}})"), R"({"id":{"S":"B"}})");
}

TEST_F(CommitterTest, ATransactionHasItsBounds) {
  create("users");
  std::vector<Mutation> many;
  for (int i = 0; i < 101; ++i)
    many.push_back(put(R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  EXPECT_EQ(do_action(all(many))->refusal(), Refusal::kInvalid);
  many.pop_back();
  EXPECT_TRUE(do_action(all(many))->done());
  const ReplyPtr twice =
      do_action(all({put(R"({"id":{"S":"A"}})"), remove(R"({"id":{"S":"A"}})")}));
  EXPECT_EQ(twice->message(), "Transaction request cannot include multiple operations on one item");
  const std::string value(300 * 1024, 'x');
  std::vector<Mutation> large;
  for (int i = 0; i < 14; ++i) {
    large.push_back(
        put(R"({"id":{"S":"L)" + std::to_string(i) + R"("},"v":{"S":")" + value + R"("}})"));
  }
  EXPECT_THAT(do_action(all(large))->message(), HasSubstr("4 MB"));
  large.pop_back();
  EXPECT_TRUE(do_action(all(large))->done());
  EXPECT_EQ(
      do_action(all({put(R"({"id":{"S":"A"}})"), put(R"({"id":{"S":"A"}})", "nobody")}))->refusal(),
      Refusal::kNoSuchTable);
}

TEST_F(CommitterTest, ABatchIsRefusedAsAWhole) {
  create("users");
  Mutations batch;
  batch.mutations = {put(R"({"id":{"S":"A"}})"), put(R"({"no":{"S":"B"}})")};
  EXPECT_EQ(do_action(batch)->refusal(), Refusal::kInvalid);
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), "");
  batch.mutations.pop_back();
  batch.mutations.push_back(remove(R"({"id":{"S":"A"}})"));
  const ReplyPtr reply = do_action(batch);
  EXPECT_TRUE(reply->done());
  EXPECT_EQ(reply->outcome.mutations.size(), 2U);
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0", "REMOVE 1"));
}

TEST_F(CommitterTest, CountsAreExactAndSurviveACrash) {
  create("users");
  write(put(R"({"id":{"S":"A"},"v":{"S":"12345"}})"));
  write(put(R"({"id":{"S":"B"}})"));
  write(put(R"({"id":{"S":"A"},"v":{"S":"123"}})"));
  write(remove(R"({"id":{"S":"B"}})"));
  const auto check = [this] {
    const auto described = std::get<TableDescription>(tables.reader->describe("users"));
    EXPECT_EQ(described.item_count, 1U);
    EXPECT_EQ(described.size_bytes, 7U);  // id A, v 123
  };
  check();
  crash();
  check();
}

TEST_F(CommitterTest, ARoundThatWouldBeTooLargeIsSplit) {
  options.batch_bytes_max = 1024 * 1024;
  crash();
  create("users");
  const std::string value(200 * 1024, 'x');
  std::vector<ReplyPtr> replies;
  for (int i = 0; i < 10; ++i) {
    replies.push_back(submit_action(
        one(put(R"({"id":{"S":")" + std::to_string(i) + R"("},"v":{"S":")" + value + R"("}})"))));
  }
  int rounds = 0;
  while (tables.committer->run_round() == Committer::Round::kDone) ++rounds;
  EXPECT_EQ(rounds, 5);  // two of 400 KiB each
  for (const ReplyPtr& reply : replies) EXPECT_TRUE(reply->done());
  const auto log = changes(shard());
  ASSERT_EQ(log.size(), 10U);
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].key, item_of(R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  }
}

TEST_F(CommitterTest, AFullQueueIsBusy) {
  options.queue_commands_max = 2;
  crash();
  create("users");
  const ReplyPtr first = submit_action(one(put(R"({"id":{"S":"A"}})")));
  const ReplyPtr second = submit_action(one(put(R"({"id":{"S":"B"}})")));
  const ReplyPtr third = submit_action(one(put(R"({"id":{"S":"C"}})")));
  EXPECT_EQ(third->calls, 1);
  EXPECT_EQ(third->refusal(), Refusal::kBusy);
  run();
  EXPECT_TRUE(first->done());
  EXPECT_TRUE(second->done());
  EXPECT_EQ(third->calls, 1);
}

TEST_F(CommitterTest, InstantsNeverDecrease) {
  create("users");
  write(put(R"({"id":{"S":"A"}})"));
  clock.set({1'700'000'000'000'000});
  write(put(R"({"id":{"S":"B"}})"));
  crash();
  write(put(R"({"id":{"S":"C"}})"));
  const auto log = changes(shard());
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0].instant.microseconds, 1'800'000'000'000'000);
  EXPECT_EQ(log[1].instant, log[0].instant);
  EXPECT_EQ(log[2].instant, log[0].instant);
}

TEST_F(CommitterTest, AfterTheQueueIsClosedNewCommandsAreRefusedAndOldOnesDone) {
  create("users");
  const ReplyPtr before = submit_action(one(put(R"({"id":{"S":"A"}})")));
  tables.committer->close();
  EXPECT_EQ(submit_action(one(put(R"({"id":{"S":"B"}})")))->refusal(), Refusal::kStopping);
  run();
  EXPECT_TRUE(before->done());
}

}  // namespace
}  // namespace pawl::table
