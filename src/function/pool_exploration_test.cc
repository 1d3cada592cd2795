// Every order of what may happen to a few calls and the processes of one function, against rules that are written down a second
// time here, over what an observer sees: which calls were made, given and ended, and what became of each process.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "function/pool_step.h"

namespace pawl::function {
namespace {

using Event = PoolEvent::Kind;
using Effect = PoolEffect::Kind;

constexpr Duration kUnit = std::chrono::seconds(1);

PoolLimits small_limits(std::size_t workers) {
  PoolLimits limits;
  limits.workers_max = workers;
  limits.timeout = 2 * kUnit;
  limits.prepare_max = 2 * kUnit;
  limits.start_max = kUnit;
  limits.idle_max = 2 * kUnit;
  limits.soon = kUnit;
  limits.backoff_first = kUnit;
  limits.backoff_max = 2 * kUnit;
  return limits;
}

// What a process really does, whatever the pool thinks of it.
enum class Real : char {
  kMade = 'm',
  kRuns = 'r',
  kAsks = 'a',
  kWorks = 'w',
  kTold = 't',
  kKilled = 'k'
};

struct World {
  PoolState state;
  std::size_t workers_max = 0;
  MonotonicInstant now{1'000'000'000};
  std::map<WorkerId, Real> processes;
  std::map<WorkerId, bool> old;  // made before the code was replaced
  std::map<CallId, char> calls;  // w: waits, g: was given, e: ended
  CallId made = 0;
  int replacements = 1;
  int deletions = 1;
  int refused_room = 1;
};

class Exploration {
 public:
  explicit Exploration(std::size_t workers, CallId calls)
      : limits_(small_limits(workers)), calls_max_(calls) {}

  void run() {
    World first;
    first.workers_max = limits_.workers_max;
    std::vector<World> open{std::move(first)};
    while (!open.empty() && !testing::Test::HasFatalFailure()) {
      const World world = std::move(open.back());
      open.pop_back();
      if (!seen_.insert(name_of(world)).second) continue;
      check_progress(world);
      expand(world, open);
    }
  }

  std::size_t states() const { return seen_.size(); }
  const std::map<CallEnd, std::size_t>& ends() const { return ends_; }

 private:
  // States that differ in nothing but the time and the numbers of processes are one.
  static std::string name_of(const World& world) {
    std::string name;
    const auto add = [&name](std::int64_t number) { name += std::to_string(number) + ","; };
    const auto ahead = [&](MonotonicInstant at) {
      add(std::max<std::int64_t>(-1, (at - world.now).count() / kUnit.count()));
    };
    for (const Worker& worker : world.state.workers) {
      add(static_cast<int>(worker.state));
      add(worker.replaced);
      ahead(worker.deadline);
      ahead(worker.soon_until);
      add(worker.call ? static_cast<std::int64_t>(*worker.call) : -1);
      add(static_cast<int>(worker.end));
      add(worker.failed_start);
      name += static_cast<char>(world.processes.at(worker.id));
    }
    name += "|";
    for (const CallId call : world.state.waiting) add(static_cast<std::int64_t>(call));
    add(std::min<std::uint32_t>(world.state.failed_starts, 2));
    ahead(world.state.start_after);
    add(world.state.closed);
    for (const auto& [call, what] : world.calls) name += what;
    add(static_cast<std::int64_t>(world.workers_max));
    add(world.replacements * 4 + world.deletions * 2 + world.refused_room);
    return name;
  }

  void observe(World& world, const PoolEffect& effect) {
    switch (effect.kind) {
      case Effect::kStart:
        ASSERT_TRUE(world.processes.emplace(effect.worker, Real::kMade).second);
        ASSERT_LE(world.processes.size(), world.workers_max);
        ASSERT_FALSE(world.state.closed);
        break;
      case Effect::kGive:
        ASSERT_EQ(world.processes.at(effect.worker), Real::kAsks) << "only to who has asked";
        ASSERT_FALSE(world.old[effect.worker]) << "not to old code";
        ASSERT_EQ(world.calls.at(effect.call), 'w') << "once";
        world.calls[effect.call] = 'g';
        world.processes[effect.worker] = Real::kWorks;
        break;
      case Effect::kKill:
        ASSERT_NE(world.processes.at(effect.worker), Real::kKilled);
        world.processes[effect.worker] = Real::kKilled;
        break;
      case Effect::kEnd: {
        const char before = world.calls.at(effect.call);
        ASSERT_NE(before, 'e') << "once";
        const bool begun = effect.end == CallEnd::kAnswered || effect.end == CallEnd::kTimedOut ||
                           effect.end == CallEnd::kExited;
        if (effect.end != CallEnd::kClosed) {
          ASSERT_EQ(begun, before == 'g');
        }
        if (before == 'g' && effect.end != CallEnd::kAnswered) {
          ASSERT_FALSE(world.processes.contains(effect.worker)) << "nothing happens after its end";
        }
        world.calls[effect.call] = 'e';
        ++ends_[effect.end];
        break;
      }
    }
  }

