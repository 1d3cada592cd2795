#include "pipeline/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/object_body.h"
#include "ledger/root_page.h"
#include "ledger/shard_page.h"
#include "pipeline/recorder_world_test.h"

namespace pawl::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<ledger::ShardPage> pages_of(const ScriptedLedger& ledger, ShardId shard) {
  std::vector<ledger::ShardPage> pages;
  const auto found = ledger.durable.find(shard.to_string());
  if (found == ledger.durable.end()) return pages;
  for (const auto& line : found->second) {
    const auto parsed = ledger::parse_line(line);
    EXPECT_TRUE(parsed.ok());
    auto page = ledger::parse_page(parsed->json);
    EXPECT_TRUE(page.ok()) << page.error().to_string();
    pages.push_back(std::move(page).value());
  }
  return pages;
}

std::vector<std::string> root_events(const ScriptedLedger& ledger) {
  std::vector<std::string> types;
  const auto found = ledger.durable.find("root");
  if (found == ledger.durable.end()) return types;
  static constexpr const char* kNames[] = {"archive-created", "server-started", "server-stopped",
                                           "table-created",   "table-deleted",  "counter-reset",
                                           "checkpoint"};
  for (const auto& line : found->second) {
    const auto page = ledger::parse_root_page(ledger::parse_line(line)->json);
    EXPECT_TRUE(page.ok());
    types.emplace_back(kNames[page->event.index()]);
  }
  return types;
}

// P1 to P4 and P6 over what is durable: every committed change has one entry, in order, with its object; and only what
// is in durable pages was released.
void expect_promises(RecorderWorld& world, bool all = true) {
  for (const auto& [shard, changes] : world.changes.changes) {
    std::vector<ledger::PageEntry> entries;
    for (const auto& page : pages_of(world.ledger, shard)) {
      entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    }
    if (all) {
      ASSERT_EQ(entries.size(), changes.size());
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ASSERT_EQ(entries[i].sequence, changes[i].sequence);
      const auto object = world.objects.objects.find(entries[i].object);
      ASSERT_NE(object, world.objects.objects.end()) << entries[i].object;
      EXPECT_EQ(sha256(object->second), entries[i].sha256);
      EXPECT_EQ(object->second, archive::render_body("users", changes[i]));
    }
    const auto released = world.changes.released.find(shard);
    if (released != world.changes.released.end()) {
      EXPECT_LE(released->second.value, entries.size());
    }
  }
}

TEST(Recorder, RecordsEveryChangeOfEveryShard) {
  RecorderWorld world;
  for (std::uint64_t i = 1; i <= 5; ++i)
    world.commit(users_change(kShard0, i, "A000001", static_cast<int>(i)));
  world.commit(users_change(kShard1, 1, "B000001", 0));
  const auto status = world.live(3);
  expect_promises(world);
  EXPECT_EQ(status.objects, 6U);
  EXPECT_EQ(world.objects.batches, 1U);  // one batch for all shards
  EXPECT_EQ(status.pages, 2U);
  EXPECT_TRUE(world.objects.objects.contains("logs/A000001-3.log"));
  EXPECT_THAT(root_events(world.ledger),
              ElementsAre("archive-created", "server-started", "table-created", "checkpoint",
                          "server-stopped"));
  for (const auto& shard : status.shards) {
    EXPECT_EQ(shard.lag, 0U);
    EXPECT_EQ(shard.state, FlowState::kIdle);
  }
  ASSERT_TRUE(world.ledger.tip_line.has_value());
}

TEST(Recorder, GoesOnAfterTheLedgersEnd) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(2);
  world.commit(users_change(kShard0, 2, "A", 2));
  const auto status = world.live(2);
  expect_promises(world);
  EXPECT_EQ(status.objects, 1U);
  EXPECT_EQ(pages_of(world.ledger, kShard0).size(), 2U);
}

