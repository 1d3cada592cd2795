// The Streams API over a table store in memory, with a process that can die: what its tests stand on.
#pragma once

#include <gmock/gmock.h>
#include <simdjson.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "fault/memory_key_value_store.h"
#include "item/dynamodb_json.h"
#include "table/table_store.h"
#include "wire/fake_table_test.h"
#include "wire/shard_iterator.h"
#include "wire/stream_names.h"
#include "wire/streams_service.h"

namespace pawl::wire {

class TestClock final : public Clock {
 public:
  Instant now() override { return {microseconds_}; }
  MonotonicInstant monotonic() override { return {microseconds_}; }
  std::unique_ptr<Alarm> make_alarm() override { return nullptr; }
  void advance(Duration by) { microseconds_ += by.count(); }

 private:
  std::int64_t microseconds_ = 1'795'372'535'771'000;
};

class TestRandom final : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{7};
};

struct SilentListener final : table::CommitListener {
  void committed(std::span<const table::ShardAdvance>) override {}
  void table_created(const table::TableDescription&) override {}
  void table_deleted(const table::TableDescription&) override {}
  void table_adopted(const table::TableDescription&, Incarnation) override {}
  void room_changed(bool, const std::string&) override {}
  void heartbeat(Instant) override {}
  void trim_failed(const Error& error) override { ADD_FAILURE() << error.to_string(); }
  void failed(const std::string& why) override { ADD_FAILURE() << why; }
};

struct Answer {
  unsigned status = 0;
  std::string body;
  std::string code() const {
    const auto at = body.find('#');
    return at == std::string::npos ? body : body.substr(at + 1, body.find('"', at) - at - 1);
  }
};

class StreamsServiceTest : public ::testing::Test {
 protected:
  StreamsServiceTest() {
    options_.trim_interval = Duration{0};
    open();
  }

  void open() {
    auto opened = table::TableStore::open(store_, clock_, random_, listener_, options_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    tables_ = std::move(*opened);
    service_ = std::make_unique<StreamsService>(*tables_.streams, tables_.catalog->iterator_key(),
                                                [this] { return clock_.now(); });
  }
  void restart() {
    service_.reset();
    tables_ = {};
    store_.crash();
    open();
  }

  template <typename Action>
  void commit(Action action) {
    table::Command command;
    command.action = std::move(action);
    bool done = false;
    command.render = [](const table::Outcome& outcome) {
      return outcome.failure ? outcome.failure->message : std::string();
    };
    command.done = [&done](const std::optional<std::string>& answer) { done = answer == ""; };
    tables_.committer->submit(std::move(command));
    while (tables_.committer->run_round() == table::Committer::Round::kDone) {
    }
    EXPECT_TRUE(done);
  }
  void create(const std::string& name, std::optional<table::StreamView> view,
              std::uint16_t partitions = 1) {
    table::TableDefinition definition;
    definition.name = name;
    definition.schema.partition = {.name = "id", .type = item::Type::kString};
    definition.partitions = partitions;
    definition.stream = view;
    definition.record.record = false;  // released at once: what is kept is kept for the stream
    commit(table::CreateTable{definition});
  }
  void set_stream(const std::string& name, std::optional<table::StreamView> view) {
    table::UpdateTable update;
    update.name = name;
    update.stream = view;
    commit(update);
  }
  void write(table::Mutation::Kind kind, std::string_view json, const std::string& name = "users") {
    table::Mutation mutation;
    mutation.kind = kind;
    mutation.table = name;
    mutation.item = item::parse_item_text(json).value();
    table::Mutations one;
    one.mutations.push_back(std::move(mutation));
    commit(std::move(one));
  }
  void put(std::string_view json, const std::string& name = "users") {
    write(table::Mutation::Kind::kPut, json, name);
  }
  void remove(std::string_view json, const std::string& name = "users") {
    write(table::Mutation::Kind::kDelete, json, name);
  }

  Answer ask(std::string_view operation, std::string text) {
    text.reserve(text.size() + kBodyPadding);
    HttpRequest request;
    request.method = "POST";
    request.body = text;
    request.id = "r";
    const auto responder = std::make_shared<FakeResponder>();
    Caller caller;
    caller.region = "eu-north-1";
    service_->serve(operation, request, caller, Completion(responder));
    EXPECT_EQ(responder->calls, 1);
    if (!responder->response) return {};
    return {responder->response->status, responder->response->body};
  }
  // Of a success.
  simdjson::dom::element good(std::string_view operation, const std::string& text) {
    answer_ = ask(operation, text).body;
    simdjson::dom::element root;
    EXPECT_EQ(parser_.parse(answer_).get(root), simdjson::SUCCESS) << answer_;
    EXPECT_THAT(answer_, ::testing::Not(::testing::HasSubstr("__type"))) << text;
    return root;
  }
  std::string arn(const std::string& name = "users", std::size_t index = 0) {
    const auto streams = tables_.streams->list(name, "", "", 100);
    EXPECT_LT(index, streams.size());
    return stream_arn("eu-north-1", name, streams.at(index).facts->label);
  }
  std::string shard(std::uint32_t number = 0, std::size_t index = 0,
                    const std::string& name = "users") {
    return shard_id(tables_.streams->list(name, "", "", 100).at(index).facts->label, number);
  }
  static std::string text_of(simdjson::dom::element value, std::string_view name) {
    std::string_view text;
    return value[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  std::string iterator_request(const std::string& stream, const std::string& shard,
                               std::string_view type, const std::string& more = "") {
    return R"({"StreamArn":")" + stream + R"(","ShardId":")" + shard +
           R"(","ShardIteratorType":")" + std::string(type) + "\"" + more + "}";
  }
  std::string iterator(std::string_view type = "TRIM_HORIZON", const std::string& more = "",
                       std::uint32_t number = 0, std::size_t index = 0) {
    return text_of(good("GetShardIterator",
                        iterator_request(arn("users", index), shard(number, index), type, more)),
                   "ShardIterator");
  }
  static std::string records_request(const std::string& iterator, const std::string& more = "") {
    return R"({"ShardIterator":")" + iterator + "\"" + more + "}";
  }
  static std::string at(std::uint64_t number) {
    return R"(,"SequenceNumber":")" + sequence_text({number}) + "\"";
  }
  struct Page {
    std::vector<std::string> numbers;  // the sequence numbers without their zeros
    std::string next;
  };
  Page page(const std::string& iterator, const std::string& more = "") {
    const simdjson::dom::element root = good("GetRecords", records_request(iterator, more));
    Page found{{}, text_of(root, "NextShardIterator")};
    for (const simdjson::dom::element record : root["Records"]) {
      const std::string number = text_of(record["dynamodb"], "SequenceNumber");
      found.numbers.push_back(
          std::to_string(parse_sequence(number).value_or(SequenceNumber{}).value));
    }
    return found;
  }

  MemoryKeyValueStore store_;
  TestClock clock_;
  TestRandom random_;
  SilentListener listener_;
  table::CommitterOptions options_;
  table::TableStore tables_;
  std::unique_ptr<StreamsService> service_;
  simdjson::dom::parser parser_;
  std::string answer_;
};

}  // namespace pawl::wire