  World after(World world, const PoolEvent& event) {
    // What the event itself says is so before the pool hears of it.
    if (event.kind == Event::kCalled) world.calls[event.call] = 'w';
    if (event.kind == Event::kExited) world.processes.erase(event.worker);
    if (event.kind == Event::kReplaced) {
      for (const auto& [id, real] : world.processes) world.old[id] = true;
    }
    PoolLimits limits = limits_;
    limits.workers_max = world.workers_max;
    for (const PoolEffect& effect : step(world.state, limits, event, world.now)) {
      observe(world, effect);
      if (testing::Test::HasFatalFailure()) return world;
    }
    std::size_t waiting = 0;
    std::size_t given = 0;
    for (const auto& [call, what] : world.calls) {
      waiting += what == 'w' ? 1 : 0;
      given += what == 'g' ? 1 : 0;
    }
    // What was given before the limit was lowered goes on; nobody waits beyond the limit.
    EXPECT_TRUE(waiting == 0 || waiting + given <= world.workers_max);
    EXPECT_LE(given, limits_.workers_max);
    EXPECT_EQ(world.state.workers.size(), world.processes.size());
    return world;
  }

  void expand(const World& world, std::vector<World>& open) {
    const auto go = [&](const PoolEvent& event, World from) {
      open.push_back(after(std::move(from), event));
    };
    if (world.made < calls_max_) {
      World more = world;
      const PoolEvent call{Event::kCalled, 0, ++more.made, true};
      go(call, more);
      if (more.refused_room > 0) {
        --more.refused_room;
        go({Event::kCalled, 0, more.made, false}, more);
      }
    }
    for (const auto& [id, real] : world.processes) {
      go({Event::kExited, id}, world);  // it may, at any time
      const auto becomes = [&, id = id](Real next, Event event) {
        World changed = world;
        changed.processes[id] = next;
        go({event, id}, changed);
      };
      if (real == Real::kMade) becomes(Real::kRuns, Event::kRunning);
      if (real == Real::kRuns || real == Real::kTold) becomes(Real::kAsks, Event::kReady);
      if (real == Real::kWorks) becomes(Real::kTold, Event::kAnswered);
      if (real == Real::kWorks) becomes(Real::kWorks, Event::kReady);  // against the rules
      // What it sent before it was killed may still come.
      if (real == Real::kKilled) {
        go({Event::kReady, id}, world);
        go({Event::kAnswered, id}, world);
      }
    }
    if (world.replacements > 0) {
      World replaced = world;
      --replaced.replacements;
      for (std::size_t most = 0; most <= limits_.workers_max; ++most) {
        replaced.workers_max = most;
        go({Event::kReplaced}, replaced);
      }
    }
    if (idle_until(world.state)) go({Event::kMakeRoom}, world);
    if (world.deletions > 0) {
      World deleted = world;
      --deleted.deletions;
      go({Event::kDeleted}, deleted);
      go({Event::kStopped}, deleted);
    }
    if (next_tick(world.state, world.now)) {
      World later = world;
      later.now = later.now + kUnit;
      go({Event::kTick}, later);
    }
  }

  // From here on nobody calls, handlers hang, and processes do what processes must: all calls end all the same.
  void check_progress(World world) {
    for (int i = 0; i < 200; ++i) {
      bool waits = false;
      for (const auto& [call, what] : world.calls) waits = waits || what != 'e';
      if (!waits) return;
      const auto processes = world.processes;
      bool moved = false;
      for (const auto& [id, real] : processes) {
        if (real == Real::kKilled) {
          world = after(std::move(world), {Event::kExited, id});
          moved = true;
          break;
        }
      }
      if (testing::Test::HasFatalFailure()) return;
      if (moved) continue;
      const auto next = next_tick(world.state, world.now);
      ASSERT_TRUE(next) << "a call waits, and nothing will ever happen";
      world.now = std::max(world.now, *next);
      world = after(std::move(world), {Event::kTick});
    }
    FAIL() << "a call waits for ever";
  }

