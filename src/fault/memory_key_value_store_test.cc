#include "fault/memory_key_value_store.h"

#include "port/conformance/key_value_store_conformance.h"

namespace pawl {
namespace {

class MemoryHarness final : public KeyValueStoreHarness {
 public:
  KeyValueStore& store() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  MemoryKeyValueStore store_;
};

std::unique_ptr<KeyValueStoreHarness> make_memory_harness() {
  return std::make_unique<MemoryHarness>();
}

class FaultyMemoryHarness final : public KeyValueStoreHarness {
 public:
  KeyValueStore& store() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  SeededFaultPlan plan_ =
      SeededFaultPlan(7).set(FaultPoint::kStoreCrash, 1000).set(FaultPoint::kStoreRemoval, 1000);
  MemoryKeyValueStore store_{&plan_};
};

std::unique_ptr<KeyValueStoreHarness> make_faulty_memory_harness() {
  return std::make_unique<FaultyMemoryHarness>();
}

INSTANTIATE_TEST_SUITE_P(Memory, KeyValueStoreConformance, testing::Values(make_memory_harness));
INSTANTIATE_TEST_SUITE_P(MemoryThatKeepsSome, KeyValueStoreConformance,
                         testing::Values(make_faulty_memory_harness));

WriteBatch one(std::string key, std::string value = "v") {
  WriteBatch batch;
  batch.put(KeySpace::kItems, std::move(key), std::move(value));
  return batch;
}

bool has(MemoryKeyValueStore& store, std::string_view key) {
  return store.get(KeySpace::kItems, key)->has_value();
}

TEST(MemoryKeyValueStore, ACrashLosesWhatWasNotSynced) {
  MemoryKeyValueStore store;
  ASSERT_EQ(store.write(one("a", "1"), Sync::kYes).outcome, WriteOutcome::kDone);
  ASSERT_EQ(store.write(one("a", "2"), Sync::kNo).outcome, WriteOutcome::kDone);
  ASSERT_EQ(store.write(one("b"), Sync::kNo).outcome, WriteOutcome::kDone);
  EXPECT_EQ(*store.get(KeySpace::kItems, "a"), "2");
  store.crash();
  EXPECT_EQ(*store.get(KeySpace::kItems, "a"), "1");
  EXPECT_FALSE(has(store, "b"));
  EXPECT_EQ(store.size(KeySpace::kItems), 1U);
}

TEST(MemoryKeyValueStore, ThePlanSaysHowManyUnsyncedWritesSurvive) {
  for (std::size_t kept = 0; kept <= 3; ++kept) {
    ScriptedFaultPlan plan;
    plan.then(FaultPoint::kStoreCrash, {kept});
    MemoryKeyValueStore store(&plan);
    for (const char* key : {"0", "1", "2"}) (void)store.write(one(key), Sync::kNo);
    store.crash();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(has(store, std::to_string(i)), i < kept);
    EXPECT_TRUE(plan.used_up());
    store.crash();
    EXPECT_EQ(store.size(KeySpace::kItems), kept);
  }
}

TEST(MemoryKeyValueStore, NotDoneIsNotDone) {
  ScriptedFaultPlan plan;
  plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(StoreWriteFault::kNotDone)});
  MemoryKeyValueStore store(&plan);
  EXPECT_EQ(store.write(one("a"), Sync::kYes).outcome, WriteOutcome::kNotDone);
  EXPECT_FALSE(has(store, "a"));
  EXPECT_EQ(store.write(one("a"), Sync::kYes).outcome, WriteOutcome::kDone);
}

