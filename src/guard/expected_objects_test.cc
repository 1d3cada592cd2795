// The shell around the step: what it asks, when it gives up, and what it makes of each change's entry.
#include "guard/expected_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <string>

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kBegin = 1'700'000'000'000'000;

// Who waits is there at once, and so is the time.
class JumpingClock final : public Clock {
 public:
  Instant now() override { return {kBegin + at.microseconds}; }
  MonotonicInstant monotonic() override { return at; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<Jump>(*this); }
  MonotonicInstant at{};

 private:
  class Jump final : public Alarm {
   public:
    explicit Jump(JumpingClock& clock) : clock_(clock) {}
    void ring() override {}
    Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
      clock_.at = std::max(clock_.at, deadline);
      co_return Woken::kDeadline;
    }

   private:
    JumpingClock& clock_;
  };
};

// Objects that come at their time.
class TimedWatch final : public ObjectWatch {
 public:
  explicit TimedWatch(JumpingClock& clock) : clock_(clock) {}

  Awaitable<std::vector<ObjectSeen>> look(std::span<const ObjectAsk> asks) override {
    sizes.push_back(asks.size());
    std::vector<ObjectSeen> seen;
    for (const auto& ask : asks) {
      ObjectSeen one;
      one.seen_at = {clock_.now().microseconds / 1'000'000 * 1'000'000};
      const auto found = comes.find(std::string(ask.name));
      const bool is_there = found != comes.end() && clock_.at >= MonotonicInstant{} + found->second;
      one.kind = is_there ? ObjectSeen::Kind::kThere : ObjectSeen::Kind::kAbsent;
      if (is_there) {
        one.written_at = {kBegin + found->second.count()};
        one.size = 3;
        one.digest = sha256("abc");
      }
      if (fails > 0)
        one = {.kind = ObjectSeen::Kind::kUnclear,
               .seen_at = {},
               .written_at = {},
               .digest = {},
               .why = "no answer"};
      seen.push_back(one);
    }
    if (fails > 0) --fails;
    co_return seen;
  }

  std::map<std::string, Duration> comes;
  int fails = 0;
  std::vector<std::size_t> sizes;  // of each look

 private:
  JumpingClock& clock_;
};

struct Scene {
  JumpingClock clock;
  TimedWatch watch{clock};
  ObjectsTaken taken;
  CheckRules rules;
  std::deque<RenderedChange> changes;
  std::vector<std::string> notes;
  std::size_t waits = 0;
  std::function<bool()> gives_up = [] { return false; };
  std::map<std::string, std::vector<Duration>>
      gives;         // to whom, a mapping each: from when on it can
  Duration busy{0};  // the function: until a call is begun
  std::vector<std::string> asked;
  std::multimap<std::string, MonotonicInstant> begins;  // of calls

  void add(const std::string& name, item::ChangeKind kind = item::ChangeKind::kModify) {
    RenderedChange change;
    change.name = "escaped-" + name;
    change.theirs = name;
    change.body = "body of " + name;
    change.entry.instant = {kBegin};
    change.entry.kind = kind;
    change.entry.size = change.body.size();
    change.entry.sha256 = sha256(change.body);
    changes.push_back(std::move(change));
  }
  bool settle() {
    const CheckPorts ports{watch, taken, rules, {}};
    const auto alarm = clock.make_alarm();
    std::optional<bool> result;
    boost::asio::io_context context;
    boost::asio::co_spawn(
        context,
        [&]() -> Awaitable<void> {
          AwaitingHooks hooks;
          hooks.gives_up = gives_up;
          hooks.note = [this](std::string why) { notes.push_back(std::move(why)); };
          hooks.before_wait = [this] { ++waits; };
          hooks.ask_again = [this](std::span<const RenderedChange* const> again, Duration within) {
            EXPECT_LE(within, rules.deadline);
            EXPECT_GT(within, 0s);
            for (const auto* const change : again) {
              for (Duration& from : gives[change->theirs]) {
                if (clock.at < MonotonicInstant{} + from) continue;
                from = std::chrono::hours(24);  // once
                asked.push_back(change->theirs);
                begins.emplace(change->theirs, clock.at + busy);
              }
            }
          };
          hooks.given = [this](std::span<const RenderedChange* const> asked_again) {
            std::vector<std::uint32_t> given;
            for (const auto* const change : asked_again) {
              auto& count = given.emplace_back(0);
              const auto [first, last] = begins.equal_range(change->theirs);
              for (auto one = first; one != last; ++one) count += one->second <= clock.at ? 1 : 0;
            }
            return given;
          };
          result = co_await settle_expected(ports, clock, *alarm, changes, std::move(hooks));
        },
        [](const std::exception_ptr& failure) { EXPECT_EQ(failure, nullptr); });
    context.run();
    return result.value_or(false);
  }
};