TEST(Recorder, ObjectsInDoubtAreWrittenAnewAfterACrash) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(2);
  const auto second = users_change(kShard0, 2, "A", 2);
  // A crash after the put and before the page; and another's sealed object under a name that the next change wants.
  world.objects.objects["logs/A-2.log"] = archive::render_body("users", second);
  world.commit(second);
  world.commit(users_change(kShard0, 3, "A", 1));
  world.live(2);
  expect_promises(world);
  EXPECT_THAT(world.objects.aside, ElementsAre("logs/A-2.log"));
}

TEST(Recorder, ATakenNameIsEvadedAndAlarmsOnceATable) {
  RecorderWorld world;
  for (std::uint64_t i = 1; i <= 4; ++i) world.commit(users_change(kShard0, i, "A", 0));
  const auto status = world.live(3);
  expect_promises(world);
  EXPECT_EQ(status.renamed, 3U);
  ASSERT_EQ(status.alarms.size(), 1U);
  EXPECT_EQ(status.alarms[0].kind, AlarmKind::kCounterReset);
  const auto pages = pages_of(world.ledger, kShard0);
  EXPECT_EQ(pages.at(0).entries.at(1).object, "logs/A-0.log~9f86d081884c7d65-0000-2");
  EXPECT_EQ(pages.at(0).entries.at(1).renamed, "logs/A-0.log");
  world.commit(users_change(kShard0, 5, "A", 0));
  world.live(2);
  expect_promises(world);
  const auto events = root_events(world.ledger);
  EXPECT_EQ(std::count(events.begin(), events.end(), "counter-reset"), 1);
}

TEST(Recorder, ABlockedArchiveHoldsChangesAndSaysSo) {
  RecorderWorld world;
  bool blocked = true;
  world.objects.fault = [&](std::string_view) {
    return blocked ? std::optional(PutOutcome::kRefused) : std::nullopt;
  };
  for (std::uint64_t i = 1; i <= 3; ++i)
    world.commit(users_change(kShard0, i, "A", static_cast<int>(i)));
  world.live(40, [&](int idle, Recorder& recorder) {
    world.board.heartbeat(world.clock.now());
    if (idle == 20) {
      const auto status = recorder.status();
      EXPECT_EQ(status.shards[0].lag, 3U);
      EXPECT_EQ(status.shards[0].state, FlowState::kStalled);
      EXPECT_EQ(status.shards[0].where, "archive");
      EXPECT_THAT(status.shards[0].why, HasSubstr("blocked"));
      EXPECT_EQ(status.shards[1].state, FlowState::kIdle);
      EXPECT_FALSE(world.changes.released.contains(kShard0));
      blocked = false;
    }
  });
  expect_promises(world);
}

TEST(Recorder, AHoleHoldsThePageBackButNotThePrefix) {
  RecorderWorld world;
  int refusals = 3;
  world.objects.fault = [&](std::string_view name) {
    return name == "logs/A-3.log" && refusals-- > 0 ? std::optional(PutOutcome::kRefused)
                                                    : std::nullopt;
  };
  for (std::uint64_t i = 1; i <= 5; ++i)
    world.commit(users_change(kShard0, i, "A", static_cast<int>(i)));
  world.live(10);
  expect_promises(world);
  const auto pages = pages_of(world.ledger, kShard0);
  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(pages[0].last().value, 2U);
  EXPECT_EQ(pages[1].last().value, 5U);
}

TEST(Recorder, ALostAnswerIsNotBelieved) {
  RecorderWorld world;
  int lost = 1;
  world.objects.fault = [&](std::string_view) {
    return lost-- > 0 ? std::optional(PutOutcome::kUnknown) : std::nullopt;
  };
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(10);
  expect_promises(world);
  EXPECT_THAT(world.objects.aside, ElementsAre("logs/A-1.log"));
}

