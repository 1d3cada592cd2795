// The embedded Pawl under thousands of seeds: commit -> archive -> ledger -> restart, with every fault and a crash
// anywhere, against the checkers of promise_checks.h and the real verifier.
//
// At least PAWL_SEEDS seeds from PAWL_SEED_FIRST on, and then more until PAWL_SEED_SECONDS have gone by. A failing seed is
// printed with the command that runs it alone.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/sanitized.h"
#include "drill/embedded_world.h"

namespace pawl::drill {
namespace {

constexpr std::uint64_t kSeedsDefault = kSanitized ? 200 : 2000;
// One seed of so many is run twice.
constexpr std::uint64_t kTwiceEvery = 20;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Processor time, which is what a run costs: it waits for nothing.
double seconds_used() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

struct Totals {
  std::uint64_t seeds = 0, twice = 0, failed = 0;
  RunReport sum;

  void add(const RunReport& report) {
    ++seeds;
    sum.operations += report.operations;
    sum.changes += report.changes;
    sum.lives += report.lives;
    sum.crashes += report.crashes;
    sum.clean_stops += report.clean_stops;
    sum.repeats += report.repeats;
    sum.stalls += report.stalls;
    sum.effects += report.effects;
    sum.virtual_time += report.virtual_time;
    for (std::size_t i = 0; i < kEmbeddedFaultPoints; ++i) sum.faults[i] += report.faults[i];
  }
};

void print_progress(const Totals& totals, double seconds) {
  std::printf("  %llu seeds, %.0f a second: %llu changes archived, %llu crashes\n",
              static_cast<unsigned long long>(totals.seeds),
              static_cast<double>(totals.seeds + totals.twice) / seconds,
              static_cast<unsigned long long>(totals.sum.changes),
              static_cast<unsigned long long>(totals.sum.crashes));
  std::fflush(stdout);
}

std::string replay_command(std::uint64_t seed) {
  return "PAWL_SEED_FIRST=" + std::to_string(seed) +
         " PAWL_SEEDS=1 build/drill_test --gtest_filter=EmbeddedSimulation.KeepsThePromises";
}

void run_seed(std::uint64_t seed, Totals& totals) {
  const RunReport report = EmbeddedWorld(seed).run();
  totals.add(report);
  if (!report.violations.empty()) {
    ++totals.failed;
    std::string all;
    for (const auto& violation : report.violations) all += "\n  " + violation;
    ADD_FAILURE() << "seed " << seed << all << "\nreplay: " << replay_command(seed);
  }
  if (seed % kTwiceEvery != 0) return;
  ++totals.twice;
  const RunReport again = EmbeddedWorld(seed).run();
  if (again.digest == report.digest) return;
  ++totals.failed;
  ADD_FAILURE() << "seed " << seed
                << " runs one way and then another\nreplay: " << replay_command(seed);
}

TEST(EmbeddedSimulation, KeepsThePromises) {
  const std::uint64_t first = setting("PAWL_SEED_FIRST", 1);
  const std::uint64_t seeds_min = setting("PAWL_SEEDS", kSeedsDefault);
  const auto seconds_min = static_cast<double>(setting("PAWL_SEED_SECONDS", 0));
  constexpr std::uint64_t kFailuresMax = 5;
  Totals totals;
  const double start = seconds_used();
  double told = start;
  for (std::uint64_t i = 0; totals.failed < kFailuresMax; ++i) {
    const double now = seconds_used();
    if (i >= seeds_min && now - start >= seconds_min) break;
    if (now - told >= 5) print_progress(totals, (told = now) - start);
    run_seed(first + i, totals);
  }
  print_progress(totals, seconds_used() - start);
  std::printf(
      "  %llu run twice and equal; %llu operations, %llu repeats, %llu lives, %llu clean stops, "
      "%llu looks at stalled shards, %llu effects, %.0f virtual hours\n  faults:",
      static_cast<unsigned long long>(totals.twice),
      static_cast<unsigned long long>(totals.sum.operations),
      static_cast<unsigned long long>(totals.sum.repeats),
      static_cast<unsigned long long>(totals.sum.lives),
      static_cast<unsigned long long>(totals.sum.clean_stops),
      static_cast<unsigned long long>(totals.sum.stalls),
      static_cast<unsigned long long>(totals.sum.effects),
      static_cast<double>(totals.sum.virtual_time.count()) / 3.6e9);
  for (std::size_t i = 0; i < kEmbeddedFaultPoints; ++i) {
    std::printf(" %s %llu", std::string(name_of(static_cast<FaultPoint>(i))).c_str(),
                static_cast<unsigned long long>(totals.sum.faults[i]));
    // A simulation in which a fault never happens proves nothing about it.
    if (seeds_min >= 200) {
      EXPECT_GT(totals.sum.faults[i], 0U) << name_of(static_cast<FaultPoint>(i));
    }
  }
  std::printf("\n");
  if (seeds_min >= 200 && totals.failed == 0) {
    EXPECT_GT(totals.sum.crashes, totals.seeds);
    EXPECT_GT(totals.sum.changes, totals.seeds * 10);
    EXPECT_GT(totals.sum.repeats, totals.seeds);
    EXPECT_GT(totals.sum.stalls, totals.seeds / 10);
  }
}

TEST(EmbeddedSimulation, DifferentSeedsAreDifferentRuns) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) digests.insert(EmbeddedWorld(seed).run().digest);
  EXPECT_EQ(digests.size(), 20U);
}

}  // namespace
}  // namespace pawl::drill
