// Golden scripts of one worker's membership: what it says to each event. All that can happen together is explored by
// guard_exploration_test.cc and guard_simulation_test.cc.
#include "guard/membership.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;

template <typename T>
std::vector<T> all(const std::vector<MembershipEffect>& effects) {
  std::vector<T> found;
  for (const auto& effect : effects) {
    if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
  }
  return found;
}

// A worker, and rows that are as it wants them.
struct Script {
  Membership membership;
  MonotonicInstant now{1'000'000'000};
  std::map<std::string, LeaseRow> rows;
  int ids = 0;

  std::vector<MembershipEffect> give(const MembershipEvent& event) {
    return step(membership, event, now);
  }
  std::vector<MembershipEffect> tick() { return give(Tick{"me-" + std::to_string(++ids)}); }
  std::vector<MembershipEffect> list() {
    RowsListed listed{now, {}};
    for (const auto& [name, row] : rows) listed.rows.push_back(row);
    return give(listed);
  }
  // Does every write of the effects, and of what follows from their answers.
  std::vector<MembershipEffect> carry_out(std::vector<MembershipEffect> effects) {
    std::vector<MembershipEffect> seen;
    while (!effects.empty()) {
      std::vector<MembershipEffect> next;
      for (const auto& effect : effects) {
        seen.push_back(effect);
        std::vector<MembershipEffect> more;
        if (const auto* beat = std::get_if<Beat>(&effect)) {
          rows[beat->name] = {beat->name, beat->expected + 1, beat->value};
          more = give(WriteAnswered{beat->ticket, LeaseOutcome::kDone});
        } else if (const auto* put = std::get_if<PutRow>(&effect)) {
          rows[put->name] = {put->name, put->expected + 1, put->value};
          more = give(WriteAnswered{put->ticket, LeaseOutcome::kDone});
        } else if (const auto* erase = std::get_if<EraseRow>(&effect)) {
          rows.erase(erase->name);
          more = give(WriteAnswered{erase->ticket, LeaseOutcome::kDone});
        }
        next.insert(next.end(), more.begin(), more.end());
      }
      effects = std::move(next);
    }
    return seen;
  }
  // One second of a worker for which all goes well.
  std::vector<MembershipEffect> live() {
    now = now + 1s;
    auto seen = carry_out(tick());
    if (membership.listing) {
      const auto more = carry_out(list());
      seen.insert(seen.end(), more.begin(), more.end());
    }
    return seen;
  }
  void add(ShardNumber shard, const std::string& owner = {}, bool waits = false) {
    rows[shard_row_name(shard)] = {shard_row_name(shard), 1,
                                   encode_row(ShardRow{shard, owner, waits, false})};
  }
  // Another worker; once more: it lives.
  void beats(const std::string& id) {
    auto& row = rows[worker_row_name(id)];
    row = {worker_row_name(id), row.revision + 1, encode_row(WorkerRow{})};
  }
  ShardRow shard(ShardNumber number) {
    return std::get<ShardRow>(*parse_row(rows[shard_row_name(number)]));
  }
};

TEST(Membership, AWorkerAloneTakesEverythingThatCanBeRead) {
  Script script;
  for (ShardNumber shard = 1; shard <= 3; ++shard) script.add(shard);
  script.add(4, {}, true);
  const auto first = script.tick();
  ASSERT_EQ(all<Beat>(first).size(), 1U);
  EXPECT_EQ(all<Beat>(first).front().expected, 0U);
  EXPECT_FALSE(script.membership.may_write(script.now));
  script.carry_out(first);
  EXPECT_TRUE(script.membership.may_write(script.now));
  const auto effects = script.live();
  EXPECT_EQ(all<StartShard>(effects).size(), 3U);
  EXPECT_EQ(all<StartRoot>(effects).size(), 1U);
  EXPECT_TRUE(script.membership.may_write_shard(2, script.now));
  EXPECT_FALSE(script.membership.may_write_shard(4, script.now));
  EXPECT_TRUE(script.membership.may_write_root(script.now));
  EXPECT_EQ(script.shard(2).owner, "me-1");
}

TEST(Membership, TrustEndsAndSoDoesTheLife) {
  Script script;
  script.add(1);
  script.carry_out(script.tick());
  script.live();
  script.now = script.now + 1s;
  const auto beat = all<Beat>(script.tick());  // is never answered
  ASSERT_EQ(beat.size(), 1U);
  const auto end = script.membership.trusted_until;
  EXPECT_LE(end - script.now, MembershipTiming{}.trust);
  EXPECT_TRUE(script.membership.may_write_shard(1, {end.microseconds - 1}));
  EXPECT_FALSE(script.membership.may_write_shard(1, end));
  // The first thing that happens after that, whatever it is, drops everything; even the beat's own good answer.
  script.now = end;
  const auto effects = script.give(WriteAnswered{beat.front().ticket, LeaseOutcome::kDone});
  ASSERT_FALSE(effects.empty());
  EXPECT_TRUE(std::holds_alternative<DropEverything>(effects.front()));
  EXPECT_FALSE(script.membership.may_write(script.now));
  // Another life, another id. The old row is erased by its own worker, which need not wait to know it dead.
  const auto old_id = script.membership.former.back();
  script.carry_out(script.tick());
  EXPECT_NE(script.membership.id, old_id);
  const auto after = script.live();
  ASSERT_EQ(all<EraseRow>(after).size(), 1U);
  EXPECT_EQ(all<EraseRow>(after).front().name, worker_row_name(old_id));
  EXPECT_EQ(all<StartShard>(after).size(), 1U);
}

TEST(Membership, NoLifeBeginsWithoutAnId) {
  Script script;
  script.carry_out(script.tick());
  script.now = script.membership.trusted_until;
  const auto effects = script.give(Tick{});  // ends the life, and must not begin another
  EXPECT_EQ(all<DropEverything>(effects).size(), 1U);
  EXPECT_TRUE(all<Beat>(effects).empty());
  script.now = script.now + 1min;
  EXPECT_TRUE(script.give(Tick{}).empty());
  EXPECT_FALSE(script.membership.may_write(script.now));
  EXPECT_EQ(all<Beat>(script.tick()).size(), 1U);
}

TEST(Membership, ABeatThatConflictsMeansFenced) {
  Script script;
  script.carry_out(script.tick());
  script.live();
  script.now = script.now + 1s;
  const auto beat = all<Beat>(script.tick());
  const auto effects = script.give(WriteAnswered{beat.front().ticket, LeaseOutcome::kConflict});
  ASSERT_EQ(all<DropEverything>(effects).size(), 1U);
}

TEST(Membership, ABeatWhoseAnswerWasLostIsLookedForInTheRows) {
  Script script;
  script.carry_out(script.tick());
  script.live();
  for (const bool was_done : {true, false}) {
    script.now = script.now + 1s;
    const auto beat = all<Beat>(script.tick()).front();
    const auto trusted = script.membership.trusted_until;
    if (was_done) script.rows[beat.name].revision = beat.expected + 1;
    script.give(WriteAnswered{beat.ticket, LeaseOutcome::kUnknown});
    EXPECT_FALSE(script.membership.revision);
    script.carry_out(script.list());
    EXPECT_EQ(script.membership.trusted_until, was_done ? script.now + 3500ms : trusted);
    const auto next = all<Beat>(script.tick());
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next.front().expected, beat.expected + (was_done ? 1 : 0));
    if (was_done) {
      script.carry_out({next.front()});
      continue;
    }
    // The first one lands after all, before the second: that is no fence.
    script.rows[beat.name].revision = beat.expected + 1;
    EXPECT_TRUE(all<DropEverything>(
                    script.give(WriteAnswered{next.front().ticket, LeaseOutcome::kConflict}))
                    .empty());
    script.carry_out(script.list());
    EXPECT_EQ(script.membership.revision, beat.expected + 1);
  }
}