TEST(ExpectedObjects, WhatIsThereIsEnteredAndNotPut) {
  Scene scene;
  scene.add("a");
  scene.watch.comes["a"] = 0s;
  EXPECT_TRUE(scene.settle());
  const auto& change = scene.changes[0];
  EXPECT_EQ(change.entry.object, "a");
  EXPECT_EQ(change.entry.size, 3U);
  EXPECT_EQ(change.entry.sha256, sha256("abc"));
  EXPECT_TRUE(change.entry.foreign);
  EXPECT_FALSE(change.to_put);
  EXPECT_EQ(change.body, "");
  EXPECT_EQ(scene.waits, 0U);
}

TEST(ExpectedObjects, WhatIsNotThereIsAskedForOnceAndFoundThen) {
  Scene scene;
  scene.rules.asks_again = true;
  scene.add("a"), scene.add("b"), scene.add("c");
  scene.watch.comes["a"] = 0s;
  scene.watch.comes["b"] = 65s;
  scene.watch.comes["c"] = 66s;
  scene.gives["b"] = {0s};  // of c, nobody can be asked
  EXPECT_TRUE(scene.settle());
  EXPECT_THAT(scene.asked, ElementsAre("b"));
  EXPECT_FALSE(scene.changes[0].entry.redelivered);
  EXPECT_TRUE(scene.changes[1].entry.foreign);
  EXPECT_TRUE(scene.changes[1].entry.redelivered);
  EXPECT_TRUE(scene.changes[1].late);
  EXPECT_TRUE(scene.changes[2].entry.foreign);
  EXPECT_FALSE(scene.changes[2].entry.redelivered);
  CheckCounts counts;
  for (const auto& change : scene.changes) counts.count(change);
  EXPECT_EQ(counts.found, 3U);
  EXPECT_EQ(counts.late, 2U);
  EXPECT_EQ(counts.asked, 1U);
  EXPECT_EQ(counts.redelivered, 1U);
}

// The mapping has not been through it at the deadline, and passes it by later.
TEST(ExpectedObjects, WhatCantBeGivenYetIsGivenLater) {
  Scene scene;
  scene.rules.asks_again = true;
  scene.add("a"), scene.add("b");
  scene.gives["a"] = {90s};
  scene.watch.comes["a"] = 100s;
  scene.gives["b"] = {130s};  // too late: given up by then
  EXPECT_TRUE(scene.settle());
  EXPECT_THAT(scene.asked, ElementsAre("a"));
  EXPECT_TRUE(scene.changes[0].entry.redelivered);
  EXPECT_TRUE(scene.changes[1].to_put);
  EXPECT_FALSE(scene.changes[1].asked_again);
}

// The first that can be given it has nothing to write, and the one that has comes to it later.
TEST(ExpectedObjects, WhoCanBeGivenItOnlyLaterIsGivenItThen) {
  Scene scene;
  scene.rules.asks_again = true;
  scene.add("a");
  scene.gives["a"] = {0s, 80s};
  scene.watch.comes["a"] = 90s;
  EXPECT_TRUE(scene.settle());
  EXPECT_THAT(scene.asked, ElementsAre("a", "a"));
  EXPECT_TRUE(scene.changes[0].entry.foreign);
  EXPECT_TRUE(scene.changes[0].entry.redelivered);
}

