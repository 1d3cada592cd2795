// What every LedgerStore must do. A test file of an implementation includes this and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Memory, LedgerStoreConformance, testing::Values(make_memory_harness));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "port/conformance/run_awaitable.h"
#include "port/ledger_store.h"

namespace pawl {

class LedgerStoreHarness {
 public:
  virtual ~LedgerStoreHarness() = default;
  virtual LedgerStore& store() = 0;
  // Ends the process without warning and starts it again, as far as the implementation can: unsynced
  // pages may or may not survive, whole or torn.
  virtual void restart() = 0;
  // Leaves of an append of these bytes, which have no newline, to a chain that has pages what a crash in it would leave;
  // then restarts. Returns how many are there: an upload to a bucket that broke off leaves nothing.
  virtual std::uint64_t tear(const std::string& chain, const std::string& bytes) = 0;
  // The next append or sync fails, once.
  virtual void fail_next_sync() = 0;
};

using LedgerStoreHarnessFactory = std::unique_ptr<LedgerStoreHarness> (*)();

class LedgerStoreConformance : public testing::TestWithParam<LedgerStoreHarnessFactory> {
 protected:
  using Pages = std::vector<std::pair<std::string, std::string>>;

  LedgerStore& store() { return harness_->store(); }
  // What the volume holds that the next page goes to, where the pages before it are synced.
  std::uint64_t in_volume(std::uint64_t bytes) { return store().seals_at_sync() ? 0 : bytes; }
  Status append(const Pages& pages) {
    std::vector<PageAppend> appends;
    for (const auto& [chain, line] : pages) appends.push_back({chain, line});
    return run_awaitable(store().append(appends));
  }
  Status sync() { return run_awaitable(store().sync()); }
  void append_synced(const Pages& pages) {
    const Status appended = append(pages);
    ASSERT_TRUE(appended.ok()) << appended.error().to_string();
    const Status synced = sync();
    ASSERT_TRUE(synced.ok()) << synced.error().to_string();
  }
  ChainEnd end_of(const std::string& chain) {
    auto end = run_awaitable(store().end_of(chain));
    EXPECT_TRUE(end.ok()) << end.error().to_string();
    return end.ok() ? *end : ChainEnd{};
  }
  std::vector<std::string> lines(const std::string& chain) {
    std::vector<std::string> found;
    const Status read = run_awaitable(store().read(chain, [&](std::string_view line) {
      found.emplace_back(line);
      return true;
    }));
    EXPECT_TRUE(read.ok()) << read.error().to_string();
    return found;
  }
  std::vector<std::string> chains() {
    auto names = run_awaitable(store().chains());
    EXPECT_TRUE(names.ok());
    return names.ok() ? *names : std::vector<std::string>();
  }

  std::unique_ptr<LedgerStoreHarness> harness_ = GetParam()();
};

TEST_P(LedgerStoreConformance, AnEmptyLedgerHasNothing) {
  EXPECT_TRUE(chains().empty());
  const ChainEnd end = end_of("root");
  EXPECT_EQ(end.last_line, std::nullopt);
  EXPECT_EQ(end.torn_bytes, 0U);
  EXPECT_EQ(end.volume_bytes, 0U);
  EXPECT_TRUE(lines("root").empty());
  auto tip = run_awaitable(store().tip());
  ASSERT_TRUE(tip.ok());
  EXPECT_EQ(*tip, std::nullopt);
  EXPECT_TRUE(sync().ok());
  EXPECT_TRUE(run_awaitable(store().cut("root")).ok());
}

TEST_P(LedgerStoreConformance, PagesAreKeptInOrderAChain) {
  append_synced({{"root", "r0\n"}, {"9f86d081884c7d65-0003", "s0\n"}, {"root", "r1\n"}});
  append_synced({{"9f86d081884c7d65-0003", "s1\n"}});
  EXPECT_THAT(chains(), testing::ElementsAre("9f86d081884c7d65-0003", "root"));
  EXPECT_THAT(lines("root"), testing::ElementsAre("r0\n", "r1\n"));
  EXPECT_THAT(lines("9f86d081884c7d65-0003"), testing::ElementsAre("s0\n", "s1\n"));
  EXPECT_EQ(end_of("root").last_line, "r1\n");
  EXPECT_EQ(end_of("root").volume_bytes, in_volume(6));
}

TEST_P(LedgerStoreConformance, SyncedPagesSurviveARestart) {
  append_synced({{"a", "1\n"}, {"b", "1\n"}});
  append_synced({{"a", "2\n"}});
  harness_->restart();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n"));
  EXPECT_THAT(lines("b"), testing::ElementsAre("1\n"));
  EXPECT_EQ(end_of("a").last_line, "2\n");
  append_synced({{"a", "3\n"}});
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n", "3\n"));
}

TEST_P(LedgerStoreConformance, UnsyncedPagesSurviveAsAPrefix) {
  append_synced({{"a", "0\n"}});
  for (int i = 1; i < 5; ++i) ASSERT_TRUE(append({{"a", std::to_string(i) + "\n"}}).ok());
  harness_->restart();
  const auto found = lines("a");
  ASSERT_GE(found.size(), 1U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], std::to_string(i) + "\n");
  EXPECT_EQ(end_of("a").last_line, found.back());
}

