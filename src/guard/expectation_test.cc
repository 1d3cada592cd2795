// The step of `guard check` and of supervised functions, by cases. Every order of events: expectation_exploration_test.cc.
#include "guard/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ObjectSeen::Kind;
using State = Expected::State;

constexpr std::int64_t kSecond = 1'000'000;

Instant at(std::int64_t seconds) { return {seconds * kSecond}; }
MonotonicInstant later(Duration by) { return MonotonicInstant{0} + by; }

ObjectSeen absent(std::int64_t seen_at) {
  return {.kind = Kind::kAbsent, .seen_at = at(seen_at), .written_at = {}, .digest = {}, .why = {}};
}
ObjectSeen there(std::int64_t seen_at, std::int64_t written_at) {
  return {.kind = Kind::kThere,
          .seen_at = at(seen_at),
          .written_at = at(written_at),
          .size = 7,
          .digest = sha256("x"),
          .why = {}};
}
ObjectSeen unclear() { return {}; }

// One change at second 100, to come within a minute.
Expectation one() { return expect(std::array<NamedInstant, 1>{{{"a", at(100)}}}, 60s); }
State after(const ObjectSeen& seen) {
  auto expectation = one();
  take(expectation, awaited(expectation), std::array{Looked{seen}}, {});
  return expectation.changes[0].state;
}

TEST(Expectation, IsFoundWhenItWasWrittenAfterTheChange) {
  EXPECT_EQ(after(there(100, 100)), State::kFound);
  EXPECT_EQ(after(there(100, 98)), State::kFound);  // two services' clocks
  EXPECT_EQ(after(there(100, 97)), State::kAwaited);
  EXPECT_EQ(after(there(160, 97)), State::kAwaited);
  EXPECT_EQ(after(there(161, 97)), State::kOverdue);
  EXPECT_EQ(after(there(500, 161)), State::kFound);
}

TEST(Expectation, IsOverdueOnTheStoresWordAlone) {
  EXPECT_EQ(after(absent(160)), State::kAwaited);  // the change may have been at 100.999
  EXPECT_EQ(after(absent(161)), State::kOverdue);
  EXPECT_EQ(after(unclear()), State::kAwaited);
  auto unclear_late = unclear();
  unclear_late.seen_at = at(1000);
  EXPECT_EQ(after(unclear_late), State::kAwaited);
  auto large = there(160, 120);
  large.kind = Kind::kUnwieldy;
  EXPECT_EQ(after(large), State::kAwaited);
  large.seen_at = at(161);
  EXPECT_EQ(after(large), State::kOverdue);
}

TEST(Expectation, OneObjectStandsForOneChange) {
  auto expectation = one();
  take(expectation, awaited(expectation), std::array{Looked{there(110, 105), true}}, {});
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  auto in_time = expectation;
  take(in_time, awaited(in_time), std::array{Looked{there(120, 119)}}, {});
  EXPECT_EQ(in_time.changes[0].state, State::kFound);
  take(expectation, awaited(expectation), std::array{Looked{there(161, 105), true}}, {});
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue);
}

TEST(Expectation, TellsWhatCameLate) {
  auto expectation = one();
  take(expectation, awaited(expectation), std::array{Looked{there(500, 161)}}, {});
  EXPECT_FALSE(expectation.changes[0].late);
  expectation = one();
  take(expectation, awaited(expectation), std::array{Looked{there(500, 162)}}, {});
  EXPECT_TRUE(expectation.changes[0].late);
  EXPECT_EQ(expectation.changes[0].object.size, 7U);
  EXPECT_EQ(expectation.changes[0].object.digest, sha256("x"));
}

TEST(Expectation, OfOneNameOnlyTheLastCanBeFound) {
  const auto expectation = expect(
      std::array<NamedInstant, 4>{{{"a", at(1)}, {"b", at(1)}, {"a", at(2)}, {"a", at(3)}}}, 60s);
  EXPECT_THAT(awaited(expectation), ElementsAre(1, 3));
  EXPECT_EQ(expectation.changes[0].state, State::kReplaced);
  EXPECT_EQ(expectation.changes[2].state, State::kReplaced);
}

TEST(Expectation, LooksAgainAfterGrowingPausesAndAtTheDeadline) {
  auto expectation = one();
  std::vector<std::int64_t> pauses;
  MonotonicInstant now{};
  for (const std::int64_t second : {100, 101, 102, 103, 105, 110, 115, 157, 159}) {
    take(expectation, awaited(expectation), std::array{Looked{absent(second)}}, now);
    pauses.push_back((expectation.look_at - now).count() / 1000);
    now = expectation.look_at;
  }
  EXPECT_THAT(pauses, ElementsAre(250, 500, 1000, 2000, 4000, 5000, 5000, 4000, 2000));
  take(expectation, awaited(expectation), std::array{Looked{unclear()}}, now);
  EXPECT_EQ(expectation.look_at, now + 5s);
}

