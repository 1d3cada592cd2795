// Pawl's own ports into a bucket: their conformance, and what is theirs alone.
#include "bucket/own_fixture_test.h"
#include "bucket/own_ledger_store.h"
#include "bucket/own_object_store.h"
#include "bucket/own_object_watch.h"
#include "port/conformance/ledger_store_conformance.h"
#include "port/conformance/object_store_conformance.h"

namespace pawl::bucket {
namespace {

class ObjectsHarness final : public ObjectStoreHarness {
 public:
  ObjectStore& store() override { return *store_; }
  void restart() override {
    own_.restart();
    store_.emplace(own_.ports(), "b");
  }

 private:
  OwnBuckets own_;
  std::optional<OwnObjectStore> store_{std::in_place, own_.ports(), "b"};
};
std::unique_ptr<ObjectStoreHarness> make_objects() { return std::make_unique<ObjectsHarness>(); }
INSTANTIATE_TEST_SUITE_P(Bucket, ObjectStoreConformance, testing::Values(make_objects));

class LedgerHarness final : public LedgerStoreHarness {
 public:
  LedgerStore& store() override { return *store_; }
  void restart() override {
    own_.restart();
    store_.emplace(own_.ports(), "b");
  }
  std::uint64_t tear(const std::string& /*chain*/, const std::string& /*bytes*/) override {
    restart();
    return 0;
  }
  void fail_next_sync() override {
    own_.plan.then(FaultPoint::kStoreWrite, {static_cast<std::size_t>(StoreWriteFault::kNotDone)});
  }

 private:
  OwnBuckets own_;
  std::optional<OwnLedgerStore> store_{std::in_place, own_.ports(), "b"};
};
std::unique_ptr<LedgerStoreHarness> make_ledger() { return std::make_unique<LedgerHarness>(); }
INSTANTIATE_TEST_SUITE_P(Bucket, LedgerStoreConformance, testing::Values(make_ledger));

class OwnPortsTest : public testing::Test {
 protected:
  Status append_synced(OwnLedgerStore& ledger, const std::string& chain, const std::string& line) {
    const std::vector<PageAppend> pages{{chain, line}};
    const Status appended = run_awaitable(ledger.append(pages));
    return appended.ok() ? run_awaitable(ledger.sync()) : appended;
  }
  std::vector<ObjectSeen> look(const std::vector<ObjectAsk>& asks) {
    OwnObjectWatch watch(own_.ports(), "b");
    return run_awaitable(watch.look(asks));
  }
  std::size_t files() { return own_.buckets.files.list()->size(); }

  OwnBuckets own_;
};

TEST_F(OwnPortsTest, WhoMeetsAnothersPageIsFenced) {
  OwnLedgerStore first(own_.ports(), "b"), second(own_.ports(), "b");
  ASSERT_TRUE(run_awaitable(first.end_of("root")).ok());
  ASSERT_TRUE(run_awaitable(second.end_of("root")).ok());
  ASSERT_TRUE(append_synced(first, "root", "first\n").ok());
  const Status fenced = append_synced(second, "root", "second\n");
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, ErrorCode::kConflict);
  // The very same page is no other's.
  OwnLedgerStore again(own_.ports(), "b");
  ASSERT_TRUE(append_synced(again, "root", "next\n").ok());
  ASSERT_TRUE(append_synced(first, "root", "next\n").ok());
}

TEST_F(OwnPortsTest, ASyncOfSeveralChainsIsThereWholeOrNotAtAll) {
  OwnLedgerStore ledger(own_.ports(), "b"), other(own_.ports(), "b");
  ASSERT_TRUE(run_awaitable(ledger.end_of("a")).ok());
  ASSERT_TRUE(run_awaitable(ledger.end_of("z")).ok());
  ASSERT_TRUE(append_synced(other, "z", "theirs\n").ok());
  const std::vector<PageAppend> pages{{"a", "ours\n"}, {"z", "ours\n"}};
  ASSERT_TRUE(run_awaitable(ledger.append(pages)).ok());
  EXPECT_FALSE(run_awaitable(ledger.sync()).ok());
  OwnLedgerStore later(own_.ports(), "b");
  EXPECT_EQ(run_awaitable(later.end_of("a"))->last_line, std::nullopt);
}

TEST_F(OwnPortsTest, ATipIsNotPutOverAnothers) {
  OwnLedgerStore first(own_.ports(), "b"), second(own_.ports(), "b");
  ASSERT_TRUE(run_awaitable(first.put_tip("1\n")).ok());
  ASSERT_TRUE(run_awaitable(second.put_tip("2\n")).ok());
  const Status fenced = run_awaitable(first.put_tip("3\n"));
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, ErrorCode::kConflict);
  EXPECT_EQ(*run_awaitable(second.tip()), "2\n");
}