  PoolLimits limits_;
  CallId calls_max_;
  std::unordered_set<std::string> seen_;
  std::map<CallEnd, std::size_t> ends_;
};

TEST(PoolExploration, OneProcessAtATime) {
  Exploration exploration(1, 3);
  exploration.run();
  EXPECT_GT(exploration.states(), 1'000U);
  EXPECT_EQ(exploration.ends().size(), 7U) << "every end was reached";
}

TEST(PoolExploration, TwoProcessesAndThreeCalls) {
  Exploration exploration(2, 3);
  exploration.run();
  EXPECT_GT(exploration.states(), 10'000U);
  EXPECT_EQ(exploration.ends().size(), 7U);
}

TEST(PoolStep, StartsAreSpacedWhenTheyFail) {
  PoolLimits limits;
  PoolState state;
  MonotonicInstant now{0};
  std::vector<std::int64_t> waits;
  for (CallId call = 1; call <= 8; ++call) {
    step(state, limits, {Event::kCalled, 0, call, true}, now);
    const auto due = next_tick(state, now);
    ASSERT_TRUE(due);
    if (state.workers.empty()) {
      waits.push_back((*due - now).count() / 1000);
      now = *due;
      step(state, limits, {Event::kTick}, now);
    }
    ASSERT_EQ(state.workers.size(), 1U);
    const auto effects = step(state, limits, {Event::kExited, state.workers[0].id}, now);
    ASSERT_EQ(effects.size(), 1U);
    EXPECT_EQ(effects[0].end, CallEnd::kStartFailed);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{250, 500, 1000, 2000, 4000, 5000, 5000}));
}

TEST(PoolStep, WhatWaitsBeyondALoweredLimitIsRefused) {
  PoolLimits limits;
  PoolState state;
  MonotonicInstant now{0};
  for (CallId call = 1; call <= 3; ++call)
    step(state, limits, {Event::kCalled, 0, call, true}, now);
  step(state, limits, {Event::kRunning, 1}, now);
  step(state, limits, {Event::kReady, 1}, now);
  limits.workers_max = 2;
  auto effects = step(state, limits, {Event::kReplaced}, now);
  ASSERT_EQ(effects.back().kind, Effect::kEnd);
  EXPECT_EQ(effects.back().call, 3U) << "the newest; one is under way, and one may wait";
  EXPECT_EQ(effects.back().end, CallEnd::kThrottled);
  limits.workers_max = 0;
  effects = step(state, limits, {Event::kReplaced}, now);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(effects[0].call, 2U);
}

TEST(PoolStep, RoomIsMadeByWhoHasBeenIdleTheLongest) {
  PoolLimits limits;
  PoolState state;
  MonotonicInstant now{0};
  EXPECT_TRUE(would_start_another(state, limits, now));
  EXPECT_FALSE(idle_until(state));
  EXPECT_TRUE(step(state, limits, {Event::kMakeRoom}, now).empty());
  for (CallId call = 1; call <= 3; ++call)
    step(state, limits, {Event::kCalled, 0, call, true}, now);
  for (const WorkerId worker : {1U, 2U, 3U}) {
    step(state, limits, {Event::kRunning, worker}, now);
    step(state, limits, {Event::kReady, worker}, now);
  }
  EXPECT_TRUE(would_start_another(state, limits, now)) << "all three are busy";
  for (const WorkerId worker : {2U, 1U}) {
    now = now + kUnit;
    step(state, limits, {Event::kAnswered, worker}, now);
    step(state, limits, {Event::kReady, worker}, now);
  }
  EXPECT_FALSE(would_start_another(state, limits, now));
  EXPECT_EQ(idle_until(state), MonotonicInstant{} + kUnit + limits.idle_max);
  const auto effects = step(state, limits, {Event::kMakeRoom}, now);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(effects[0], (PoolEffect{Effect::kKill, 2, 0, {}}));
  limits.workers_max = 1;
  EXPECT_FALSE(would_start_another(state, limits, now)) << "its limit is reached";
}

TEST(PoolStep, WhoHasJustAnsweredServesWhoComesNext) {
  PoolLimits limits;
  PoolState state;
  MonotonicInstant now{0};
  step(state, limits, {Event::kCalled, 0, 1, true}, now);
  step(state, limits, {Event::kRunning, 1}, now);
  step(state, limits, {Event::kReady, 1}, now);
  step(state, limits, {Event::kAnswered, 1}, now);
  EXPECT_TRUE(step(state, limits, {Event::kCalled, 0, 2, true}, now).empty())
      << "no second process";
  now = now + limits.soon;
  const auto effects = step(state, limits, {Event::kTick}, now);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(effects[0].kind, Effect::kStart) << "it did not ask again in time";
}

}  // namespace
}  // namespace pawl::function
