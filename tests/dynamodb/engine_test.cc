// The stream and the table of somebody else, in a real engine.
#include <set>

#include "adapter/dynamodb_source_table.h"
#include "adapter/dynamodb_table_stream.h"
#include "test_engine.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A table with a stream: partition key p (S), sort key n (N).
class EngineTable : public testing::Test {
 protected:
  void SetUp() override {
    engine_.call(
        "CreateTable",
        R"({"TableName":")" + name_ +
            R"(","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[)"
            R"({"AttributeName":"p","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],)"
            R"("KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],)"
            R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}})");
  }

  static std::string key(int n) {
    return R"({"p":{"S":"p"},"n":{"N":")" + std::to_string(n) + "\"}}";
  }
  static std::string item(int n, const std::string& value) {
    return R"({"p":{"S":"p"},"n":{"N":")" + std::to_string(n) + R"("},"v":{"S":")" + value + "\"}}";
  }
  void put(int n, const std::string& value) {
    engine_.call("PutItem", R"({"TableName":")" + name_ + R"(","Item":)" + item(n, value) + "}");
  }
  void remove(int n) {
    engine_.call("DeleteItem", R"({"TableName":")" + name_ + R"(","Key":)" + key(n) + "}");
  }
  SourceTableFacts facts() {
    auto found = run_awaitable(table_.describe());
    EXPECT_TRUE(found.ok()) << found.error().to_string();
    return found.ok() ? *found : SourceTableFacts{};
  }
  std::string arn() { return facts().stream.value_or(StreamFacts{}).arn; }
  std::vector<StreamShard> shards(const std::string& arn) {
    const auto page = run_awaitable(stream_.shards(arn, ""));
    EXPECT_TRUE(page.ok()) << page.error().message;
    return page.ok() ? page->shards : std::vector<StreamShard>();
  }
  std::string iterator(const std::string& arn, const std::string& shard, StreamPosition position) {
    const auto found = run_awaitable(stream_.iterator(arn, shard, std::move(position)));
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? *found : std::string();
  }
  // Up to `pages` pages from there on; `at` becomes the next iterator.
  std::vector<StreamRecord> read(std::string& at, int pages, std::size_t count_max = 1000) {
    std::vector<StreamRecord> records;
    for (int i = 0; i < pages && !at.empty(); ++i) {
      auto page = run_awaitable(stream_.records(at, count_max));
      EXPECT_TRUE(page.ok()) << page.error().message;
      if (!page.ok()) break;
      EXPECT_LE(page->records.size(), count_max);
      for (auto& record : page->records) records.push_back(std::move(record));
      at = page->next_iterator;
    }
    return records;
  }

  TestEngine engine_;
  std::string name_ = engine_.new_name();
  DynamoDbSourceTable table_{engine_.client(), name_};
  DynamoDbTableStream stream_{engine_.client()};
};

TEST_F(EngineTable, Facts) {
  put(1, "x");
  const auto found = facts();
  EXPECT_EQ(found.name, name_);
  EXPECT_THAT(found.arn, HasSubstr(name_));
  EXPECT_EQ(found.partition.name, "p");
  EXPECT_EQ(found.partition.type, 'S');
  ASSERT_TRUE(found.sort.has_value());
  EXPECT_EQ(found.sort->name, "n");
  EXPECT_EQ(found.sort->type, 'N');
  EXPECT_GT(found.created.microseconds, 0);
  ASSERT_TRUE(found.stream.has_value());
  EXPECT_TRUE(found.stream->enabled);
  EXPECT_EQ(found.stream->view, StreamView::kNewAndOldImages);
  const auto page = run_awaitable(stream_.shards(found.stream->arn, ""));
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->stream.arn, found.stream->arn);
  EXPECT_TRUE(page->stream.enabled);
  EXPECT_EQ(page->stream.view, StreamView::kNewAndOldImages);
  ASSERT_FALSE(page->shards.empty());
  EXPECT_TRUE(page->shards[0].open());
  // A page after the last shard.
  const auto after = run_awaitable(stream_.shards(found.stream->arn, page->shards.back().id));
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_TRUE(after->shards.empty());
}

