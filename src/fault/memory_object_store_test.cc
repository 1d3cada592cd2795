#include "fault/memory_object_store.h"

#include "port/conformance/object_store_conformance.h"

namespace pawl {
namespace {

using testing::ElementsAre;

class MemoryHarness final : public ObjectStoreHarness {
 public:
  ObjectStore& store() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  MemoryObjectStore store_;
};

std::unique_ptr<ObjectStoreHarness> make_memory_harness() {
  return std::make_unique<MemoryHarness>();
}

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values(make_memory_harness));

class FaultyObjects : public testing::Test {
 protected:
  std::vector<PutOutcome> put(const std::vector<std::string>& names) {
    std::vector<PutRequest> requests;
    for (const std::string& name : names) requests.push_back({name, "body", sha256("body")});
    std::vector<PutOutcome> outcomes;
    for (const PutResult& result : run_awaitable(store_.put_if_absent(requests))) {
      outcomes.push_back(result.outcome);
    }
    return outcomes;
  }
  template <typename Fault>
  void script(FaultPoint point, std::vector<Fault> faults) {
    for (const Fault fault : faults) plan_.then(point, {static_cast<std::size_t>(fault)});
  }
  bool has(std::string_view name) const { return store_.objects().contains(name); }

  ScriptedFaultPlan plan_;
  MemoryObjectStore store_{&plan_};
};

TEST_F(FaultyObjects, EachObjectOfABatchHasItsOwnOutcome) {
  script<ObjectPutFault>(FaultPoint::kObjectPut,
                         {ObjectPutFault::kNone, ObjectPutFault::kRefused,
                          ObjectPutFault::kStoredAnswerLost, ObjectPutFault::kNotStoredAnswerLost});
  EXPECT_THAT(put({"a", "b", "c", "d"}), ElementsAre(PutOutcome::kStored, PutOutcome::kRefused,
                                                     PutOutcome::kUnknown, PutOutcome::kUnknown));
  EXPECT_TRUE(has("a") && !has("b") && has("c") && !has("d"));
  EXPECT_THAT(put({"a", "b", "c", "d"}),
              ElementsAre(PutOutcome::kAlreadyEqual, PutOutcome::kStored, PutOutcome::kAlreadyEqual,
                          PutOutcome::kStored));
  EXPECT_TRUE(plan_.used_up());
}

TEST_F(FaultyObjects, AFailedSyncLeavesDoubtThatACrashDecides) {
  script<ObjectSyncFault>(FaultPoint::kObjectSync, {ObjectSyncFault::kInDoubt});
  plan_.then(FaultPoint::kObjectCrash, {0, 1});
  EXPECT_THAT(put({"a", "b"}), testing::Each(PutOutcome::kUnknown));
  EXPECT_THAT(put({"a", "b"}), testing::Each(PutOutcome::kUnknown));
  store_.crash();
  EXPECT_TRUE(!has("a") && has("b"));
  EXPECT_THAT(put({"a", "b"}), ElementsAre(PutOutcome::kStored, PutOutcome::kAlreadyEqual));
  EXPECT_TRUE(plan_.used_up());
}

TEST_F(FaultyObjects, WhatIsInDoubtIsWrittenAnewOnceSetAside) {
  script<ObjectSyncFault>(FaultPoint::kObjectSync, {ObjectSyncFault::kInDoubt});
  EXPECT_THAT(put({"a"}), ElementsAre(PutOutcome::kUnknown));
  const std::vector<std::string> names = {"a"};
  ASSERT_TRUE(run_awaitable(store_.set_aside(names)).ok());
  EXPECT_THAT(put({"a"}), ElementsAre(PutOutcome::kStored));
  store_.crash();
  EXPECT_TRUE(has("a"));
}

TEST_F(FaultyObjects, ASyncThatFailedBeforeTheNamesMeansNotDone) {
  script<ObjectSyncFault>(FaultPoint::kObjectSync, {ObjectSyncFault::kNotDone});
  EXPECT_THAT(put({"a", "a"}), testing::Each(PutOutcome::kRefused));
  EXPECT_FALSE(has("a"));
  EXPECT_THAT(put({"a"}), ElementsAre(PutOutcome::kStored));
}

}  // namespace
}  // namespace pawl
