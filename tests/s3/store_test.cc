// Both stores in a real bucket: the conformance suites, and what only a bucket can do to them.
#include "adapter/s3_archive.h"
#include "adapter/s3_ledger_store.h"
#include "adapter/s3_listing.h"
#include "adapter/s3_object_store.h"
#include "port/conformance/ledger_store_conformance.h"
#include "port/conformance/object_store_conformance.h"
#include "test_bucket.h"

namespace pawl {
namespace {

using testing::HasSubstr;

class BucketObjects final : public ObjectStoreHarness {
 public:
  BucketObjects() { restart(); }
  ObjectStore& store() override { return *store_; }
  void restart() override {
    store_.reset();
    bucket_.open();
    store_ = std::make_unique<S3ObjectStore>(bucket_.client());
  }

 private:
  TestBucket bucket_;
  std::unique_ptr<S3ObjectStore> store_;
};

class BucketLedger final : public LedgerStoreHarness {
 public:
  explicit BucketLedger(bool answers_are_lost) : lost_(answers_are_lost) {
    form_ = bucket_.archive().etag_form;
    restart();
  }
  LedgerStore& store() override { return *store_; }
  void restart() override {
    store_.reset();
    SignedClientOptions options;
    options.retry.attempts_max = 1;  // a failure is one
    bucket_.open(options);
    store_ = std::make_unique<S3LedgerStore>(bucket_.client(), form_);
  }
  std::uint64_t tear(const std::string& /*chain*/, const std::string& /*bytes*/) override {
    restart();
    return 0;
  }
  void fail_next_sync() override {
    bucket_.failing.part = ".pages";
    (lost_ ? bucket_.failing.lost_next : bucket_.failing.before_next) = 1;
  }

 private:
  TestBucket bucket_;
  bool lost_;
  EtagForm form_ = EtagForm::kQuoted;
  std::unique_ptr<S3LedgerStore> store_;
};

std::unique_ptr<ObjectStoreHarness> make_bucket_objects() {
  return std::make_unique<BucketObjects>();
}
std::unique_ptr<LedgerStoreHarness> make_bucket_ledger() {
  return std::make_unique<BucketLedger>(false);
}
std::unique_ptr<LedgerStoreHarness> make_lossy_ledger() {
  return std::make_unique<BucketLedger>(true);
}

INSTANTIATE_TEST_SUITE_P(Bucket, ObjectStoreConformance, testing::Values(make_bucket_objects));
INSTANTIATE_TEST_SUITE_P(Bucket, LedgerStoreConformance,
                         testing::Values(make_bucket_ledger, make_lossy_ledger));

class S3StoreTest : public testing::Test {
 protected:
  PutResult put(ObjectStore& store, const std::string& name, const std::string& body) {
    const PutRequest request{name, body, sha256(body)};
    return run_awaitable(store.put_if_absent(std::span(&request, 1))).at(0);
  }
  Status write(LedgerStore& store, const std::string& chain, const std::string& line) {
    const PageAppend page{chain, line};
    const auto appended = run_awaitable(store.append(std::span(&page, 1)));
    return appended.ok() ? run_awaitable(store.sync()) : appended;
  }

