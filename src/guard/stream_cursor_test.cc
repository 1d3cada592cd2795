// Golden scripts of one shard's reader, and a service that is as bad as can be: it must neither lose a record nor be asked in
// a loop.
#include "guard/stream_cursor.h"

#include <gtest/gtest.h>

#include <string>

#include "guard/simulation_time_test.h"

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;

template <typename T>
const T* only(const std::vector<CursorEffect>& effects) {
  return effects.size() == 1 ? std::get_if<T>(&effects.front()) : nullptr;
}

// A cursor that has asked for an iterator, then for records.
StreamCursor asking_records(StreamCursor cursor, MonotonicInstant now) {
  (void)step(cursor, ReadMore{100}, now);
  (void)step(cursor, IteratorGot{"i1"}, now);
  return cursor;
}

TEST(StreamCursor, BeginsAtTheOldestOrAfterWhatIsPaged) {
  auto fresh = StreamCursor::from_oldest(false);
  auto effects = step(fresh, ReadMore{10}, {});
  ASSERT_NE(only<AskIterator>(effects), nullptr);
  EXPECT_EQ(only<AskIterator>(effects)->position.at, StreamPosition::At::kOldest);
  auto again = StreamCursor::after("123");
  effects = step(again, ReadMore{10}, {});
  ASSERT_NE(only<AskIterator>(effects), nullptr);
  EXPECT_EQ(only<AskIterator>(effects)->position.at, StreamPosition::At::kAfter);
  EXPECT_EQ(only<AskIterator>(effects)->position.sequence, "123");
  effects = step(again, IteratorGot{"i"}, {});
  ASSERT_NE(only<AskRecords>(effects), nullptr);
  EXPECT_EQ(only<AskRecords>(effects)->count_max, 10U);
}

TEST(StreamCursor, TakesRecordsAndGoesOnAtOnce) {
  auto cursor = asking_records(StreamCursor::after("5"), {});
  auto effects = step(cursor, RecordsGot{{"7", "10"}, "i2"}, {});
  ASSERT_NE(only<TakeRecords>(effects), nullptr);
  EXPECT_EQ(only<TakeRecords>(effects)->count, 2U);
  EXPECT_FALSE(only<TakeRecords>(effects)->gap);
  EXPECT_EQ(cursor.position, "10");
  EXPECT_TRUE(step(cursor, ReadMore{0}, {}).empty());
  effects = step(cursor, ReadMore{5}, {});
  ASSERT_NE(only<AskRecords>(effects), nullptr);
  EXPECT_EQ(only<AskRecords>(effects)->iterator, "i2");
}