TEST(Membership, AnIdWhoseRowIsInDoubtIsNeverUsed) {
  Script script;
  const auto beat = all<Beat>(script.tick()).front();
  script.give(WriteAnswered{beat.ticket, LeaseOutcome::kUnknown});
  EXPECT_EQ(script.membership.phase, Membership::Phase::kOut);
  EXPECT_TRUE(script.tick().empty());  // not at once
  script.now = script.now + 1s;
  const auto again = all<Beat>(script.tick());
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again.front().name, beat.name);
}

TEST(Membership, TheDeadAreFencedAndOnlyThenTakenFrom) {
  Script script;
  script.add(1, "other");
  script.rows["root"] = {"root", 1, encode_row(RootRow{"other"})};
  script.beats("other");
  script.carry_out(script.tick());
  for (int second = 0; second < 5; ++second) {
    const auto effects = script.live();
    EXPECT_TRUE(all<EraseRow>(effects).empty()) << second;
    EXPECT_TRUE(all<PutRow>(effects).empty()) << second;
  }
  script.now = script.now + 1s;
  script.carry_out(script.tick());
  const auto effects = script.list();
  ASSERT_EQ(all<EraseRow>(effects).size(), 1U);
  EXPECT_EQ(all<EraseRow>(effects).front().expected, 1U);
  EXPECT_TRUE(all<PutRow>(effects).empty());
  const auto after = script.carry_out(effects);
  EXPECT_EQ(all<StartShard>(after).size(), 1U);
  EXPECT_EQ(all<StartRoot>(after).size(), 1U);
}

