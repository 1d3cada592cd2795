// Tables from creation to the end of their change log, and trimming.
#include <gmock/gmock.h>

#include "base/coding.h"
#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TableLifecycleTest : public CommitterTest {
 protected:
  TableDescription describe(const std::string& table = "users") {
    auto result = tables.reader->describe(table);
    EXPECT_TRUE(std::holds_alternative<TableDescription>(result));
    auto* found = std::get_if<TableDescription>(&result);
    return found ? *found : TableDescription{};
  }
  void put_many(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string value = std::to_string(++counter_);
      EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":")" + value + R"("}})"))->done());
    }
  }
  static TableDefinition definition_of(const std::string& name) {
    TableDefinition definition;
    definition.name = name;
    definition.schema.partition = {"id", item::Type::kString};
    definition.partitions = 1;
    return definition;
  }

 private:
  int counter_ = 0;
};

TEST_F(TableLifecycleTest, ATableIsCreatedOnceAndFoundAfterACrash) {
  create("users", true, 4);
  EXPECT_EQ(listener.created.size(), 1U);
  TableDefinition definition = describe().definition;
  EXPECT_EQ(do_action(CreateTable{definition})->refusal(), Refusal::kTableExists);
  const Incarnation before = incarnation();
  const std::uint64_t data_id = tables.catalog->data_id();
  crash();
  EXPECT_EQ(incarnation(), before);
  EXPECT_EQ(tables.catalog->data_id(), data_id);
  EXPECT_EQ(describe().definition, definition);
  EXPECT_EQ(tables.log->shards().size(), 4U);
  EXPECT_THAT(tables.reader->list("", 10), ElementsAre("users"));
  definition.name = "no";
  EXPECT_EQ(do_action(CreateTable{definition})->refusal(), Refusal::kInvalid);
  definition.name = "users/..";
  EXPECT_EQ(do_action(CreateTable{definition})->refusal(), Refusal::kInvalid);
}

TEST_F(TableLifecycleTest, ACreationThatWasNotWrittenNeverWas) {
  ScriptedFaultPlan plan;
  plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(StoreWriteFault::kNotDone)});
  store.set_fault_plan(&plan);
  EXPECT_EQ(do_action(CreateTable{definition_of("users")})->refusal(), Refusal::kStorage);
  EXPECT_THAT(tables.reader->list("", 10), IsEmpty());
  EXPECT_THAT(listener.created, IsEmpty());
  EXPECT_TRUE(do_action(CreateTable{definition_of("users")})->done());
  store.set_fault_plan(nullptr);
}

TEST_F(TableLifecycleTest, ADeletedTableIsGoneAtOnceButItsChangesAreHeld) {
  create("users");
  write(put(R"({"id":{"S":"A"}})"));
  write(put(R"({"id":{"S":"B"}})"));
  write(remove(R"({"id":{"S":"B"}})"));
  const ShardId old = shard();
  EXPECT_TRUE(do_action(DeleteTable{"users"})->done());
  ASSERT_EQ(listener.deleted.size(), 1U);
  EXPECT_EQ(do_action(DeleteTable{"users"})->refusal(), Refusal::kNoSuchTable);
  EXPECT_EQ(store.size(KeySpace::kItems), 0U);
  EXPECT_EQ(store.size(KeySpace::kDeletedVersions), 0U);

  create("users");
  EXPECT_NE(incarnation(), old.incarnation);
  write(put(R"({"id":{"S":"A"}})"));
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0")) << "another incarnation counts anew";
  crash();
  EXPECT_THAT(story(old), ElementsAre("INSERT 0", "INSERT 0", "REMOVE 1"));

  const std::size_t held = store.size(KeySpace::kChanges);
  tables.committer->table_settled(old.incarnation);
  run();
  EXPECT_EQ(store.size(KeySpace::kChanges), held - 3);
  EXPECT_FALSE(tables.catalog->view()->by_incarnation.contains(old.incarnation));
  EXPECT_FALSE(tables.log->position(old));
  tables.committer->table_settled(old.incarnation);  // as a pipeline may after a crash
  run();
  crash();
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0"));
  EXPECT_EQ(read(R"({"id":{"S":"A"}})"), R"({"id":{"S":"A"}})");
}

