#include "pipeline/restore.h"

#include <gtest/gtest.h>

#include "archive/object_body.h"
#include "fault/fault_plan.h"
#include "fault/memory_key_value_store.h"
#include "ledger/line.h"
#include "pipeline/ledger_view.h"
#include "pipeline/recorder_world_test.h"
#include "pipeline/restore_writer.h"
#include "pipeline/unsealed.h"
#include "stream/change_log.h"
#include "table/catalog.h"
#include "table/item_format.h"

namespace pawl::pipeline {
namespace {

// An archive of two items, of which one was removed and one was changed twice.
void fill(RecorderWorld& world) {
  world.commit(users_change(kShard0, 1, "A", 1));
  auto second = users_change(kShard0, 2, "A", 2);
  second.kind = item::ChangeKind::kModify;
  second.old_image = users_change(kShard0, 1, "A", 1).new_image;
  world.commit(second);
  world.commit(users_change(kShard0, 3, "B", 1));
  auto removal = users_change(kShard0, 4, "B", 1);
  removal.kind = item::ChangeKind::kRemove;
  removal.old_image = std::exchange(removal.new_image, std::nullopt);
  world.commit(removal);
  world.live(2);
}

std::optional<std::string> stored(KeyValueStore& store, KeySpace space, const std::string& id) {
  item::Item key;
  key["hashid"] = item::String{id};
  const auto place = table::place_of(kUsers, users_table().definition.schema, key);
  return store.get(space, place.key).value();
}

TEST(Restore, BringsBackItemsCountersAndTheEndOfTheLog) {
  RecorderWorld world;
  fill(world);
  MemoryKeyValueStore store;
  SeededRandom random{1};
  auto writer = RestoreWriter::begin(store, random);
  ASSERT_TRUE(writer.ok());
  const auto report = RecorderWorld::wait(restore(world.objects, world.ledger, *writer));
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->tables, 1U);
  EXPECT_EQ(report->items, 1U);
  EXPECT_EQ(report->removed_items, 1U);
  EXPECT_EQ(report->changes, 4U);

  const auto item = table::decode_stored_item(stored(store, KeySpace::kItems, "A").value());
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->version.value, 1U);
  EXPECT_EQ(item->item, *users_change(kShard0, 2, "A", 2).new_image);
  EXPECT_FALSE(stored(store, KeySpace::kItems, "B").has_value());
  const auto removed =
      table::decode_deleted_version(stored(store, KeySpace::kDeletedVersions, "B").value());
  EXPECT_EQ(removed->value, 3U);

  // A server started on it goes on after the ledger's end.
  auto catalog = table::Catalog::open(store, random);
  ASSERT_TRUE(catalog.ok());
  const auto found = (*catalog)->view()->find("users");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->record.incarnation, kUsers);
  EXPECT_EQ(found->record.definition, users_table().definition);
  stream::ChangeLog log(store);
  for (const auto shard : found->shards()) {
    const auto& floors = (*catalog)->floors_at_open();
    const auto floor = floors.find(shard);
    ASSERT_TRUE(log.open(shard, floor == floors.end() ? SequenceNumber{} : floor->second).ok());
  }
  world.tables.list[0].definition = found->record.definition;
  RecorderPorts ports{log,         world.objects, world.ledger, world.tables,
                      world.board, world.clock,   nullptr};
  Recorder recorder(ports, world.options);
  const auto opening = RecorderWorld::wait(recorder.open());
  ASSERT_TRUE(opening.ok()) << opening.error().to_string();
  EXPECT_FALSE(opening->needs_adopt());
}

TEST(Restore, RefusesADirectoryThatIsInUse) {
  RecorderWorld world;
  fill(world);
  MemoryKeyValueStore store;
  SeededRandom random{1};
  auto writer = RestoreWriter::begin(store, random);
  ASSERT_TRUE(RecorderWorld::wait(restore(world.objects, world.ledger, *writer)).ok());
  const auto again = RestoreWriter::begin(store, random);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kExists);
}

TEST(Restore, AlteredAndMissingObjectsAreErrors) {
  for (const bool missing : {false, true}) {
    RecorderWorld world;
    fill(world);
    const std::string name = "logs/A-2.log";
    if (missing) {
      world.objects.objects.erase(name);
    } else {
      world.objects.objects[name][10] ^= 1;
    }
    MemoryKeyValueStore store;
    SeededRandom random{1};
    auto writer = RestoreWriter::begin(store, random);
    const auto report = RecorderWorld::wait(restore(world.objects, world.ledger, *writer));
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
    // Nothing of it counts.
    EXPECT_TRUE((*table::Catalog::open(store, random))->view()->by_incarnation.empty());
  }
}

// What is appended to the root chain of a world.
void append_event(RecorderWorld& world, ledger::RootEvent event) {
  ledger::ChainEndState end = RecorderWorld::wait(read_root_chain(world.ledger))->root;
  auto page = ledger::next_root_page(end, kArchiveId, std::move(event), end.instant, nullptr);
  world.ledger.appended["root"].push_back(std::move(page->line.text));
}

