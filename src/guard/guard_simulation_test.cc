// Two to four workers under thousands of seeds: the steps of this folder and archive/progress.h over models of stream, lease
// rows, ledger and objects (simulation_models_test.h), with crashes, pauses, clocks of different rates, and all that the
// services do. The checkers share nothing with the steps.
//
// At least PAWL_SEEDS seeds from PAWL_SEED_FIRST on, and then more until PAWL_SEED_SECONDS of processor time have gone by. A
// failing seed is printed with the command that runs it alone.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <set>
#include <string>

#include "base/sanitized.h"
#include "guard/simulation_worker_test.h"

namespace pawl::guard::simulation {
namespace {

constexpr std::uint64_t kSeedsDefault = kSanitized ? 300 : 5000;
constexpr std::uint64_t kTwiceEvery = 50;  // one seed of so many is run twice

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

double seconds_used() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

struct Outcome {
  std::vector<std::string> broken;
  std::uint64_t trace = 0;
  World::Counts counts;
};

Outcome run_seed(std::uint64_t seed, Bug bug = Bug::kNone) {
  World world(seed, bug);
  world.run();
  return {world.outside.broken, world.outside.trace.hash(), world.counts};
}

std::string replay_command(std::uint64_t seed) {
  return "PAWL_SEED_FIRST=" + std::to_string(seed) +
         " PAWL_SEEDS=1 build/guard_test --gtest_filter=GuardSimulation.KeepsThePromises";
}

void add(World::Counts& sum, const World::Counts& one) {
  sum.records += one.records, sum.gaps += one.gaps, sum.crashes += one.crashes;
  sum.pauses += one.pauses, sum.rebalances += one.rebalances, sum.lapses += one.lapses;
  sum.trimmed += one.trimmed, sum.shards += one.shards, sum.refused += one.refused;
  sum.clean_ends += one.clean_ends;
}

void print(std::uint64_t seeds, double seconds, const World::Counts& sum) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "  %llu seeds, %.0f a second: %llu shards, %llu records, %llu trimmed, %llu gaps, %llu "
      "crashes, "
      "%llu pauses, %llu clean ends, %llu lives that ended early, %llu pages refused, %llu "
      "takeovers seen\n",
      number(seeds), static_cast<double>(seeds) / seconds, number(sum.shards), number(sum.records),
      number(sum.trimmed), number(sum.gaps), number(sum.crashes), number(sum.pauses),
      number(sum.clean_ends), number(sum.lapses), number(sum.refused), number(sum.rebalances));
  std::fflush(stdout);
}

TEST(GuardSimulation, KeepsThePromises) {
  const auto first = setting("PAWL_SEED_FIRST", 1);
  const auto seeds_min = setting("PAWL_SEEDS", kSeedsDefault);
  const auto seconds_min = static_cast<double>(setting("PAWL_SEED_SECONDS", 0));
  World::Counts sum;
  std::uint64_t seeds = 0, failed = 0;
  const double start = seconds_used();
  for (; failed < 5 && (seeds < seeds_min || seconds_used() - start < seconds_min); ++seeds) {
    const auto seed = first + seeds;
    const auto outcome = run_seed(seed);
    add(sum, outcome.counts);
    if (!outcome.broken.empty()) {
      ++failed;
      std::string all;
      for (const auto& one : outcome.broken) all += "\n  " + one;
      ADD_FAILURE() << "seed " << seed << all << "\nreplay: " << replay_command(seed);
    }
    if (seed % kTwiceEvery != 0) continue;
    EXPECT_EQ(run_seed(seed).trace, outcome.trace) << "seed " << seed << " runs in two ways";
  }
  print(seeds, seconds_used() - start, sum);
  if (seeds < 300 || failed > 0) return;
  // A simulation in which something never happens proves nothing about it.
  EXPECT_GT(sum.crashes, seeds / 4);
  EXPECT_GT(sum.pauses, seeds / 4);
  EXPECT_GT(sum.lapses, seeds / 10);
  EXPECT_GT(sum.rebalances, seeds / 20);
  EXPECT_GT(sum.refused, seeds / 10);
  EXPECT_GT(sum.gaps, seeds / 20);
  EXPECT_GT(sum.records, seeds * 20);
}

TEST(GuardSimulation, DifferentSeedsAreDifferentRuns) {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) traces.insert(run_seed(seed).trace);
  EXPECT_EQ(traces.size(), 20U);
}

// Of so many seeds at least one shows a planted defect, and shows it as what it is.
void finds(Bug bug, const std::string& what) {
  constexpr std::uint64_t kSeeds = 400;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto outcome = run_seed(seed, bug);
    if (outcome.broken.empty()) continue;
    EXPECT_NE(outcome.broken.front().find(what), std::string::npos) << outcome.broken.front();
    std::printf("  found by seed %llu: %s\n", static_cast<unsigned long long>(seed),
                outcome.broken.front().c_str());
    return;
  }
  ADD_FAILURE() << "not found by " << kSeeds << " seeds";
}

TEST(GuardSimulation, FindsATakeWithoutAFence) { finds(Bug::kTakesWithoutErasing, "fencing"); }
TEST(GuardSimulation, FindsAChildBeforeItsParent) { finds(Bug::kChildBeforeParent, "P2"); }
TEST(GuardSimulation, FindsAReaderThatGoesOnAfterTheLastRead) {
  finds(Bug::kGoesOnAfterLastRead, "P1");
}
TEST(GuardSimulation, FindsTrustThatNeverEnds) { finds(Bug::kTrustsForever, "fencing"); }
TEST(GuardSimulation, FindsAForgottenGap) { finds(Bug::kForgetsGaps, "P1"); }

}  // namespace
}  // namespace pawl::guard::simulation