TEST(Recorder, AFailedLedgerSyncIsWrittenAnewNotRepeated) {
  RecorderWorld world;
  int failures = 0;
  world.ledger.sync_fails = [&] { return failures-- > 0; };
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(15, [&](int idle, Recorder&) {
    if (idle != 3) return;
    failures = 2;
    world.commit(users_change(kShard0, 2, "A", 2));
  });
  expect_promises(world);
  EXPECT_EQ(world.ledger.reopens, 2U);
}

// A put to a bucket whose answer was lost can't be taken back: another page in its place would be a second writer's.
TEST(Recorder, PagesOfAFailedSyncAreTheNextThatTheirChainsGet) {
  RecorderWorld world;
  world.options.checkpoint_interval = std::chrono::seconds(1);
  world.ledger.sync_fails = [&] { return world.ledger.syncs > 3 && world.ledger.syncs % 3 != 0; };
  std::uint64_t commits = 0;
  world.live(400, [&](int idle, Recorder&) {
    if (idle > 300 || idle % 3 != 0) return;
    ++commits;
    world.commit(users_change(kShard0, commits, "A",
                              1));  // the same name: counter resets go to the root chain
    world.commit(users_change(kShard1, commits, "B", static_cast<int>(commits)));
    if (idle != 249) return;
    world.tables.list[0].deleted = true;
    world.tables.forgets_at_once = false;
    ++world.tables.changed;
  });
  world.ledger.sync_fails = [] { return false; };
  EXPECT_GT(world.ledger.reopens, 10U);
  EXPECT_EQ(world.ledger.other_pages, 0U);
  EXPECT_GT(commits, 40U);
  expect_promises(world, /*all=*/false);
  EXPECT_GT(pages_of(world.ledger, kShard0).size(), 3U);
}

// And a shard that waits by design is not called stalled for it, but is when it waits for longer.
TEST(Recorder, ATableCanHaveAPageIntervalOfItsOwn) {
  RecorderWorld world;
  world.options.page_interval = std::chrono::hours(1);
  world.options.page_intervals["users"] = std::chrono::seconds(10);
  std::uint64_t commits = 0;
  bool refused = false;
  std::map<FlowState, int> states;
  world.objects.fault = [&](std::string_view) {
    return refused ? std::optional(PutOutcome::kRefused) : std::nullopt;
  };
  const auto start = world.clock.monotonic();
  // Time passes in the waits between the commits.
  const auto commit = [&](int idle) {
    if (idle % 2 == 1 || idle > 300) return;
    ++commits;
    world.commit(users_change(kShard0, commits, "A", static_cast<int>(commits)));
  };
  world.live(320, [&](int idle, Recorder& recorder) {
    commit(idle);
    ++states[recorder.status().shards.at(0).state];
  });
  const auto seconds = (world.clock.monotonic() - start) / std::chrono::seconds(1);
  EXPECT_GE(pages_of(world.ledger, kShard0).size(), static_cast<std::size_t>(seconds) / 10);
  EXPECT_LE(pages_of(world.ledger, kShard0).size(), static_cast<std::size_t>(seconds) / 10 + 2);
  EXPECT_GT(states[FlowState::kFlowing], 60);
  EXPECT_EQ(states[FlowState::kStalled], 0);
  EXPECT_EQ(states[FlowState::kLagging], 0);
  expect_promises(world);

  states.clear();
  refused = true;
  world.live(320, [&](int idle, Recorder& recorder) {
    commit(idle);
    if (idle > 60) ++states[recorder.status().shards.at(0).state];
  });
  EXPECT_GT(states[FlowState::kStalled], 0);
}

