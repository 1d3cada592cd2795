#include "bucket/bucket_store.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/coding.h"
#include "bucket/bucket_fixture_test.h"
#include "fault/fault_plan.h"

namespace pawl::bucket {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BucketStore, OfTwoThatWantANameToBeFreeOneIsDone) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  const auto one = buckets.submit(buckets.put("b", "k", BodyKind::kInline, "1", {true, {}}));
  const auto two = buckets.submit(buckets.put("b", "k", BodyKind::kFile, "2", {true, {}}));
  buckets.store->committer().run_round();
  EXPECT_EQ(one->value().refusal, Refusal::kNone);
  EXPECT_EQ(two->value().refusal, Refusal::kConditionFailed);
  EXPECT_EQ(buckets.store->object("b", "k").value()->place.bytes, "1");
  EXPECT_THAT(buckets.files.list().value(), IsEmpty()) << "the refused one's file";
}

TEST(BucketStore, ManyAnswersTakeOneSync) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  const auto before = buckets.memory.syncs();
  for (int i = 0; i < 100; ++i)
    buckets.submit(buckets.put("b", std::to_string(i), BodyKind::kInline, "x"));
  buckets.store->committer().run_round();
  EXPECT_EQ(buckets.memory.syncs(), before + 1);
}

TEST(BucketStore, AReaderKeepsWhatItLookedUp) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  buckets.run(buckets.put("b", "k", BodyKind::kFile, "old"));
  const auto number = buckets.store->object("b", "k").value()->place.number;
  auto early = buckets.store->guard();
  buckets.run(buckets.put("b", "k", BodyKind::kFile, "new"));
  auto late = buckets.store->guard();  // of the new one: holds nothing up
  buckets.store->committer().run_round();
  ASSERT_TRUE(buckets.files.open(number).ok());
  early.reset();
  buckets.store->committer().run_round();
  EXPECT_FALSE(buckets.files.open(number).ok());
}

TEST(BucketStore, AReaderKeepsNothingElse) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  for (const char* key : {"k", "l"}) buckets.run(buckets.put("b", key, BodyKind::kFile, "old"));
  auto one = buckets.store->guard(), other = buckets.store->guard();
  const auto read = buckets.store->object_with_body("b", "k").value().value();
  const BodyNumber number = read.record.place.number;
  one->narrow(files_of(read.pieces));
  other->narrow(files_of(read.pieces));
  buckets.run(DeleteObjects{"b", {{"l", {}}}});
  EXPECT_THAT(buckets.files.list().value(), ElementsAre(number));
  buckets.run(buckets.put("b", "k", BodyKind::kInline, "new"));
  one.reset();
  buckets.store->committer().run_round();
  EXPECT_THAT(buckets.files.list().value(), ElementsAre(number)) << "the other reads it";
  other.reset();
  buckets.store->committer().run_round();
  EXPECT_THAT(buckets.files.list().value(), IsEmpty());
}

TEST(BucketStore, ManyFilesGoBetweenManyRounds) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  DeleteObjects deletion{"b", {}};
  for (int i = 0; i < 600; ++i) {
    const std::string key = std::to_string(i);
    buckets.submit(buckets.put("b", key, BodyKind::kFile, "x"));
    deletion.objects.push_back({key, {}});
  }
  buckets.store->committer().run_round();
  buckets.run(deletion);
  EXPECT_FALSE(buckets.files.list()->empty());
  // What is left is work: the thread does not sleep on it.
  int rounds = 1;
  while (buckets.store->committer().run_round() == BucketCommitter::Round::kDone) ++rounds;
  EXPECT_LE(rounds, 3);
  EXPECT_THAT(buckets.files.list().value(), IsEmpty());
}

