// What the committer does when the store, the room or a client fails it.
#include <gmock/gmock.h>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FaultyCommitterTest : public CommitterTest {
 protected:
  void next_write(StoreWriteFault fault) {
    plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(fault)});
    store.set_fault_plan(&plan);
  }
  Command repeatable(Mutation mutation, const std::string& id, const std::string& request) {
    Command command;
    command.action = one(std::move(mutation));
    command.invocation = guard(id, request);
    return command;
  }
  static RepeatGuard guard(const std::string& id, const std::string& request, bool token = false) {
    return {.caller = "key", .id = id, .client_token = token, .request = sha256(request)};
  }
  Mutation add_one() {
    return update(R"({"id":{"S":"A"}})", "ADD v :one", R"({":one":{"N":"1"}})");
  }
  std::string counted() { return read(R"({"id":{"S":"A"}})"); }
  static std::string count(int n) {
    return R"({"id":{"S":"A"},"v":{"N":")" + std::to_string(n) + R"("}})";
  }

  ScriptedFaultPlan plan;
};

TEST_F(FaultyCommitterTest, AWriteThatWasNotDoneRefusesTheRoundAndTheNextGoesOn) {
  create("users");
  next_write(StoreWriteFault::kNotDone);
  const ReplyPtr first = submit_action(one(add_one()));
  const ReplyPtr second =
      submit_action(one(with_condition(add_one(), "v = :v", R"({":v":{"N":"9"}})")));
  run();
  EXPECT_EQ(first->refusal(), Refusal::kStorage);
  EXPECT_EQ(second->refusal(), Refusal::kStorage) << "it was judged by what never came to be";
  EXPECT_EQ(counted(), "");
  EXPECT_TRUE(write(add_one())->done());
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0"));
  EXPECT_EQ(std::get<TableDescription>(tables.reader->describe("users")).item_count, 1U);
}

TEST_F(FaultyCommitterTest, AnUnknownWriteIsAnsweredToNobodyAndEndsTheCommitter) {
  for (const auto fault : {StoreWriteFault::kUnknownApplied, StoreWriteFault::kUnknownNotApplied}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const std::string table = fault == StoreWriteFault::kUnknownApplied ? "applied" : "not-applied";
    create(table);
    next_write(fault);
    const ReplyPtr in_round = submit_action(one(put(R"({"id":{"S":"A"}})", table)));
    run();
    EXPECT_EQ(in_round->calls, 1);
    EXPECT_FALSE(in_round->answer);
    EXPECT_EQ(listener.failures.size(), 1U);
    EXPECT_EQ(tables.committer->run_round(), Committer::Round::kEnded);
    EXPECT_EQ(submit_action(one(put(R"({"id":{"S":"B"}})", table)))->refusal(), Refusal::kStopping);
    EXPECT_EQ(read(R"({"id":{"S":"A"}})", table), "") << "readers see synced state only";
    crash();
    listener.failures.clear();
    EXPECT_EQ(read(R"({"id":{"S":"A"}})", table) != "", fault == StoreWriteFault::kUnknownApplied);
    EXPECT_EQ(changes(shard(0, table)).size(), fault == StoreWriteFault::kUnknownApplied ? 1U : 0U);
    EXPECT_TRUE(write(put(R"({"id":{"S":"B"}})", table))->done());
  }
}

TEST_F(FaultyCommitterTest, ARepeatCountsOnce) {
  create("users");
  EXPECT_TRUE(submit(repeatable(add_one(), "i1", "r"))->calls == 0);
  const ReplyPtr within = submit(repeatable(add_one(), "i1", "r"));
  run();
  EXPECT_TRUE(within->done()) << "within the same round";
  EXPECT_EQ(counted(), count(1));
  const ReplyPtr later = submit(repeatable(add_one(), "i1", "r"));
  run();
  EXPECT_TRUE(later->done()) << "in a later round";
  crash();
  const ReplyPtr restarted = submit(repeatable(add_one(), "i1", "r"));
  run();
  EXPECT_TRUE(restarted->done()) << "after a restart";
  EXPECT_EQ(counted(), count(1));
  EXPECT_EQ(changes(shard()).size(), 1U);

  const ReplyPtr other = submit(repeatable(add_one(), "i1", "another"));
  run();
  EXPECT_EQ(other->refusal(), Refusal::kRepeatMismatch);
  Command stranger = repeatable(add_one(), "i1", "r");
  stranger.invocation->caller = "somebody";
  EXPECT_TRUE(do_command(std::move(stranger))->done());
  EXPECT_EQ(counted(), count(2)) << "another caller's id is another id";
}

TEST_F(FaultyCommitterTest, ARepeatThatChangedNothingIsRememberedToo) {
  create("users");
  const Mutation once =
      with_condition(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"), "attribute_not_exists(id)");
  EXPECT_TRUE(do_command(repeatable(remove(R"({"id":{"S":"A"}})"), "i1", "r"))->done());
  EXPECT_TRUE(write(once)->done());
  EXPECT_TRUE(do_command(repeatable(remove(R"({"id":{"S":"A"}})"), "i1", "r"))->done());
  EXPECT_EQ(counted(), count(1)) << "the repeat of a deletion must not delete what came later";
}

TEST_F(FaultyCommitterTest, AFailureIsNotRemembered) {
  create("users");
  const auto attempt = [this] {
    return do_command(repeatable(with_condition(add_one(), "attribute_exists(id)"), "i1", "r"));
  };
  EXPECT_EQ(attempt()->refusal(), Refusal::kConditionFailed);
  EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":"1"}})"))->done());
  EXPECT_TRUE(attempt()->done());
  EXPECT_EQ(counted(), count(2));
}

