// Streams of tables: where they begin and end, what they hold, and what is read of them.
#include <gmock/gmock.h>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kRetention = std::chrono::hours(24);

TableStream stream_of(std::uint64_t after, std::optional<std::uint64_t> last = {},
                      std::int64_t ended_at = 0) {
  TableStream stream{.label = {}, .view = StreamView::kKeysOnly, .after = {{after}}, .end = {}};
  if (last) stream.end = TableStream::End{{ended_at}, {{*last}}};
  return stream;
}

TEST(TableStream, HoldsFromItsBeginningOrFromWhatHasNotAged) {
  const auto held = [](std::vector<TableStream> streams, std::uint64_t aged, std::int64_t now) {
    const auto found = held_after(streams, 0, {aged}, {now}, Duration{100});
    return found ? static_cast<int>(found->value) : -1;
  };
  EXPECT_EQ(held({}, 5, 0), -1);
  EXPECT_EQ(held({stream_of(7)}, 5, 0), 7);
  EXPECT_EQ(held({stream_of(7)}, 9, 0), 9);
  EXPECT_EQ(held({stream_of(2, 4), stream_of(7)}, 3, 99), 3);
  EXPECT_EQ(held({stream_of(2, 4), stream_of(7)}, 4, 99), 7) << "all of the first has aged";
  EXPECT_EQ(held({stream_of(2, 4), stream_of(7)}, 0, 100), 7) << "the first has run out";
  EXPECT_EQ(held({stream_of(2, 4)}, 0, 100), -1);
}