  std::unique_ptr<TestBucket> bucket_ = std::make_unique<TestBucket>();
};

TEST_F(S3StoreTest, ALostAnswerIsOnesOwnObject) {
  S3ObjectStore store(bucket_->client());
  bucket_->failing.lost_next = 1;  // the repeated put then meets the first one
  EXPECT_EQ(put(store, "a", "one").outcome, PutOutcome::kAlreadyEqual);
  EXPECT_EQ(put(store, "a", "two").outcome, PutOutcome::kAlreadyDifferent);
}

TEST_F(S3StoreTest, DoubtThatDoesNotEndIsUnknownAndRefusalIsNot) {
  SignedClientOptions options;
  options.retry.attempts_max = 1;
  bucket_->open(options);
  S3ObjectStore store(bucket_->client());
  bucket_->failing.lost_next = 1;
  const auto unknown = put(store, "a", "one");
  EXPECT_EQ(unknown.outcome, PutOutcome::kUnknown);
  EXPECT_THAT(unknown.why, HasSubstr("lost by the test"));
  bucket_->failing.before_next = 1;
  EXPECT_EQ(put(store, "b", "one").outcome, PutOutcome::kRefused);
  EXPECT_EQ(put(store, "a", "one").outcome, PutOutcome::kAlreadyEqual);
}

TEST_F(S3StoreTest, ABatchEndsSoonWhereTheStoreDoesNotAnswer) {
  S3ObjectStore store(bucket_->client());
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) names.push_back("o" + std::to_string(i));
  std::vector<PutRequest> requests;
  for (const auto& name : names) requests.push_back({name, name, sha256(name)});
  bucket_->failing.before_next = 1'000'000;
  const auto start = bucket_->clock.monotonic();
  for (const auto& result : run_awaitable(store.put_if_absent(requests)))
    EXPECT_EQ(result.outcome, PutOutcome::kRefused);
  EXPECT_LT(bucket_->clock.monotonic() - start, std::chrono::seconds(30));
}

TEST_F(S3StoreTest, AClockThatIsWrongByHoursIsCorrected) {
  for (const Duration off : {Duration(std::chrono::hours(3)), Duration(-std::chrono::hours(3))}) {
    bucket_->clock.off = off;
    bucket_->open();
    S3ObjectStore store(bucket_->client());
    const auto result = put(store, off > Duration{0} ? "fast" : "slow", "x");
    EXPECT_EQ(result.outcome, PutOutcome::kStored) << result.why;
  }
}

TEST_F(S3StoreTest, ASecondWriterIsFenced) {
  const auto form = bucket_->archive().etag_form;
  S3LedgerStore first(bucket_->client(), form);
  S3LedgerStore second(bucket_->client(), form);
  ASSERT_TRUE(write(first, "a", "1\n").ok());
  ASSERT_TRUE(run_awaitable(second.end_of("a")).ok());  // it goes on after 1
  ASSERT_TRUE(write(first, "a", "2\n").ok());
  const auto fenced = write(second, "a", "2, but another\n");
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, ErrorCode::kConflict);
  EXPECT_THAT(fenced.error().message, HasSubstr("fenced"));
  // The tip, too: it was replaced since the second writer saw it.
  ASSERT_TRUE(run_awaitable(second.tip()).ok());
  ASSERT_TRUE(run_awaitable(first.put_tip("tip 1\n")).ok());
  ASSERT_TRUE(run_awaitable(first.put_tip("tip 2\n")).ok());
  const auto stale = run_awaitable(second.put_tip("all is quiet\n"));
  ASSERT_FALSE(stale.ok());
  EXPECT_EQ(stale.error().code, ErrorCode::kConflict);
  EXPECT_EQ(*run_awaitable(first.tip()), "tip 2\n");
}

TEST_F(S3StoreTest, PagesInDoubtAreNotReplacedByOthers) {
  SignedClientOptions options;
  options.retry.attempts_max = 1;
  bucket_->open(options);
  S3LedgerStore store(bucket_->client(), bucket_->archive().etag_form);
  bucket_->failing.part = ".pages";
  bucket_->failing.lost_next = 1;
  ASSERT_FALSE(write(store, "a", "1\n").ok());
  ASSERT_TRUE(run_awaitable(store.reopen()).ok());
  EXPECT_EQ(write(store, "a", "other\n").error().code, ErrorCode::kConflict);
  ASSERT_TRUE(run_awaitable(store.reopen()).ok());
  // The same page again, and then more: each a volume of its own.
  const PageAppend pages[] = {{"a", "1\n"}, {"a", "2\n"}};
  ASSERT_TRUE(run_awaitable(store.append(pages)).ok());
  const auto synced = run_awaitable(store.sync());
  ASSERT_TRUE(synced.ok()) << synced.error().to_string();
  std::string read;
  ASSERT_TRUE(run_awaitable(store.read("a", [&](std::string_view line) {
                read += line;
                return true;
              })).ok());
  EXPECT_EQ(read, "1\n2\n");
  EXPECT_TRUE(write(store, "a", "3\n").ok());
}

