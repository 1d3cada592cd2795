// What a mapping finds when its process starts again: positions, dead letters that were written already, changes that are missing;
// and what its deletion leaves.
#include <chrono>

#include "trigger/mapping_format.h"
#include "trigger/stage_world_test.h"

namespace pawl::trigger {
namespace {

using StageRestartTest = StageTest;

// A mapping of another process: it held the log, so what is missing was promised.
TEST_F(StageRestartTest, WhatWasTrimmedBeforeAStartIsSaid) {
  start();
  remember();
  MappingConfig config;
  config.enabled = false;
  const MappingId id = create(config);
  for (const auto* key : {"A", "B", "C"}) write(key);
  crash();
  streams_.shards[{kTable, 0}].floor = 2;  // against the hold: a restored copy, or a run under aws
  start();
  update(id, {.enabled = true});
  run_for(std::chrono::seconds(1));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"C"});
  const auto status = stage_->find(id);
  ASSERT_EQ(status->newest_dead_letters.size(), 1U);
  EXPECT_EQ(status->newest_dead_letters[0].letter.reason, Reason::kTrimmed);
  EXPECT_EQ(status->newest_dead_letters[0].letter.first.value, 1U);
  EXPECT_EQ(status->newest_dead_letters[0].letter.last.value, 2U);
}

TEST_F(StageRestartTest, WhatWasTrimmedBeforeTheFirstHoldWasNotPromised) {
  start();
  remember();
  for (const auto* key : {"A", "B", "C"}) write(key);
  MappingConfig config;
  config.enabled = false;
  const MappingId id = create(config);
  streams_.shards[{kTable, 0}].floor = 2;  // by a trim that had begun
  update(id, {.enabled = true});
  run_for(std::chrono::seconds(1));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"C"});
  EXPECT_EQ(stage_->find(id)->dead_letters, 0U);
}

// Under aws nothing fixes it before the first change; from the first start under pawl on it is a promise.
TEST_F(StageRestartTest, LatestIsDurableAfterARunUnderAws) {
  options_.profile = Profile::kAws;
  start();
  MappingConfig config;
  config.start = StartingPosition::kLatest;
  create(config);
  write("before");
  crash();
  EXPECT_EQ(store_.size(kCheckpoints), 0U);
  options_.profile = Profile::kPawl;
  function_.script = [](const Batch&) { return ScriptedFunction::failed(); };
  start();
  EXPECT_EQ(store_.size(kCheckpoints), 2U) << "before anything is committed";
  write("after");
  streams_.trim();
  run_for(std::chrono::seconds(1));
  restart();
  remember();
  run_for(std::chrono::seconds(1));
  EXPECT_EQ(delivered(), std::multiset<std::string>{"after"});
}

TEST_F(StageRestartTest, ADeadLetterThatIsWrittenAgainCountsOnce) {
  start();
  remember({"poison"});
  MappingConfig config;
  config.retries_max = 0;
  const MappingId id = create(config);
  write("poison");
  for (int life = 0; life < 3; ++life) {
    time_.run_for(std::chrono::seconds(1));  // its checkpoint is not durable
    const auto status = stage_->find(id);
    EXPECT_EQ(status->dead_letters, 1U) << life;
    EXPECT_EQ(status->newest_dead_letters.size(), 1U) << life;
    restart();
  }
  write("poison");
  run_for(std::chrono::seconds(1));
  EXPECT_EQ(stage_->find(id)->dead_letters, 2U);
}

TEST_F(StageRestartTest, ADeletionLeavesNoneOfManyDeadLetters) {
  start();
  const MappingId id = create({});
  WriteBatch batch;
  for (std::uint64_t i = 1; i <= 25'000; ++i)
    batch.put(kDeadLetters, dead_letter_key(id, 0, {i}), "x");
  ASSERT_EQ(store_.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  bool removed = false;
  stage_->remove(id, [&removed](const MappingAnswer& answer) { removed = answer.ok(); });
  run_for(std::chrono::seconds(1));
  EXPECT_TRUE(removed);
  EXPECT_EQ(store_.size(kDeadLetters), 0U);
}

TEST_F(StageRestartTest, AnUpdateMakesNoTwin) {
  start();
  std::optional<MappingRefusal> refusal;
  const MappingId first = create({});
  MappingId second{};
  stage_->create({.function = "g"}, source(),
                 [&second](const MappingAnswer& answer) { second = answer->record.id; });
  time_.run_ready();
  const auto note = [&refusal](const MappingAnswer& answer) {
    refusal = answer.ok() ? std::nullopt : std::optional(answer.error().refusal);
  };
  stage_->update(second, {.function = "f"}, note);
  time_.run_ready();
  EXPECT_EQ(refusal, MappingRefusal::kExists);
  EXPECT_EQ(stage_->find(second)->record.config.function, "g");
  stage_->update(first, {.function = "f", .batch_size = 2}, note);
  time_.run_ready();
  EXPECT_EQ(refusal, std::nullopt) << "its own function is no twin";
}

}  // namespace
}  // namespace pawl::trigger
