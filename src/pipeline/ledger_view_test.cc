#include "pipeline/ledger_view.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "pipeline/recorder_world_test.h"
#include "pipeline/table_events.h"

namespace pawl::pipeline {
namespace {

// A root chain that is almost all checkpoints, as one of a server that has run for long is.
class RootChain {
 public:
  RootChain() {
    add(ledger::ArchiveCreated{});
    add(ledger::ServerStarted{"00000000000000aa", "pawl test", std::nullopt});
    add(created_event(users_table()));
  }
  void add(ledger::RootEvent event) {
    auto page = ledger::next_root_page(end, kArchiveId, std::move(event), {++instant}, nullptr);
    end = page->after;
    store.appended["root"].push_back(std::move(page->line.text));
  }
  void add_checkpoint(std::uint64_t number, std::uint16_t chains) {
    ledger::Checkpoint checkpoint;
    for (std::uint16_t i = 0; i < chains; ++i) {
      checkpoint.chains[{kUsers, i}] = {{number}, {number * 10}, sha256(std::to_string(number))};
    }
    add(std::move(checkpoint));
  }

  ScriptedLedger store;
  ledger::ChainEndState end;
  std::int64_t instant = 1'800'000'000'000'000;
};

TEST(LedgerView, WhatIsTrueAtTheEndOfALongRootChain) {
  RootChain chain;
  chain.add_checkpoint(1, 2);
  chain.add(ledger::CounterReset{kUsers, kShard0, {7}, "logs/A-1.log", "logs/A-1.log~x"});
  for (std::uint64_t i = 2; i < 200; ++i) chain.add_checkpoint(i, 3);
  auto view = RecorderWorld::wait(read_root_chain(chain.store));
  ASSERT_TRUE(view.ok()) << view.error().to_string();
  EXPECT_EQ(view->root.pages, 203U);
  EXPECT_EQ(view->root.digest, chain.end.digest);
  EXPECT_TRUE(view->tables.at(kUsers).open());
  EXPECT_TRUE(view->tables.at(kUsers).counter_reset);
  EXPECT_FALSE(view->clean_stop);
  chain.add(ledger::ServerStopped{"00000000000000aa"});
  view = RecorderWorld::wait(read_root_chain(chain.store));
  EXPECT_TRUE(view->clean_stop);
}

// Checkpoints are not read for what they say, but a chain that one of them breaks is broken.
TEST(LedgerView, ADamagedCheckpointIsNoticedWhereverItIs) {
  for (const std::size_t place : {4U, 50U, 99U}) {
    for (const bool taken_out : {true, false}) {
      RootChain chain;
      for (std::uint64_t i = 0; i < 100; ++i) chain.add_checkpoint(i, 2);
      auto& lines = chain.store.appended["root"];
      if (taken_out) {
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(place));
      } else {
        lines[place][lines[place].size() - 20] ^= 1;
      }
      const auto view = RecorderWorld::wait(read_root_chain(chain.store));
      ASSERT_FALSE(view.ok()) << place;
      EXPECT_EQ(view.error().code, ErrorCode::kCorrupt);
    }
  }
}

// A start reads the whole root chain: what that costs, in a chain of PAWL_ROOT_PAGES pages (docs/internals/archive-format.md).
TEST(LedgerView, TellsWhatALongRootChainCosts) {
  const char* const wanted = std::getenv("PAWL_ROOT_PAGES");
  const std::uint64_t pages = wanted == nullptr ? 2'000 : std::strtoull(wanted, nullptr, 10);
  for (const std::uint16_t chains : {std::uint16_t{4}, std::uint16_t{40}}) {
    RootChain chain;
    for (std::uint64_t i = 0; i < pages; ++i) chain.add_checkpoint(i, chains);
    std::size_t bytes = 0;
    for (const auto& line : chain.store.appended["root"]) bytes += line.size();
    const std::clock_t start = std::clock();
    const auto view = RecorderWorld::wait(read_root_chain(chain.store));
    const double took = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->root.pages, pages + 3);
    std::printf("  %llu root pages of %u chains, %zu MB: %.0f ms\n",
                static_cast<unsigned long long>(pages), chains, bytes >> 20, took);
  }
}

}  // namespace
}  // namespace pawl::pipeline