TEST(BucketStore, WithoutRoomOnlyDeletionsAreDone) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  buckets.run(buckets.put("b", "k", BodyKind::kInline, "x"));
  buckets.memory.set_room({1024, 1ULL << 30});
  buckets.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(buckets.run(buckets.put("b", "l", BodyKind::kInline, "x")).refusal, Refusal::kNoRoom);
  EXPECT_FALSE(buckets.store->committer().enough_room());
  EXPECT_EQ(buckets.run(DeleteObjects{"b", {{"k", {}}}}).refusal, Refusal::kNone);
  buckets.memory.set_room({1ULL << 40, 1ULL << 30});
  buckets.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(buckets.run(buckets.put("b", "l", BodyKind::kInline, "x")).refusal, Refusal::kNone);
}

// Buckets whose disk has less free than the clients' reserve, and more or less than what is left to Pawl of it.
class LittleRoom : public ::testing::Test {
 protected:
  LittleRoom() {
    buckets_.run(CreateBucket{"b", "r"});
    buckets_.run(Supervise{"b"});
    buckets_.run(buckets_.put("b", "k", BodyKind::kInline, "x"));
    buckets_.run(CreateBucket{"plain", "r"});
    buckets_.run(buckets_.put("plain", "k", BodyKind::kInline, "x"));
  }
  void set_room(std::uint64_t quarters, std::uint64_t less = 0) {
    const table::RoomReserve reserve;
    buckets_.memory.set_room({reserve.bytes / 4 * quarters - less, 1ULL << 30});
    buckets_.clock.advance(std::chrono::seconds(1));
  }
  PutObject own_put(const std::string& key) {
    auto put = buckets_.put("b", key, BodyKind::kInline, "x");
    put.by_pawl = true;
    return put;
  }
  Refusal refusal(Action action) { return buckets_.run(std::move(action)).refusal; }

  Buckets buckets_;
};

TEST_F(LittleRoom, PawlsOwnWritesAreDoneBelowTheClientsReserve) {
  set_room(4, 1);
  EXPECT_EQ(refusal(buckets_.put("b", "l", BodyKind::kInline, "x")), Refusal::kNoRoom);
  EXPECT_EQ(refusal(PutTogether{{own_put(".pawl/ledger/root/0.pages")}}), Refusal::kNone);
  EXPECT_EQ(refusal(own_put("l~repaired")), Refusal::kNone);
  EXPECT_EQ(
      refusal(PutTogether{{own_put(".pawl/x"), buckets_.put("b", "m", BodyKind::kInline, "x")}}),
      Refusal::kNoRoom);
  EXPECT_EQ(refusal(CreateBucket{"c", "r"}), Refusal::kNoRoom);
  EXPECT_EQ(refusal(CreateBucket{"c", "r", true}), Refusal::kNone);
  EXPECT_EQ(refusal(Supervise{"c"}), Refusal::kNone);
  EXPECT_FALSE(buckets_.store->committer().enough_room()) << "for clients' bodies";
}

TEST_F(LittleRoom, TheyLeaveAReserveToo) {
  set_room(1, 1);
  const auto outcome = buckets_.run(own_put(".pawl/tip"));
  EXPECT_EQ(outcome.refusal, Refusal::kNoRoom);
  EXPECT_THAT(outcome.why, HasSubstr("67108863 bytes are free, and 67108864 are held in reserve"));
  EXPECT_EQ(refusal(Supervise{"plain"}), Refusal::kNoRoom);
  set_room(2);
  EXPECT_EQ(refusal(own_put(".pawl/tip")), Refusal::kNone);
}

TEST_F(LittleRoom, ADeletionThatKeepsWhatItDeletesNeedsRoom) {
  set_room(4, 1);
  const auto outcome = buckets_.run(DeleteObjects{"b", {{"k", {}}}});
  EXPECT_EQ(outcome.refusal, Refusal::kNoRoom);
  EXPECT_TRUE(buckets_.store->object("b", "k").value().has_value());
  EXPECT_EQ(refusal(DeleteObjects{"plain", {{"k", {}}}}), Refusal::kNone);
  EXPECT_EQ(refusal(DeleteObjects{"none", {{"k", {}}}}), Refusal::kNoSuchBucket);
  set_room(8);
  EXPECT_EQ(refusal(DeleteObjects{"b", {{"k", {}}}}), Refusal::kNone);
  EXPECT_EQ(buckets_.store->bucket("b").value()->supervised->kept_objects, 1U);
}