TEST(Expectation, OneChangesDeadlineIsNoOthers) {
  auto expectation =
      expect(std::array<NamedInstant, 3>{{{"a", at(1)}, {"b", at(50)}, {"c", at(90)}}}, 60s);
  take(expectation, awaited(expectation),
       std::array<Looked, 3>{{{absent(100)}, {absent(100)}, {there(100, 95)}}}, later(0s));
  EXPECT_THAT(awaited(expectation), ElementsAre(1));
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue);
  take(expectation, awaited(expectation), std::array{Looked{there(111, 111)}}, later(1s));
  EXPECT_THAT(awaited(expectation), IsEmpty());
  EXPECT_EQ(expectation.changes[1].state, State::kFound);
}

// -- asking again --

Expectation one_asked() { return expect(std::array<NamedInstant, 1>{{{"a", at(100)}}}, 60s, true); }
std::vector<std::size_t> look(Expectation& expectation, const ObjectSeen& seen) {
  return take(expectation, awaited(expectation), std::array{Looked{seen}}, {});
}

TEST(ExpectationAskingAgain, ComesOnceAtTheDeadlineAndGivesAnother) {
  auto expectation = one_asked();
  EXPECT_THAT(look(expectation, absent(160)), IsEmpty());
  EXPECT_THAT(look(expectation, absent(170)), ElementsAre(0));
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  EXPECT_EQ(expectation.look_at, later(250ms));
  EXPECT_THAT(look(expectation, absent(230)), IsEmpty());  // asked at 170.999, it may be
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  EXPECT_THAT(look(expectation, absent(231)), IsEmpty());
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue);
}

TEST(ExpectationAskingAgain, IsNoAnswerToNoAnswer) {
  auto expectation = one_asked();
  auto late = unclear();
  late.seen_at = at(1000);
  EXPECT_THAT(look(expectation, late), IsEmpty());
  EXPECT_FALSE(expectation.changes[0].asked);
}

TEST(ExpectationAskingAgain, WhatComesThenIsFoundAndLate) {
  auto expectation = one_asked();
  look(expectation, absent(161));
  EXPECT_THAT(look(expectation, there(170, 165)), IsEmpty());
  EXPECT_EQ(expectation.changes[0].state, State::kFound);
  EXPECT_TRUE(expectation.changes[0].late);
  EXPECT_EQ(expectation.changes[0].asked, at(161));
}

std::vector<std::size_t> look(Expectation& expectation, const ObjectSeen& seen,
                              std::uint32_t given) {
  return take(expectation, awaited(expectation), std::array{Looked{seen, false, given}}, {});
}

TEST(ExpectationAskingAgain, ACallThatIsBegunHasADeadlineOfItsOwn) {
  auto expectation = one_asked();
  look(expectation, absent(161), 0);  // to be given until 222
  look(expectation, absent(200), 0);
  look(expectation, absent(210), 1);
  look(expectation, absent(222), 1);
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  look(expectation, absent(270), 1);
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  look(expectation, absent(271), 1);
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue);
}

TEST(ExpectationAskingAgain, TheLastCallCountsAndNoneLaterThanWhatItIsGivenIn) {
  auto expectation = one_asked();
  look(expectation, absent(161), 0);
  look(expectation, absent(170), 1);
  look(expectation, absent(500), 2);  // the second was begun by 222: not before that is known
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue);
  expectation = one_asked();
  look(expectation, absent(161), 0);
  look(expectation, absent(230), 1);
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  look(expectation, absent(282), 9);
  EXPECT_EQ(expectation.changes[0].state, State::kAwaited);
  look(expectation, absent(283), 10);
  EXPECT_EQ(expectation.changes[0].state, State::kOverdue) << "whatever is begun";
}

TEST(ExpectationAskingAgain, WhatWasGivenBeforeItWasAskedForDoesNotCount) {
  auto expectation = one_asked();
  look(expectation, absent(150), 1);
  EXPECT_EQ(expectation.changes[0].given, 0U);
  look(expectation, there(155, 152), 1);
  EXPECT_EQ(expectation.changes[0].given, 0U);
}

TEST(ExpectationAskingAgain, AsksForWhatIsMissingAlone) {
  auto expectation = expect(
      std::array<NamedInstant, 4>{{{"a", at(1)}, {"b", at(1)}, {"a", at(2)}, {"c", at(300)}}}, 60s,
      true);
  const auto open = awaited(expectation);
  EXPECT_THAT(open, ElementsAre(1, 2, 3));
  EXPECT_THAT(
      take(expectation, open,
           std::array<Looked, 3>{{{there(310, 5)}, {there(310, 305), true}, {absent(310)}}}, {}),
      ElementsAre(2));
  EXPECT_THAT(awaited(expectation), ElementsAre(2, 3));
}

}  // namespace
}  // namespace pawl::guard
