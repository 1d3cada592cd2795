// What the engine does, one behaviour a test; the same under random faults is in engine_model_test.cc.
#include "queue/engine_fixture_test.h"

namespace pawl::queue {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST_F(EngineTest, SendReceiveDelete) {
  create("q");
  EXPECT_EQ(send("q", "one")->refusal(), std::nullopt);
  EXPECT_EQ(counts("q"), "1/0/0");
  const auto got = ask("q", some(10));
  ASSERT_THAT(got->bodies(), ElementsAre("one"));
  EXPECT_EQ(got->answer->messages[0].state.receives, 1U);
  EXPECT_EQ(counts("q"), "0/1/0");
  EXPECT_THAT(receive("q"), IsEmpty());
  ask("q", Remove{{got->answer->messages[0].receipt}});
  EXPECT_EQ(counts("q"), "0/0/0");
  clock_.advance(seconds(31));
  EXPECT_THAT(receive("q"), IsEmpty());
  EXPECT_EQ(store_.size(kMessages) + store_.size(kStates) + store_.size(kSchedule), 0U);
}

TEST_F(EngineTest, AMessageComesBackAfterItsVisibilityWithAHigherCount) {
  create("q");
  send("q", "one");
  const auto first = ask("q", some(1, seconds(5)));
  clock_.advance(milliseconds(4999));
  EXPECT_THAT(receive("q"), IsEmpty());
  clock_.advance(milliseconds(1));
  const auto second = ask("q", some(1));
  ASSERT_THAT(second->bodies(), ElementsAre("one"));
  EXPECT_EQ(second->answer->messages[0].state.receives, 2U);
  EXPECT_EQ(second->answer->messages[0].state.first_received,
            first->answer->messages[0].state.first_received);
  // The older receipt no longer hides it, but whoever has it may still delete it.
  const Receipt older = first->answer->messages[0].receipt;
  const auto late = ask("q", ChangeVisibility{{{older, seconds(9)}}});
  EXPECT_EQ(late->answer->entries[0].failure->refusal, Refusal::kGone);
  ask("q", Remove{{older}});
  EXPECT_EQ(counts("q"), "0/0/0");
}

TEST_F(EngineTest, VisibilityZeroLeavesAMessageForTheNextOfTheSameInstant) {
  create("q");
  send("q", "a");
  send("q", "b");
  EXPECT_THAT(receive("q", 1, seconds(0)), SizeIs(1));
  EXPECT_THAT(receive("q", 1, seconds(0)), SizeIs(1));
  EXPECT_THAT(receive("q", 10), UnorderedElementsAre("a", "b"));
}

TEST_F(EngineTest, ChangedVisibility) {
  create("q");
  send("q", "one");
  const Receipt receipt = ask("q", some(1))->answer->messages[0].receipt;
  const auto changed = [&](seconds to) {
    const auto reply = ask("q", ChangeVisibility{{{receipt, to}}});
    const auto& failure = reply->answer->entries[0].failure;
    return failure ? std::optional(failure->refusal) : std::nullopt;
  };
  EXPECT_EQ(changed(seconds(100)), std::nullopt);
  clock_.advance(seconds(60));
  EXPECT_THAT(receive("q"), IsEmpty());
  EXPECT_EQ(changed(kVisibilityMax), Refusal::kHiddenTooLong);
  EXPECT_EQ(changed(seconds(0)), std::nullopt);
  EXPECT_EQ(changed(seconds(0)), Refusal::kNotInFlight);
  EXPECT_THAT(receive("q"), ElementsAre("one"));
  EXPECT_EQ(changed(seconds(0)), Refusal::kGone);
}

TEST_F(EngineTest, DelaysOfQueueAndMessage) {
  AttributeChanges attributes;
  attributes.delay = seconds(10);
  create("q", attributes);
  send("q", "late");
  send("q", "now", seconds(0));
  send("q", "latest", seconds(20));
  EXPECT_EQ(counts("q"), "1/0/2");
  EXPECT_THAT(receive("q"), ElementsAre("now"));
  clock_.advance(seconds(10));
  EXPECT_EQ(counts("q"), "1/1/1");
  EXPECT_THAT(receive("q"), ElementsAre("late"));
  clock_.advance(seconds(10));
  EXPECT_THAT(receive("q"), ElementsAre("latest"));
}

TEST_F(EngineTest, ALongPollGetsWhatIsSentLaterAndEndsInTime) {
  create("q");
  const auto waiting = submit("q", some(10, {}, seconds(20)));
  const auto brief = submit("q", some(10, {}, seconds(1)));
  run();
  EXPECT_EQ(waiting->calls, 0);
  clock_.advance(seconds(1));
  run();
  EXPECT_EQ(brief->calls, 1);
  EXPECT_THAT(brief->bodies(), IsEmpty());
  EXPECT_EQ(waiting->calls, 0);
  send("q", "one");
  EXPECT_EQ(waiting->calls, 1);
  EXPECT_THAT(waiting->bodies(), ElementsAre("one"));
}

TEST_F(EngineTest, ALongPollGetsWhatBecomesReady) {
  create("q");
  send("q", "one", seconds(5));
  const auto waiting = submit("q", some(10, {}, seconds(20)));
  run();
  clock_.advance(milliseconds(4500));
  run();
  EXPECT_EQ(waiting->calls, 0);
  EXPECT_EQ(engine_->until_next_wake(), milliseconds(500));
  clock_.advance(milliseconds(500));
  run();
  EXPECT_THAT(waiting->bodies(), ElementsAre("one"));
}

TEST_F(EngineTest, StoppingAnswersThoseThatWait) {
  create("q");
  const auto waiting = submit("q", some(10, {}, seconds(20)));
  run();
  engine_->close();
  engine_->stop_waiting();
  run();
  EXPECT_EQ(waiting->calls, 1);
  EXPECT_EQ(waiting->refusal(), std::nullopt);
  EXPECT_EQ(ask("q", Describe{})->refusal(), Refusal::kStopping);
}

TEST_F(EngineTest, WhatIsTooOldIsGoneAlsoInFlight) {
  AttributeChanges attributes;
  attributes.retention = seconds(60);
  create("q", attributes);
  send("q", "old");
  clock_.advance(seconds(30));
  send("q", "young");
  EXPECT_THAT(receive("q", 1, seconds(120)), ElementsAre("old"));
  clock_.advance(seconds(30));
  EXPECT_THAT(receive("q"), ElementsAre("young"));
  EXPECT_EQ(counts("q"), "0/1/0");
  clock_.advance(seconds(31));
  run();
  EXPECT_EQ(counts("q"), "0/0/0");
  EXPECT_EQ(store_.size(kMessages) + store_.size(kStates) + store_.size(kSchedule), 0U);
}

TEST_F(EngineTest, AShorterRetentionCountsAtOnce) {
  create("q");
  send("q", "old");
  clock_.advance(seconds(100));
  AttributeChanges attributes;
  attributes.retention = seconds(60);
  ask("q", SetAttributes{attributes});
  run();
  EXPECT_EQ(counts("q"), "0/0/0");
}

TEST_F(EngineTest, DeadLetters) {
  create("dead");
  AttributeChanges attributes;
  attributes.redrive = RedrivePolicy{"dead", 2};
  create("q", attributes);
  const MessageId id = send("q", "poison")->answer->entries[0].id;
  EXPECT_THAT(receive("q", 10, seconds(1)), ElementsAre("poison"));
  clock_.advance(seconds(1));
  EXPECT_THAT(receive("q", 10, seconds(1)), ElementsAre("poison"));
  clock_.advance(seconds(1));
  const auto waiting = submit("dead", some(1, {}, seconds(20)));
  EXPECT_THAT(receive("q"), IsEmpty());
  EXPECT_EQ(counts("q"), "0/0/0");
  ASSERT_THAT(waiting->bodies(), ElementsAre("poison"));
  const MessageState& state = waiting->answer->messages[0].state;
  EXPECT_EQ(state.id, id);
  EXPECT_EQ(state.receives, 3U);  // over all queues
  EXPECT_EQ(state.source, "q");
  EXPECT_THAT(ask("dead", List{"", "", 10, true})->answer->names, ElementsAre("q"));
  // Without a target it stays.
  ask("dead", Delete{});
  send("q", "again");
  for (int i = 0; i < 4; ++i) EXPECT_THAT(receive("q", 10, seconds(0)), ElementsAre("again"));
}

TEST_F(EngineTest, CreatingAgain) {
  AttributeChanges attributes;
  attributes.visibility = seconds(7);
  create("q", attributes);
  EXPECT_EQ(create("q")->refusal(), std::nullopt);
  EXPECT_EQ(create("q", attributes)->refusal(), std::nullopt);
  attributes.visibility = seconds(8);
  const auto other = create("q", attributes);
  EXPECT_EQ(other->refusal(), Refusal::kExistsOtherwise);
  EXPECT_EQ(other->answer->failure->message, "VisibilityTimeout");
  attributes = {};
  attributes.redrive = RedrivePolicy{"nowhere", 2};
  EXPECT_EQ(create("r", attributes)->refusal(), Refusal::kNoSuchTarget);
  crash();
  EXPECT_EQ(figures("q").record.attributes.visibility, seconds(7));
}

TEST_F(EngineTest, DeletedAndPurgedQueuesLeaveNothing) {
  create("q");
  create("r");
  send("q", "one");
  send("q", "two");
  send("r", "three");
  const Receipt receipt = ask("q", some(1))->answer->messages[0].receipt;
  const auto waiting = submit("r", some(10, {}, seconds(20)));
  run();
  EXPECT_THAT(waiting->bodies(), ElementsAre("three"));
  ask("q", Purge{});
  EXPECT_EQ(counts("q"), "0/0/0");
  EXPECT_EQ(ask("q", Remove{{receipt}})->refusal(), std::nullopt);
  EXPECT_EQ(store_.size(kMessages), 1U);
  const auto parked = submit("r", some(10, {}, seconds(20)));
  run();
  ask("r", Delete{});
  EXPECT_EQ(parked->refusal(), Refusal::kNoSuchQueue);
  crash();
  EXPECT_EQ(ask("r", Describe{})->refusal(), Refusal::kNoSuchQueue);
  EXPECT_EQ(store_.size(kMessages) + store_.size(kStates) + store_.size(kSchedule), 0U);
  create("r");
  EXPECT_EQ(ask("r", Remove{{receipt}})->answer->entries[0].failure->refusal, Refusal::kBadReceipt);
}

TEST_F(EngineTest, ListsPages) {
  for (const char* name : {"a", "ab", "abc", "b"}) create(name);
  const auto page = ask("", List{"a", "", 2, false});
  EXPECT_THAT(page->answer->names, ElementsAre("a", "ab"));
  EXPECT_TRUE(page->answer->more);
  const auto rest = ask("", List{"a", "ab", 2, false});
  EXPECT_THAT(rest->answer->names, ElementsAre("abc"));
  EXPECT_FALSE(rest->answer->more);
}

TEST_F(EngineTest, ManySendsAreOneSync) {
  create("q");
  const auto before = store_.syncs();
  std::vector<ReplyPtr> replies;
  replies.reserve(100);
  for (int i = 0; i < 100; ++i) replies.push_back(submit("q", message(std::to_string(i))));
  run();
  EXPECT_EQ(store_.syncs(), before + 1);
  for (const auto& reply : replies) EXPECT_EQ(reply->calls, 1);
  std::size_t got = 0;
  while (const std::size_t more = receive("q").size()) got += more;
  EXPECT_EQ(got, 100U);
}

TEST_F(EngineTest, BoundsAndRoom) {
  create("q");
  AttributeChanges attributes;
  attributes.message_bytes_max = 1024;
  create("small", attributes);
  const auto large = send("small", std::string(1025, 'x'));
  EXPECT_EQ(large->answer->entries[0].failure->refusal, Refusal::kTooLarge);
  EXPECT_EQ(send("none", "x")->refusal(), Refusal::kNoSuchQueue);
  send("q", "kept");
  store_.set_room({1000, 1'000'000});
  clock_.advance(seconds(1));
  EXPECT_EQ(send("q", "refused")->refusal(), Refusal::kNoRoom);
  const auto got = ask("q", some(10));
  EXPECT_THAT(got->bodies(), ElementsAre("kept"));
  EXPECT_EQ(ask("q", Remove{{got->answer->messages[0].receipt}})->refusal(), std::nullopt);
  store_.set_room({1ULL << 40, 1'000'000});
  clock_.advance(seconds(1));
  EXPECT_EQ(send("q", "taken")->refusal(), std::nullopt);
}

TEST_F(EngineTest, AKilledProcessForgetsNoCountAndAPowerCutGivesTheMessageBack) {
  create("q");
  send("q", "one");
  EXPECT_THAT(receive("q"), ElementsAre("one"));
  crash();  // the memory store loses every unsynced write: a power cut
  const auto again = ask("q", some(1));
  ASSERT_THAT(again->bodies(), ElementsAre("one"));
  EXPECT_EQ(again->answer->messages[0].state.receives, 1U);
  send("q", "two");  // synced, and with it the receive before it
  crash();
  EXPECT_THAT(receive("q"), ElementsAre("two"));
}

TEST_F(EngineTest, CorruptRecordsAreSaidSo) {
  create("q");
  send("q", "one");
  WriteBatch batch;
  batch.put(kStates, message_key(figures("q").record.space, 1), "nonsense");
  ASSERT_EQ(store_.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  EXPECT_FALSE(decode_state("nonsense").ok());
  EXPECT_FALSE(decode_queue("").ok());
  EXPECT_FALSE(decode_message("\1short").ok());
  EXPECT_FALSE(parse_receipt("AAAA").has_value());
  const Receipt receipt{1, 2, 3, {4}, 5};
  EXPECT_EQ(parse_receipt(receipt_text(receipt)), receipt);
}

}  // namespace
}  // namespace pawl::queue