// A command that names a few keys puts aside all that was under them.
TEST(BucketStore, ARoundIsBoundedByWhatItPutsAside) {
  Buckets buckets;
  buckets.options.round_bytes_max = 64'000;
  buckets.store.reset();
  buckets.open();
  buckets.run(CreateBucket{"b", "r"});
  std::vector<DeleteObjects> deletions;
  for (int i = 0; i < 40; ++i) {
    auto& deletion = deletions.emplace_back(DeleteObjects{"b", {}});
    for (int k = 0; k < 10; ++k) {
      const std::string key = std::to_string(i) + "-" + std::to_string(k);
      buckets.run(buckets.put("b", key, BodyKind::kInline, std::string(2000, 'x')));
      deletion.objects.push_back({key, {}});
    }
  }
  for (const bool supervised : {false, true}) {
    if (supervised) buckets.run(Supervise{"b"});
    const std::size_t from = supervised ? 20 : 0;
    std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
    for (std::size_t i = from; i < from + 20; ++i) outcomes.push_back(buckets.submit(deletions[i]));
    const auto done = [&] {
      return std::count_if(outcomes.begin(), outcomes.end(),
                           [](const auto& one) { return one->has_value(); });
    };
    std::ptrdiff_t rounds = 0, most = 0;
    for (std::ptrdiff_t before = 0; before < 20; before = done(), ++rounds) {
      ASSERT_EQ(buckets.store->committer().run_round(), BucketCommitter::Round::kDone);
      most = std::max(most, done() - before);
    }
    // Of each, what was there takes more than 20,000 bytes; it is begun as long as the round is below its bound.
    EXPECT_LE(most, supervised ? 4 : 20);
    EXPECT_GE(rounds, supervised ? 5 : 1);
    EXPECT_LE(rounds, supervised ? 20 : 1);
    for (const auto& outcome : outcomes) EXPECT_EQ(outcome->value().refusal, Refusal::kNone);
  }
  EXPECT_EQ(buckets.store->bucket("b").value()->supervised->kept_objects, 200U);
  EXPECT_FALSE(buckets.store->committer().has_commands());
}

TEST(BucketStore, AClosedOneRefuses) {
  Buckets buckets;
  buckets.store->committer().close();
  const auto outcome = buckets.submit(CreateBucket{"b", "r"});
  EXPECT_EQ(outcome->value().refusal, Refusal::kStopping);
}

TEST(BucketStore, PartsBelowFiveMebibytesButTheLastAreRefused) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  const std::string id(kUploadIdBytes, 'i');
  buckets.run(CreateUpload{"b", "k", id, {}});
  for (unsigned number : {1U, 2U}) {
    PutPart part{"b", "k", id, number, {}};
    part.record.bytes = number == 1 ? kPartBytesMin - 1 : 1;
    part.record.etag = "e";
    part.record.place = buckets.place(BodyKind::kStored, "x");
    buckets.run(part);
  }
  CompleteUpload complete{"b", "k", id, {{1, "e"}, {2, "e"}}, "whole-2", {}, 77, {}};
  const auto outcome = buckets.run(complete);
  EXPECT_EQ(outcome.refusal, Refusal::kPartTooSmall);
  EXPECT_EQ(outcome.part, 1U);
  complete.parts = {{2, "e"}};
  EXPECT_EQ(buckets.run(complete).refusal, Refusal::kNone);
  EXPECT_EQ(buckets.store->object("b", "k").value()->parts, 1U);
}