TEST(TableStream, LabelsOfOneNameAreTold) {
  EXPECT_EQ(next_label({5'000'123}, {}).microseconds, 5'000'123);
  EXPECT_EQ(next_label({5'000'999}, {{5'000'000}}).microseconds, 5'001'000);
  EXPECT_EQ(next_label({5'000'000}, {{7'000'500}, {3}}).microseconds, 7'001'000);
  EXPECT_EQ(label_text({1'795'372'535'771'999}), "2026-11-22T18:35:35.771");
}

TEST(TableStream, ItsRecordIsReadAsWritten) {
  TableRecord record;
  record.definition.name = "users";
  record.definition.schema.partition = {"id", item::Type::kString};
  record.definition.partitions = 2;
  record.definition.stream = StreamView::kOldImage;
  record.incarnation = record.space = {7};
  record.stream_enabled = Instant{9};
  record.streams = {{{3}, StreamView::kKeysOnly, {{1}, {300}}, TableStream::End{{8}, {{1}, {301}}}},
                    {{9}, StreamView::kOldImage, {{5}, {UINT64_MAX}}, {}}};
  const std::string encoded = encode_table(record);
  EXPECT_EQ(decode_table(encoded).value(), record);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(decode_table(encoded.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_table(encoded + "x").ok());
}

class TableStreamTest : public CommitterTest {
 protected:
  void set_stream(std::optional<StreamView> view, const std::string& table = "users") {
    UpdateTable update;
    update.name = table;
    update.stream = view;
    const ReplyPtr reply = do_action(update);
    EXPECT_TRUE(reply->done()) << reply->message();
  }
  void put_many(int count, const std::string& table = "users") {
    for (int i = 0; i < count; ++i) {
      const std::string value = std::to_string(++counter_);
      EXPECT_TRUE(write(put(R"({"id":{"S":"A"},"v":{"N":")" + value + R"("}})", table))->done());
    }
  }
  void release_all(const std::string& table = "users") {
    tables.log->release(shard(0, table), tables.log->position(shard(0, table))->newest);
    run();
  }
  std::vector<std::string> labels(const std::string& table = "") {
    std::vector<std::string> found;
    for (const Stream& stream : tables.streams->list(table, "", "", 100)) {
      found.push_back(stream.table_name() + " " + label_text(stream.facts->label));
    }
    return found;
  }
  Stream newest_stream(const std::string& table = "users") {
    const auto all = tables.streams->list(table, "", "", 100);
    EXPECT_FALSE(all.empty());
    return all.empty() ? Stream{} : all.back();
  }
  // Sequence numbers read, and "end" or "trimmed".
  std::vector<std::string> read_all(const Stream& stream, std::optional<std::uint64_t> after = {},
                                    std::size_t a_time = 1000) {
    std::vector<std::string> found;
    std::optional<SequenceNumber> at;
    if (after) at = SequenceNumber{*after};
    for (int turn = 0; turn < 100; ++turn) {
      const auto read =
          tables.streams->read(stream, 0, at, a_time, [&](SequenceNumber sequence, auto) {
            found.push_back(std::to_string(sequence.value));
            return true;
          });
      if (!read.ok()) {
        found.emplace_back(read.error().code == ErrorCode::kExhausted  ? "trimmed"
                           : read.error().code == ErrorCode::kNotFound ? "run out"
                                                                       : read.error().message);
        return found;
      }
      if (read->ended) found.emplace_back("end");
      if (read->ended || at == read->through) return found;
      at = read->through;
    }
    return found;
  }
  std::uint64_t floor(const std::string& table = "users") {
    return tables.log->position(shard(0, table))->floor.value;
  }

 private:
  int counter_ = 0;
};

TEST_F(TableStreamTest, EachLabelIsAStretchOfTheLog) {
  create("users");
  put_many(2);
  EXPECT_THAT(labels(), IsEmpty());
  set_stream(StreamView::kNewImage);
  put_many(3);
  set_stream(std::nullopt);
  put_many(2);
  set_stream(StreamView::kKeysOnly);
  put_many(1);
  for (int life = 0; life < 2; ++life) {
    ASSERT_THAT(labels(), SizeIs(2));
    const auto streams = tables.streams->list("users", "", "", 100);
    EXPECT_THAT(read_all(streams[0]), ElementsAre("3", "4", "5", "end"));
    EXPECT_THAT(read_all(streams[0], 3, 1), ElementsAre("4", "5", "end"));
    EXPECT_THAT(read_all(streams[0], 5), ElementsAre("end"));
    EXPECT_THAT(read_all(streams[1]), ElementsAre("8"));
    EXPECT_EQ(streams[0].facts->view, StreamView::kNewImage);
    EXPECT_EQ(streams[1].facts->view, StreamView::kKeysOnly);
    EXPECT_NE(label_text(streams[0].facts->label), label_text(streams[1].facts->label));
    EXPECT_FALSE(
        tables.streams->read(streams[0], 0, SequenceNumber{6}, 10, [](auto, auto) { return true; })
            .ok());
    crash();
  }
}

TEST_F(TableStreamTest, ReleasedChangesAreKeptForTheRetentionAndNoLonger) {
  create("users");
  put_many(2);
  set_stream(StreamView::kNewImage);
  put_many(3);  // 3, 4, 5
  release_all();
  EXPECT_EQ(floor(), 2U) << "what lies before the stream goes as ever";
  clock.advance(kRetention / 2);
  put_many(3);  // 6, 7, 8
  release_all();
  crash();
  release_all();
  EXPECT_EQ(floor(), 2U);
  clock.advance(kRetention / 2);
  run();
  EXPECT_EQ(floor(), 2U) << "of just 24 hours ago";
  clock.advance(Duration{1});
  run();
  EXPECT_EQ(floor(), 5U);
  EXPECT_THAT(read_all(newest_stream()), ElementsAre("6", "7", "8"));
  EXPECT_THAT(read_all(newest_stream(), 4), ElementsAre("trimmed"));
  EXPECT_THAT(read_all(newest_stream(), 5), ElementsAre("6", "7", "8"));
  clock.advance(kRetention);
  run();
  EXPECT_EQ(floor(), 7U) << "the newest released change stays";
}

TEST_F(TableStreamTest, WhatIsInNoPageStaysHoweverOld) {
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(4);
  tables.log->release(shard(), {2});
  clock.advance(3 * kRetention);
  run();
  EXPECT_EQ(floor(), 1U);
  EXPECT_THAT(read_all(newest_stream()), ElementsAre("2", "3", "4")) << "P6";
}

TEST_F(TableStreamTest, AnEndedStreamRunsOut) {
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(3);
  set_stream(std::nullopt);
  const Stream ended = newest_stream();
  release_all();
  EXPECT_EQ(floor(), 0U);
  clock.advance(kRetention - Duration{1});
  run();
  EXPECT_THAT(read_all(newest_stream()), ElementsAre("1", "2", "3", "end"));
  clock.advance(Duration{1});
  run();
  EXPECT_THAT(labels(), IsEmpty());
  EXPECT_FALSE(tables.streams->find("users", label_text(ended.facts->label)));
  EXPECT_FALSE(tables.streams->find(incarnation(), ended.facts->label));
  EXPECT_EQ(floor(), 2U);
}

TEST_F(TableStreamTest, TheStreamsOfADeletedTableStayForTheirRetention) {
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(2);
  const ShardId old = shard();
  EXPECT_TRUE(do_action(DeleteTable{"users"})->done());
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(1);
  tables.committer->table_settled(old.incarnation);
  run();
  crash();
  tables.committer->table_settled(old.incarnation);  // the pipeline says it again at each start
  run();
  ASSERT_THAT(labels("users"), SizeIs(2));
  EXPECT_THAT(read_all(tables.streams->list("users", "", "", 1)[0]), ElementsAre("1", "2", "end"));
  EXPECT_THAT(read_all(newest_stream()), ElementsAre("1"));

  const Stream held = tables.streams->list("users", "", "", 1)[0];
  clock.advance(kRetention);
  run();
  EXPECT_THAT(labels("users"), SizeIs(1));
  EXPECT_FALSE(tables.catalog->view()->by_incarnation.contains(old.incarnation));
  EXPECT_FALSE(tables.log->position(old));
  EXPECT_THAT(read_all(held), ElementsAre("run out")) << "who held it meanwhile";
  crash();
  EXPECT_FALSE(tables.catalog->view()->by_incarnation.contains(old.incarnation));
}

TEST_F(TableStreamTest, AnUnrecordedTableHoldsItsStreamToo) {
  TableDefinition definition;
  definition.name = "plain";
  definition.schema.partition = {"id", item::Type::kString};
  definition.partitions = 1;
  definition.record.record = false;
  definition.stream = StreamView::kNewAndOldImages;
  EXPECT_TRUE(do_action(CreateTable{definition})->done());
  put_many(4, "plain");
  EXPECT_THAT(read_all(newest_stream("plain")), ElementsAre("1", "2", "3", "4"));
  crash();
  put_many(1, "plain");
  EXPECT_THAT(read_all(newest_stream("plain")), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_TRUE(do_action(DeleteTable{"plain"})->done());
  EXPECT_THAT(read_all(newest_stream("plain")), ElementsAre("1", "2", "3", "4", "5", "end"));
  clock.advance(kRetention);
  run();
  EXPECT_TRUE(tables.catalog->view()->by_incarnation.empty());
}

TEST_F(TableStreamTest, AReaderThatMustMissNothingHoldsItsShards) {
  stream::ReadHolds holds;
  close();
  options.read_holds = &holds;
  open();
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(4);
  const ShardId held = shard();
  holds.hold("slow", held, {1});
  holds.hold("quick", held, {3});
  release_all();
  clock.advance(3 * kRetention);
  run();
  EXPECT_EQ(floor(), 1U) << "not behind the slowest";
  holds.lift("slow", held);
  run();
  EXPECT_EQ(floor(), 3U);
  EXPECT_TRUE(do_action(DeleteTable{"users"})->done());
  tables.committer->table_settled(held.incarnation);
  clock.advance(3 * kRetention);
  run();
  ASSERT_TRUE(tables.log->position(held)) << "a deleted table is read to its end";
  EXPECT_THAT(changes(held, {3}), SizeIs(1));
  holds.lift("quick", held);
  run();
  EXPECT_FALSE(tables.log->position(held));
  close();
}

TEST_F(TableStreamTest, ATableThatIsHeldByItsNameIsWholeUntilItsReaderSaysWhereItIs) {
  stream::ReadHolds holds;
  holds.hold_tables("plain");
  close();
  options.read_holds = &holds;
  open();
  TableDefinition definition;
  definition.name = "plain";
  definition.schema.partition = {"id", item::Type::kString};
  definition.partitions = 1;
  definition.record.record = false;  // nobody else keeps its changes, and it has no stream
  const auto create_plain = [&] {
    EXPECT_TRUE(do_action(CreateTable{definition})->done());
    return ShardId{tables.catalog->view()->find("plain")->record.incarnation, 0};
  };
  const ShardId first = create_plain();
  put_many(4, "plain");
  const auto trim = [this] {
    clock.advance(3 * kRetention);
    run();
  };
  trim();
  EXPECT_EQ(tables.log->position(first)->floor, SequenceNumber{0});
  crash();
  trim();
  EXPECT_EQ(tables.log->position(first)->floor, SequenceNumber{0}) << "nor before it knows";
  holds.hold("supervisor", first, {2});
  trim();
  EXPECT_EQ(tables.log->position(first)->floor, SequenceNumber{0}) << "of all shards, that is";
  holds.lift_table(first.incarnation);
  trim();
  EXPECT_EQ(tables.log->position(first)->floor, SequenceNumber{2});
  EXPECT_TRUE(do_action(DeleteTable{"plain"})->done());
  const ShardId second = create_plain();
  put_many(2, "plain");
  trim();
  ASSERT_TRUE(tables.log->position(first)) << "deleted, and not read to its end";
  EXPECT_EQ(tables.log->position(second)->floor, SequenceNumber{0}) << "another life";
  holds.lift("supervisor", first);
  trim();
  EXPECT_FALSE(tables.log->position(first));
  EXPECT_TRUE(do_action(DeleteTable{"plain"})->done());
  trim();
  ASSERT_TRUE(tables.log->position(second)) << "deleted before anybody looked";
  holds.lift_table(second.incarnation);
  trim();
  EXPECT_FALSE(tables.log->position(second));
  close();
}

TEST_F(TableStreamTest, AStreamThatWasReadIsForgottenThoughOthersAreHeld) {
  stream::ReadHolds holds;
  close();
  options.read_holds = &holds;
  open();
  create("users");
  const auto streams = [this] {
    return tables.catalog->view()->find("users")->record.streams.size();
  };
  for (std::size_t i = 0; i < kStreamsMax + 8; ++i) {
    set_stream(StreamView::kNewImage);
    put_many(1);
    holds.hold("reader", shard(), tables.log->position(shard())->newest);
    set_stream(std::nullopt);
    clock.advance(kRetention);
    ASSERT_LE(streams(), 1U);
  }
  holds.lift("reader", shard());
  set_stream(StreamView::kNewImage);
  const SequenceNumber begin = tables.log->position(shard())->newest;
  put_many(2);
  holds.hold("slow", shard(), begin.next());
  set_stream(std::nullopt);
  clock.advance(kRetention);
  set_stream(StreamView::kNewImage);
  EXPECT_EQ(streams(), 2U) << "it was not read to its end";
  holds.hold("slow", shard(), tables.log->position(shard())->newest);
  put_many(1);
  set_stream(std::nullopt);
  set_stream(StreamView::kNewImage);
  EXPECT_EQ(streams(), 2U) << "the one that ended just now is still readable";
  close();
}

TEST_F(TableStreamTest, AdoptionBeginsAnotherStreamWithWhatIsCarried) {
  create("users");
  set_stream(StreamView::kNewImage);
  put_many(3);
  const std::string old = labels()[0];
  const ShardId before = shard();
  EXPECT_TRUE(do_action(AdoptTable{before.incarnation, {{before, {1}}}})->done());
  put_many(1);
  for (int life = 0; life < 2; ++life) {
    ASSERT_THAT(labels(), SizeIs(1));
    EXPECT_NE(labels()[0], old);
    EXPECT_THAT(read_all(newest_stream()), ElementsAre("1", "2", "3")) << "two of them carried";
    tables.committer->table_settled(before.incarnation);
    run();
    EXPECT_FALSE(tables.log->position(before)) << "the old log goes at once";
    crash();
  }
}

TEST_F(TableStreamTest, StreamsAreListedInOrderAndInPieces) {
  for (const auto* const name : {"zebra", "apple", "mango"}) {
    create(name);
    for (int i = 0; i < 3; ++i) {
      set_stream(StreamView::kNewImage, name);
      if (i < 2) set_stream(std::nullopt, name);
    }
  }
  const auto all = labels();
  EXPECT_THAT(all, SizeIs(9));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 9U) << "labels of one instant";
  std::vector<std::string> pieces;
  std::string table;
  std::string label;
  while (true) {
    const auto next = tables.streams->list("", table, label, 2);
    if (next.empty()) break;
    for (const Stream& stream : next) {
      table = stream.table_name();
      label = label_text(stream.facts->label);
      pieces.push_back(table + " " + label);
    }
  }
  EXPECT_EQ(pieces, all);
}

TEST_F(TableStreamTest, AStreamIsNotSwitchedOnWithoutEnd) {
  create("users");
  for (std::size_t i = 0; i < kStreamsMax; ++i) {
    set_stream(StreamView::kNewImage);
    set_stream(std::nullopt);
  }
  UpdateTable update;
  update.name = "users";
  update.stream = std::optional(StreamView::kNewImage);
  EXPECT_EQ(do_action(update)->refusal(), Refusal::kTooManyTables);
  clock.advance(kRetention);
  EXPECT_TRUE(do_action(update)->done());
  EXPECT_THAT(labels(), SizeIs(1));
}

// As a data directory of before there were streams to read has it.
TEST_F(TableStreamTest, AStreamOfAnOldDirectoryBeginsAtItsLabel) {
  create("users");
  put_many(3);
  clock.advance(std::chrono::seconds(1));
  TableRecord record = tables.catalog->view()->find("users")->record;
  record.definition.stream = StreamView::kOldImage;
  record.stream_enabled = clock.now();
  record.streams.clear();
  put_many(2);
  std::string old = encode_table(record);
  ASSERT_EQ(old.back(), 0) << "no streams";
  old.pop_back();
  old[0] = 1;
  WriteBatch batch;
  batch.put(KeySpace::kCatalog, table_key(record.incarnation), old);
  batch.put(KeySpace::kCatalog, std::string(kFormatKey), std::string(1, 1));
  batch.erase(KeySpace::kCatalog, std::string(kIteratorKeyKey));
  ASSERT_EQ(store.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  crash();
  EXPECT_EQ(tables.catalog->iterator_key().size(), kIteratorKeySize);
  EXPECT_THAT(read_all(newest_stream()), ElementsAre("4", "5"));
  EXPECT_EQ(newest_stream().facts->view, StreamView::kOldImage);
  const std::string key = tables.catalog->iterator_key();
  clock.advance(kRetention * 2);
  release_all();
  crash();
  EXPECT_EQ(newest_stream().facts->after[0].value, 3U) << "found once, and kept";
  EXPECT_EQ(tables.catalog->iterator_key(), key);
  EXPECT_EQ(*store.get(KeySpace::kCatalog, kFormatKey).value(), std::string(1, 2));
}

}  // namespace
}  // namespace pawl::table
