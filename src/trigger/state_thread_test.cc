#include "trigger/state_thread.h"

#include <gtest/gtest.h>

#include <atomic>

#include "fault/memory_key_value_store.h"
#include "trigger/mapping_format.h"

namespace pawl::trigger {
namespace {

WriteBatch one(int number) {
  WriteBatch batch;
  batch.put(kCheckpoints, "key" + std::to_string(number), "value");
  return batch;
}

TEST(StateThread, ManyShareASync) {
  MemoryKeyValueStore store;
  std::atomic<int> durable = 0;
  {
    StateThread state(store, [](const std::string& why) { ADD_FAILURE() << why; });
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 100; ++i) {
          state.submit(one(thread * 100 + i), StateSink::Urgency::kSoon,
                       [&durable](bool kept) { durable += kept ? 1 : 0; });
        }
      });
    }
    for (auto& thread : threads) thread.join();
    state.stop();
  }
  EXPECT_EQ(durable, 400);
  EXPECT_LT(store.syncs(), 100U);
  store.crash();
  EXPECT_EQ(store.size(kCheckpoints), 400U);
}

TEST(StateThread, WhatIsUrgentTakesAlongWhatWaits) {
  MemoryKeyValueStore store;
  StateThread state(store, [](const std::string& why) { ADD_FAILURE() << why; });
  // On a busy machine the first may have been waiting for long enough by itself.
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = store.syncs();
    std::atomic<int> done = 0;
    const auto note = [&done](bool) { ++done; };
    state.submit(one(2 * i), StateSink::Urgency::kSoon, note);
    state.submit(one(2 * i + 1), StateSink::Urgency::kNow, note);
    while (done < 2) std::this_thread::yield();
    if (store.syncs() == before + 1) return;
  }
  ADD_FAILURE() << "they never shared a sync";
}

TEST(StateThread, AFailureIsTold) {
  MemoryKeyValueStore store;
  ScriptedFaultPlan plan;
  plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(StoreWriteFault::kNotDone)});
  store.set_fault_plan(&plan);
  std::atomic<int> told = 0;
  StateThread state(store, [](const std::string&) {});
  state.submit(one(1), StateSink::Urgency::kNow, [&told](bool kept) { told = kept ? 1 : 2; });
  state.stop();
  EXPECT_EQ(told, 2);
  bool refused = false;
  state.submit(one(2), StateSink::Urgency::kNow, [&refused](bool kept) { refused = !kept; });
  EXPECT_TRUE(refused);
}

TEST(StateThread, AnUnknownOutcomeIsNeverAnswered) {
  MemoryKeyValueStore store;
  ScriptedFaultPlan plan;
  plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(StoreWriteFault::kUnknownApplied)});
  store.set_fault_plan(&plan);
  std::atomic<bool> unknown = false;
  StateThread state(store, [&unknown](const std::string&) { unknown = true; });
  state.submit(one(1), StateSink::Urgency::kNow, [](bool) { ADD_FAILURE(); });
  state.stop();
  EXPECT_TRUE(unknown);
}

}  // namespace
}  // namespace pawl::trigger
