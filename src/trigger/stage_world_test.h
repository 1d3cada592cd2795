// The mappings of a small world in virtual time: streams in memory, a function that does what a test says, a store that can die.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "drill/virtual_time.h"
#include "fault/memory_key_value_store.h"
#include "item/change.h"
#include "item/dynamodb_json.h"
#include "port/random.h"
#include "stream/sequence_text.h"
#include "trigger/mapping_stage.h"

namespace pawl::trigger {

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return state_ += 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t state_ = 1;
};

class ListedStreams final : public MappingStreams {
 public:
  struct Shard {
    std::vector<std::string> changes;  // encoded; the first has sequence number 1
    std::uint64_t floor = 0;
    bool ended = false;
    std::map<MappingId, std::uint64_t> held;
  };
  std::map<ShardId, Shard> shards;
  mutable std::size_t longest_read = 0;  // bytes of changes
  bool unreadable = false;

  std::optional<SourceExtent> extent(const MappingSource& source,
                                     std::uint32_t shard) const override {
    const auto found = shards.find(source.shard(shard));
    if (found == shards.end()) return std::nullopt;
    const Shard& it = found->second;
    return SourceExtent{{it.floor}, {it.changes.size()}, it.ended};
  }
  Status read(const MappingSource& source, std::uint32_t shard, SequenceNumber after,
              std::size_t count_max, const Visit& visit) const override {
    const Shard& it = shards.at(source.shard(shard));
    if (unreadable) return Error{ErrorCode::kUnavailable, "the disk does not answer", ""};
    if (after.value < it.floor) return Error{ErrorCode::kExhausted, "trimmed", ""};
    std::size_t bytes = 0;
    for (std::uint64_t i = after.value; i < it.changes.size() && i - after.value < count_max; ++i) {
      bytes += it.changes[i].size();
      longest_read = std::max(longest_read, bytes);
      if (!visit({i + 1}, it.changes[i])) break;
    }
    return ok();
  }
  std::string shard_name(const MappingSource&, std::uint32_t shard) const override {
    return "shardId-" + std::to_string(shard);
  }
  void hold(const MappingId& mapping, ShardId shard, SequenceNumber after) override {
    shards[shard].held[mapping] = after.value;
  }
  void lift(const MappingId& mapping, ShardId shard) override { shards[shard].held.erase(mapping); }
  // What a committer would do: trims all that nobody holds.
  void trim() {
    for (auto& [id, shard] : shards) {
      std::uint64_t least = shard.changes.size();
      for (const auto& [mapping, after] : shard.held) least = std::min(least, after);
      shard.floor = std::max(shard.floor, least);
    }
  }
};

// One record of an invocation, as the function sees it.
struct Seen {
  std::uint64_t sequence = 0;
  std::string key;
  std::string text;
};
using Batch = std::vector<Seen>;

class ScriptedFunction final : public FunctionHost {
 public:
  explicit ScriptedFunction(Clock& clock) : clock_(clock) {}
  std::function<InvocationResult(const Batch&)> script = [](const Batch&) { return returned(""); };
  Duration starts_in{0};  // a call, until it is begun
  Duration takes{0};
  std::vector<Batch> batches;          // all that were asked for
  std::vector<std::string> functions;  // of each of them
  std::string last_payload;

  static InvocationResult returned(std::string payload) {
    InvocationResult result;
    result.outcome = InvocationResult::Outcome::kReturned;
    result.payload = std::move(payload);
    return result;
  }
  static InvocationResult failed(
      InvocationResult::Outcome outcome = InvocationResult::Outcome::kFailed) {
    InvocationResult result;
    result.outcome = outcome;
    result.why = "it threw";
    return result;
  }

  Awaitable<InvocationResult> invoke(Invocation invocation) override {
    const Batch batch = parse(invocation.payload);
    last_payload = std::string(invocation.payload);
    batches.push_back(batch);
    functions.emplace_back(invocation.function);
    if (starts_in.count() > 0) co_await wait(starts_in);
    if (takes.count() > 0) {
      begin(invocation);
      co_await wait(takes);
      co_return script(batch);
    }
    auto result = script(batch);
    if (result.outcome != InvocationResult::Outcome::kThrottled &&
        result.outcome != InvocationResult::Outcome::kNotRun)
      begin(invocation);
    co_return result;
  }

 private:
  Awaitable<void> wait(Duration time) {
    const auto alarm = clock_.make_alarm();
    co_await alarm->wait_until(clock_.monotonic() + time);
  }
  static void begin(const Invocation& invocation) {
    if (invocation.begun) invocation.begun();
  }
  static Batch parse(std::string_view payload) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(payload.data(), payload.size(), true);
    Batch batch;
    for (const simdjson::dom::element record : root["Records"].get_array()) {
      const std::string_view number = record["dynamodb"]["SequenceNumber"];
      const std::string_view key = record["dynamodb"]["Keys"]["id"]["S"];
      batch.push_back(
          {stream::parse_sequence(number)->value, std::string(key), simdjson::to_string(record)});
    }
    return batch;
  }
  Clock& clock_;
};