TEST(Membership, WhoBeatsIsNotFencedHoweverOften) {
  Script script;
  script.add(1, "other");
  script.carry_out(script.tick());
  for (int second = 0; second < 30; ++second) {
    if (second % 4 == 0) script.beats("other");
    EXPECT_TRUE(all<EraseRow>(script.live()).empty()) << second;
  }
}

TEST(Membership, AnOwnerWithoutARowIsTakenFromOnlyIfItWasKnownBefore) {
  Script script;
  script.add(
      1,
      "stranger");  // may have been read before the stranger's row was, and that before it was made
  script.carry_out(script.tick());
  script.now = script.now + 1s;
  script.carry_out(script.tick());
  EXPECT_TRUE(all<PutRow>(script.list()).size() == 1U);  // the root alone
  script.carry_out({});
  script.now = script.now + 1s;
  script.carry_out(script.tick());
  EXPECT_EQ(all<StartShard>(script.carry_out(script.list())).size(), 1U);
}

TEST(Membership, SurplusIsReleasedAfterItsRound) {
  Script script;
  for (ShardNumber shard = 1; shard <= 4; ++shard) script.add(shard);
  script.carry_out(script.tick());
  script.live();
  script.beats("other");
  auto effects = script.live();
  const auto rounds = all<EndRound>(effects);
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_TRUE(all<PutRow>(effects).empty());
  EXPECT_TRUE(script.membership.may_write_shard(rounds[0].shard, script.now));
  effects = script.carry_out(script.give(RoundEnded{rounds[0].shard}));
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_EQ(std::get<StopShard>(effects[0]).shard, rounds[0].shard);
  EXPECT_EQ(script.shard(rounds[0].shard).owner, "");
  EXPECT_FALSE(script.membership.may_write_shard(rounds[0].shard, script.now));
  EXPECT_EQ(script.membership.held.size(), 3U);
  // What is not asked for is not given back.
  const auto kept =
      std::find_if(script.membership.held.begin(), script.membership.held.end(),
                   [](const auto& held) { return held.second.state == Membership::Hold::kHeld; });
  EXPECT_TRUE(script.give(RoundEnded{kept->first}).empty());
}

TEST(Membership, ATakeInDoubtIsTakenOnceMoreBeforeItIsRead) {
  Script script;
  script.add(1);
  script.carry_out(script.tick());
  script.now = script.now + 1s;
  script.carry_out(script.tick());
  const auto puts = all<PutRow>(script.list());
  const auto take = *std::find_if(puts.begin(), puts.end(),
                                  [](const auto& put) { return put.name == "shard/1"; });
  script.rows[take.name] = {take.name, 2, take.value};  // it was done
  EXPECT_TRUE(
      all<StartShard>(script.give(WriteAnswered{take.ticket, LeaseOutcome::kUnknown})).empty());
  const auto again = all<PutRow>(script.list());
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.front().expected, 2U);
  EXPECT_EQ(all<StartShard>(script.carry_out({again.front()})).size(), 1U);
}

TEST(Membership, AFinishedShardIsMarkedUntilThatIsDone) {
  Script script;
  script.add(1);
  script.carry_out(script.tick());
  script.live();
  const auto put = all<PutRow>(script.give(ShardFinished{1, true}));
  ASSERT_EQ(put.size(), 1U);
  EXPECT_FALSE(script.membership.may_write_shard(1, script.now));
  script.give(WriteAnswered{put.front().ticket, LeaseOutcome::kNotDone});
  script.live();
  EXPECT_TRUE(script.shard(1).finished);
  EXPECT_TRUE(script.shard(1).gap);
  EXPECT_TRUE(script.membership.held.empty());
  EXPECT_TRUE(all<PutRow>(script.live()).empty());
}

