// Pawl's own change log as the guard reads a stream.
#include "server/log_stream.h"

#include <gmock/gmock.h>

#include "port/conformance/run_awaitable.h"
#include "table/committer_fixture_test.h"

namespace pawl::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using At = StreamPosition::At;

class LogStreamTest : public table::CommitterTest {
 protected:
  ~LogStreamTest() override { close(); }

  LogStream stream() { return {tables, life_}; }
  std::string arn() const { return log_stream_arn(life_); }
  std::string iterator(At at, const std::string& sequence = "") {
    auto one = stream();
    auto got = run_awaitable(one.iterator(arn(), shard_, {at, sequence}));
    return got.ok() ? *got : "refused " + std::to_string(static_cast<int>(got.error().kind));
  }
  std::string refused(StreamErrorKind kind) {
    return "refused " + std::to_string(static_cast<int>(kind));
  }
  StreamRecordPage records(const std::string& iterator, std::size_t count = 1000) {
    auto one = stream();
    auto got = run_awaitable(one.records(iterator, count));
    EXPECT_TRUE(got.ok()) << got.error().message;
    return got.ok() ? *got : StreamRecordPage{};
  }
  static std::vector<std::string> sequences(const StreamRecordPage& page) {
    std::vector<std::string> all;
    for (const auto& record : page.records) all.push_back(record.sequence.substr(17));
    return all;
  }
  void write_versions(int count) {
    for (int v = 0; v < count; ++v)
      write(put(R"({"id":{"S":"A"},"v":{"N":")" + std::to_string(v) + "\"}}"));
  }

  const Incarnation life_ = [this] {
    create("users");
    return incarnation();
  }();
  const std::string shard_ = ShardId{life_, 0}.to_string();
};

TEST_F(LogStreamTest, TellsEachChangeWithBothImagesThoughNoStreamIsOn) {
  write_versions(2);
  write(remove(R"({"id":{"S":"A"}})"));
  const auto page = records(iterator(At::kOldest));
  ASSERT_THAT(page.records, SizeIs(3));
  EXPECT_EQ(page.records[0].sequence, "100000000000000000001");
  EXPECT_EQ(page.records[0].kind, StreamChangeKind::kInsert);
  EXPECT_EQ(page.records[0].keys, R"({"id":{"S":"A"}})");
  EXPECT_EQ(page.records[0].new_image, R"({"id":{"S":"A"},"v":{"N":"0"}})");
  EXPECT_EQ(page.records[0].old_image, "");
  EXPECT_EQ(page.records[1].kind, StreamChangeKind::kModify);
  EXPECT_EQ(page.records[1].old_image, R"({"id":{"S":"A"},"v":{"N":"0"}})");
  EXPECT_EQ(page.records[2].kind, StreamChangeKind::kRemove);
  EXPECT_EQ(page.records[2].new_image, "");
  EXPECT_NE(page.next_iterator, "");
  EXPECT_THAT(records(page.next_iterator).records, IsEmpty());
  write_versions(1);
  EXPECT_THAT(sequences(records(page.next_iterator)), ElementsAre("0004"));
}

TEST_F(LogStreamTest, GoesOnBehindWhatTheLedgerHas) {
  write_versions(5);
  EXPECT_THAT(sequences(records(iterator(At::kAfter, "100000000000000000003"))),
              ElementsAre("0004", "0005"));
  const auto first = records(iterator(At::kOldest), 2);
  EXPECT_THAT(sequences(first), ElementsAre("0001", "0002"));
  EXPECT_THAT(sequences(records(first.next_iterator, 2)), ElementsAre("0003", "0004"));
  EXPECT_EQ(iterator(At::kAfter, "100000000000000000006"), refused(StreamErrorKind::kInvalid))
      << "an older table than the ledger";
  EXPECT_EQ(iterator(At::kAfter, "3"), refused(StreamErrorKind::kInvalid));
}

TEST_F(LogStreamTest, WhatWasTrimmedIsSaid) {
  write_versions(5);
  tables.log->release({life_, 0}, {4});
  run();
  ASSERT_EQ(tables.log->position({life_, 0})->floor, SequenceNumber{3});
  EXPECT_EQ(iterator(At::kAfter, "100000000000000000002"), refused(StreamErrorKind::kTrimmed));
  EXPECT_THAT(sequences(records(iterator(At::kOldest))), ElementsAre("0004", "0005"));
  auto one = stream();
  const auto behind =
      run_awaitable(one.records(ShardId{life_, 0}.to_string() + "@100000000000000000001", 10));
  ASSERT_FALSE(behind.ok());
  EXPECT_EQ(behind.error().kind, StreamErrorKind::kTrimmed);
}