TEST_F(TableLifecycleTest, WhatACrashBringsBackOfADeletedTableIsRemovedAgain) {
  create("users");
  for (int i = 0; i < 20; ++i) write(put(R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  EXPECT_TRUE(do_action(DeleteTable{"users"})->done());
  crash();  // the range removal was not synced
  EXPECT_EQ(store.size(KeySpace::kItems), 0U);
}

TEST_F(TableLifecycleTest, DeletionProtectionHolds) {
  create("users");
  UpdateTable update;
  update.name = "users";
  update.deletion_protected = true;
  EXPECT_TRUE(do_action(update)->done());
  EXPECT_EQ(do_action(DeleteTable{"users"})->refusal(), Refusal::kTableProtected);
  crash();
  EXPECT_EQ(do_action(DeleteTable{"users"})->refusal(), Refusal::kTableProtected);
  update.deletion_protected = false;
  EXPECT_TRUE(do_action(update)->done());
  EXPECT_TRUE(do_action(DeleteTable{"users"})->done());
}

TEST_F(TableLifecycleTest, AStreamIsSwitchedOnAndOff) {
  create("users");
  const auto set = [this](std::optional<StreamView> view) {
    UpdateTable update;
    update.name = "users";
    update.stream = view;
    return do_action(update);
  };
  EXPECT_EQ(set(std::nullopt)->refusal(), Refusal::kInvalid);
  EXPECT_TRUE(set(StreamView::kNewImage)->done());
  EXPECT_EQ(describe().stream_enabled, clock.now());
  EXPECT_EQ(set(StreamView::kOldImage)->message(),
            "Table already has an enabled stream: TableName: users");
  EXPECT_TRUE(set(std::nullopt)->done());
  EXPECT_FALSE(describe().definition.stream);
  UpdateTable nobody;
  nobody.name = "nobody";
  EXPECT_EQ(do_action(nobody)->refusal(), Refusal::kNoSuchTable);
}

TEST_F(TableLifecycleTest, ATableCommandIsRepeatedLikeAWrite) {
  for (int i = 0; i < 2; ++i) {
    Command command;
    command.action = CreateTable{definition_of("users")};
    command.invocation =
        RepeatGuard{.caller = "", .id = "i1", .client_token = false, .request = {}};
    EXPECT_TRUE(do_command(std::move(command))->done());
  }
  EXPECT_EQ(listener.created.size(), 1U);
}

TEST_F(TableLifecycleTest, ReleasedChangesAreTrimmedButForTheNewest) {
  create("users");
  put_many(5);
  tables.log->release(shard(), {3});
  run();
  EXPECT_EQ(tables.log->position(shard())->floor.value, 2U);
  EXPECT_EQ(store.size(KeySpace::kChanges), 3U);
  EXPECT_THAT(story(shard(), {2}), ElementsAre("MODIFY 2", "MODIFY 3", "MODIFY 4"));
  const auto trimmed = tables.log->read_now(shard(), {1}, 10, 1000);
  ASSERT_FALSE(trimmed.ok());
  EXPECT_EQ(trimmed.error().code, ErrorCode::kCorrupt);

  tables.log->release(shard(), {5});
  run();
  crash();  // the removal comes undone, the floor does not
  EXPECT_EQ(tables.log->position(shard())->floor.value, 4U);
  EXPECT_THAT(story(shard(), {4}), ElementsAre("MODIFY 4"));
  put_many(1);
  EXPECT_THAT(story(shard(), {4}), ElementsAre("MODIFY 4", "MODIFY 5"));
}

TEST_F(TableLifecycleTest, NothingIsTrimmedBeforeItsTime) {
  options.trim_interval = std::chrono::seconds(5);
  crash();
  create("users");
  put_many(4);
  tables.log->release(shard(), {2});
  run();
  EXPECT_EQ(tables.log->position(shard())->floor.value, 1U);
  tables.log->release(shard(), {4});
  run();
  EXPECT_EQ(tables.log->position(shard())->floor.value, 1U);
  put_many(1);
  EXPECT_EQ(tables.log->position(shard())->floor.value, 1U) << "nor with a round that writes";
  create("others");
  EXPECT_EQ(tables.log->position(shard())->floor.value, 1U) << "nor with one of tables";
  clock.advance(std::chrono::seconds(5));
  run();
  EXPECT_EQ(tables.log->position(shard())->floor.value, 3U);
}

TEST_F(TableLifecycleTest, AnUnrecordedTableTrimsAndSettlesItself) {
  TableDefinition definition = definition_of("plain");
  definition.record.record = false;
  EXPECT_TRUE(do_action(CreateTable{definition})->done());
  for (int i = 0; i < 5; ++i) {
    write(put(R"({"id":{"S":"A"},"v":{"N":")" + std::to_string(i) + R"("}})", "plain"));
  }
  EXPECT_EQ(store.size(KeySpace::kChanges), 1U);
  EXPECT_TRUE(do_action(DeleteTable{"plain"})->done());
  EXPECT_EQ(store.size(KeySpace::kChanges), 0U);
  EXPECT_TRUE(tables.catalog->view()->by_incarnation.empty());
}

TEST_F(TableLifecycleTest, AHoleInTheChangeLogIsSaidAndNeverSkipped) {
  create("users");
  put_many(4);
  WriteBatch batch;
  std::string key;
  append_u64_be(key, incarnation().value);
  append_u16_be(key, 0);
  append_u64_be(key, 2);
  batch.erase(KeySpace::kChanges, key);
  EXPECT_EQ(store.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  const auto read = tables.log->read_now(shard(), {0}, 10, 100'000);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr("lacks change 2"));
}

TEST_F(TableLifecycleTest, TheLogIsReadInBoundedPieces) {
  create("users");
  put_many(5);
  EXPECT_EQ(tables.log->read_now(shard(), {1}, 2, SIZE_MAX)->size(), 2U);
  EXPECT_EQ(tables.log->read_now(shard(), {1}, 10, 1)->size(), 1U) << "at least one";
  EXPECT_TRUE(tables.log->read_now(shard(), {5}, 10, 1)->empty());
  const auto nobody = tables.log->read_now({.incarnation = {1}, .number = 0}, {0}, 10, 1);
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, ErrorCode::kNotFound);
}

TEST_F(TableLifecycleTest, ANewerFormatIsRefused) {
  close();
  WriteBatch batch;
  std::string value;
  append_varint(value, kDataFormat + 1);
  batch.put(KeySpace::kCatalog, std::string(kFormatKey), value);
  EXPECT_EQ(store.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  const auto opened = TableStore::open(store, clock, random, listener, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message,
              HasSubstr("its format is " + std::to_string(kDataFormat + 1)));
}

TEST_F(TableLifecycleTest, ADamagedCatalogIsRefused) {
  create("users");
  const Incarnation id = incarnation();
  close();
  WriteBatch batch;
  batch.put(KeySpace::kCatalog, table_key(id), "nonsense");
  EXPECT_EQ(store.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  const auto opened = TableStore::open(store, clock, random, listener, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pawl::table
