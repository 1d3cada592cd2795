#include "table/commit_step.h"

#include <gmock/gmock.h>

#include <functional>

#include "base/sanitized.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = KeyHistory::State;
using Floors = CommitStep::Floors;
using Verdict = CommitStep::Settled::Verdict;

const ShardId kShard{.incarnation = {7}, .number = 0};
const ShardId kOther{.incarnation = {7}, .number = 1};

KeyHistory after(const CommitStep::Assigned& assigned) {
  return {.state = assigned.kind == item::ChangeKind::kRemove ? State::kDeleted : State::kPresent,
          .version = assigned.version};
}

TEST(CommitStep, AKeyThroughItsLives) {
  CommitStep step;
  step.open(kShard, {}, {}, {});
  KeyHistory key;
  const auto expect = [&](bool exists_after, item::ChangeKind kind, std::uint64_t version) {
    const auto assigned = step.change(kShard, key, exists_after, {100});
    EXPECT_EQ(assigned.kind, kind);
    EXPECT_EQ(assigned.version.value, version);
    EXPECT_EQ(assigned.sequence.value, version + 1);
    key = after(assigned);
  };
  expect(true, item::ChangeKind::kInsert, 0);
  expect(true, item::ChangeKind::kModify, 1);
  expect(false, item::ChangeKind::kRemove, 2);
  expect(true, item::ChangeKind::kInsert, 3);
}

TEST(CommitStep, NothingIsPublishedBeforeTheSync) {
  CommitStep step;
  step.open(kShard, {5}, {50}, {2});
  step.open(kOther, {}, {}, {});
  step.change(kShard, {}, true, {40});
  EXPECT_THAT(step.seal(Floors::kAdvance), IsEmpty());
  const auto settled = step.settle(WriteOutcome::kDone);
  EXPECT_EQ(settled.verdict, Verdict::kAnswer);
  EXPECT_THAT(settled.published, ElementsAre(ShardAdvance{kShard, {6}}));
  EXPECT_THAT(settled.trims, IsEmpty());
}

TEST(CommitStep, ARefusedRoundLeavesNoHole) {
  CommitStep step;
  step.open(kShard, {5}, {50}, {});
  EXPECT_EQ(step.change(kShard, {}, true, {90}).sequence.value, 6U);
  step.seal(Floors::kAdvance);
  EXPECT_EQ(step.settle(WriteOutcome::kNotDone).verdict, Verdict::kRefuse);
  const auto again = step.change(kShard, {}, true, {60});
  EXPECT_EQ(again.sequence.value, 6U);
  EXPECT_EQ(again.instant.microseconds, 60) << "the instant of what never was counts for nothing";
}

TEST(CommitStep, AnUnknownWriteEndsIt) {
  CommitStep step;
  step.open(kShard, {}, {}, {});
  step.change(kShard, {}, true, {1});
  step.seal(Floors::kAdvance);
  const auto settled = step.settle(WriteOutcome::kUnknown);
  EXPECT_EQ(settled.verdict, Verdict::kEnd);
  EXPECT_THAT(settled.published, IsEmpty());
  EXPECT_THAT(settled.trims, IsEmpty());
  EXPECT_TRUE(step.ended());
}

TEST(CommitStep, TheFloorIsDurableBeforeTheTrimAndKeepsTheNewestReleased) {
  CommitStep step;
  step.open(kShard, {5}, {}, {});
  step.release(kShard, {1});
  EXPECT_FALSE(step.can_trim()) << "the one released change is the newest one";
  step.release(kShard, {4});
  EXPECT_TRUE(step.can_trim());
  EXPECT_THAT(step.seal(Floors::kAdvance), ElementsAre(ShardFloor{kShard, {3}}));
  EXPECT_THAT(step.settle(WriteOutcome::kNotDone).trims, IsEmpty());
  EXPECT_THAT(step.seal(Floors::kAdvance), ElementsAre(ShardFloor{kShard, {3}}));
  EXPECT_THAT(step.settle(WriteOutcome::kDone).trims, ElementsAre(ShardFloor{kShard, {3}}));
  EXPECT_FALSE(step.can_trim());
  step.release(kShard, {2});  // old news
  EXPECT_FALSE(step.can_trim());
}