TEST_F(LogStreamTest, TellsOneChangeByItsNumber) {
  write_versions(5);
  const auto stream = this->stream();
  const auto at = [&](std::uint64_t number) {
    auto found = stream.record_at({life_, 0}, {number});
    EXPECT_TRUE(found.ok());
    return found.ok() && *found ? (*found)->sequence.substr(17) : "nothing";
  };
  EXPECT_EQ(at(1), "0001");
  EXPECT_EQ(at(5), "0005");
  EXPECT_EQ(at(6), "nothing");
  EXPECT_EQ(at(0), "nothing");
  tables.log->release({life_, 0}, {4});
  run();
  EXPECT_EQ(at(3), "nothing") << "trimmed";
  EXPECT_EQ(at(4), "0004") << "what a hold stands behind stays";
  EXPECT_FALSE(stream.record_at({life_, 7}, {1})->has_value());
}

TEST_F(LogStreamTest, EndsWithItsTable) {
  write_versions(2);
  auto one = stream();
  auto page = run_awaitable(one.shards(arn(), ""));
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->shards, SizeIs(1));
  EXPECT_EQ(page->shards[0].id, shard_);
  EXPECT_TRUE(page->shards[0].open());
  EXPECT_TRUE(page->stream.enabled);
  EXPECT_TRUE(do_action(table::DeleteTable{"users"})->done());
  page = run_awaitable(one.shards(arn(), ""));
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->stream.enabled);
  EXPECT_EQ(page->shards[0].last_sequence, "100000000000000000002");
  const auto last = records(iterator(At::kOldest));
  EXPECT_THAT(sequences(last), ElementsAre("0001", "0002"));
  EXPECT_EQ(last.next_iterator, "");
  create("users");
  EXPECT_NE(incarnation(), life_);
  EXPECT_THAT(sequences(records(iterator(At::kOldest))), ElementsAre("0001", "0002"))
      << "another life is another stream";
  tables.committer->table_settled(life_);
  tables.log->release({life_, 0}, {2});
  run();
  EXPECT_EQ(iterator(At::kOldest), refused(StreamErrorKind::kNotFound));
}

TEST_F(LogStreamTest, ListsManyShardsPageByPage) {
  create("wide", false, 250);
  LogStream wide(tables, incarnation("wide"));
  const auto wide_arn = log_stream_arn(incarnation("wide"));
  std::vector<std::string> ids;
  std::string after;
  do {
    const auto page = run_awaitable(wide.shards(wide_arn, after));
    ASSERT_TRUE(page.ok());
    ASSERT_LE(page->shards.size(), 100U);
    for (const auto& shard : page->shards) ids.push_back(shard.id);
    after = page->last_shard;
  } while (!after.empty());
  EXPECT_THAT(ids, SizeIs(250));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(ids.back(), (ShardId{incarnation("wide"), 249}.to_string()));
}

TEST_F(LogStreamTest, TheTableIsThatLifeOfIt) {
  write_versions(3);
  LogTable table(tables, life_);
  const auto facts = run_awaitable(table.describe());
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->name, "users");
  EXPECT_EQ(facts->partition.name, "id");
  EXPECT_EQ(facts->partition.type, 'S');
  EXPECT_EQ(facts->stream->arn, arn());
  const std::string item = R"({"id":{"S":"A"},"v":{"N":"2"}})";
  const auto got = run_awaitable(table.get_many({R"({"id":{"S":"A"}})", R"({"id":{"S":"B"}})"}));
  ASSERT_TRUE(got.ok());
  EXPECT_THAT(*got, ElementsAre(item, std::nullopt));
  const auto scanned = run_awaitable(table.scan(0, 1, "", {}));
  ASSERT_TRUE(scanned.ok());
  EXPECT_THAT(scanned->items, ElementsAre(item));
  EXPECT_EQ(scanned->next, "");
  EXPECT_THAT(run_awaitable(table.scan(0, 1, "", {"v"}))->items, ElementsAre(R"({"v":{"N":"2"}})"));
  EXPECT_TRUE(do_action(table::DeleteTable{"users"})->done());
  create("users");
  EXPECT_EQ(run_awaitable(table.get(R"({"id":{"S":"A"}})")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(run_awaitable(table.describe()).ok()) << "as long as its changes are there";
}

}  // namespace
}  // namespace pawl::server
