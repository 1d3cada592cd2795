// Generated histories: tables that are written to, whose streams go off and on again, under a server that dies; and beside
// them a reader that reads as Amazon's KCL does, and dies too. It must get every change of the time a stream was on, once,
// and those of an item in order.
//
// The reader knows what KCL keeps in its lease table: the streams' ARNs, and for each shard the last sequence number that it
// has dealt with. Iterators it forgets when it dies.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "wire/streams_fixture_test.h"

namespace pawl::wire {
namespace {

using simdjson::dom::element;

class StreamsHistoryTest : public StreamsServiceTest {
 protected:
  void play(std::uint64_t seed) {
    random.seed(seed);
    table_ = "history" + std::to_string(seed);
    expected_.clear();
    received_.clear();
    numbers_.clear();
    checkpoints_.clear();
    iterators_.clear();
    done_.clear();
    state_.clear();
    is_on_ = chance(80);
    create(table_, is_on_ ? std::optional(table::StreamView::kNewAndOldImages) : std::nullopt,
           static_cast<std::uint16_t>(1 + below(4)));
    const std::uint64_t steps = 20 + below(60);
    for (std::uint64_t i = 0; i < steps; ++i) step();
    for (int i = 0; i < 3; ++i) read_all(1000);  // the last records, of every stream
    EXPECT_EQ(received_, expected_) << "seed " << seed;
    for (const auto& [item, story] : received_) records_ += story.size();
    commit(table::DeleteTable{table_});
    clock_.advance(options_.stream_retention);  // nothing of it is left for the next one
  }

  std::mt19937_64 random;
  std::size_t records_ = 0;  // of all histories

 private:
  std::uint64_t below(std::uint64_t end) { return random() % end; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }

  void step() {
    const auto what = below(100);
    if (what < 60) return write_one();
    if (what < 85) return read_all(1 + below(5));
    if (what < 90) return toggle();
    if (what < 95) return restart();
    if (what < 98) return iterators_.clear();  // the reader dies
    clock_.advance(std::chrono::minutes(20));  // no iterator lives so long
  }

  void toggle() {
    is_on_ = !is_on_;
    set_stream(table_, is_on_ ? std::optional(table::StreamView::kNewAndOldImages) : std::nullopt);
    if (chance(50)) clock_.advance(std::chrono::milliseconds(5));
  }

  void write_one() {
    const std::string id = "i" + std::to_string(below(6));
    const std::string key = R"({"id":{"S":")" + id + R"("}})";
    const std::string before = state_[id];
    std::string after;
    if (chance(70)) {
      after = R"({"id":{"S":")" + id + R"("},"v":{"N":")" + std::to_string(below(3)) + R"("}})";
      put(after, table_);
    } else {
      remove(key, table_);
    }
    state_[id] = after;
    if (before == after || !is_on_) return;
    const std::string kind = before.empty() ? "INSERT" : after.empty() ? "REMOVE" : "MODIFY";
    expected_[id].push_back(kind + " " + before + " > " + after);
  }

  // A round over all streams and shards, oldest stream first, as parents come before their children.
  void read_all(std::uint64_t limit) {
    for (const table::Stream& stream : tables_.streams->list(table_, "", "", 100)) {
      const std::string name = stream_arn("eu-north-1", table_, stream.facts->label);
      bool all_done = true;
      const element described = good("DescribeStream", R"({"StreamArn":")" + name + "\"}");
      std::vector<std::string> shards;
      for (const element shard : described["StreamDescription"]["Shards"]) {
        shards.push_back(text_of(shard, "ShardId"));
      }
      for (const std::string& shard : shards) {
        read_shard(name, shard, limit);
        all_done = all_done && done_.contains(shard);
      }
      if (!all_done) return;
    }
  }

  void read_shard(const std::string& stream, const std::string& shard, std::uint64_t limit) {
    if (done_.contains(shard)) return;
    if (!iterators_.contains(shard) && !open_iterator(stream, shard)) return;
    const Answer answer = ask(
        "GetRecords", records_request(iterators_[shard], ",\"Limit\":" + std::to_string(limit)));
    if (answer.code() == "ExpiredIteratorException") {
      iterators_.erase(shard);
      return;
    }
    ASSERT_EQ(answer.status, 200U) << answer.body;
    element page;
    ASSERT_EQ(parser_.parse(answer.body).get(page), simdjson::SUCCESS);
    for (const element record : page["Records"]) take(shard, record);
    const std::string next = text_of(page, "NextShardIterator");
    if (next.empty()) {
      done_.insert(shard);
      iterators_.erase(shard);
    } else {
      iterators_[shard] = next;
    }
  }

  bool open_iterator(const std::string& stream, const std::string& shard) {
    const auto known = checkpoints_.find(shard);
    const std::string request =
        known == checkpoints_.end()
            ? iterator_request(stream, shard, "TRIM_HORIZON")
            : iterator_request(stream, shard, "AFTER_SEQUENCE_NUMBER",
                               R"(,"SequenceNumber":")" + known->second + "\"");
    iterators_[shard] = text_of(good("GetShardIterator", request), "ShardIterator");
    return !iterators_[shard].empty();
  }

  static std::string image(element change, std::string_view name) {
    element found;
    if (change[name].get(found) != simdjson::SUCCESS) return "";
    return simdjson::minify(found);
  }

  void take(const std::string& shard, element record) {
    const element change = record["dynamodb"];
    const std::string number = text_of(change, "SequenceNumber");
    EXPECT_GE(number.size(), kSequenceTextMin);
    EXPECT_TRUE(numbers_[shard].empty() || numbers_[shard] < number) << "they sort";
    numbers_[shard] = number;
    checkpoints_[shard] = number;
    received_[text_of(change["Keys"]["id"], "S")].push_back(text_of(record, "eventName") + " " +
                                                            image(change, "OldImage") + " > " +
                                                            image(change, "NewImage"));
  }

  std::string table_;
  bool is_on_ = false;
  std::map<std::string, std::string> state_;                  // of each item, "" = none
  std::map<std::string, std::vector<std::string>> expected_;  // by item
  std::map<std::string, std::vector<std::string>> received_;
  std::map<std::string, std::string> numbers_;  // the last of each shard
  std::map<std::string, std::string> checkpoints_;
  std::map<std::string, std::string> iterators_;
  std::set<std::string> done_;
};

TEST_F(StreamsHistoryTest, EveryRecordOnceAndInOrder) {
  constexpr std::uint64_t kHistories = 1000;
  for (std::uint64_t seed = 1; seed <= kHistories && !HasFailure(); ++seed) play(seed);
  EXPECT_GT(records_, 10'000U);
}

}  // namespace
}  // namespace pawl::wire
