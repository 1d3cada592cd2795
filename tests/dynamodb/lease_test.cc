// Leases in a real engine: the conformance suite, and what only an engine can do to them.
#include "adapter/dynamodb_lease_store.h"
#include "port/conformance/lease_store_conformance.h"
#include "test_engine.h"

namespace pawl {
namespace {

SignedClientOptions two_attempts() {
  SignedClientOptions options;
  options.retry.attempts_max = 2;
  return options;
}

class EngineHarness final : public LeaseStoreHarness {
 public:
  LeaseStore& store() override { return store_; }
  LeaseStore& other() override { return other_; }
  void refuse_next_write() override { next(Do::kCutOff, Do::kCutOff); }
  void lose_next_answer() override { next(Do::kLoseAnswer, Do::kLoseRequest); }
  void lose_next_request() override { next(Do::kLoseRequest, Do::kLoseRequest); }
  void repeat_next_write() override { next(Do::kLoseAnswer, Do::kPass); }

 private:
  using Do = FailingWrites::Do;
  void next(Do first, Do second) {
    engine_.failing.next.push_back(first);
    engine_.failing.next.push_back(second);
  }

  TestEngine engine_{two_attempts()};
  TestEngine other_engine_;
  std::string table_ = engine_.new_name();
  DynamoDbLeaseStore store_{engine_.client(), table_};
  DynamoDbLeaseStore other_{other_engine_.client(), table_};
};

std::unique_ptr<LeaseStoreHarness> make_engine_harness() {
  return std::make_unique<EngineHarness>();
}
INSTANTIATE_TEST_SUITE_P(Engine, LeaseStoreConformance, testing::Values(make_engine_harness));

class EngineLeases : public testing::Test {
 protected:
  static Awaitable<void> create(LeaseStore& store, int& made) {
    const Status status = co_await store.create_if_absent();
    EXPECT_TRUE(status.ok()) << status.error().to_string();
    if (status.ok()) ++made;
  }

  TestEngine engine_;
  std::string table_ = engine_.new_name();
  DynamoDbLeaseStore store_{engine_.client(), table_};
};

TEST_F(EngineLeases, ManyMayMakeTheTableAtOnce) {
  constexpr int kMakers = 8;
  int made = 0;
  boost::asio::io_context context;
  for (int i = 0; i < kMakers; ++i) {
    boost::asio::co_spawn(context, create(store_, made), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }
  context.run();
  EXPECT_EQ(made, kMakers);
}

TEST_F(EngineLeases, ATableOfAnotherUseIsRefused) {
  engine_.call("CreateTable", R"({"TableName":")" + table_ +
                                  R"(","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[)"
                                  R"({"AttributeName":"name","AttributeType":"S"},)"
                                  R"({"AttributeName":"at","AttributeType":"N"}],"KeySchema":[)"
                                  R"({"AttributeName":"name","KeyType":"HASH"},)"
                                  R"({"AttributeName":"at","KeyType":"RANGE"}]})");
  const auto refused = run_awaitable(store_.create_if_absent());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TEST_F(EngineLeases, WithoutATableNothingIsDone) {
  EXPECT_EQ(run_awaitable(store_.put("a", 0, "v")).outcome, LeaseOutcome::kNotDone);
  EXPECT_EQ(run_awaitable(store_.erase("a", 1)).outcome, LeaseOutcome::kNotDone);
  EXPECT_EQ(run_awaitable(store_.list("")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run_awaitable(store_.get("a")).error().code, ErrorCode::kNotFound);
}

TEST_F(EngineLeases, ADamagedAnswerIsRepeatedAndFindsItself) {
  ASSERT_TRUE(run_awaitable(store_.create_if_absent()).ok());
  engine_.failing.next = {FailingWrites::Do::kDamageAnswer};
  EXPECT_EQ(run_awaitable(store_.put("a", 0, "v")).outcome, LeaseOutcome::kDone);
}

TEST_F(EngineLeases, LongListsAreReadPageByPage) {
  ASSERT_TRUE(run_awaitable(store_.create_if_absent()).ok());
  const std::string value(kLeaseValueMax, 'v');
  constexpr int kRows = 300;  // more than a page of 1 MB
  for (int i = 0; i < kRows; ++i) {
    const auto name = "shard/" + std::to_string(1000 + i);
    ASSERT_EQ(run_awaitable(store_.put(name, 0, value)).outcome, LeaseOutcome::kDone);
  }
  const auto rows = run_awaitable(store_.list("shard/"));
  ASSERT_TRUE(rows.ok()) << rows.error().to_string();
  ASSERT_EQ(rows->size(), static_cast<std::size_t>(kRows));
  for (int i = 0; i < kRows; ++i)
    EXPECT_EQ(rows->at(static_cast<std::size_t>(i)).name, "shard/" + std::to_string(1000 + i));
}

}  // namespace
}  // namespace pawl