TEST(BucketStore, ANewerFormatIsRefused) {
  MemoryKeyValueStore memory;
  MemoryBodyFiles files;
  ManualClock clock;
  WriteBatch batch;
  std::string format;
  append_varint(format, kBucketFormat + 1);
  batch.put(kBuckets, "format", format);
  ASSERT_EQ(memory.write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
  const auto opened = BucketStore::open({memory, files, clock, [](const std::string&) {}}, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
}

std::uint64_t format_of(Buckets& buckets) {
  const std::string bytes = buckets.memory.get(kBuckets, kFormatKey).value().value();
  Reader reader(bytes);
  return reader.varint();
}

TEST(BucketStore, OnlyASupervisedBucketNeedsTheNewerFormat) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  buckets.run(buckets.put("b", "k", BodyKind::kInline, "1"));
  EXPECT_EQ(format_of(buckets), 1U);
  EXPECT_EQ(encode(*buckets.store->bucket("b").value())[0], 1);
  EXPECT_EQ(encode(*buckets.store->object("b", "k").value())[0], 1);
  buckets.run(Supervise{"b"});
  buckets.run(Supervise{"b"});
  EXPECT_EQ(format_of(buckets), 2U);
  buckets.run(CreateBucket{"other", "r"});
  EXPECT_EQ(encode(*buckets.store->bucket("other").value())[0], 1);
  SeededRandom random(1);
  buckets.crash_and_open(random);
  EXPECT_EQ(format_of(buckets), 2U);
  EXPECT_TRUE(buckets.store->bucket("b").value()->supervised.has_value());
}

TEST(BucketStore, ABucketWhoseNamesAreTakenIsNotSupervised) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  buckets.run(buckets.put("b", ".pawl/kept/x", BodyKind::kInline, "1"));
  EXPECT_EQ(buckets.run(Supervise{"b"}).refusal, Refusal::kReserved);
  EXPECT_EQ(buckets.run(Supervise{"none"}).refusal, Refusal::kNoSuchBucket);
  EXPECT_EQ(format_of(buckets), 1U);
}

TEST(BucketStore, WhatIsKeptIsReadToItsEndUnderEitherName) {
  Buckets buckets;
  buckets.run(CreateBucket{"b", "r"});
  buckets.run(Supervise{"b"});
  buckets.run(buckets.put("b", "k", BodyKind::kFile, "old"));
  const auto before = buckets.store->object("b", "k").value().value();
  buckets.run(buckets.put("b", "k", BodyKind::kFile, "new"));
  const auto kept = buckets.store->object("b", kept_key(1)).value().value();
  EXPECT_EQ(kept.place.number, before.place.number);
  EXPECT_EQ(kept.modified, before.modified);
  EXPECT_EQ(kept.headers, before.headers);
  EXPECT_EQ(kept.kept, (KeptFrom{"k", buckets.clock.now(), false}));
  EXPECT_TRUE(buckets.files.open(before.place.number).ok());
}

TEST(BucketFormat, RecordsOfSupervisionAreReadBack) {
  ObjectRecord record;
  record.etag = "e";
  record.kept = KeptFrom{"logs/a", {5}, true};
  record.took_place_of = 300;
  const std::string bytes = encode(record);
  EXPECT_EQ(decode_object(bytes, "k").value().kept, record.kept);
  EXPECT_EQ(decode_object(bytes, "k").value().took_place_of, 300U);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_object(std::string_view(bytes).substr(0, size), "k").ok()) << size;
  record.kept.reset();
  EXPECT_EQ(decode_object(encode(record), "k").value().took_place_of, 300U);
  EXPECT_FALSE(decode_object(encode(record), "k").value().kept.has_value());
  BucketRecord about{{7}, "r", Supervision{3, 1'000'000}};
  EXPECT_EQ(decode_bucket(encode(about), "b").value().supervised, about.supervised);
  EXPECT_FALSE(decode_bucket(encode(about) + "x", "b").ok());
}

