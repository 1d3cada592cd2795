#include "trigger/mapping_stage.h"

#include <chrono>

#include "trigger/mapping_format.h"
#include "trigger/stage_world_test.h"

namespace pawl::trigger {
namespace {

using std::chrono::milliseconds;

TEST_F(StageTest, ARecordLooksAsLambdaGivesIt) {
  start();
  create({});
  write("A");
  run_for(seconds(1));
  ASSERT_EQ(function_.batches.size(), 1U);
  EXPECT_EQ(
      function_.last_payload,
      R"({"Records":[{"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",)"
      R"("eventID":"00000000000000070000000000000001","eventName":"INSERT","dynamodb":{)"
      R"("ApproximateCreationDateTime":1767225600,"Keys":{"id":{"S":"A"}},)"
      R"("NewImage":{"id":{"S":"A"},"points":{"N":"7"}},)"
      R"("SequenceNumber":"100000000000000000001","SizeBytes":14,)"
      R"("StreamViewType":"NEW_AND_OLD_IMAGES"},)"
      R"("eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"}]})");
}

TEST_F(StageTest, BatchesFollowEachOtherInOrder) {
  start();
  for (int i = 0; i < 25; ++i) write("k" + std::to_string(i));
  MappingConfig config;
  config.batch_size = 10;
  create(config);
  run_for(seconds(1));
  ASSERT_EQ(function_.batches.size(), 3U);
  std::uint64_t next = 1;
  for (const Batch& batch : function_.batches) {
    for (const Seen& seen : batch) EXPECT_EQ(seen.sequence, next++);
  }
  EXPECT_EQ(next, 26U);
}

TEST_F(StageTest, ACommitIsDeliveredWithoutAPoll) {
  start();
  create({});
  run_for(seconds(1));
  const auto before = time_.now();
  write("A");
  time_.run_ready();
  EXPECT_EQ(function_.batches.size(), 1U);
  EXPECT_EQ(time_.now(), before);
}

TEST_F(StageTest, AWindowGathers) {
  start();
  MappingConfig config;
  config.window = seconds(5);
  config.batch_size = 3;
  create(config);
  write("A");
  run_for(seconds(1));
  write("B");
  run_for(seconds(3));
  EXPECT_TRUE(function_.batches.empty());
  run_for(seconds(2));
  ASSERT_EQ(function_.batches.size(), 1U);
  EXPECT_EQ(function_.batches[0].size(), 2U);
  for (const auto* key : {"C", "D", "E"}) write(key);
  run_for(milliseconds(10));
  EXPECT_EQ(function_.batches.size(), 2U);  // it is full
}

TEST_F(StageTest, LatestIsADurablePosition) {
  start();
  write("before");
  MappingConfig config;
  config.start = StartingPosition::kLatest;
  config.enabled = false;
  const MappingId id = create(config);
  write("after");
  restart();
  remember();
  update(id, {.enabled = true});
  run_for(seconds(1));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"after"});
  EXPECT_EQ(stage_->find(id)->state, MappingState::kEnabled);
}

TEST_F(StageTest, OnePoisonedRecordIsADeadLetterAndNamed) {
  start();
  remember({"poison"});
  MappingConfig config;
  config.retries_max = 2;
  config.on_failure = "arn:aws:sqs:us-east-1:000000000000:failures";
  const MappingId id = create(config);
  for (const auto* key : {"A", "B", "poison", "C", "D"}) write(key);
  run_for(seconds(60));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"A", "B", "C", "D"}));
  restart();
  const auto status = stage_->find(id);
  EXPECT_EQ(status->dead_letters, 1U);
  ASSERT_EQ(status->newest_dead_letters.size(), 1U);
  const DeadLetter& letter = status->newest_dead_letters[0].letter;
  EXPECT_EQ(letter.first.value, 3U);
  EXPECT_EQ(letter.key, R"({"id":{"S":"poison"}})");
  EXPECT_EQ(letter.why, "it threw");
  ASSERT_EQ(failures_.notices.size(), 1U);
  EXPECT_NE(failures_.notices[0].summary.find(R"("condition":"RetryAttemptsExhausted")"),
            std::string::npos);
  EXPECT_EQ(failures_.notices[0].summary.find("poison"), std::string::npos);  // metadata alone
  EXPECT_NE(failures_.notices[0].whole.find("poison"), std::string::npos);
}