TEST(StreamCursor, AnEmptyPageInTheMiddleSaysNothing) {
  auto cursor = asking_records(StreamCursor::after("5"), {});
  auto effects = step(cursor, RecordsGot{{}, "i2"}, {1'000});
  ASSERT_NE(only<WaitUntil>(effects), nullptr);
  EXPECT_EQ(only<WaitUntil>(effects)->when - MonotonicInstant{1'000}, kPollEvery);
  // Too early: it waits on.
  EXPECT_NE(only<WaitUntil>(step(cursor, ReadMore{5}, {2'000})), nullptr);
  EXPECT_NE(only<AskRecords>(step(cursor, ReadMore{5}, MonotonicInstant{1'000} + kPollEvery)),
            nullptr);
}

TEST(StreamCursor, EndsByAPageWithoutANextIterator) {
  auto cursor = asking_records(StreamCursor::after("5"), {});
  const auto effects = step(cursor, RecordsGot{{"6"}, ""}, {});
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_EQ(std::get<TakeRecords>(effects[0]).count, 1U);
  EXPECT_FALSE(std::get<ShardEnded>(effects[1]).gap);
  EXPECT_EQ(cursor.phase, StreamCursor::Phase::kEnded);
}

TEST(StreamCursor, SkipsWhatItHasAndStopsAtWhatIsOutOfOrder) {
  auto cursor = asking_records(StreamCursor::after("100"), {});
  auto effects = step(cursor, RecordsGot{{"99", "100", "101", "0103", "102"}, "i2"}, {});
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<CursorProblem>(effects[0]));
  EXPECT_EQ(std::get<TakeRecords>(effects[1]).first, 2U);
  EXPECT_EQ(std::get<TakeRecords>(effects[1]).count, 2U);
  EXPECT_EQ(cursor.position, "0103");
  // The rest is asked for by its position, not by the iterator that went over it.
  EXPECT_NE(only<AskIterator>(step(cursor, ReadMore{5}, {})), nullptr);
}

TEST(StreamCursor, NeverTakesMoreThanThereIsRoomFor) {
  auto cursor = StreamCursor::after("1");
  (void)step(cursor, ReadMore{2}, {});
  (void)step(cursor, IteratorGot{"i1"}, {});
  const auto effects = step(cursor, RecordsGot{{"2", "3", "4"}, ""}, {});
  ASSERT_NE(only<TakeRecords>(effects), nullptr);  // and it has not ended
  EXPECT_EQ(only<TakeRecords>(effects)->count, 2U);
  EXPECT_NE(only<AskIterator>(step(cursor, ReadMore{2}, {})), nullptr);
}

TEST(StreamCursor, GarbageInsteadOfNumbersIsNotTaken) {
  const std::string too_long(41, '1');
  for (const auto& bad :
       {std::string(), std::string("x1"), std::string("12 "), std::string("-3"), too_long}) {
    auto cursor = asking_records(StreamCursor::after("5"), {});
    const auto effects = step(cursor, RecordsGot{{bad}, "i2"}, {});
    ASSERT_EQ(effects.size(), 2U) << bad;
    EXPECT_TRUE(std::holds_alternative<CursorProblem>(effects[0]));
    EXPECT_TRUE(std::holds_alternative<WaitUntil>(effects[1]));
    EXPECT_EQ(cursor.position, "5");
  }
}

TEST(StreamCursor, ATrimmedPositionIsAGapBeforeTheNextRecord) {
  auto cursor = StreamCursor::after("50");
  (void)step(cursor, ReadMore{10}, {});
  auto effects = step(cursor, StreamFailed{StreamErrorKind::kTrimmed}, {});
  ASSERT_NE(only<AskIterator>(effects), nullptr);
  EXPECT_EQ(only<AskIterator>(effects)->position.at, StreamPosition::At::kOldest);
  (void)step(cursor, IteratorGot{"i1"}, {});
  // An empty page, an expired iterator: the gap is remembered, and the oldest is asked for again.
  effects = step(cursor, StreamFailed{StreamErrorKind::kExpiredIterator}, {});
  ASSERT_NE(only<AskIterator>(effects), nullptr);
  EXPECT_EQ(only<AskIterator>(effects)->position.at, StreamPosition::At::kOldest);
  (void)step(cursor, IteratorGot{"i2"}, {});
  effects = step(cursor, RecordsGot{{"90"}, "i3"}, {});
  ASSERT_NE(only<TakeRecords>(effects), nullptr);
  EXPECT_EQ(only<TakeRecords>(effects)->gap, Gap{"50"});
  // Once.
  (void)step(cursor, ReadMore{10}, {});
  effects = step(cursor, RecordsGot{{"91"}, "i4"}, {});
  ASSERT_NE(only<TakeRecords>(effects), nullptr);
  EXPECT_FALSE(only<TakeRecords>(effects)->gap);
}

TEST(StreamCursor, AGapAtTheVeryEndIsTold) {
  auto cursor = StreamCursor::after("50");
  (void)step(cursor, ReadMore{10}, {});
  (void)step(cursor, StreamFailed{StreamErrorKind::kTrimmed}, {});
  (void)step(cursor, IteratorGot{"i1"}, {});
  const auto effects = step(cursor, RecordsGot{{}, ""}, {});
  ASSERT_NE(only<ShardEnded>(effects), nullptr);
  EXPECT_EQ(only<ShardEnded>(effects)->gap, Gap{"50"});
}

TEST(StreamCursor, AShardThatIsReadTooLateMayHaveLostItsBeginning) {
  auto cursor = asking_records(StreamCursor::from_oldest(true), {});
  const auto effects = step(cursor, RecordsGot{{"90"}, "i3"}, {});
  ASSERT_NE(only<TakeRecords>(effects), nullptr);
  EXPECT_EQ(only<TakeRecords>(effects)->gap, Gap{""});
}

TEST(StreamCursor, AStreamThatDidNotAnswerForADayMayHaveLostTheBeginning) {
  for (const bool too_long : {false, true}) {
    auto cursor = StreamCursor::from_oldest(false);
    (void)step(cursor, ReadMore{10}, {});
    (void)step(cursor, StreamFailed{StreamErrorKind::kUnavailable}, {});
    const auto later = MonotonicInstant{} + (kStreamRetention - (too_long ? 0us : 1us));
    (void)step(cursor, ReadMore{10}, later);
    (void)step(cursor, IteratorGot{"i"}, later);
    const auto effects = step(cursor, RecordsGot{{"90"}, "i3"}, later);
    ASSERT_NE(only<TakeRecords>(effects), nullptr);
    EXPECT_EQ(only<TakeRecords>(effects)->gap.has_value(), too_long);
  }
}

TEST(StreamCursor, AShardThatIsNotFoundForLongHasEndedWithAGap) {
  auto cursor = StreamCursor::after("50");
  MonotonicInstant now{5'000'000};
  const auto start = now;
  for (int tries = 0; tries < 100; ++tries) {
    ASSERT_NE(only<AskIterator>(step(cursor, ReadMore{10}, now)), nullptr);
    const auto effects = step(cursor, StreamFailed{StreamErrorKind::kNotFound}, now);
    if (const auto* ended = only<ShardEnded>(effects)) {
      EXPECT_EQ(ended->gap, Gap{"50"});
      EXPECT_GE(now - start, kNotFoundPatience);
      EXPECT_LT(tries, 20);
      return;
    }
    ASSERT_NE(only<WaitUntil>(effects), nullptr);
    now = only<WaitUntil>(effects)->when;
  }
  FAIL() << "it waits for ever";
}

TEST(StreamCursor, AnIteratorThatWasNotUsedForLongIsRenewed) {
  auto cursor = asking_records(StreamCursor::after("5"), {});
  (void)step(cursor, RecordsGot{{"6"}, "i2"}, {});
  const auto effects = step(cursor, ReadMore{10}, MonotonicInstant{} + kIteratorUseWithin);
  ASSERT_NE(only<AskIterator>(effects), nullptr);
  EXPECT_EQ(only<AskIterator>(effects)->position.sequence, "6");
}

TEST(StreamCursor, IteratorsThatExpireAgainAndAgainMakeNoLoop) {
  auto cursor = StreamCursor::after("5");
  MonotonicInstant now{};
  (void)step(cursor, ReadMore{10}, now);
  int asked = 0;
  while (now < MonotonicInstant{} + 60s) {
    ASSERT_LT(++asked, 20);
    auto effects = step(cursor, IteratorGot{"i"}, now);
    ASSERT_NE(only<AskRecords>(effects), nullptr);
    effects = step(cursor, StreamFailed{StreamErrorKind::kExpiredIterator}, now);
    if (const auto* wait = only<WaitUntil>(effects)) {
      EXPECT_GT(wait->when, now);
      now = wait->when;
      effects = step(cursor, ReadMore{10}, now);
    }
    ASSERT_NE(only<AskIterator>(effects), nullptr);
  }
  EXPECT_EQ(cursor.position, "5");
}

TEST(StreamCursor, WhereOnlyAPersonCanHelpItAsksSeldom) {
  for (const auto kind : {StreamErrorKind::kDenied, StreamErrorKind::kInvalid}) {
    auto cursor = asking_records(StreamCursor::after("5"), {});
    const auto effects = step(cursor, StreamFailed{kind}, {});
    ASSERT_EQ(effects.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<CursorProblem>(effects[0]));
    EXPECT_EQ(std::get<WaitUntil>(effects[1]).when - MonotonicInstant{}, kAskAPersonEvery);
  }
}

TEST(StreamCursor, NumbersAreComparedAsNumbers) {
  EXPECT_TRUE(sequence_before("9", "10"));
  EXPECT_FALSE(sequence_before("10", "9"));
  EXPECT_FALSE(sequence_before("007", "7"));
  EXPECT_TRUE(sequence_before("0", "0001"));
  EXPECT_TRUE(sequence_before("99999999999999999999999999999999999999",
                              "100000000000000000000000000000000000000"));
  EXPECT_TRUE(sequence_before("", "0"));
  EXPECT_FALSE(sequence_before("0", ""));
}

// Every answer that a service can give, in any order: whatever it does, each record is taken once, in order, or stands
// before a gap that is told; and asking costs time whenever it brings nothing.
TEST(StreamCursor, AnyServiceAtAll) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    simulation::Dice dice(seed);
    auto cursor = StreamCursor::from_oldest(false);
    MonotonicInstant now{};
    int calls = 0, taken = 0, oldest = 1, next = 1, last = 0;
    const int all = static_cast<int>(dice.below(30));
    auto effects = step(cursor, ReadMore{4}, now);
    while (cursor.phase != StreamCursor::Phase::kEnded && calls < 400) {
      CursorEvent event = ReadMore{1 + dice.below(4)};
      for (const auto& effect : effects) {
        const bool fails = calls < 100 && dice.below(3) == 0;
        const auto kind = static_cast<StreamErrorKind>(dice.below(7));
        // Before the first record nothing is trimmed: see the test above.
        if (last > 0 && calls < 100 && dice.below(20) == 0)
          oldest = std::min(all + 1, oldest + static_cast<int>(dice.below(4)));
        if (const auto* ask = std::get_if<AskIterator>(&effect)) {
          ++calls;
          const bool at_oldest = ask->position.at == StreamPosition::At::kOldest;
          next = at_oldest ? oldest : std::stoi(ask->position.sequence) + 1;
          if (next < oldest) {
            event = StreamFailed{StreamErrorKind::kTrimmed};
          } else if (fails && kind != StreamErrorKind::kNotFound) {
            event = StreamFailed{kind};
          } else {
            event = IteratorGot{"i"};
          }
        } else if (const auto* records = std::get_if<AskRecords>(&effect)) {
          ++calls;
          RecordsGot got;
          const auto count =
              fails ? 0 : std::min<int>(static_cast<int>(records->count_max), all + 1 - next);
          for (int i = 0; i < count; ++i) got.sequences.push_back(std::to_string(next + i));
          if (next < oldest) {
            event = StreamFailed{StreamErrorKind::kTrimmed};
          } else if (fails && kind != StreamErrorKind::kNotFound && dice.below(2) == 0) {
            event = StreamFailed{kind};
          } else {
            next += count;
            if (next <= all) got.next_iterator = "i";
            event = got;
          }
        } else if (const auto* wait = std::get_if<WaitUntil>(&effect)) {
          ASSERT_GE(wait->when, now);
          now = wait->when;
        } else if (const auto* take = std::get_if<TakeRecords>(&effect)) {
          const int first = next - static_cast<int>(take->count);
          EXPECT_TRUE(first == last + 1 || take->gap) << "seed " << seed;
          EXPECT_GT(first, last) << "seed " << seed;
          last = next - 1;
          taken += static_cast<int>(take->count);
        } else if (const auto* ended = std::get_if<ShardEnded>(&effect)) {
          EXPECT_TRUE(last == all || ended->gap) << "seed " << seed;
        }
      }
      if (cursor.phase == StreamCursor::Phase::kEnded) break;
      effects = step(cursor, event, now);
    }
    EXPECT_LT(calls, 400) << "seed " << seed;
    EXPECT_LE(taken, all);
  }
}

}  // namespace
}  // namespace pawl::guard