TEST_F(EngineTable, WhatIsNotThereIsNotFound) {
  DynamoDbSourceTable missing(engine_.client(), engine_.new_name());
  EXPECT_EQ(run_awaitable(missing.describe()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run_awaitable(missing.get(key(1))).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run_awaitable(missing.get_many({key(1)})).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run_awaitable(missing.scan(0, 1, "", {})).error().code, ErrorCode::kNotFound);
  const auto known = arn();
  const auto stranger = known.substr(0, known.rfind('/') + 1) + "2020-01-01T00:00:00.000";
  EXPECT_EQ(run_awaitable(stream_.shards(stranger, "")).error().kind, StreamErrorKind::kNotFound);
  EXPECT_EQ(run_awaitable(stream_.iterator(stranger, shards(known)[0].id, {})).error().kind,
            StreamErrorKind::kNotFound);
  EXPECT_EQ(run_awaitable(stream_.iterator(known, "shardId-00000000000000000000-00000000", {}))
                .error()
                .kind,
            StreamErrorKind::kNotFound);
}

TEST_F(EngineTable, RecordsHaveBothImages) {
  put(1, "first \\u00e9");
  put(1, "second");
  remove(1);
  const auto stream = arn();
  auto at = iterator(stream, shards(stream).at(0).id, {});
  const auto records = read(at, 3);
  ASSERT_EQ(records.size(), 3U);
  using Kind = StreamChangeKind;
  EXPECT_EQ(records[0].kind, Kind::kInsert);
  EXPECT_EQ(records[1].kind, Kind::kModify);
  EXPECT_EQ(records[2].kind, Kind::kRemove);
  EXPECT_EQ(records[0].old_image, "");
  EXPECT_THAT(records[0].new_image, HasSubstr("first"));
  EXPECT_EQ(records[1].old_image, records[0].new_image);
  EXPECT_EQ(records[2].old_image, records[1].new_image);
  EXPECT_EQ(records[2].new_image, "");
  for (const auto& record : records) {
    EXPECT_EQ(record.keys, records[0].keys);
    EXPECT_GT(record.created.microseconds, 1'700'000'000'000'000);
  }
  EXPECT_FALSE(at.empty());  // the shard is open
}

TEST_F(EngineTable, ReadingGoesOnAfterASequence) {
  for (int i = 0; i < 5; ++i) put(i, "v");
  const auto stream = arn();
  const auto shard = shards(stream).at(0).id;
  auto at = iterator(stream, shard, {});
  const auto all = read(at, 5, 2);
  ASSERT_EQ(all.size(), 5U);
  using At = StreamPosition::At;
  auto after = iterator(stream, shard, {At::kAfter, all[2].sequence});
  const auto rest = read(after, 2);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].sequence, all[3].sequence);
  EXPECT_EQ(rest[1].new_image, all[4].new_image);
  auto end = iterator(stream, shard, {At::kAfter, all[4].sequence});
  EXPECT_TRUE(read(end, 1).empty());
  EXPECT_FALSE(end.empty());
  auto latest = iterator(stream, shard, {At::kLatest, ""});
  EXPECT_TRUE(read(latest, 1).empty());
  put(9, "v");
  EXPECT_EQ(read(latest, 2).size(), 1U);
}

TEST_F(EngineTable, AStreamThatWasDisabledIsReadToItsEnd) {
  for (int i = 0; i < 3; ++i) put(i, "v");
  const auto stream = arn();
  engine_.call("UpdateTable",
               R"({"TableName":")" + name_ + R"(","StreamSpecification":{"StreamEnabled":false}})");
  const auto page = run_awaitable(stream_.shards(stream, ""));
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_FALSE(page->stream.enabled);
  std::size_t records = 0;
  for (const auto& shard : page->shards) {
    EXPECT_FALSE(shard.open()) << shard.id;
    auto at = iterator(stream, shard.id, {});
    records += read(at, 100).size();
    EXPECT_EQ(at, "") << "not at its end after 100 pages";
  }
  EXPECT_EQ(records, 3U);
}