TEST_F(StageTest, WithoutAnEndOfRetriesItIsNamedAndWaitedFor) {
  start();
  remember({"poison"});
  const MappingId id = create({});
  for (const auto* key : {"A", "poison", "B"}) write(key);
  run_for(seconds(300));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"A"});
  auto status = stage_->find(id);
  EXPECT_EQ(status->shards[0].blocked_at, SequenceNumber{2});
  EXPECT_EQ(status->shards[0].blocked_key, R"({"id":{"S":"poison"}})");
  EXPECT_EQ(status->last_result, "PROBLEM: Function call failed");
  EXPECT_TRUE(status->oldest[0].has_value());
  remember();
  run_for(seconds(60));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"A", "B", "poison"}));
  status = stage_->find(id);
  EXPECT_EQ(status->shards[0].blocked_at, std::nullopt);
  EXPECT_EQ(status->last_result, "OK");
  EXPECT_EQ(status->dead_letters, 0U);
}

TEST_F(StageTest, PartialAnswersMoveTheCheckpoint) {
  start();
  MappingConfig config;
  config.reports_items = true;
  create(config);
  bool once = true;
  function_.script = [&once](const Batch& batch) {
    if (!std::exchange(once, false)) return ScriptedFunction::returned("{}");
    return ScriptedFunction::returned(R"({"batchItemFailures":[{"itemIdentifier":")" +
                                      stream::sequence_text({batch[2].sequence}) + "\"}]}");
  };
  for (const auto* key : {"A", "B", "C", "D"}) write(key);
  run_for(seconds(5));
  ASSERT_EQ(function_.batches.size(), 2U);
  EXPECT_EQ(function_.batches[1].front().key, "C");
  EXPECT_EQ(function_.batches[1].size(), 2U);
}

TEST_F(StageTest, AFilterPassesOver) {
  start();
  remember();
  MappingConfig config;
  config.filters = {R"({"dynamodb":{"Keys":{"id":{"S":[{"prefix":"yes"}]}}}})"};
  const MappingId id = create(config);
  for (const auto* key : {"no1", "yes1", "no2", "yes2", "no3"}) write(key);
  run_for(seconds(1));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"yes1", "yes2"}));
  EXPECT_EQ(stage_->find(id)->shards[0].kept, SequenceNumber{5});
}

TEST_F(StageTest, APausedMappingHoldsTheChangeLog) {
  start();
  remember();
  const MappingId id = create({});
  write("A");
  run_for(seconds(1));
  update(id, {.enabled = false});
  run_for(seconds(1));
  EXPECT_EQ(stage_->find(id)->state, MappingState::kDisabled);
  write("B");
  streams_.trim();
  restart();
  write("C");
  streams_.trim();
  run_for(seconds(5));
  EXPECT_EQ(delivered().size(), 1U);
  update(id, {.enabled = true, .batch_size = 1});
  run_for(seconds(1));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"A", "B", "C"}));
  run_for(seconds(1));
  streams_.trim();
  EXPECT_EQ((streams_.shards[{kTable, 0}].floor), 3U);
}

TEST_F(StageTest, WhatWasTrimmedIsSaid) {
  start();
  remember();
  MappingConfig config;
  config.start = StartingPosition::kLatest;
  const MappingId id = create(config);
  write("A");
  run_for(seconds(1));
  update(id, {.enabled = false});
  for (const auto* key : {"B", "C", "D"}) write(key);
  streams_.shards[{kTable, 0}].floor = 3;  // against the hold: a restored copy, say
  update(id, {.enabled = true});
  run_for(seconds(1));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"A", "D"}));
  const auto status = stage_->find(id);
  ASSERT_EQ(status->newest_dead_letters.size(), 1U);
  EXPECT_EQ(status->newest_dead_letters[0].letter.reason, Reason::kTrimmed);
  EXPECT_EQ(status->newest_dead_letters[0].letter.first.value, 2U);
  EXPECT_EQ(status->newest_dead_letters[0].letter.last.value, 3U);
}

TEST_F(StageTest, NothingIsLostHoweverOftenItDies) {
  for (int seed = 1; seed <= 60; ++seed) {
    std::uint64_t state = static_cast<std::uint64_t>(seed) * 0x9E3779B97F4A7C15ULL;
    const auto draw = [&state](std::uint64_t n) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return (state >> 33) % n;
    };
    if (!stage_) start();
    function_.takes = milliseconds(20);
    remember();
    MappingConfig config;
    config.batch_size = 1 + draw(7);
    const MappingId id = create(config);
    for (int i = 0; i < 30; ++i) {
      write(std::to_string(seed) + "-" + std::to_string(i), static_cast<std::uint32_t>(draw(2)));
      time_.run_for(milliseconds(draw(30)));
      if (draw(4) == 0) state_.flush();
      if (draw(8) == 0) restart(), streams_.trim();
    }
    run_for(seconds(30));
    for (const std::string& key : written_) ASSERT_TRUE(delivered_.contains(key)) << key;
    bool removed = false;
    stage_->remove(id, [&removed](const MappingAnswer& answer) { removed = answer.ok(); });
    run_for(seconds(1));
    ASSERT_TRUE(removed);
    written_.clear();
  }
}