TEST(ExpectedObjects, WhatOnlyWaitsToBeGivenWasNotGiven) {
  Scene scene;
  scene.rules.asks_again = true;
  scene.add("a"), scene.add("b");
  scene.gives["a"] = scene.gives["b"] = {0s};
  scene.busy = 40s;
  scene.watch.comes["a"] = 80s;  // by itself: the function was slow
  EXPECT_TRUE(scene.settle());
  EXPECT_THAT(scene.asked, ElementsAre("a", "b"));
  EXPECT_TRUE(scene.changes[0].entry.foreign);
  EXPECT_FALSE(scene.changes[0].entry.redelivered);
  EXPECT_FALSE(scene.changes[0].asked_again);
  EXPECT_TRUE(scene.changes[1].asked_again);
  CheckCounts counts;
  for (const auto& change : scene.changes) counts.count(change);
  EXPECT_EQ(counts.asked, 1U);
  EXPECT_EQ(counts.redelivered, 0U);
}

TEST(ExpectedObjects, ACallThatIsBegunLateHasADeadlineOfItsOwn) {
  for (const bool comes : {false, true}) {
    Scene scene;
    scene.rules.asks_again = true;
    scene.add("a");
    scene.gives["a"] = {0s};
    scene.busy = 55s;                          // begun at 116 s, of the 122 that it has for that
    if (comes) scene.watch.comes["a"] = 170s;  // a deadline after 122 s at most is waited
    EXPECT_TRUE(scene.settle());
    EXPECT_EQ(scene.changes[0].entry.redelivered, comes);
    EXPECT_EQ(scene.changes[0].to_put, !comes);
    EXPECT_TRUE(scene.changes[0].asked_again);
    EXPECT_LT(scene.clock.at, MonotonicInstant{} + 190s);
  }
}

TEST(ExpectedObjects, WhatDoesNotComeTheSecondTimeEitherIsPutIn) {
  Scene scene;
  scene.rules.asks_again = true;
  scene.rules.how = "expectation";
  scene.add("a");
  scene.gives["a"] = {0s};
  EXPECT_TRUE(scene.settle());
  EXPECT_THAT(scene.asked, ElementsAre("a")) << "once";
  EXPECT_EQ(scene.changes[0].name, "escaped-a~repaired");
  EXPECT_EQ(scene.changes[0].entry.repaired, "expectation");
  EXPECT_TRUE(scene.changes[0].to_put);
  EXPECT_GE(scene.clock.at, MonotonicInstant{} + 121s);
  EXPECT_LT(scene.clock.at, MonotonicInstant{} + 130s);
  CheckCounts counts;
  counts.count(scene.changes[0]);
  EXPECT_EQ(counts.missing, 1U);
  EXPECT_EQ(counts.asked, 1U);
  EXPECT_EQ(counts.redelivered, 0U);
}

TEST(ExpectedObjects, WhatComesInTimeIsWaitedForAloneAndNoLonger) {
  Scene scene;
  scene.add("a"), scene.add("b");
  scene.watch.comes["a"] = 0s;
  scene.watch.comes["b"] = 20s;
  EXPECT_TRUE(scene.settle());
  EXPECT_TRUE(scene.changes[1].entry.foreign);
  EXPECT_FALSE(scene.changes[1].late);
  EXPECT_LT(scene.clock.at, MonotonicInstant{} + 26s);
  EXPECT_EQ(scene.watch.sizes[0], 2U);
  EXPECT_EQ(scene.watch.sizes[1], 1U);
  EXPECT_EQ(scene.waits + 1, scene.watch.sizes.size());
}

TEST(ExpectedObjects, WhatDoesNotComeIsToBePutUnderANameOfPawls) {
  Scene scene;
  scene.add("a"), scene.add("b", item::ChangeKind::kRemove);
  scene.watch.comes["a"] = 100s;  // after its deadline
  EXPECT_TRUE(scene.settle());
  EXPECT_GE(scene.clock.at, MonotonicInstant{} + 61s);
  EXPECT_LT(scene.clock.at, MonotonicInstant{} + 63s);
  for (const auto& change : scene.changes) {
    EXPECT_TRUE(change.to_put);
    EXPECT_TRUE(change.entry.repaired);
    EXPECT_FALSE(change.entry.foreign);
    EXPECT_NE(change.body, "");
  }
  EXPECT_EQ(scene.changes[0].name, "escaped-a~repaired");
  CheckCounts counts;
  for (const auto& change : scene.changes) counts.count(change);
  EXPECT_EQ(counts.missing, 2U);
  EXPECT_EQ(counts.removals, 1U);
  EXPECT_EQ(counts.written, 2U);
  EXPECT_EQ(counts.found, 0U);
}