TEST_F(EngineTable, NonsenseIsRefused) {
  EXPECT_EQ(run_awaitable(stream_.records("no iterator", 10)).error().kind,
            StreamErrorKind::kInvalid);
  EXPECT_EQ(run_awaitable(table_.get(R"({"q":{"S":"x"}})")).error().code, ErrorCode::kInvalid);
}

TEST_F(EngineTable, ItemsByTheirKeys) {
  put(1, "one");
  EXPECT_THAT(run_awaitable(table_.get(key(1)))->value(), HasSubstr("one"));
  EXPECT_EQ(*run_awaitable(table_.get(key(2))), std::nullopt);
  // 1.50e1 is 15: numbers are one, however they are written.
  put(15, "fifteen");
  const auto found = run_awaitable(
      table_.get_many({key(2), R"({"n":{"N":"1.50e1"},"p":{"S":"p"}})", key(1), key(15), key(3)}));
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_EQ(found->at(0), std::nullopt);
  EXPECT_THAT(found->at(1).value_or(""), HasSubstr("fifteen"));
  EXPECT_THAT(found->at(2).value_or(""), HasSubstr("one"));
  EXPECT_EQ(found->at(3), found->at(1));
  EXPECT_EQ(found->at(4), std::nullopt);
}

TEST_F(EngineTable, AHundredLargeItemsAndMissingOnes) {
  constexpr int kKeys = 100;
  const std::string large(250'000, 'v');  // 25 MB in all: more than the service answers at once
  std::vector<std::string> keys;
  for (int n = 0; n < kKeys; ++n) {
    keys.push_back(key(n));
    if (n % 10 != 3) put(n, std::to_string(n) + large);
  }
  const auto found = run_awaitable(table_.get_many(keys));
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  ASSERT_EQ(found->size(), keys.size());
  for (int n = 0; n < kKeys; ++n) {
    const auto& one = found->at(static_cast<std::size_t>(n));
    ASSERT_EQ(one.has_value(), n % 10 != 3) << n;
    EXPECT_TRUE(!one || one->find("\"" + std::to_string(n) + "vv") != std::string::npos) << n;
  }
}

TEST_F(EngineTable, ScansPageByPageAndInSegments) {
  constexpr int kItems = 40;
  for (int n = 0; n < kItems; ++n) put(n, std::string(60'000, 'v'));
  std::size_t pages = 0;
  std::multiset<std::string> items;
  std::string after;
  do {
    auto page = run_awaitable(table_.scan(0, 1, after, {}));
    ASSERT_TRUE(page.ok()) << page.error().to_string();
    items.insert(page->items.begin(), page->items.end());
    after = page->next;
    ++pages;
  } while (!after.empty() && pages < 100);
  EXPECT_GE(pages, 3U);
  EXPECT_EQ(items.size(), static_cast<std::size_t>(kItems));
  EXPECT_EQ(std::set<std::string>(items.begin(), items.end()).size(), items.size());
  std::size_t in_segments = 0;
  for (std::uint32_t segment = 0; segment < 4; ++segment) {
    after.clear();
    do {
      auto page = run_awaitable(table_.scan(segment, 4, after, {"n", "p"}));
      ASSERT_TRUE(page.ok()) << page.error().to_string();
      for (const auto& found : page->items) EXPECT_LT(found.size(), 100U);
      in_segments += page->items.size();
      after = page->next;
    } while (!after.empty());
  }
  EXPECT_EQ(in_segments, static_cast<std::size_t>(kItems));
}

}  // namespace
}  // namespace pawl