class ListedFailures final : public FailureDestinations {
 public:
  std::vector<FailureNotice> notices;
  bool works = true;
  void deliver(FailureNotice notice, std::function<void(Status)> done) override {
    if (works) notices.push_back(std::move(notice));
    done(works ? ok() : Status(Error{ErrorCode::kUnavailable, "no", ""}));
  }
};

// Durable at once, but for checkpoints, which wait for the next urgent batch or for flush().
class TestState final : public StateSink {
 public:
  explicit TestState(MemoryKeyValueStore& store) : store_(store) {}
  void submit(WriteBatch batch, Urgency urgency, std::function<void(bool)> done) override {
    waiting_.emplace_back(std::move(batch), std::move(done));
    if (urgency == Urgency::kNow) flush();
  }
  void flush() {
    while (!waiting_.empty()) {
      auto [batch, done] = std::move(waiting_.front());
      waiting_.pop_front();
      ASSERT_EQ(store_.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
      done(true);
    }
  }
  void forget() { waiting_.clear(); }

 private:
  MemoryKeyValueStore& store_;
  std::deque<std::pair<WriteBatch, std::function<void(bool)>>> waiting_;
};

class StageTest : public ::testing::Test {
 protected:
  static constexpr Incarnation kTable{7};

  explicit StageTest(Profile profile = Profile::kPawl) {
    options_.profile = profile;
    for (std::uint32_t shard = 0; shard < 2; ++shard) streams_.shards[{kTable, shard}];
  }
  ~StageTest() override { crash(); }

  void start() {
    ASSERT_TRUE(MappingStage::prepare(store_).ok());
    auto stage = MappingStage::open(
        store_, {streams_, function_, failures_, state_, time_.clock(), random_}, options_);
    ASSERT_TRUE(stage.ok()) << stage.error().to_string();
    stage_ = std::move(*stage);
    process_ = time_.start_process();
    boost::asio::co_spawn(time_.executor(process_), stage_->run(),
                          [](const std::exception_ptr&) {});
    time_.run_ready();
  }
  void crash() {
    if (!stage_) return;
    time_.crash(process_);
    time_.run_ready();
    stage_.reset();
    state_.forget();
    store_.crash();
    for (auto& [id, shard] : streams_.shards) shard.held.clear();
  }
  void restart() {
    crash();
    start();
  }

  static MappingSource source() {
    MappingSource source;
    source.arn = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000";
    source.table = "t";
    source.view = "NEW_AND_OLD_IMAGES";
    source.incarnation = kTable;
    source.label = {1};
    source.shards = 2;
    return source;
  }
  MappingId create(MappingConfig config) {
    if (config.function.empty()) config.function = "f";
    MappingId id{};
    stage_->create(std::move(config), source(), [&id](const MappingAnswer& answer) {
      ASSERT_TRUE(answer.ok()) << answer.error().message;
      id = answer->record.id;
    });
    time_.run_ready();
    return id;
  }
  void update(const MappingId& id, MappingChanges changes) {
    bool done = false;
    stage_->update(id, std::move(changes),
                   [&done](const MappingAnswer& answer) { done = answer.ok(); });
    time_.run_ready();
    EXPECT_TRUE(done);
  }

  // One change of the item `key` in shard `shard`.
  void write(const std::string& key, std::uint32_t shard = 0) {
    auto& changes = streams_.shards[{kTable, shard}].changes;
    item::Change change;
    change.shard = {kTable, shard};
    change.sequence = {changes.size() + 1};
    change.key = item::parse_item_text(R"({"id":{"S":")" + key + "\"}}").value();
    change.version = Version{0};
    change.instant = time_.clock().now();
    change.new_image =
        item::parse_item_text(R"({"id":{"S":")" + key + R"("},"points":{"N":"7"}})").value();
    changes.push_back(item::encode_change(change));
    written_.insert(key);
    if (stage_) stage_->committed({kTable, shard});
  }
  void run_for(Duration time) {
    time_.run_for(time);
    state_.flush();
    time_.run_ready();
  }
  std::multiset<std::string> delivered() const { return delivered_; }
  // The function answers for everything but the poison, and remembers what it answered for.
  void remember(std::set<std::string> poison = {}) {
    function_.script = [this, poison = std::move(poison)](const Batch& batch) {
      for (const Seen& seen : batch) {
        if (poison.contains(seen.key)) return ScriptedFunction::failed();
      }
      for (const Seen& seen : batch) delivered_.insert(seen.key);
      return ScriptedFunction::returned("");
    };
  }

  VirtualTime time_;
  MemoryKeyValueStore store_;
  CountingRandom random_;
  ListedStreams streams_;
  ScriptedFunction function_{time_.clock()};
  ListedFailures failures_;
  TestState state_{store_};
  TriggerOptions options_;
  VirtualProcess process_;
  std::unique_ptr<MappingStage> stage_;
  std::set<std::string> written_;
  std::multiset<std::string> delivered_;
};

}  // namespace pawl::trigger