// A floor that moved without being in the batch would trim what a restart looks for.
TEST(CommitStep, ARoundThatKeepsFloorsMovesNone) {
  for (const std::uint64_t floor : {0U, 1U, 2U, 7U}) {
    CommitStep step;
    step.open(kShard, {20}, {}, {floor});
    for (std::uint64_t released = floor; released <= 20; ++released) {
      if (released > 0) step.release(kShard, {released});
      EXPECT_THAT(step.seal(Floors::kKeep), IsEmpty()) << floor << ' ' << released;
      EXPECT_THAT(step.settle(WriteOutcome::kDone).trims, IsEmpty()) << floor << ' ' << released;
    }
    EXPECT_TRUE(step.can_trim());
  }
}

TEST(CommitStep, AStreamHoldsWhatIsReleased) {
  CommitStep step;
  step.open(kShard, {9}, {}, {2});
  step.release(kShard, {9});
  step.hold(kShard, SequenceNumber{2});
  EXPECT_FALSE(step.can_trim());
  step.hold(kShard, SequenceNumber{5});
  EXPECT_THAT(step.seal(Floors::kAdvance), ElementsAre(ShardFloor{kShard, {5}}));
  EXPECT_THAT(step.settle(WriteOutcome::kDone).trims, ElementsAre(ShardFloor{kShard, {5}}));
  step.hold(kShard,
            SequenceNumber{100});  // all has aged: the newest released change is kept all the same
  EXPECT_THAT(step.seal(Floors::kAdvance), ElementsAre(ShardFloor{kShard, {8}}));
  EXPECT_THAT(step.settle(WriteOutcome::kNotDone).trims, IsEmpty());
  step.hold(kShard, SequenceNumber{3});  // a floor does not go back
  EXPECT_FALSE(step.can_trim());
  step.hold(kShard, std::nullopt);
  EXPECT_TRUE(step.can_trim());
  step.hold(kOther, SequenceNumber{3});  // of a shard that is gone
}

TEST(CommitStep, AStreamAloneReleasesNothing) {
  CommitStep step;
  step.open(kShard, {9}, {}, {});
  step.hold(kShard, SequenceNumber{9});
  EXPECT_FALSE(step.can_trim()) << "aged, but in no page (P6)";
  step.release(kShard, {4});
  EXPECT_THAT(step.seal(Floors::kAdvance), ElementsAre(ShardFloor{kShard, {3}}));
}

// Every order of events in a small scope, with the disk that each leaves, against the promises.
class Exploration {
 public:
  struct Disk {                     // what a crash leaves
    std::vector<Version> versions;  // of the changes of the one key, by sequence
    std::vector<std::int64_t> instants;
    KeyHistory key;
    std::uint64_t floor = 0;
    std::uint64_t trimmed = 0;  // records actually removed through here
    bool operator==(const Disk&) const = default;
  };
  struct World {
    CommitStep step;
    Disk disk;
    Disk round;                         // as the disk will be if this round's batch is written
    std::uint64_t known = 0;            // the newest change that readers were told of
    std::uint64_t paged = 0;            // the pipeline: in durable ledger pages through here
    std::optional<std::uint64_t> held;  // a stream: what lies behind may not go
    int changes = 0;
    int faults = 0;
    bool lost = false;  // an unknown outcome: only a restart goes on
  };

  std::uint64_t worlds = 0;

  void explore(const World& world, int depth) {
    ++worlds;
    check(world);
    if (depth == 0) return;
    for (const auto& event : events_) {
      World next = world;
      if (event(*this, next)) explore(next, depth - 1);
    }
  }
  static World start() {
    World world;
    world.step.open(kShard, {}, {}, {});
    return world;
  }

 private:
  using Event = std::function<bool(Exploration&, World&)>;
  static constexpr int kChangesMax = 3;
  static constexpr int kFaultsMax = 3;

  static void check(const World& world) {
    const Disk& disk = world.disk;
    const std::uint64_t newest = disk.versions.size();
    for (std::uint64_t i = 0; i < newest; ++i) {
      ASSERT_EQ(disk.versions[i].value, i) << "versions are dense";
      if (i > 0) {
        ASSERT_LE(disk.instants[i - 1], disk.instants[i]) << "instants never decrease";
      }
    }
    ASSERT_LE(world.known, newest) << "readers are told of synced changes only";
    ASSERT_LE(disk.trimmed, disk.floor) << "trimmed past the durable floor";
    ASSERT_TRUE(disk.floor == 0 || disk.floor < world.paged) << "trimmed what is in no page (P6)";
    ASSERT_LE(disk.trimmed, world.held.value_or(newest)) << "trimmed what a stream holds";
  }