TEST_F(StageTest, ADeletedMappingLeavesNothing) {
  start();
  remember({"poison"});
  MappingConfig config;
  config.retries_max = 0;
  const MappingId id = create(config);
  write("poison");
  run_for(seconds(1));
  EXPECT_EQ(store_.size(kDeadLetters), 1U);
  MappingState answered = MappingState::kEnabled;
  stage_->remove(id, [&](const MappingAnswer& answer) { answered = answer->state; });
  run_for(seconds(1));
  EXPECT_EQ(answered, MappingState::kDeleting);
  EXPECT_FALSE(stage_->find(id));
  EXPECT_EQ(store_.size(kDeadLetters), 0U);
  EXPECT_EQ(store_.size(kCheckpoints), 0U);
  EXPECT_EQ(store_.size(kMappings), 1U);  // the format
  EXPECT_TRUE((streams_.shards[{kTable, 0}].held.empty()));
  restart();
  EXPECT_TRUE(stage_->list().empty());
}

TEST_F(StageTest, OneFunctionReadsAStreamOnce) {
  start();
  create({});
  std::optional<MappingRefusal> refusal;
  stage_->create({.function = "f"}, source(),
                 [&](const MappingAnswer& answer) { refusal = answer.error().refusal; });
  time_.run_ready();
  EXPECT_EQ(refusal, MappingRefusal::kExists);
}

TEST_F(StageTest, AStopKeepsWhatWasAnswered) {
  start();
  remember();
  function_.takes = seconds(1);
  const MappingId id = create({});
  write("A");
  time_.run_ready();
  stage_->stop();
  time_.run_for(seconds(2));
  state_.flush();
  restart();
  EXPECT_EQ(stage_->find(id)->shards[0].kept, SequenceNumber{1});
}

TEST_F(StageTest, AStopIsNobodysFailure) {
  start();
  function_.takes = seconds(1);
  function_.script = [](const Batch&) {
    return ScriptedFunction::failed(InvocationResult::Outcome::kExited);
  };
  MappingConfig config;
  config.retries_max = 0;
  const MappingId id = create(config);
  write("A");
  time_.run_ready();
  stage_->stop();
  time_.run_for(seconds(2));
  state_.flush();
  remember();
  restart();
  run_for(seconds(5));
  EXPECT_EQ(stage_->find(id)->dead_letters, 0U);
  EXPECT_EQ(delivered(), std::multiset<std::string>{"A"});
}

class AwsStageTest : public StageTest {
 protected:
  AwsStageTest() : StageTest(Profile::kAws) {}
};

TEST_F(AwsStageTest, LatestMissesWhatIsWrittenMeanwhile) {
  start();
  remember();
  MappingConfig config;
  config.start = StartingPosition::kLatest;
  const MappingId id = create(config);
  EXPECT_EQ(stage_->find(id)->state, MappingState::kCreating);
  write("meanwhile");
  run_for(seconds(2));
  write("later");
  run_for(seconds(2));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"later"});
  update(id, {.batch_size = 10});
  write("during the update");
  run_for(seconds(3));
  write("after it");
  run_for(seconds(2));
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"later", "after it"}));
}

TEST_F(AwsStageTest, APoisonedRecordTakesItsShardWithIt) {
  options_.time_scale = 86'400;  // a day is a second
  start();
  remember({"poison"});
  const MappingId id = create({});
  run_for(seconds(2));
  write("A");
  run_for(milliseconds(300));
  for (const auto* key : {"poison", "B"}) write(key);
  run_for(seconds(5));
  write("C");
  run_for(seconds(2));
  // B is lost with it, and nothing says so.
  EXPECT_EQ(delivered(), (std::multiset<std::string>{"A", "C"}));
  EXPECT_EQ(stage_->find(id)->dead_letters, 0U);
  EXPECT_EQ(stage_->find(id)->last_result, "OK");
}

TEST_F(AwsStageTest, ABatchOutOfRetriesIsDroppedWhole) {
  start();
  remember({"poison"});
  MappingConfig config;
  config.retries_max = 1;
  config.on_failure = "arn:aws:sqs:us-east-1:000000000000:failures";
  create(config);
  run_for(seconds(2));
  for (const auto* key : {"A", "poison", "B"}) write(key);
  run_for(seconds(30));
  EXPECT_TRUE(delivered().empty());
  ASSERT_EQ(failures_.notices.size(), 1U);
  EXPECT_NE(failures_.notices[0].summary.find(R"("batchSize":3)"), std::string::npos);
}

}  // namespace
}  // namespace pawl::trigger
