#include "function/event_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "fault/fault_plan.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart{1'800'000'000'000'000};
Instant later(Instant at, Duration by) { return {at.microseconds + by.count()}; }

InvocationResult ended(Outcome outcome) {
  InvocationResult result;
  result.outcome = outcome;
  result.why = "because";
  return result;
}

// The rules again, over every event one by one.
struct Known {
  std::uint64_t function = 0;
  std::uint64_t bytes = 0;
  EventState state;
  bool under_way = false;
};
struct Function {
  bool refused = false;
  Instant not_before;
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.next() % 4) {
        case 0:
          add();
          break;
        case 1:
          now_ = later(now_, Duration(static_cast<std::int64_t>(random_.next() % 40'000'000)));
          break;
        case 2:
          take();
          break;
        default:
          end_one();
      }
    }
  }

 private:
  std::uint64_t under_way(std::uint64_t function) const {
    std::uint64_t count = 0;
    for (const auto& [number, event] : events_) {
      count += event.function == function && event.under_way ? 1 : 0;
    }
    return count;
  }
  std::uint64_t most(std::uint64_t function) { return functions_[function].refused ? 1 : 4; }
  Instant begins(const Known& event) {
    return std::max(event.state.due, functions_[event.function].not_before);
  }
  bool may_begin(const Known& event) {
    return !event.under_way && begins(event) <= now_ &&
           under_way(event.function) < most(event.function);
  }

  void add() {
    const std::uint64_t number = ++newest_;
    Known event;
    event.function = random_.next() % 3;
    event.state.accepted = event.state.due = now_;
    lines_.add(number, event.function, 1, now_);
    events_[number] = event;
  }
  void take() {
    for (const EventNumber number : lines_.take_due(now_)) {
      Known& event = events_.at(number);
      EXPECT_TRUE(may_begin(event)) << "not before, not twice, not too many at once";
      event.under_way = true;
    }
    std::optional<Instant> next;
    for (const auto& [number, event] : events_) {
      EXPECT_FALSE(may_begin(event)) << "whoever may begin has begun";
      if (event.under_way || under_way(event.function) >= most(event.function)) continue;
      if (!next || begins(event) < *next) next = begins(event);
    }
    EXPECT_EQ(lines_.next(), next);
  }
  void end_one() {
    std::vector<EventNumber> candidates;
    for (const auto& [number, event] : events_) {
      if (event.under_way) candidates.push_back(number);
    }
    if (candidates.empty()) return;
    const EventNumber number = candidates[random_.next() % candidates.size()];
    Known& event = events_.at(number);
    Function& function = functions_[event.function];
    constexpr std::array<Outcome, 6> kOutcomes{Outcome::kReturned,  Outcome::kThrottled,
                                               Outcome::kThrottled, Outcome::kNotRun,
                                               Outcome::kFailed,    Outcome::kReturned};
    const Outcome outcome = kOutcomes.at(random_.next() % kOutcomes.size());
    const bool refused = outcome == Outcome::kThrottled || outcome == Outcome::kNotRun;
    const EventDecision decision = lines_.after(number, event.state, ended(outcome), now_);
    EXPECT_EQ(decision.next.attempts, event.state.attempts + (outcome == Outcome::kFailed ? 1 : 0));
    if (!refused) {
      function = {};
    } else if (decision.verdict == EventVerdict::kAgain) {
      EXPECT_GT(decision.next.due, now_);
      EXPECT_LE(decision.next.due, later(now_, minutes(5)));
      function = {true, decision.next.due};
    }
    if (decision.verdict == EventVerdict::kAgain) {
      event.state = decision.next;
      event.under_way = false;
      lines_.put_back(number, event.state.due);
    } else {
      const std::uint64_t of = event.function;
      events_.erase(number);
      lines_.remove(number);
      if (lines_.size_of(of) == 0) functions_[of] = {};
    }
    EXPECT_EQ(lines_.size(), events_.size());
  }

  SeededRandom random_;
  EventLines lines_;
  Instant now_ = kStart;
  std::map<EventNumber, Known> events_;
  std::map<std::uint64_t, Function> functions_;
  EventNumber newest_ = 0;
};

TEST(EventLines, DoAsTheModelDoes) {
  for (std::uint64_t seed = 1; seed <= 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model(seed).run(400);
  }
}

TEST(EventLines, AFunctionThatIsThrottledIsTriedWithOneAlone) {
  EventLines lines;
  for (EventNumber number = 1; number <= 1'000; ++number) lines.add(number, 7, 1, kStart);
  Instant now = kStart;
  auto begun = lines.take_due(now);
  ASSERT_EQ(begun.size(), 4U);
  std::size_t attempts = 0;
  std::vector<std::int64_t> waits;
  for (int round = 0; round < 12; ++round) {
    for (const EventNumber number : begun) {
      const auto decision =
          lines.after(number, {kStart, kStart, 0, 0}, ended(Outcome::kThrottled), now);
      lines.put_back(number, decision.next.due);
      ++attempts;
    }
    const Instant next = lines.next().value();
    waits.push_back((next.microseconds - now.microseconds) / 1'000'000);
    now = next;
    begun = lines.take_due(now);
    ASSERT_EQ(begun.size(), 1U);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}));
  EXPECT_EQ(attempts, 15U) << "however many wait";
  EXPECT_EQ(lines.why_of(7), "because");
  lines.after(begun[0], {kStart, kStart, 0, 0}, ended(Outcome::kReturned), now);
  lines.remove(begun[0]);
  EXPECT_EQ(lines.take_due(now).size(), 4U) << "it runs again";
  EXPECT_EQ(lines.why_of(7), "");
}

TEST(EventLines, WhatWasNotTakenForSixHoursGoesAtOnce) {
  EventLines lines;
  for (EventNumber number = 1; number <= 50; ++number) lines.add(number, 7, 1, kStart);
  const Instant now = later(kStart, hours(6));
  std::size_t gone = 0;
  for (auto begun = lines.take_due(now); !begun.empty(); begun = lines.take_due(now)) {
    for (const EventNumber number : begun) {
      EXPECT_EQ(
          lines.after(number, {kStart, kStart, 0, 0}, ended(Outcome::kThrottled), now).verdict,
          EventVerdict::kDiscarded);
      lines.remove(number);
      ++gone;
    }
  }
  EXPECT_EQ(gone, 50U);
  EXPECT_FALSE(lines.next());
}

TEST(EventLines, WhoIsStuckLeavesRoomForOthers) {
  EventLines lines;
  EventNumber number = 0;
  const auto fill = [&](std::uint64_t function, std::uint64_t bytes) {
    while (lines.has_room(function, bytes)) lines.add(++number, function, bytes, kStart);
    return lines.size_of(function);
  };
  EXPECT_EQ(fill(1, 1), kEventsMax / 2);
  EXPECT_EQ(fill(2, 1), kEventsMax / 4);
  EXPECT_TRUE(lines.has_room(3, 256 * 1024));
  EventLines heavy;
  number = 0;
  std::uint64_t bytes = 0;
  while (heavy.has_room(1, 256 * 1024)) {
    heavy.add(++number, 1, 256 * 1024, kStart);
    bytes += 256 * 1024;
  }
  EXPECT_EQ(bytes, kEventsBytesMax / 2);
  EXPECT_TRUE(heavy.has_room(2, 256 * 1024));
  heavy.remove(1);
  EXPECT_TRUE(heavy.has_room(1, 256 * 1024));
}

}  // namespace
}  // namespace pawl::function