  static bool change(World& world, bool exists_after, std::int64_t now) {
    if (world.lost || world.changes == kChangesMax) return false;
    if (!exists_after && world.round.key.state != State::kPresent) return false;
    const auto assigned = world.step.change(kShard, world.round.key, exists_after, {now});
    EXPECT_EQ(assigned.sequence.value, world.round.versions.size() + 1);
    world.round.versions.push_back(assigned.version);
    world.round.instants.push_back(assigned.instant.microseconds);
    world.round.key = after(assigned);
    world.changes += 1;
    return true;
  }

  // The batch is written, with one of the three outcomes; an unknown one may be found after the restart or not.
  static bool commit(World& world, WriteOutcome outcome, bool found_later,
                     Floors floors = Floors::kAdvance) {
    if (world.lost || (outcome != WriteOutcome::kDone && ++world.faults > kFaultsMax)) return false;
    const auto advanced = world.step.seal(floors);
    // A round that keeps the floors writes none: then none may be trimmed either.
    if (floors == Floors::kAdvance) {
      for (const ShardFloor& floor : advanced) world.round.floor = floor.floor.value;
    }
    const auto settled = world.step.settle(outcome);
    if (outcome == WriteOutcome::kDone || found_later) world.disk = world.round;
    world.round = world.disk;
    for (const ShardAdvance& shard : settled.published) world.known = shard.newest.value;
    for (const ShardFloor& trim : settled.trims) world.disk.trimmed = trim.floor.value;
    world.round.trimmed = world.disk.trimmed;
    world.lost = settled.verdict == Verdict::kEnd;
    return true;
  }

  static bool page(World& world) {
    if (world.lost || world.paged >= world.known) return false;
    world.paged = world.known;
    world.step.release(kShard, {world.paged});
    return true;
  }

  // Switched on, all aged by one more, or run out.
  static bool stream(World& world) {
    if (world.lost) return false;
    if (!world.held) {
      world.held = world.known;
    } else if (*world.held < world.known) {
      ++*world.held;
    } else {
      world.held.reset();
    }
    hold(world);
    return true;
  }
  static void hold(World& world) {
    world.step.hold(kShard, world.held ? std::optional(SequenceNumber{*world.held}) : std::nullopt);
  }

  static bool restart(World& world) {
    if (!world.lost && ++world.faults > kFaultsMax) return false;
    world.step = {};
    const Disk& disk = world.disk;
    world.step.open(kShard, {disk.versions.size()},
                    {disk.instants.empty() ? 0 : disk.instants.back()}, {disk.floor});
    world.round = disk;
    world.known = disk.versions.size();
    hold(world);
    if (world.paged > 0) world.step.release(kShard, {world.paged});  // the pipeline reads its pages
    world.lost = false;
    return true;
  }

  const std::vector<Event> events_ = {
      [](Exploration&, World& world) { return change(world, true, 20); },
      [](Exploration&, World& world) { return change(world, true, 10); },  // the clock was set back
      [](Exploration&, World& world) { return change(world, false, 20); },
      [](Exploration&, World& world) { return commit(world, WriteOutcome::kDone, true); },
      [](Exploration&, World& world) {
        return commit(world, WriteOutcome::kDone, true, Floors::kKeep);
      },
      [](Exploration&, World& world) { return commit(world, WriteOutcome::kNotDone, false); },
      [](Exploration&, World& world) { return commit(world, WriteOutcome::kUnknown, true); },
      [](Exploration&, World& world) { return commit(world, WriteOutcome::kUnknown, false); },
      [](Exploration&, World& world) { return page(world); },
      [](Exploration&, World& world) { return stream(world); },
      [](Exploration&, World& world) { return restart(world); },
  };
};

TEST(CommitStep, KeepsItsPromisesInEverySmallWorld) {
  Exploration exploration;
  exploration.explore(Exploration::start(), kSanitized ? 7 : 8);
  EXPECT_GT(exploration.worlds, kSanitized ? 1'000U : 100'000U);
  RecordProperty("worlds", static_cast<int>(exploration.worlds));
}

}  // namespace
}  // namespace pawl::table