TEST_P(LedgerStoreConformance, ReadingStopsWhenItIsTold) {
  append_synced({{"a", "1\n"}, {"a", "2\n"}, {"a", "3\n"}});
  int visited = 0;
  ASSERT_TRUE(
      run_awaitable(store().read("a", [&](std::string_view) { return ++visited < 2; })).ok());
  EXPECT_EQ(visited, 2);
}

TEST_P(LedgerStoreConformance, LongPages) {
  const std::string medium = std::string(70'000, 'm') + "\n";
  const std::string large = std::string(3'000'000, 'l') + "\n";
  append_synced({{"a", "small\n"}, {"a", large}});
  EXPECT_EQ(end_of("a").last_line, large);
  append_synced({{"a", medium}});
  EXPECT_EQ(end_of("a").last_line, medium);
  append_synced({{"a", "x\n"}});
  harness_->restart();
  EXPECT_EQ(end_of("a").last_line, "x\n");
  EXPECT_THAT(lines("a"), testing::ElementsAre("small\n", large, medium, "x\n"));
}

TEST_P(LedgerStoreConformance, VolumesAreOneChain) {
  append_synced({{"a", "1\n"}});
  ASSERT_TRUE(run_awaitable(store().start_volume("a")).ok());
  EXPECT_EQ(end_of("a").volume_bytes, 0U);
  EXPECT_EQ(end_of("a").last_line, "1\n");
  append_synced({{"a", "22\n"}});
  EXPECT_EQ(end_of("a").volume_bytes, in_volume(3));
  append_synced({{"a", "3\n"}});
  ASSERT_TRUE(run_awaitable(store().start_volume("a")).ok());
  append_synced({{"a", "4\n"}});
  harness_->restart();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "22\n", "3\n", "4\n"));
  EXPECT_EQ(end_of("a").last_line, "4\n");
  EXPECT_EQ(end_of("a").volume_bytes, in_volume(2));
}

TEST_P(LedgerStoreConformance, ATornPageIsToldAndCut) {
  append_synced({{"a", "1\n"}, {"a", "2\n"}});
  const std::uint64_t torn = harness_->tear("a", "half a pa");
  ChainEnd end = end_of("a");
  EXPECT_EQ(end.last_line, "2\n");
  EXPECT_EQ(end.torn_bytes, torn);
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n"));
  const Status cut = run_awaitable(store().cut("a"));
  ASSERT_TRUE(cut.ok()) << cut.error().to_string();
  end = end_of("a");
  EXPECT_EQ(end.torn_bytes, 0U);
  EXPECT_EQ(end.volume_bytes, in_volume(4));
  append_synced({{"a", "3\n"}});
  harness_->restart();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n", "3\n"));
}

TEST_P(LedgerStoreConformance, AfterAFailedSyncOnlyReopeningHelps) {
  append_synced({{"a", "1\n"}, {"b", "1\n"}});
  ASSERT_TRUE(append({{"a", "2\n"}, {"b", "2\n"}, {"c", "1\n"}}).ok());
  harness_->fail_next_sync();
  EXPECT_FALSE(sync().ok());
  EXPECT_FALSE(sync().ok());
  EXPECT_FALSE(append({{"a", "3\n"}}).ok());
  const Status reopened = run_awaitable(store().reopen());
  ASSERT_TRUE(reopened.ok()) << reopened.error().to_string();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n"));
  EXPECT_EQ(end_of("b").last_line, "1\n");
  EXPECT_EQ(end_of("c").last_line, std::nullopt);
  append_synced({{"a", "2\n"}, {"b", "2\n"}, {"c", "1\n"}});
  harness_->restart();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n"));
  EXPECT_THAT(lines("b"), testing::ElementsAre("1\n", "2\n"));
  EXPECT_THAT(lines("c"), testing::ElementsAre("1\n"));
}

TEST_P(LedgerStoreConformance, ReopeningTakesBackNewVolumesToo) {
  append_synced({{"a", "1\n"}});
  ASSERT_TRUE(run_awaitable(store().start_volume("a")).ok());
  ASSERT_TRUE(append({{"a", "2\n"}}).ok());
  harness_->fail_next_sync();
  EXPECT_FALSE(sync().ok());
  ASSERT_TRUE(run_awaitable(store().reopen()).ok());
  EXPECT_EQ(end_of("a").last_line, "1\n");
  EXPECT_EQ(end_of("a").volume_bytes, in_volume(2));
  append_synced({{"a", "2\n"}});
  harness_->restart();
  EXPECT_THAT(lines("a"), testing::ElementsAre("1\n", "2\n"));
}

TEST_P(LedgerStoreConformance, TheTipIsReplacedWhole) {
  for (const std::string line : {"one\n", "a longer one\n", "two\n"}) {
    const Status put = run_awaitable(store().put_tip(line));
    ASSERT_TRUE(put.ok()) << put.error().to_string();
    auto tip = run_awaitable(store().tip());
    ASSERT_TRUE(tip.ok());
    EXPECT_EQ(*tip, line);
  }
  harness_->restart();
  EXPECT_EQ(*run_awaitable(store().tip()), "two\n");
}

}  // namespace pawl