TEST_F(OwnPortsTest, NoFileOfARefusedPutStays) {
  OwnObjectStore objects(own_.ports(), "b");
  const std::string large(kStoredBytesMax + 1, 'x');
  const std::string other(kStoredBytesMax + 1, 'y');
  const std::vector<PutRequest> puts{{"a", large, sha256(large)}, {"a", other, sha256(other)}};
  const auto results = run_awaitable(objects.put_if_absent(puts));
  EXPECT_EQ(results[0].outcome, PutOutcome::kStored);
  EXPECT_EQ(results[1].outcome, PutOutcome::kAlreadyDifferent);
  own_.buckets.store->committer().run_round();
  EXPECT_EQ(files(), 1U);
  own_.buckets.files.fail_seals(true);
  const std::vector<PutRequest> more{{"b", other, sha256(other)}};
  EXPECT_EQ(run_awaitable(objects.put_if_absent(more))[0].outcome, PutOutcome::kRefused);
  own_.buckets.store->committer().run_round();
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(*run_awaitable(objects.get("b", 1 << 20)), std::nullopt);
}

TEST_F(OwnPortsTest, APutIntoNoBucketIsRefused) {
  OwnObjectStore objects(own_.ports(), "never-made");
  const std::vector<PutRequest> puts{{"a", "1", sha256("1")}};
  const auto results = run_awaitable(objects.put_if_absent(puts));
  EXPECT_EQ(results[0].outcome, PutOutcome::kRefused);
  EXPECT_EQ(results[0].why, "putting s3://never-made/a: there is no such bucket");
}

TEST_F(OwnPortsTest, WorkThatIsDroppedLetsItsWaiterGo) {
  OwnPorts ports = own_.ports();
  ports.run_elsewhere = [](const std::function<void()>& /*work*/) {};
  OwnObjectStore objects(ports, "b");
  const auto got = run_awaitable(objects.get("a", 1));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  OwnObjectWatch watch(ports, "b");
  const std::vector<ObjectAsk> asks{{"a", {}}};
  EXPECT_EQ(run_awaitable(watch.look(asks))[0].kind, ObjectSeen::Kind::kUnclear);
}

TEST_F(OwnPortsTest, LooksSayWhatIsThereAndSinceWhen) {
  own_.buckets.clock.set({1'800'000'000'700'000});
  for (const auto kind : {BodyKind::kInline, BodyKind::kStored, BodyKind::kFile})
    own_.run(
        own_.buckets.put("b", "of kind " + std::to_string(static_cast<int>(kind)), kind, "hello"));
  own_.buckets.clock.advance(std::chrono::seconds(5));
  const auto seen = look({{"of kind 0", {}}, {"of kind 1", {}}, {"of kind 2", {}}, {"none", {}}});
  ASSERT_EQ(seen.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(seen[i].kind, ObjectSeen::Kind::kThere);
    EXPECT_EQ(seen[i].size, 5U);
    EXPECT_EQ(seen[i].digest, sha256("hello"));
    EXPECT_EQ(seen[i].written_at.microseconds, 1'800'000'000'000'000);
    EXPECT_EQ(seen[i].seen_at.microseconds, 1'800'000'005'000'000);
  }
  EXPECT_EQ(seen[3].kind, ObjectSeen::Kind::kAbsent);
  EXPECT_EQ(seen[3].seen_at.microseconds, 1'800'000'005'000'000);
}

TEST_F(OwnPortsTest, WhatIsTooLargeOrTooOldIsNotRead) {
  PutObject large = own_.buckets.put("b", "large", BodyKind::kFile, "as if it were large");
  large.record.bytes = OwnObjectWatch::kReadMax + 1;
  own_.run(large);
  const Instant now = own_.buckets.clock.now();
  const auto seen = look({{"large", now}, {"large", {now.microseconds + 2'000'000}}});
  EXPECT_EQ(seen[0].kind, ObjectSeen::Kind::kUnwieldy);
  EXPECT_EQ(seen[1].kind, ObjectSeen::Kind::kThere);
  EXPECT_TRUE(seen[1].digest.is_zero());
}

TEST_F(OwnPortsTest, ABodyThatIsDamagedIsUnclear) {
  PutObject put = own_.buckets.put("b", "short", BodyKind::kFile, "short");
  put.record.bytes = 6;
  own_.run(put);
  const auto seen = look({{"short", {}}});
  EXPECT_EQ(seen[0].kind, ObjectSeen::Kind::kUnclear);
  EXPECT_NE(seen[0].why, "");
}

}  // namespace
}  // namespace pawl::bucket
