#include "fault/memory_ledger_store.h"

#include "port/conformance/ledger_store_conformance.h"

namespace pawl {
namespace {

class MemoryHarness final : public LedgerStoreHarness {
 public:
  LedgerStore& store() override { return store_; }
  void restart() override { store_.crash(); }
  std::uint64_t tear(const std::string& chain, const std::string& bytes) override {
    auto volumes = store_.volumes()[chain];
    volumes.back() += bytes;
    store_.set_volumes(chain, volumes);
    return bytes.size();
  }
  void fail_next_sync() override { plan_.then(FaultPoint::kLedgerSync, {1}); }

 private:
  ScriptedFaultPlan plan_;
  MemoryLedgerStore store_{&plan_};
};

std::unique_ptr<LedgerStoreHarness> make_memory_harness() {
  return std::make_unique<MemoryHarness>();
}

INSTANTIATE_TEST_SUITE_P(Memory, LedgerStoreConformance, testing::Values(make_memory_harness));

class FaultyLedger : public testing::Test {
 protected:
  Status append(std::vector<PageAppend> pages) { return run_awaitable(store_.append(pages)); }
  std::string text(const std::string& chain) {
    std::string all;
    const auto volumes = store_.volumes()[chain];
    for (const std::string& volume : volumes) all += volume + "|";
    return all;
  }

  ScriptedFaultPlan plan_;
  MemoryLedgerStore store_{&plan_};
};

TEST_F(FaultyLedger, ACrashLosesKeepsOrTearsWhatWasNotSynced) {
  for (const auto& [fault, left] : std::vector<std::pair<LedgerCrashFault, std::string>>{
           {LedgerCrashFault::kLost, "1\n|"},
           {LedgerCrashFault::kKept, "1\nabcd\n|e\n|"},
           {LedgerCrashFault::kTorn, "1\nabcd|"}}) {
    plan_ = ScriptedFaultPlan();
    plan_.then(FaultPoint::kLedgerCrash, {static_cast<std::size_t>(fault)});
    store_ = MemoryLedgerStore(&plan_);
    ASSERT_TRUE(append({{"a", "1\n"}}).ok());
    ASSERT_TRUE(run_awaitable(store_.sync()).ok());
    ASSERT_TRUE(append({{"a", "abcd\n"}}).ok());
    ASSERT_TRUE(run_awaitable(store_.start_volume("a")).ok());
    ASSERT_TRUE(append({{"a", "e\n"}}).ok());
    store_.crash();
    EXPECT_EQ(text("a"), left);
    store_.crash();
    EXPECT_EQ(text("a"), left);
    EXPECT_TRUE(plan_.used_up());
  }
}

TEST_F(FaultyLedger, AFailedAppendLeavesNothingOrAPart) {
  plan_.then(FaultPoint::kLedgerAppend, {static_cast<std::size_t>(LedgerAppendFault::kNothing),
                                         static_cast<std::size_t>(LedgerAppendFault::kPartial)});
  EXPECT_FALSE(append({{"a", "12345\n"}, {"b", "12345\n"}}).ok());
  EXPECT_EQ(text("a"), "");
  ASSERT_TRUE(run_awaitable(store_.reopen()).ok());
  EXPECT_FALSE(append({{"a", "123\n"}, {"b", "12345\n"}}).ok());
  EXPECT_EQ(text("a"), "123\n|");
  EXPECT_EQ(text("b"), "1|");
  EXPECT_FALSE(run_awaitable(store_.sync()).ok());
  ASSERT_TRUE(run_awaitable(store_.reopen()).ok());
  EXPECT_EQ(text("a") + text("b"), "");
}

TEST_F(FaultyLedger, AFailedTipIsTheOldOrTheNew) {
  plan_.then(FaultPoint::kLedgerTip, {0, static_cast<std::size_t>(LedgerTipFault::kNotReplaced),
                                      static_cast<std::size_t>(LedgerTipFault::kReplaced)});
  ASSERT_TRUE(run_awaitable(store_.put_tip("1\n")).ok());
  EXPECT_FALSE(run_awaitable(store_.put_tip("2\n")).ok());
  EXPECT_EQ(*run_awaitable(store_.tip()), "1\n");
  EXPECT_FALSE(run_awaitable(store_.put_tip("3\n")).ok());
  EXPECT_EQ(*run_awaitable(store_.tip()), "3\n");
}

}  // namespace
}  // namespace pawl
