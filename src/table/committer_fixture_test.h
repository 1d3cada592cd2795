// For the tests of this folder: a table store in memory that is stepped by hand, crashed and opened
// again.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fault/manual_clock.h"
#include "fault/memory_key_value_store.h"
#include "item/change.h"
#include "item/dynamodb_json.h"
#include "table/table_store.h"

namespace pawl::table {

class RecordingListener final : public CommitListener {
 public:
  void committed(std::span<const ShardAdvance> shards) override {
    for (const ShardAdvance& shard : shards) advanced[shard.shard] = shard.newest;
  }
  void table_created(const TableDescription& table) override { created.push_back(table); }
  void table_deleted(const TableDescription& table) override { deleted.push_back(table); }
  void table_adopted(const TableDescription& table, Incarnation parent) override {
    adopted.emplace_back(table, parent);
  }
  void room_changed(bool enough, const std::string&) override { room.push_back(enough); }
  void heartbeat(Instant at) override { heartbeats.push_back(at); }
  void trim_failed(const Error& error) override { trim_errors.push_back(error.to_string()); }
  void failed(const std::string& why) override { failures.push_back(why); }

  std::map<ShardId, SequenceNumber> advanced;
  std::vector<TableDescription> created;
  std::vector<TableDescription> deleted;
  std::vector<std::pair<TableDescription, Incarnation>> adopted;
  std::vector<bool> room;
  std::vector<Instant> heartbeats;
  std::vector<std::string> trim_errors;
  std::vector<std::string> failures;
};

// What came of one command.
struct Reply {
  int calls = 0;                      // of done()
  std::optional<std::string> answer;  // of done(); nothing = unknown
  Outcome outcome;                    // as it was rendered last
  bool done() const { return calls == 1 && answer && *answer == "ok"; }
  std::optional<Refusal> refusal() const {
    if (!outcome.failure) return std::nullopt;
    return outcome.failure->refusal;
  }
  std::string message() const { return outcome.failure ? outcome.failure->message : ""; }
};
using ReplyPtr = std::shared_ptr<Reply>;

inline item::Item item_of(std::string_view json) {
  auto parsed = item::parse_item_text(json);
  EXPECT_TRUE(parsed.ok()) << json;
  return parsed.ok() ? *parsed : item::Item{};
}
inline std::string json_of(const item::Item& item) {
  std::string text;
  item::append_item_json(text, item);
  return text;
}

class CommitterTest : public ::testing::Test {
 protected:
  CommitterTest() {
    options.trim_interval = Duration{0};
    open();
  }

