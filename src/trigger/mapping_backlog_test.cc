// The stage while a shard has a steady backlog and calls that take their time: what comes from elsewhere meanwhile (durable
// checkpoints, updates, a stop) is heeded between any two calls, and a person sees what happens.
#include <algorithm>
#include <chrono>

#include "trigger/mapping_format.h"
#include "trigger/stage_world_test.h"

namespace pawl::trigger {
namespace {

using std::chrono::milliseconds;

class BacklogTest : public StageTest {
 protected:
  static constexpr std::size_t kBatch = 10;
  static constexpr Duration kCall = milliseconds(100);

  // 1,000 changes wait, and a call takes a tenth of a second.
  MappingId begin(MappingConfig config = {}) {
    start();
    remember();
    function_.takes = kCall;
    for (int i = 0; i < 1000; ++i) write("k" + std::to_string(i));
    config.batch_size = kBatch;
    return create(std::move(config));
  }
  // The state's thread has its checkpoints durable 20 ms after they were asked for, as the server's has.
  void work_for(Duration time) {
    constexpr Duration kSlice = milliseconds(20);
    for (Duration passed{0}; passed < time; passed += kSlice) {
      time_.run_for(kSlice);
      state_.flush();
      time_.run_ready();
    }
  }
  ShardTaskStatus shard(const MappingId& id) const { return stage_->find(id)->shards[0]; }
};

TEST_F(BacklogTest, CheckpointsFollowWhatWasAnswered) {
  const MappingId id = begin();
  work_for(std::chrono::seconds(5));
  const ShardTaskStatus now = shard(id);
  EXPECT_GE(now.done.value, 400U);
  EXPECT_LT(now.done.value, 1000U) << "there must be a backlog left";
  EXPECT_LE(now.done.value, now.kept.value + kBatch);
  EXPECT_GE((streams_.shards[{kTable, 0}].held[id]), now.kept.value);
  const std::size_t before = delivered_.size();
  restart();
  remember();
  work_for(std::chrono::seconds(20));
  EXPECT_GE(before, 400U);
  EXPECT_EQ(written_.size(), 1000U);
  EXPECT_LE(delivered_.size(), 1000U + 2 * kBatch) << "the backlog was delivered again";
  for (const std::string& key : written_) ASSERT_TRUE(delivered_.contains(key)) << key;
}

TEST_F(BacklogTest, ACheckpointDoesNotWaitForTheNextCall) {
  const MappingId id = begin();
  function_.takes = std::chrono::seconds(900);  // the second one
  work_for(std::chrono::seconds(100));
  ASSERT_EQ(function_.batches.size(), 2U);
  EXPECT_EQ(shard(id).kept.value, kBatch) << "while the second call is under way";
}

// What is left of a batch that was halved is called without a read in between.
TEST_F(BacklogTest, ACheckpointDoesNotWaitForThePiecesThatAreLeft) {
  MappingConfig config;
  config.bisect = true;
  const MappingId id = begin(config);
  function_.takes = std::chrono::seconds(100);
  bool failed = false;
  function_.script = [&failed](const Batch&) {
    return std::exchange(failed, true) ? ScriptedFunction::returned("")
                                       : ScriptedFunction::failed();
  };
  work_for(std::chrono::seconds(150));
  ASSERT_EQ(function_.batches.size(), 3U);
  EXPECT_EQ(shard(id).kept.value, kBatch / 2);
}

TEST_F(BacklogTest, DisablingStopsIt) {
  const MappingId id = begin();
  work_for(std::chrono::seconds(1));
  update(id, {.enabled = false});
  const std::size_t called = function_.batches.size();
  EXPECT_EQ(stage_->find(id)->state, MappingState::kDisabling) << "a call is under way";
  work_for(std::chrono::seconds(1));
  EXPECT_EQ(stage_->find(id)->state, MappingState::kDisabled);
  EXPECT_EQ(function_.batches.size(), called) << "it calls on";
  update(id, {.enabled = true});
  work_for(std::chrono::seconds(15));
  EXPECT_EQ(delivered_.size(), 1000U);
}

// A read is done and the call of what it found is about to begin.
TEST_F(BacklogTest, DisabledIsNotSaidWhileBatchesGoOut) {
  MappingConfig config;
  config.enabled = false;
  const MappingId id = begin(config);
  work_for(milliseconds(100));
  EXPECT_EQ(stage_->find(id)->state, MappingState::kDisabled);
  for (int i = 0; i < 20; ++i) {
    update(id, {.enabled = true});
    update(id, {.enabled = false});
    const bool is_said = stage_->find(id)->state == MappingState::kDisabled;
    const std::size_t called = function_.batches.size();
    const std::size_t answered = delivered_.size();
    work_for(milliseconds(200));
    if (!is_said) continue;
    EXPECT_EQ(function_.batches.size(), called);
    EXPECT_EQ(delivered_.size(), answered);
  }
  EXPECT_EQ(stage_->find(id)->state, MappingState::kDisabled);
  EXPECT_GE(delivered_.size(), 20U) << "nothing was called";
}

TEST_F(BacklogTest, AnotherFilterIsHeededAtOnce) {
  const MappingId id = begin();
  work_for(std::chrono::seconds(1));
  update(id,
         {.filters = std::vector<std::string>{R"({"dynamodb":{"Keys":{"id":{"S":["k999"]}}}})"}});
  const std::size_t called = function_.batches.size();
  work_for(std::chrono::seconds(2));
  EXPECT_EQ(function_.batches.size(), called + 1);
  EXPECT_TRUE(delivered_.contains("k999"));
  EXPECT_EQ(shard(id).kept.value, 1000U);
}

TEST_F(BacklogTest, ACallIsJudgedByWhatItWasMadeWith) {
  MappingConfig config;
  config.reports_items = true;
  const MappingId id = begin(config);
  bool once = true;
  function_.script = [this, &once](const Batch& batch) {
    if (!std::exchange(once, false)) {
      for (const Seen& seen : batch) delivered_.insert(seen.key);
      return ScriptedFunction::returned("{}");
    }
    for (std::size_t i = 0; i < 2; ++i) delivered_.insert(batch[i].key);
    return ScriptedFunction::returned(R"({"batchItemFailures":[{"itemIdentifier":")" +
                                      stream::sequence_text({batch[2].sequence}) + "\"}]}");
  };
  work_for(milliseconds(40));
  ASSERT_EQ(function_.batches.size(), 1U);
  update(id, {.reports_items = false});
  work_for(std::chrono::seconds(5));
  EXPECT_TRUE(delivered_.contains("k2")) << "a failure that was reported counts as done";
}

TEST_F(BacklogTest, AStatusDoesNotWaitForTheEndOfTheBacklog) {
  const MappingId id = begin();
  remember({"k0"});
  work_for(std::chrono::seconds(20));
  EXPECT_EQ(shard(id).blocked_at, SequenceNumber{1});
  EXPECT_EQ(shard(id).blocked_key, R"({"id":{"S":"k0"}})");
  remember();
  for (int i = 0; i < 200 && !delivered_.contains("k0"); ++i) work_for(milliseconds(100));
  work_for(std::chrono::seconds(1));
  EXPECT_LT(delivered_.size(), 1000U) << "there must be a backlog left";
  EXPECT_EQ(shard(id).blocked_at, std::nullopt);
  EXPECT_EQ(stage_->find(id)->last_result, "OK");
  EXPECT_GE(shard(id).done.value, 10U);
}

TEST_F(BacklogTest, AStopEndsItAfterTheCall) {
  const MappingId id = begin();
  work_for(std::chrono::seconds(1));
  const std::size_t called = function_.batches.size();
  stage_->stop();
  work_for(std::chrono::seconds(1));
  EXPECT_EQ(function_.batches.size(), called);
  const std::size_t before = delivered_.size();
  restart();
  EXPECT_EQ(shard(id).kept.value, before);
}

TEST_F(BacklogTest, ADeletionEndsIt) {
  const MappingId id = begin();
  work_for(std::chrono::seconds(1));
  const std::size_t called = function_.batches.size();
  stage_->remove(id, [](const MappingAnswer&) {});
  work_for(std::chrono::seconds(1));
  EXPECT_EQ(function_.batches.size(), called);
  EXPECT_FALSE(stage_->find(id));
  EXPECT_EQ(store_.size(kCheckpoints), 0U);
  EXPECT_TRUE((streams_.shards[{kTable, 0}].held.empty()));
}

TEST_F(BacklogTest, BeingThrottledDoesNotMakeAFailureWaitLonger) {
  begin();
  std::vector<MonotonicInstant> ended;
  function_.script = [&](const Batch&) {
    ended.push_back(time_.clock().monotonic());
    if (ended.size() <= 20) return ScriptedFunction::failed(InvocationResult::Outcome::kThrottled);
    return ended.size() == 21 ? ScriptedFunction::failed() : ScriptedFunction::returned("");
  };
  work_for(std::chrono::seconds(30));
  ASSERT_GE(ended.size(), 22U);
  EXPECT_LE((ended[21] - ended[20]).count(), (kCall + 2 * kRetryFirst).count());
}

TEST_F(BacklogTest, WhatNobodyAnswersForIsSaidToStandStill) {
  const MappingId id = begin();
  function_.script = [](const Batch&) {
    return ScriptedFunction::failed(InvocationResult::Outcome::kThrottled);
  };
  work_for(std::chrono::seconds(50));
  EXPECT_FALSE(shard(id).stalled_for);
  work_for(std::chrono::seconds(20));
  EXPECT_TRUE(shard(id).stalled_for);
  EXPECT_FALSE(shard(id).blocked_at);
  remember();
  work_for(std::chrono::seconds(3));
  EXPECT_FALSE(shard(id).stalled_for);
  update(id, {.enabled = false});
  work_for(std::chrono::seconds(100));
  EXPECT_FALSE(shard(id).stalled_for) << "that is what its client wants";
}

TEST_F(BacklogTest, ALongCallDoesNotStandStill) {
  const MappingId id = begin();
  function_.takes = std::chrono::seconds(300);
  for (int i = 0; i < 20; ++i) {
    work_for(std::chrono::seconds(50));
    EXPECT_FALSE(shard(id).stalled_for) << i;
  }
}

TEST_F(BacklogTest, AReadThatAFilterEmptiesIsShort) {
  start();
  remember();
  for (char c = 'a'; c < 'm'; ++c) write(std::string(std::size_t{1} << 20, c));
  write("yes");
  MappingConfig config;
  config.filters = {R"({"dynamodb":{"Keys":{"id":{"S":[{"prefix":"yes"}]}}}})"};
  create(config);
  work_for(std::chrono::seconds(1));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"yes"});
  EXPECT_LE(streams_.longest_read, kScannedBytesMax + (std::size_t{3} << 20));
}

TEST_F(BacklogTest, WhatAFunctionSaysIsCutBetweenCharacters) {
  start();
  const std::string said(kDeadLetterWhyMax - 1, 'a');
  function_.script = [&said](const Batch&) {
    InvocationResult result = ScriptedFunction::failed();
    result.why = said + "\u00fc and more";
    return result;
  };
  MappingConfig config;
  config.retries_max = 0;
  const MappingId id = create(config);
  write("A");
  work_for(std::chrono::seconds(1));
  const auto status = stage_->find(id);
  ASSERT_EQ(status->newest_dead_letters.size(), 1U);
  EXPECT_EQ(status->newest_dead_letters[0].letter.why, said);
}

}  // namespace
}  // namespace pawl::trigger