TEST(ExpectedObjects, WhereNothingIsToBeWrittenItIsEnteredAsMissing) {
  Scene scene;
  scene.rules.writes = false;
  scene.add("a");
  EXPECT_TRUE(scene.settle());
  const auto& change = scene.changes[0];
  EXPECT_TRUE(change.entry.missing);
  EXPECT_EQ(change.entry.object, "a");
  EXPECT_EQ(change.entry.size, 0U);
  EXPECT_FALSE(change.to_put);
}

TEST(ExpectedObjects, BehindABacklogNothingWaits) {
  Scene scene;
  for (int i = 0; i < 1000; ++i) scene.add("a" + std::to_string(i));
  scene.clock.at = MonotonicInstant{} + 3600s;
  EXPECT_TRUE(scene.settle());
  EXPECT_EQ(scene.waits, 0U);
  EXPECT_THAT(scene.watch.sizes, ElementsAre(200, 200, 200, 200, 200));
}

TEST(ExpectedObjects, AStoreThatDoesNotAnswerDecidesNothing) {
  Scene scene;
  scene.add("a");
  scene.watch.fails = 30;  // far beyond the deadline
  scene.watch.comes["a"] = 5s;
  EXPECT_TRUE(scene.settle());
  EXPECT_GT(scene.clock.at, MonotonicInstant{} + 100s);
  EXPECT_TRUE(scene.changes[0].entry.foreign);
  EXPECT_EQ(scene.notes.size(), 30U);
  EXPECT_EQ(scene.notes[0], "no answer");
}

TEST(ExpectedObjects, WhoIsToLeaveDecidesNothing) {
  Scene scene;
  scene.add("a"), scene.add("a");
  scene.gives_up = [&] { return scene.waits == 3; };
  EXPECT_FALSE(scene.settle());
  for (const auto& change : scene.changes) {
    EXPECT_EQ(change.entry.object, "");
    EXPECT_FALSE(change.entry.missing || change.entry.foreign || change.entry.repaired);
    EXPECT_EQ(change.name, "escaped-a");
  }
}

TEST(ExpectedObjects, AnObjectHoldsTheLastChangeOfItsName) {
  Scene scene;
  scene.add("a"), scene.add("a");
  scene.watch.comes["a"] = 0s;
  EXPECT_TRUE(scene.settle());
  EXPECT_EQ(scene.changes[0].name, "escaped-a~repaired");
  EXPECT_TRUE(scene.changes[0].to_put);
  EXPECT_TRUE(scene.changes[1].entry.foreign);
}

// An item that is deleted and created again within a second, its counter started again: what stands for its first life says
// nothing of its second, whether this reader has entered it or found it in the ledger.
TEST(ExpectedObjects, AnObjectThatIsEnteredStandsForNoOtherChange) {
  for (const bool from_ledger : {false, true}) {
    Scene scene;
    scene.add("a");
    scene.watch.comes["a"] = 0s;
    EXPECT_TRUE(scene.settle());
    if (from_ledger) {
      ledger::ShardPage page;
      page.instant = {kBegin};
      page.entries.push_back(scene.changes[0].entry);
      take_entered(scene.taken, page);
    } else {
      take_entered(scene.taken, scene.changes[0]);
    }
    scene.changes.clear();
    scene.add("a");
    EXPECT_TRUE(scene.settle());
    EXPECT_FALSE(scene.changes[0].entry.foreign);
    EXPECT_TRUE(scene.changes[0].entry.repaired);
    // The same bytes, but written again.
    scene.clock.at = MonotonicInstant{};
    scene.changes.clear();
    scene.add("a");
    scene.watch.comes["a"] = 10s;
    EXPECT_TRUE(scene.settle());
    EXPECT_TRUE(scene.changes[0].entry.foreign);
  }
}

}  // namespace
}  // namespace pawl::guard