TEST(Restore, ATableThatSomebodyElseKeepsIsRefused) {
  RecorderWorld world;
  fill(world);
  append_event(world, ledger::TableGuarded{{0x77}, "points", "arn:points", "{}"});
  append_event(world,
               ledger::ShardOpened{{0x77}, {{0x77}, 0x10000}, "arn:stream", "shard", {}, false});
  append_event(world, ledger::CounterReset{{0x77}, {{0x77}, 0x10000}, {7}, "a", "a~x"});
  append_event(world, ledger::ShardClosed{{0x77}, {{{0x77}, 0x10000}, {}, 0, {}}});
  MemoryKeyValueStore store;
  SeededRandom random{1};
  auto writer = RestoreWriter::begin(store, random);
  const auto report = RecorderWorld::wait(restore(world.objects, world.ledger, *writer));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  EXPECT_NE(report.error().message.find("'points'"), std::string::npos) << report.error().message;
  EXPECT_FALSE(report.error().hint.empty());
  EXPECT_TRUE((*table::Catalog::open(store, random))->view()->by_incarnation.empty());
}

// Its checkpoints and its tip would leave out the guard's chains.
TEST(Restore, NorDoesAServerWriteIntoItsArchive) {
  RecorderWorld world;
  append_event(world, ledger::TableGuarded{{0x77}, "points", "arn:points", "{}"});
  const auto lines = world.ledger.appended;
  Recorder recorder(world.ports(), world.options);
  const auto opening = RecorderWorld::wait(recorder.open());
  ASSERT_FALSE(opening.ok());
  EXPECT_EQ(opening.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.ledger.appended, lines);
}

TEST(Restore, AGuardedChangeInAChainOfPawlsOwnIsDamage) {
  RecorderWorld world;
  fill(world);
  const auto shard = kShard0.to_string();
  auto page = ledger::parse_page(ledger::parse_line(world.ledger.appended[shard][0])->json);
  ASSERT_TRUE(page.ok());
  for (auto& entry : page->entries) entry.source = std::to_string(entry.sequence.value);
  world.ledger.appended[shard] = {ledger::make_line(ledger::encode_page(*page), nullptr)->text};
  MemoryKeyValueStore store;
  SeededRandom random{1};
  auto writer = RestoreWriter::begin(store, random);
  const auto report = RecorderWorld::wait(restore(world.objects, world.ledger, *writer));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(report.error().message.find("guarded"), std::string::npos) << report.error().message;
}

// The objects of a world as a listing.
class ListedObjects final : public ArchiveView {
 public:
  explicit ListedObjects(const ScriptedObjects& objects) : objects_(objects) {}
  std::string describe() const override { return "memory"; }
  Status list(std::string_view, const std::function<bool(const Entry&)>& visit) override {
    for (const auto& [name, body] : objects_.objects) {
      if (!visit({name, body.size()})) break;
    }
    return ok();
  }
  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    const auto found = objects_.objects.find(std::string(name));
    if (found == objects_.objects.end()) return std::optional<std::string>{};
    return std::optional(found->second.substr(offset, size_max));
  }

 private:
  const ScriptedObjects& objects_;
};

TEST(Restore, ObjectsInNoPageAreSetAsideAndAlarmNobody) {
  RecorderWorld world;
  fill(world);
  auto& objects = world.objects.objects;
  // Durable when the data directory was lost, and not in a page yet; the second in a shard that has no page at all.
  objects["logs/A-3.log"] = archive::render_body("users", users_change(kShard0, 5, "A", 3));
  objects["logs/C-1.log"] = archive::render_body("users", users_change(kShard1, 1, "C", 1));
  // Not this one's business: a change that a page lists under another name, and what is no object.
  objects["logs/stray.log"] = archive::render_body("users", users_change(kShard0, 1, "A", 1));
  objects["notes.txt"] = "hello";
  objects[".pawl/hashed/ab"] = objects["logs/A-3.log"];
  const auto before = objects;

  ListedObjects names(world.objects);
  const auto moved = RecorderWorld::wait(set_unsealed_aside(names, world.ledger, world.objects));
  ASSERT_TRUE(moved.ok()) << moved.error().to_string();
  EXPECT_EQ(*moved, 2U);
  EXPECT_EQ(world.objects.aside, (std::vector<std::string>{"logs/A-3.log", "logs/C-1.log"}));
  EXPECT_EQ(objects.size(), before.size() - 2);
  const auto again = RecorderWorld::wait(set_unsealed_aside(names, world.ledger, world.objects));
  EXPECT_EQ(*again, 0U);

  // The table goes on, and its next version is another one of the same name.
  world.commit(users_change(kShard0, 5, "A", 3));
  world.changes.changes[kShard0].back().trace = "another";
  const auto status = world.live(3);
  EXPECT_EQ(status.renamed, 0U);
  EXPECT_TRUE(status.alarms.empty());
  EXPECT_TRUE(objects.contains("logs/A-3.log"));
}

}  // namespace
}  // namespace pawl::pipeline
