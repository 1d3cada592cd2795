#include "trigger/redelivery.h"

#include <gmock/gmock.h>

#include "trigger/stage_world_test.h"

namespace pawl::trigger {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RedeliveryTest : public StageTest {
 protected:
  // A function that has been given so many changes, and a mapping of it.
  MappingId deliver(int changes, MappingConfig config = {}) {
    start();
    for (int i = 0; i < changes; ++i) write("k" + std::to_string(i));
    const auto id = create(std::move(config));
    run_for(seconds(1));
    mapped_ = function_.batches;
    mapped_payload_ = function_.last_payload;
    forget_calls();
    redelivery_ =
        std::make_unique<Redelivery>(RedeliveryPorts{*stage_, streams_, function_, time_.clock()},
                                     time_.executor(process_), remembered_max_);
    return id;
  }
  void forget_calls() {
    function_.batches.clear();
    function_.functions.clear();
  }
  std::vector<bool> again(const std::vector<SequenceNumber>& changes,
                          Duration within = seconds(10)) {
    auto taken = redelivery_->begin(kShard, changes, within);
    time_.run_ready();
    return taken;
  }
  std::vector<std::vector<std::uint64_t>> batches() const {
    std::vector<std::vector<std::uint64_t>> all;
    for (const Batch& batch : function_.batches) {
      auto& one = all.emplace_back();
      for (const Seen& seen : batch) one.push_back(seen.sequence);
    }
    return all;
  }
  std::vector<std::uint32_t> begun(const std::vector<SequenceNumber>& changes) const {
    return redelivery_->begun(kShard, changes);
  }
  // What is poisoned throws.
  void poison(std::uint64_t sequence) {
    function_.script = [sequence](const Batch& batch) {
      for (const Seen& seen : batch)
        if (seen.sequence == sequence) return ScriptedFunction::failed();
      return ScriptedFunction::returned("");
    };
  }

  static constexpr ShardId kShard{kTable, 0};
  std::size_t remembered_max_ = kRedeliveriesRememberedMax;
  std::unique_ptr<Redelivery> redelivery_;
  std::vector<Batch> mapped_;
  std::string mapped_payload_;
};

TEST_F(RedeliveryTest, GivesThemAsTheMappingDid) {
  deliver(3);
  ASSERT_THAT(mapped_, SizeIs(1));
  EXPECT_THAT(again({{1}, {2}, {3}}), ElementsAre(true, true, true));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2, 3)));
  EXPECT_EQ(function_.last_payload, mapped_payload_);
  EXPECT_EQ(redelivery_->running(), 0U);
  EXPECT_EQ(redelivery_->status().calls, 1U);
  EXPECT_EQ(redelivery_->status().failures, 0U);
}

TEST_F(RedeliveryTest, GivesNoMoreThanWasAskedForInBatchesOfTheMapping) {
  MappingConfig config;
  config.batch_size = 2;
  deliver(7, config);
  EXPECT_THAT(again({{2}, {4}, {7}}), ElementsAre(true, true, true));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(2, 4), ElementsAre(7)));
}

TEST_F(RedeliveryTest, WhatTheMappingHasNotReachedIsComingAnyway) {
  deliver(2);
  function_.script = [](const Batch&) {
    return ScriptedFunction::failed(InvocationResult::Outcome::kThrottled);
  };
  write("late");
  run_for(seconds(1));
  function_.batches.clear();
  EXPECT_THAT(again({{2}, {3}}, seconds(0)), ElementsAre(true, false));
  EXPECT_THAT(again({{3}}), ElementsAre(false));
}

TEST_F(RedeliveryTest, PassesFiltersAndPausedMappingsBy) {
  MappingConfig config;
  config.filters = {R"({"dynamodb":{"Keys":{"id":{"S":["k1"]}}}})"};
  const auto id = deliver(3, config);
  EXPECT_THAT(again({{1}, {2}, {3}}), ElementsAre(false, true, false));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(2)));
  MappingChanges changes;
  changes.enabled = false;
  update(id, changes);
  run_for(seconds(1));
  EXPECT_THAT(again({{2}}), ElementsAre(false));
  EXPECT_THAT(redelivery_->begin({Incarnation{8}, 0}, {{2}}, seconds(1)), ElementsAre(false));
}

TEST_F(RedeliveryTest, WhatFailsIsLeftAloneAndNotGivenTwice) {
  deliver(4);
  poison(3);
  again({{1}, {2}, {3}, {4}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2, 3, 4), ElementsAre(1, 2), ElementsAre(3, 4),
                                     ElementsAre(3), ElementsAre(4)));
  EXPECT_EQ(redelivery_->status().failures, 3U);
  run_for(seconds(30));
  EXPECT_THAT(batches(), SizeIs(5));
}

TEST_F(RedeliveryTest, WhatIsReportedHasFailedAndTheRestGoesOn) {
  MappingConfig config;
  config.reports_items = true;
  deliver(4, config);
  function_.script = [](const Batch& batch) {
    for (const Seen& seen : batch) {
      if (seen.sequence == 2)
        return ScriptedFunction::returned(
            R"({"batchItemFailures":[{"itemIdentifier":"100000000000000000002"}]})");
    }
    return ScriptedFunction::returned("");
  };
  again({{1}, {2}, {3}, {4}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2, 3, 4), ElementsAre(3, 4)));
  EXPECT_EQ(redelivery_->status().failures, 1U);
}