TEST(Membership, WhatARowSaysOfItsShardGoesWithIt) {
  Script script;
  script.rows["shard/1"] = {
      "shard/1", 4, encode_row(ShardRow{1, "", false, false, "arn:s", "shardId-1", Instant{7}})};
  script.carry_out(script.tick());
  script.live();
  ASSERT_TRUE(script.membership.held.contains(1));
  EXPECT_EQ(script.membership.shards.at(1).row,
            (ShardRow{1, script.membership.id, false, false, "arn:s", "shardId-1", Instant{7}}));
  EXPECT_EQ(script.shard(1).stream, "arn:s");
}

TEST(Membership, ARowThatNamesAnotherStopsItsReaderAtOnce) {
  Script script;
  script.add(1);
  script.carry_out(script.tick());
  script.live();
  script.rows["shard/1"] = {"shard/1", 9, encode_row(ShardRow{1, "thief", false, false})};
  script.rows["root"] = {"root", 9, encode_row(RootRow{"thief"})};
  script.beats("thief");
  script.now = script.now + 1s;
  script.carry_out(script.tick());
  const auto effects = script.list();
  EXPECT_EQ(all<StopShard>(effects).size(), 1U);
  EXPECT_EQ(all<StopRoot>(effects).size(), 1U);
}

TEST(Membership, ACleanEndGivesEverythingBackAndThenGoes) {
  Script script;
  script.add(1), script.add(2);
  script.carry_out(script.tick());
  script.live();
  auto effects = script.carry_out(script.give(EndAsked{}));
  EXPECT_EQ(all<EndRound>(effects).size(), 2U);
  EXPECT_EQ(all<StopRoot>(effects).size(), 1U);
  EXPECT_TRUE(all<EraseRow>(effects).empty());
  script.carry_out(script.give(RoundEnded{1}));
  effects = script.carry_out(script.give(RoundEnded{2}));
  EXPECT_EQ(all<EraseRow>(effects).size(), 1U);
  ASSERT_FALSE(effects.empty());
  EXPECT_TRUE(std::holds_alternative<Ended>(effects.back()));
  EXPECT_EQ(script.shard(1).owner, "");
  EXPECT_EQ(script.shard(2).owner, "");
  EXPECT_FALSE(script.rows.contains("worker/me-1"));
  EXPECT_TRUE(script.tick().empty());
}

TEST(Membership, DamagedRowsAreToldOfOnceAndPassedOver) {
  Script script;
  script.add(1);
  script.rows["shard/2"] = {"shard/2", 1, "garbage"};
  script.rows["what/ever"] = {"what/ever", 1, "{}"};
  script.rows["root"] = {"root", 4, "no root"};
  script.carry_out(script.tick());
  auto effects = script.live();
  EXPECT_EQ(all<RowProblem>(effects).size(), 3U);
  EXPECT_EQ(all<StartShard>(effects).size(), 1U);
  EXPECT_TRUE(all<RowProblem>(script.live()).empty());
  script.rows["shard/2"].revision = 2;
  EXPECT_EQ(all<RowProblem>(script.live()).size(), 1U);
  // A root that nobody can own is taken when whoever owned it has had the time to see that.
  EXPECT_FALSE(script.membership.root_held);
  for (int second = 0; second < 4; ++second) script.live();
  EXPECT_TRUE(script.membership.root_held);
}

TEST(Membership, ManyStrangersStallNobody) {
  Script script;
  for (int stranger = 0; stranger < 3000; ++stranger) script.beats("x" + std::to_string(stranger));
  for (ShardNumber shard = 1; shard <= 40; ++shard) script.add(shard);
  script.carry_out(script.tick());
  EXPECT_EQ(all<StartShard>(script.live()).size(), 1U);  // a fair share of so many
  for (int second = 0; second < 8; ++second) script.live();
  for (int second = 0; second < 600 && script.membership.held.size() < 40; ++second) script.live();
  EXPECT_EQ(script.membership.held.size(), 40U);
}

}  // namespace
}  // namespace pawl::guard
