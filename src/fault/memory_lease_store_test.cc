#include "fault/memory_lease_store.h"

#include "port/conformance/lease_store_conformance.h"

namespace pawl {
namespace {

class MemoryHarness final : public LeaseStoreHarness {
 public:
  LeaseStore& store() override { return store_; }
  LeaseStore& other() override { return other_; }
  void refuse_next_write() override { next(LeaseWriteFault::kRefused); }
  void lose_next_answer() override { next(LeaseWriteFault::kAnswerLost); }
  void lose_next_request() override { next(LeaseWriteFault::kRequestLost); }
  void repeat_next_write() override { next(LeaseWriteFault::kRepeatedAfterLoss); }

 private:
  void next(LeaseWriteFault fault) {
    plan_.then(FaultPoint::kLeaseWrite, {static_cast<std::size_t>(fault)});
  }

  MemoryLeases leases_;
  ScriptedFaultPlan plan_;
  MemoryLeaseStore store_{leases_, &plan_};
  MemoryLeaseStore other_{leases_};
};

std::unique_ptr<LeaseStoreHarness> make_memory_harness() {
  return std::make_unique<MemoryHarness>();
}

INSTANTIATE_TEST_SUITE_P(Memory, LeaseStoreConformance, testing::Values(make_memory_harness));

TEST(MemoryLeaseStore, ReadsFailAsThePlanSays) {
  MemoryLeases leases;
  ScriptedFaultPlan plan;
  MemoryLeaseStore store(leases, &plan);
  plan.then(FaultPoint::kLeaseRead, {1, 1, 0, 1});
  EXPECT_EQ(run_awaitable(store.list("")).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(run_awaitable(store.get("a")).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(run_awaitable(store.get("a")).ok());
  EXPECT_FALSE(run_awaitable(store.create_if_absent()).ok());
  EXPECT_TRUE(plan.used_up());
}

}  // namespace
}  // namespace pawl