TEST_F(RedeliveryTest, AFunctionThatIsBusyIsWaitedForUntilTheTimeIsOver) {
  deliver(1);
  int busy = 3;
  function_.script = [&busy](const Batch&) {
    return busy-- > 0 ? ScriptedFunction::failed(InvocationResult::Outcome::kThrottled)
                      : ScriptedFunction::returned("");
  };
  again({{1}});
  run_for(seconds(2));
  EXPECT_THAT(batches(), SizeIs(4));
  EXPECT_EQ(redelivery_->status().failures, 0U);
  EXPECT_EQ(redelivery_->status().why, "");
  busy = 1000;
  redelivery_->forget(kShard, {1});
  again({{1}}, seconds(3));
  run_for(seconds(20));
  EXPECT_LE(batches().size(), 17U);
  EXPECT_EQ(redelivery_->running(), 0U);
  EXPECT_EQ(redelivery_->status().failures, 1U);
  EXPECT_EQ(redelivery_->status().why,
            "1 changes were not delivered to function f again in time: function f: it threw");
}

// The first is somebody else's, and the one whose function writes comes to the changes only later.
TEST_F(RedeliveryTest, EachMappingIsGivenAChangeOnceWhenItHasBeenThroughIt) {
  deliver(2);
  MappingConfig config;
  config.function = "writer";
  config.enabled = false;
  const auto writer = create(config);
  EXPECT_THAT(again({{1}, {2}}), ElementsAre(true, true));
  EXPECT_THAT(again({{1}, {2}}), ElementsAre(false, false)) << "it was given them";
  EXPECT_THAT(function_.functions, ElementsAre("f"));
  MappingChanges changes;
  changes.enabled = true;
  update(writer, changes);
  run_for(seconds(1));
  EXPECT_THAT(function_.functions, ElementsAre("f", "writer")) << "by its mapping";
  forget_calls();
  EXPECT_THAT(again({{2}}), ElementsAre(true));
  EXPECT_THAT(function_.functions, ElementsAre("writer"));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(2)));
  EXPECT_THAT(again({{2}}), ElementsAre(false));
  EXPECT_THAT(begun({{1}, {2}}), ElementsAre(1, 2));
}

TEST_F(RedeliveryTest, WhatCantBeReadIsAskedForAtTheNextLook) {
  deliver(2);
  streams_.unreadable = true;
  EXPECT_THAT(again({{1}, {2}}), ElementsAre(false, false));
  streams_.unreadable = false;
  EXPECT_THAT(again({{1}, {2}}), ElementsAre(true, true));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2)));
}

TEST_F(RedeliveryTest, WhatOnlyWaitsHasNotBegun) {
  deliver(3);
  function_.starts_in = seconds(2);
  again({{1}, {3}});
  run_for(seconds(1));
  EXPECT_THAT(begun({{1}, {2}, {3}}), ElementsAre(0, 0, 0));
  EXPECT_EQ(redelivery_->status().calls, 0U);
  run_for(seconds(2));
  EXPECT_THAT(begun({{1}, {2}, {3}}), ElementsAre(1, 0, 1));
  EXPECT_EQ(redelivery_->status().calls, 1U);
  function_.starts_in = seconds(0);
  function_.script = [](const Batch&) {
    return ScriptedFunction::failed(InvocationResult::Outcome::kThrottled);
  };
  again({{2}}, seconds(2));
  run_for(seconds(5));
  EXPECT_THAT(begun({{2}}), ElementsAre(0));
}

TEST_F(RedeliveryTest, ACallIsBegunBeforeItEnds) {
  deliver(1);
  function_.takes = seconds(10);
  again({{1}});
  run_for(seconds(1));
  EXPECT_THAT(begun({{1}}), ElementsAre(1));
  EXPECT_EQ(redelivery_->running(), 1U);
}

TEST_F(RedeliveryTest, RemembersSoManyAndForgetsWhatItIsTold) {
  remembered_max_ = 2;
  deliver(4);
  EXPECT_THAT(again({{1}, {2}, {3}}), ElementsAre(true, true, false));
  EXPECT_EQ(redelivery_->status().failures, 1U);
  redelivery_->forget(kShard, {1});
  EXPECT_THAT(begun({{1}, {2}}), ElementsAre(0, 1));
  EXPECT_THAT(again({{2}, {3}, {4}}), ElementsAre(false, true, false));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2), ElementsAre(3)));
  redelivery_->forget({kTable, 1}, {9});
  EXPECT_THAT(begun({{3}}), ElementsAre(1));
}

TEST_F(RedeliveryTest, BeginsNothingWhenItIsStopped) {
  deliver(4);
  function_.takes = seconds(1);
  again({{1}, {2}});
  redelivery_->stop();
  EXPECT_THAT(again({{3}}), ElementsAre(false));
  run_for(seconds(5));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1, 2)));
  EXPECT_EQ(redelivery_->running(), 0U);
}

}  // namespace
}  // namespace pawl::trigger