TEST(MemoryKeyValueStore, UnknownStopsTheStoreAndIsDecidedByTheCrash) {
  for (const auto fault : {StoreWriteFault::kUnknownApplied, StoreWriteFault::kUnknownNotApplied}) {
    ScriptedFaultPlan plan;
    plan.then(FaultPoint::kStoreWrite, {0, static_cast<std::size_t>(fault)});
    MemoryKeyValueStore store(&plan);
    (void)store.write(one("before"), Sync::kNo);
    EXPECT_EQ(store.write(one("a"), Sync::kYes).outcome, WriteOutcome::kUnknown);
    EXPECT_FALSE(has(store, "a"));
    EXPECT_EQ(store.write(one("b"), Sync::kYes).outcome, WriteOutcome::kNotDone);
    EXPECT_FALSE(store.remove_range(KeySpace::kItems, "a", "z").ok());
    store.crash();
    const bool applied = fault == StoreWriteFault::kUnknownApplied;
    EXPECT_EQ(has(store, "a"), applied);
    EXPECT_EQ(has(store, "before"), applied);  // a batch is never there without those before it
    EXPECT_FALSE(has(store, "b"));
    EXPECT_EQ(store.write(one("c"), Sync::kYes).outcome, WriteOutcome::kDone);
  }
}

TEST(MemoryKeyValueStore, ARemovalMayBeHalfDoneByACrash) {
  ScriptedFaultPlan plan;
  plan.then(FaultPoint::kStoreRemoval, {1});
  MemoryKeyValueStore store(&plan);
  for (const char* key : {"a", "b", "c", "d"}) (void)store.write(one(key), Sync::kYes);
  ASSERT_TRUE(store.remove_range(KeySpace::kItems, "a", "e").ok());
  EXPECT_EQ(store.size(KeySpace::kItems), 0U);
  store.crash();
  EXPECT_EQ(store.size(KeySpace::kItems), 2U);
}

TEST(MemoryKeyValueStore, OldRevisionsAreForgottenWithTheirCursor) {
  MemoryKeyValueStore store;
  (void)store.write(one("a", "1"), Sync::kYes);
  auto cursor = store.cursor(KeySpace::kItems);
  for (int i = 0; i < 100; ++i) (void)store.write(one("a", std::to_string(i)), Sync::kYes);
  WriteBatch erase;
  erase.erase(KeySpace::kItems, "a");
  (void)store.write(erase, Sync::kYes);
  cursor->seek("a");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), "1");
  cursor.reset();
  (void)store.write(one("b"), Sync::kYes);
  EXPECT_FALSE(has(store, "a"));
  auto fresh = store.cursor(KeySpace::kItems);
  fresh->seek("");
  ASSERT_TRUE(fresh->valid());
  EXPECT_EQ(fresh->key(), "b");
}

TEST(FaultPlan, ASeedGivesTheSameAnswersAndAboutItsRate) {
  SeededFaultPlan a(42);
  SeededFaultPlan b(42);
  a.set(FaultPoint::kObjectPut, 100);
  b.set(FaultPoint::kObjectPut, 100);
  std::size_t faults = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t chosen = a.choose(FaultPoint::kObjectPut, 4);
    ASSERT_EQ(chosen, b.choose(FaultPoint::kObjectPut, 4));
    ASSERT_LT(chosen, 4U);
    if (chosen != 0) ++faults;
    ASSERT_EQ(a.choose(FaultPoint::kObjectGet, 4), 0U);
    (void)b.choose(FaultPoint::kObjectGet, 4);
  }
  EXPECT_NEAR(static_cast<double>(faults), 1000, 150);
  EXPECT_EQ(a.given(FaultPoint::kObjectPut), faults);
}

TEST(FaultPlan, ExhaustiveRunsEachCombinationOnce) {
  ExhaustiveFaultPlan plan(2);
  std::vector<std::string> runs;
  do {
    const std::size_t first = plan.choose(FaultPoint::kObjectPut, 3);
    if (first != 2) (void)plan.choose(FaultPoint::kObjectSync, 2);
    (void)plan.choose_for_test(2);
    runs.push_back(plan.trace());
  } while (plan.next_run());
  EXPECT_THAT(runs, testing::ElementsAre("0 0 0", "0 0 1", "0 1 0", "0 1 1", "1 0 0", "1 0 1",
                                         "1 1 0", "2 0", "2 1"));
}

}  // namespace
}  // namespace pawl
