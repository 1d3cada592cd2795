// Explores every state of the small world of exploration_world_test.h: two workers share a stream whose one shard splits into
// two, with crashes, pauses of any length, and writes whose outcome is unknown. In each state the promises are checked, and
// that everything can still come into the ledger from there if nothing more fails.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "base/sanitized.h"
#include "guard/exploration_world_test.h"

namespace pawl::guard::exploration {
namespace {

// Two independent hashes of a state's key: 128 bits, so that a collision among millions is not to be expected.
struct StateHash {
  std::uint64_t a = 0, b = 0;
  bool operator==(const StateHash&) const = default;
};
struct HashOfHash {
  std::size_t operator()(const StateHash& hash) const { return hash.a ^ (hash.b << 1); }
};
StateHash hash_of(const std::string& key) {
  StateHash hash{0xCBF29CE484222325ULL, 0x9E3779B97F4A7C15ULL};
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    hash.a = (hash.a ^ byte) * 0x100000001B3ULL;
    hash.b = (hash.b + byte) * 0xBF58476D1CE4E5B9ULL;
    hash.b ^= hash.b >> 29;
  }
  return hash;
}

class Explorer {
 public:
  Explorer(Bug bug, const Faults& faults) : machine_(bug), faults_(faults) {}

  // Visits every state that can be reached; stops at the first that breaks a promise.
  void run() {
    visit(machine_.start(faults_));
    while (!queue_.empty() && broken_.empty()) {
      const auto [world, id] = std::move(queue_.front());
      queue_.pop_front();
      for (auto& next : machine_.successors(world)) {
        const auto to = visit(next.world);
        if (!next.fault) edges_.emplace_back(to, id);
        if (!broken_.empty()) return;
      }
    }
    find_dead_ends();
  }
  std::size_t states() const { return ids_.size(); }
  const std::string& broken() const { return broken_; }

 private:
  using Id = std::uint32_t;

  Id visit(const World& world) {
    const auto [place, is_new] =
        ids_.try_emplace(hash_of(world.key()), static_cast<Id>(ids_.size()));
    if (!is_new || !broken_.empty()) return place->second;
    broken_ = Machine::check(world);
    if (!broken_.empty()) broken_ += " in " + world.key();
    if (Machine::is_done(world)) done_.push_back(place->second);
    queue_.emplace_back(world, place->second);
    return place->second;
  }

  // Backwards from where all is done, along what happens without faults.
  void find_dead_ends() {
    std::vector<std::vector<Id>> before(ids_.size());
    for (const auto& [to, from] : edges_) before[to].push_back(from);
    std::vector<bool> ends_well(ids_.size());
    std::deque<Id> queue(done_.begin(), done_.end());
    std::size_t reached = 0;
    while (!queue.empty()) {
      const Id id = queue.front();
      queue.pop_front();
      if (ends_well[id]) continue;
      ends_well[id] = true;
      ++reached;
      for (const Id from : before[id]) queue.push_back(from);
    }
    if (reached != ids_.size())
      broken_ = std::to_string(ids_.size() - reached) + " states never come to the end";
  }

  Machine machine_;
  Faults faults_;
  std::unordered_map<StateHash, Id, HashOfHash> ids_;
  std::deque<std::pair<World, Id>> queue_;
  std::vector<std::pair<Id, Id>> edges_;
  std::vector<Id> done_;
  std::string broken_;
};

// Only where it takes long: PAWL_EXPLORE=1 makes these part of the run.
bool all_of_it() {
  const char* text = std::getenv("PAWL_EXPLORE");
  return text != nullptr && *text == '1';
}

void explore(const char* what, const Faults& faults) {
  Explorer explorer(Bug::kNone, faults);
  explorer.run();
  std::printf("  %zu states with %s\n", explorer.states(), what);
  EXPECT_EQ(explorer.broken(), "");
}

TEST(GuardExploration, EveryStateKeepsThePromises) {
  explore("a split at any moment and 1 preemption", {.preemptions = 1});
  explore("1 doubtful page", {.doubtful_pages = 1});
  if (kSanitized) return;
  explore("1 crash", {.crashes = 1, .splits = false});
  explore("1 doubtful row write", {.doubtful_rows = 1, .splits = false});
  explore("1 pause", {.pauses = 1, .splits = false});
}

TEST(GuardExploration, EveryStateOfLargerScopes) {
  if (!all_of_it() || kSanitized) GTEST_SKIP() << "takes long: PAWL_EXPLORE=1";
  explore("2 preemptions and 1 slow reader", {.preemptions = 2, .slow_readers = 1});
  explore("1 crash, a split at any moment", {.crashes = 1});
  explore("1 pause, a split at any moment", {.pauses = 1});
  explore("1 doubtful row write, a split at any moment", {.doubtful_rows = 1});
  explore("1 pause and 1 doubtful page", {.pauses = 1, .doubtful_pages = 1, .splits = false});
  explore("1 crash and 1 doubtful page", {.crashes = 1, .doubtful_pages = 1, .splits = false});
  explore("2 crashes", {.crashes = 2, .splits = false});
}

void finds(Bug bug, const Faults& faults, const std::string& what) {
  Explorer explorer(bug, faults);
  explorer.run();
  EXPECT_NE(explorer.broken().find(what), std::string::npos) << explorer.broken();
  std::printf("  found after %zu states: %s\n", explorer.states(),
              explorer.broken().substr(0, explorer.broken().find(" in ")).c_str());
}

TEST(GuardExploration, FindsATakeWithoutAFence) {
  finds(Bug::kTakesWithoutErasing, {.crashes = 1, .splits = false}, "fencing");
}
TEST(GuardExploration, FindsAChildBeforeItsParent) { finds(Bug::kChildBeforeParent, {}, "P2"); }
TEST(GuardExploration, FindsAReaderThatGoesOnAfterTheLastRead) {
  finds(Bug::kGoesOnAfterLastRead, {.doubtful_pages = 1}, "P1");
}
TEST(GuardExploration, FindsTrustThatNeverEnds) {
  finds(Bug::kTrustsForever, {.pauses = 1, .splits = false}, "fencing");
}
TEST(GuardExploration, FindsARowBeforeItsPage) {
  finds(Bug::kEntersBeforeDurable, {.doubtful_pages = 1}, "root chain does not know");
}

}  // namespace
}  // namespace pawl::guard::exploration