TEST(Recorder, PagesComeAtMostOncePerIntervalUnlessMuchWaits) {
  RecorderWorld world;
  world.options.page_interval = std::chrono::seconds(1);
  world.options.page_changes_full = 50;
  std::uint64_t commits = 0;
  const auto commit = [&] {
    ++commits;
    world.commit(users_change(kShard0, commits, "A", static_cast<int>(commits)));
  };
  const auto start = world.clock.monotonic();
  world.live(40, [&](int idle, Recorder&) {
    if (idle < 30) commit();
  });
  const auto seconds = (world.clock.monotonic() - start) / std::chrono::seconds(1);
  expect_promises(world);
  EXPECT_LE(pages_of(world.ledger, kShard0).size(), static_cast<std::size_t>(seconds) + 2);
  EXPECT_EQ(world.clock.vain_waits, 0U);

  // A full page does not wait: time passes only in waits, and there is none between the commits and the page.
  MonotonicInstant filled{0};
  Duration took = std::chrono::hours(1);
  world.live(12, [&](int idle, Recorder& recorder) {
    if (idle == 5) {
      commit();  // so that the interval has just begun
    } else if (idle == 6) {
      filled = world.clock.monotonic();
      for (int i = 0; i < 50; ++i) commit();
    } else if (idle == 7) {
      took = world.clock.monotonic() - filled;
      EXPECT_EQ(recorder.status().shards.at(0).lag, 0U);
    }
  });
  EXPECT_LT(took, std::chrono::milliseconds(1));
  expect_promises(world);
}

TEST(Recorder, SleepsWhileNothingCanBeDone) {
  RecorderWorld world;
  bool blocked = true;
  world.objects.fault = [&](std::string_view) {
    return blocked ? std::optional(PutOutcome::kRefused) : std::nullopt;
  };
  world.ledger.sync_fails = [&] { return world.ledger.syncs % 4 == 3; };
  std::uint64_t commits = 0;
  const auto commit = [&] {
    ++commits;
    world.commit(users_change(kShard0, commits, "A", static_cast<int>(commits)));
  };
  commit();
  world.live(60, [&](int idle, Recorder&) {
    // Changes go on coming while those before them wait for their next try.
    if (idle % 3 == 0) commit();
    if (idle == 30) blocked = false;
  });
  EXPECT_EQ(world.clock.vain_waits, 0U);
}

TEST(Recorder, ADeletedTableIsClosedWhenItsChangesAreInPages) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(8, [&](int idle, Recorder&) {
    if (idle != 2) return;
    world.commit(users_change(kShard0, 2, "A", 2));
    world.tables.list[0].deleted = true;
    world.tables.forgets_at_once = false;  // the committer does it in a round of its own
    ++world.tables.changed;
  });
  expect_promises(world);
  EXPECT_THAT(world.tables.closed_list, ElementsAre(kUsers));
  EXPECT_THAT(root_events(world.ledger), ::testing::Contains("table-deleted"));
}

TEST(Recorder, AnOlderDataDirectoryNeedsAdopt) {
  RecorderWorld world;
  for (std::uint64_t i = 1; i <= 3; ++i)
    world.commit(users_change(kShard0, i, "A", static_cast<int>(i)));
  world.live(2);
  auto& log = world.changes.changes[kShard0];
  const auto syncs = world.ledger.syncs;
  log.pop_back();
  {
    Recorder recorder(world.ports(), world.options);
    const auto opening = RecorderWorld::wait(recorder.open());
    ASSERT_TRUE(opening.ok());
    ASSERT_EQ(opening->disagreements.size(), 1U);
    EXPECT_EQ(opening->disagreements[0].kind, Disagreement::Kind::kBehindLedger);
    EXPECT_TRUE(recorder.status().needs_adopt);
  }
  log.push_back(users_change(kShard0, 3, "A", 33));
  {
    Recorder recorder(world.ports(), world.options);
    const auto opening = RecorderWorld::wait(recorder.open());
    ASSERT_TRUE(opening.ok());
    ASSERT_EQ(opening->disagreements.size(), 1U);
    EXPECT_EQ(opening->disagreements[0].kind, Disagreement::Kind::kDiverged);
  }
  world.tables.list.clear();
  {
    Recorder recorder(world.ports(), world.options);
    const auto opening = RecorderWorld::wait(recorder.open());
    ASSERT_TRUE(opening.ok());
    ASSERT_EQ(opening->disagreements.size(), 1U);
    EXPECT_EQ(opening->disagreements[0].kind, Disagreement::Kind::kUnknownToData);
  }
  EXPECT_EQ(world.ledger.syncs, syncs);  // nothing was written
}