  void open() {
    auto opened = TableStore::open(store, clock, random, listener, options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    tables = std::move(*opened);
  }
  void close() { tables = {}; }
  void crash() {
    close();
    store.crash();
    open();
  }
  void run() {
    while (tables.committer->run_round() == Committer::Round::kDone) {
    }
  }

  ReplyPtr submit(Command command) {
    auto reply = std::make_shared<Reply>();
    command.render = [reply](const Outcome& outcome) -> std::string {
      reply->outcome = outcome;
      return outcome.failure ? "refused" : "ok";
    };
    command.done = [reply](std::optional<std::string> answer) {
      reply->calls += 1;
      reply->answer = std::move(answer);
    };
    tables.committer->submit(std::move(command));
    return reply;
  }
  template <typename Action>
  ReplyPtr submit_action(Action action) {
    Command command;
    command.action = std::move(action);
    return submit(std::move(command));
  }
  ReplyPtr do_command(Command command) {
    ReplyPtr reply = submit(std::move(command));
    run();
    return reply;
  }
  template <typename Action>
  ReplyPtr do_action(Action action) {
    ReplyPtr reply = submit_action(std::move(action));
    run();
    return reply;
  }

  void create(const std::string& name, bool sorted = false, std::uint16_t partitions = 1) {
    TableDefinition definition;
    definition.name = name;
    definition.schema.partition = {.name = "id", .type = item::Type::kString};
    if (sorted) definition.schema.sort = item::KeyAttribute{"seq", item::Type::kNumber};
    definition.partitions = partitions;
    definition.record.name_template = "{table}/{key}-{version}.json";
    const ReplyPtr reply = do_action(CreateTable{definition});
    ASSERT_TRUE(reply->done()) << reply->message();
  }
  static Mutation put(std::string_view json, const std::string& table = "users") {
    return mutation(Mutation::Kind::kPut, json, table);
  }
  static Mutation remove(std::string_view json, const std::string& table = "users") {
    return mutation(Mutation::Kind::kDelete, json, table);
  }
  static Mutation update(std::string_view json, std::string_view expression = "",
                         std::string_view values = "{}") {
    Mutation result = mutation(Mutation::Kind::kUpdate, json, "users");
    if (!expression.empty()) {
      auto placeholders = expression::Placeholders::make({}, item_of(values));
      EXPECT_TRUE(placeholders.ok());
      auto parsed = expression::Update::parse(expression, *placeholders);
      EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
      result.update = *parsed;
    }
    return result;
  }
  static Mutation with_condition(Mutation mutation, std::string_view text,
                                 std::string_view values = "{}") {
    mutation.condition = condition(text, expression::Condition::Kind::kCondition, values);
    return mutation;
  }
  static expression::Condition condition(std::string_view text, expression::Condition::Kind kind,
                                         std::string_view values = "{}") {
    auto placeholders = expression::Placeholders::make({}, item_of(values));
    EXPECT_TRUE(placeholders.ok());
    auto parsed = expression::Condition::parse(text, kind, *placeholders);
    EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
    return *parsed;
  }
  static Mutation mutation(Mutation::Kind kind, std::string_view json, const std::string& table) {
    Mutation result;
    result.kind = kind;
    result.table = table;
    result.item = item_of(json);
    return result;
  }
  static Mutations one(Mutation mutation) {
    Mutations mutations;
    mutations.mutations.push_back(std::move(mutation));
    return mutations;
  }
  static Transaction all(std::vector<Mutation> mutations) { return {std::move(mutations)}; }

  ReplyPtr write(Mutation mutation) { return do_action(one(std::move(mutation))); }

  std::string read(std::string_view key, const std::string& table = "users") {
    const auto result = tables.reader->get(table, item_of(key));
    if (const auto* failure = std::get_if<Failure>(&result)) return "refused: " + failure->message;
    const auto& found = std::get<0>(result);
    return found ? json_of(*found) : "";
  }
  Incarnation incarnation(const std::string& table = "users") {
    const TablePtr found = tables.catalog->view()->find(table);
    return found ? found->record.incarnation : Incarnation{};
  }
  ShardId shard(std::uint16_t number = 0, const std::string& table = "users") {
    return {.incarnation = incarnation(table), .number = number};
  }
  std::vector<item::Change> changes(ShardId shard, SequenceNumber after = {}) {
    std::vector<item::Change> found;
    const auto records = tables.log->read_now(shard, after, 100'000, SIZE_MAX);
    EXPECT_TRUE(records.ok()) << (records.ok() ? "" : records.error().to_string());
    if (!records.ok()) return found;
    for (const ChangeRecord& record : *records) {
      auto change = item::decode_change(record.shard, record.sequence, record.encoded);
      EXPECT_TRUE(change.ok());
      if (change.ok()) found.push_back(*change);
    }
    return found;
  }
  // "INSERT 0", "MODIFY 1", …: kinds and versions of a shard's changes.
  std::vector<std::string> story(ShardId shard, SequenceNumber after = {}) {
    std::vector<std::string> lines;
    for (const item::Change& change : changes(shard, after)) {
      lines.push_back(std::string(name_of(change.kind)) + " " +
                      std::to_string(change.version->value));
    }
    return lines;
  }

  MemoryKeyValueStore store;
  ManualClock clock;
  SeededRandom random{1};
  RecordingListener listener;
  CommitterOptions options;
  TableStore tables;
};

}  // namespace pawl::table