TEST_F(S3StoreTest, ATipInDoubtIsOnesOwn) {
  S3LedgerStore store(bucket_->client(), bucket_->archive().etag_form);
  ASSERT_TRUE(run_awaitable(store.put_tip("1\n")).ok());
  bucket_->failing.part = ".pawl/tip";
  bucket_->failing.lost_next = 1;  // repeated under the ETag that is gone by then
  const auto status = run_awaitable(store.put_tip("2\n"));
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  EXPECT_TRUE(run_awaitable(store.put_tip("3\n")).ok());
  EXPECT_EQ(*run_awaitable(store.tip()), "3\n");
}

TEST_F(S3StoreTest, LongChainsAreFoundByAFewListings) {
  S3LedgerStore store(bucket_->client(), bucket_->archive().etag_form);
  std::vector<std::string> lines;
  for (int i = 0; i < 1203; ++i) lines.push_back(std::to_string(i) + "\n");
  for (const auto& line : lines) {
    const PageAppend page{"long", line};
    ASSERT_TRUE(run_awaitable(store.start_volume("long")).ok());
    ASSERT_TRUE(run_awaitable(store.append(std::span(&page, 1))).ok());
  }
  ASSERT_TRUE(run_awaitable(store.sync()).ok());
  S3LedgerStore again(bucket_->client(), EtagForm::kQuoted);
  EXPECT_EQ(run_awaitable(again.end_of("long"))->last_line, "1202\n");
}

TEST_F(S3StoreTest, AnArchiveIsMadeOnceAndNotAmongOthersObjects) {
  const auto made = bucket_->archive();
  EXPECT_TRUE(made.created);
  const auto found = bucket_->archive();
  EXPECT_FALSE(found.created);
  EXPECT_EQ(found.id, made.id);
  TestBucket foreign;
  S3ObjectStore store(foreign.client());
  ASSERT_EQ(put(store, "somebody's", "x").outcome, PutOutcome::kStored);
  SystemRandom random;
  const auto refused =
      run_awaitable(open_s3_archive(foreign.client(), random, foreign.clock.now()));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("holds objects but is no archive"));
}

// A store that takes every put, whatever its condition says: s3rver is one (tests/s3 uses the real one).
class IgnoringConditions final : public RemoteInterference {
 public:
  std::optional<HttpReply> before(const SignedRequest& /*request*/) override {
    return std::nullopt;
  }
  void after(const SignedRequest& request, HttpReply& reply) override {
    if (request.method == "PUT" && reply.status == 412)
      reply = {HttpReply::Kind::kAnswered, 200, {}, {}, {}};
  }
};

TEST_F(S3StoreTest, AStoreThatIgnoresConditionsIsRefused) {
  IgnoringConditions ignoring;
  SignedClientOptions options;
  options.interference = &ignoring;
  RealClock clock;
  SystemRandom random;
  auto client = S3Client::open(bucket_->client().location(), bucket_->client().endpoint().origin,
                               AwsSurroundings::of_process(), clock, random, options);
  ASSERT_TRUE(client.ok());
  const auto refused = run_awaitable(open_s3_archive(**client, random, clock.now()));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("ignores conditional requests"));
  EXPECT_EQ(run_awaitable(find_s3_archive(**client)).error().code, ErrorCode::kNotFound);
}

TEST_F(S3StoreTest, AMissingBucketSaysWhatToDo) {
  RealClock clock;
  SystemRandom random;
  auto client = S3Client::open({"no-such-bucket-here", ""}, bucket_->client().endpoint().origin,
                               AwsSurroundings::of_process(), clock, random);
  ASSERT_TRUE(client.ok());
  const auto missing = run_awaitable(open_s3_archive(**client, random, clock.now()));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().hint, HasSubstr("aws s3 mb"));
}

}  // namespace
}  // namespace pawl