// Does what table::AdoptTable does, over the lists of the world.
class ListedAdopt final : public AdoptTarget {
 public:
  explicit ListedAdopt(RecorderWorld& world) : world_(world) {}
  std::map<ShardId, SequenceNumber> archived;

  Awaitable<Status> adopt(RecordedTable table,
                          std::map<ShardId, SequenceNumber> positions) override {
    archived = positions;
    auto& old =
        *std::find_if(world_.tables.list.begin(), world_.tables.list.end(),
                      [&](const auto& one) { return one.incarnation == table.incarnation; });
    RecordedTable next = old;
    old.deleted = true;
    next.parent = next.incarnation;
    next.incarnation = {0x22};
    for (auto& shard : next.shards) shard.incarnation = next.incarnation;
    world_.tables.list.push_back(next);
    ++world_.tables.changed;
    for (const auto& [from, position] : positions) {
      auto& log = world_.changes.changes[{next.incarnation, from.number}];
      for (auto change : world_.changes.changes[from]) {
        if (change.sequence <= position) continue;
        change.shard.incarnation = next.incarnation;
        change.sequence = {log.size() + 1};
        log.push_back(change);
      }
    }
    co_return ok();
  }

 private:
  RecorderWorld& world_;
};

TEST(Recorder, AdoptGoesOnInLinkedChainsAndLosesNothing) {
  RecorderWorld world;
  for (std::uint64_t i = 1; i <= 3; ++i)
    world.commit(users_change(kShard0, i, "A", static_cast<int>(i)));
  world.live(2);
  auto& log = world.changes.changes[kShard0];
  log[2] = users_change(kShard0, 3, "A", 33);  // the copy had two changes; two others came after
  log.push_back(users_change(kShard0, 4, "A", 34));
  const auto divergent = log;
  ListedAdopt target(world);
  {
    Recorder recorder(world.ports(), world.options);
    ASSERT_TRUE(RecorderWorld::wait(recorder.open())->needs_adopt());
    ASSERT_TRUE(RecorderWorld::wait(recorder.adopt(target)).ok());
  }
  EXPECT_EQ(target.archived.at(kShard0).value, 2U);
  EXPECT_EQ(target.archived.at(kShard1).value, 0U);
  const auto status = world.live(3);
  EXPECT_FALSE(status.needs_adopt);
  EXPECT_THAT(world.tables.closed_list, ElementsAre(kUsers));
  const auto pages = pages_of(world.ledger, {{0x22}, 0});
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages[0].entries.size(), 2U);
  EXPECT_EQ(pages[0].entries[0].object, "logs/A-33.log");
  EXPECT_EQ(pages_of(world.ledger, kShard0).at(0).entries.size(), 3U);  // the past stays

  const auto view = RecorderWorld::wait(read_root_chain(world.ledger));
  ASSERT_TRUE(view.ok());
  const auto& created = view->tables.at({0x22}).created;
  ASSERT_TRUE(created.parent.has_value());
  EXPECT_EQ(created.parent->incarnation, kUsers);
  EXPECT_EQ(created.parent->forks.at(0).sequence.value, 2U);
  EXPECT_EQ(created.parent->forks.at(0).page, PageIndex{0});
  EXPECT_FALSE(created.parent->forks.at(1).page.has_value());
  EXPECT_EQ(view->tables.at(kUsers).adopted_by, Incarnation{0x22});
  EXPECT_FALSE(world.live(2).needs_adopt);  // and for good
}