TEST_F(FaultyCommitterTest, TokensAreOnlyForTenMinutes) {
  create("users");
  const auto attempt = [this](const std::string& request) {
    Command command;
    command.action = all({add_one()});
    command.token = guard("t1", request, true);
    return do_command(std::move(command));
  };
  EXPECT_TRUE(attempt("r")->done());
  clock.advance(std::chrono::minutes(10) - std::chrono::microseconds(1));
  EXPECT_TRUE(attempt("r")->done());
  EXPECT_EQ(attempt("another")->refusal(), Refusal::kTokenMismatch);
  EXPECT_EQ(counted(), count(1));
  clock.advance(std::chrono::microseconds(1));
  EXPECT_TRUE(attempt("another")->done());
  EXPECT_EQ(counted(), count(2));
  clock.advance(std::chrono::minutes(25));
  EXPECT_TRUE(write(add_one())->done());
  EXPECT_EQ(store.size(KeySpace::kAnswers), 0U) << "old answers are removed";
}

TEST_F(FaultyCommitterTest, BothGuardsOfACommandLeadToItsAnswer) {
  create("users");
  const auto attempt = [this](const std::string& invocation, const std::string& token) {
    Command command;
    command.action = all({add_one()});
    command.invocation = guard(invocation, "body");
    command.token = guard(token, "items", true);
    return do_command(std::move(command));
  };
  EXPECT_TRUE(attempt("i1", "t1")->done());
  EXPECT_TRUE(attempt("i2", "t1")->done());
  EXPECT_TRUE(attempt("i1", "t2")->done());
  EXPECT_EQ(counted(), count(1));
  EXPECT_TRUE(attempt("i3", "t3")->done());
  EXPECT_EQ(counted(), count(2));
}

TEST_F(FaultyCommitterTest, BelowTheReserveWritesAreRefusedAndNothingIsLost) {
  create("users");
  EXPECT_TRUE(do_command(repeatable(add_one(), "i1", "r"))->done());
  store.set_room({.free_bytes = options.reserve.bytes - 1, .free_inodes = 1 << 20});
  EXPECT_TRUE(write(add_one())->done()) << "not asked again within 100 ms";
  clock.advance(RoomGate::kInterval);
  const ReplyPtr refused = write(add_one());
  EXPECT_EQ(refused->refusal(), Refusal::kNoRoom);
  EXPECT_THAT(refused->message(), HasSubstr("bytes are free"));
  EXPECT_EQ(write(remove(R"({"id":{"S":"A"}})"))->refusal(), Refusal::kNoRoom);
  EXPECT_EQ(do_action(DeleteTable{"users"})->refusal(), Refusal::kNoRoom);
  EXPECT_TRUE(do_command(repeatable(add_one(), "i1", "r"))->done()) << "it was done before";
  EXPECT_EQ(counted(), count(2));
  EXPECT_THAT(listener.room, ElementsAre(false));

  store.set_room({.free_bytes = options.reserve.bytes, .free_inodes = 1 << 20});
  clock.advance(RoomGate::kInterval);
  EXPECT_EQ(write(add_one())->refusal(), Refusal::kNoRoom) << "hysteresis";
  store.set_room({.free_bytes = options.reserve.bytes * 2, .free_inodes = 1 << 20});
  clock.advance(RoomGate::kInterval);
  EXPECT_TRUE(write(add_one())->done());
  store.set_room(
      {.free_bytes = options.reserve.bytes * 2, .free_inodes = options.reserve.inodes - 1});
  clock.advance(RoomGate::kInterval);
  EXPECT_THAT(write(add_one())->message(), HasSubstr("inodes are free"));
  EXPECT_THAT(listener.room, ElementsAre(false, true, false));
}

TEST_F(FaultyCommitterTest, WritesCanBeRefusedUntilAdoption) {
  create("users");
  EXPECT_TRUE(write(add_one())->done());
  tables.committer->refuse_writes(Refusal::kNeedsAdopt, "run pawl adopt");
  const ReplyPtr refused = write(add_one());
  EXPECT_EQ(refused->refusal(), Refusal::kNeedsAdopt);
  EXPECT_EQ(refused->message(), "run pawl adopt");
  EXPECT_EQ(do_action(DeleteTable{"users"})->refusal(), Refusal::kNeedsAdopt);

  const Incarnation parent = incarnation();
  AdoptTable adopt;
  adopt.incarnation = parent;
  adopt.archived[shard()] = {1};  // the ledger has it all
  const ReplyPtr adopted = do_action(adopt);
  ASSERT_TRUE(adopted->done()) << adopted->message();
  EXPECT_NE(incarnation(), parent);
  EXPECT_EQ(adopted->outcome.table->parent, parent);
  ASSERT_EQ(listener.adopted.size(), 1U);
  EXPECT_EQ(listener.adopted[0].second, parent);
  tables.committer->allow_writes();
  EXPECT_TRUE(write(add_one())->done());
  EXPECT_EQ(counted(), count(2)) << "the items went on";
  EXPECT_THAT(story(shard()), ElementsAre("MODIFY 1")) << "so did the versions, in a new shard";
  EXPECT_THAT(story({.incarnation = parent, .number = 0}), ElementsAre("INSERT 0"));
  crash();
  EXPECT_EQ(counted(), count(2));
  tables.committer->table_settled(parent);
  run();
  crash();
  EXPECT_EQ(counted(), count(2)) << "what the old incarnation leaves behind is not the items";
  EXPECT_FALSE(tables.log->position({.incarnation = parent, .number = 0}));
  EXPECT_EQ(std::get<TableDescription>(tables.reader->describe("users")).item_count, 1U);
}

}  // namespace
}  // namespace pawl::table