TEST(BucketFormat, DamagedRecordsAreErrors) {
  ObjectRecord record;
  record.etag = "e";
  record.headers = {{"a", "b"}};
  record.place.bytes = "body";
  const std::string bytes = encode(record);
  EXPECT_EQ(decode_object(bytes, "k").value().place.bytes, "body");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_object(std::string_view(bytes).substr(0, size), "k").ok()) << size;
  EXPECT_FALSE(decode_object(bytes + "x", "k").ok());
}

class Listing : public ::testing::Test {
 protected:
  Listing() {
    buckets_.run(CreateBucket{"b", "r"});
    buckets_.run(CreateBucket{"b2", "r"});
    buckets_.run(buckets_.put("b2", "other", BodyKind::kInline, "x"));
    for (const char* key : {"a", "d/1", "d/2", "d/e/3", "d0", "e/", "f"})
      buckets_.run(buckets_.put("b", key, BodyKind::kInline, "x"));
  }
  Page<ListedObject> list(const ListQuery& query) {
    return list_objects(buckets_.memory, "b", query).value();
  }
  static std::vector<std::string> keys(const Page<ListedObject>& page) {
    std::vector<std::string> keys;
    for (const auto& entry : page.entries) keys.push_back(entry.key);
    return keys;
  }
  Buckets buckets_;
};

TEST_F(Listing, Prefixes) {
  EXPECT_THAT(keys(list({"d/", "", "", "", 10})), ElementsAre("d/1", "d/2", "d/e/3"));
  const auto rolled = list({"", "/", "", "", 10});
  EXPECT_THAT(keys(rolled), ElementsAre("a", "d0", "f"));
  EXPECT_THAT(rolled.prefixes, ElementsAre("d/", "e/"));
  EXPECT_FALSE(rolled.truncated);
  EXPECT_THAT(list({"d/", "/", "", "", 10}).prefixes, ElementsAre("d/e/"));
  EXPECT_THAT(keys(list({"", "", "d/1", "", 10})), ElementsAre("d/2", "d/e/3", "d0", "e/", "f"));
  EXPECT_THAT(keys(list({"", "", "d/15", "", 1})), ElementsAre("d/2"));
  EXPECT_FALSE(list({"", "", "", "", 0}).truncated);
}

TEST_F(Listing, EveryPageSizeGivesTheSameWhole) {
  for (const std::string delimiter : {"", "/", "d"}) {
    const auto whole = list({"", delimiter, "", "", 100});
    for (std::size_t size = 1; size <= 8; ++size) {
      ListQuery query{"", delimiter, "", "", size};
      std::vector<std::string> found, prefixes;
      for (bool more = true; more;) {
        const auto page = list(query);
        for (const auto& key : keys(page)) found.push_back(key);
        prefixes.insert(prefixes.end(), page.prefixes.begin(), page.prefixes.end());
        EXPECT_LE(page.entries.size() + page.prefixes.size(), size);
        more = page.truncated;
        query.after = page.last;
      }
      EXPECT_EQ(found, keys(whole));
      EXPECT_EQ(prefixes, whole.prefixes);
    }
  }
}

TEST_F(Listing, UploadsOfOneNameArePagedById) {
  for (const char c : {'1', '2', '3'})
    buckets_.run(CreateUpload{"b", "k", std::string(kUploadIdBytes, c), {}});
  buckets_.run(CreateUpload{"b", "k!", std::string(kUploadIdBytes, '0'), {}});
  ListQuery query{"", "", "", "", 2};
  auto page = list_uploads(buckets_.memory, "b", query).value();
  EXPECT_EQ(page.entries.size(), 2U);
  EXPECT_TRUE(page.truncated);
  query.after = page.last;
  query.after_id = page.last_id;
  page = list_uploads(buckets_.memory, "b", query).value();
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries[0].id, std::string(kUploadIdBytes, '3'));
  EXPECT_EQ(page.entries[1].key, "k!");
  query.after_id.clear();  // behind the name
  EXPECT_EQ(list_uploads(buckets_.memory, "b", query).value().entries.size(), 1U);
}

}  // namespace
}  // namespace pawl::bucket