// The older copy was taken after DeleteTable was answered and before the last pages; a table of the same name was made
// since.
TEST(Recorder, AdoptsADeletedTableThatIsStillClosing) {
  RecorderWorld world;
  for (std::uint64_t i = 1; i <= 3; ++i)
    world.commit(users_change(kShard0, i, "A", static_cast<int>(i)));
  world.live(2);
  world.changes.changes[kShard0].pop_back();
  world.commit(users_change(kShard0, 3, "A", 33));
  world.tables.list[0].deleted = true;
  RecordedTable again = users_table();
  again.incarnation = {0x33};
  for (auto& shard : again.shards) shard.incarnation = again.incarnation;
  world.tables.list.push_back(again);
  ++world.tables.changed;
  world.commit(users_change({again.incarnation, 0}, 1, "B", 1));
  ListedAdopt target(world);
  {
    Recorder recorder(world.ports(), world.options);
    ASSERT_TRUE(RecorderWorld::wait(recorder.open())->needs_adopt());
    ASSERT_TRUE(RecorderWorld::wait(recorder.adopt(target)).ok());
  }
  world.live(5);
  const auto pages = pages_of(world.ledger, {{0x22}, 0});
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages[0].entries.at(0).object, "logs/A-33.log");
  const auto view = RecorderWorld::wait(read_root_chain(world.ledger));
  ASSERT_TRUE(view.ok());
  ASSERT_TRUE(view->tables.at({0x22}).deleted.has_value()) << "what goes on is deleted, too";
  EXPECT_FALSE(view->tables.at({0x22}).deleted->abandoned);
  EXPECT_TRUE(view->tables.at({0x33}).open()) << "its namesake has nothing to do with it";
  EXPECT_EQ(pages_of(world.ledger, {{0x33}, 0}).size(), 1U);
  EXPECT_FALSE(world.live(2).needs_adopt);
}

TEST(Recorder, AdoptAbandonsWhatOnlyTheLedgerKnows) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(2);
  world.tables.list.clear();
  ++world.tables.changed;
  ListedAdopt target(world);
  Recorder recorder(world.ports(), world.options);
  ASSERT_TRUE(RecorderWorld::wait(recorder.open())->needs_adopt());
  ASSERT_TRUE(RecorderWorld::wait(recorder.adopt(target)).ok());
  EXPECT_FALSE(world.live(2).needs_adopt);
  const auto view = RecorderWorld::wait(read_root_chain(world.ledger));
  ASSERT_TRUE(view->tables.at(kUsers).deleted.has_value());
  EXPECT_TRUE(view->tables.at(kUsers).deleted->abandoned);
}

TEST(Recorder, ATornPageIsCutWhereItsChangesAreHeld) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  world.live(2);
  world.ledger.torn[kShard0.to_string()] = 17;
  {
    Recorder recorder(world.ports(), world.options);
    const auto opening = RecorderWorld::wait(recorder.open());
    ASSERT_TRUE(opening.ok());
    EXPECT_TRUE(opening->needs_adopt());
    EXPECT_EQ(world.ledger.torn.at(kShard0.to_string()), 17U);
  }
  world.commit(users_change(kShard0, 2, "A", 2));
  const auto status = world.live(2);
  expect_promises(world);
  ASSERT_EQ(status.alarms.size(), 1U);
  EXPECT_EQ(status.alarms[0].kind, AlarmKind::kTornPage);
}

TEST(Recorder, WritesNothingWhileIdleButATipEveryTenSeconds) {
  RecorderWorld world;
  world.commit(users_change(kShard0, 1, "A", 1));
  std::size_t syncs = 0, tips = 0;
  MonotonicInstant from{};
  world.live(200, [&](int idle, Recorder&) {
    world.board.heartbeat(world.clock.now());
    if (idle == 40)
      syncs = world.ledger.syncs, tips = world.ledger.tips, from = world.clock.monotonic();
    if (idle == 180) {
      const auto seconds = (world.clock.monotonic() - from) / std::chrono::seconds(1);
      EXPECT_EQ(world.ledger.syncs, syncs);
      EXPECT_LE(static_cast<std::int64_t>(world.ledger.tips - tips), seconds / 10 + 1);
      EXPECT_GE(world.ledger.tips, tips + 3);
    }
  });
}

}  // namespace
}  // namespace pawl::pipeline
