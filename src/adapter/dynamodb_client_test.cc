#include "adapter/dynamodb_client.h"

#include "adapter/canned_dynamodb_test.h"
#include "adapter/dynamodb_source_table.h"
#include "adapter/dynamodb_table_stream.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

AwsSettings settings(std::string endpoint, std::string region) {
  AwsSettings result;
  result.endpoint = std::move(endpoint);
  result.region = std::move(region);
  return result;
}

TEST(DynamoDbEndpoints, AreAmazonsOrAsGiven) {
  auto found = resolve_dynamodb_endpoints("", settings("", "eu-north-1"), settings("", ""));
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->amazon);
  EXPECT_EQ(found->tables.origin, "https://dynamodb.eu-north-1.amazonaws.com");
  EXPECT_EQ(found->streams.origin, "https://streams.dynamodb.eu-north-1.amazonaws.com");
  EXPECT_EQ(found->streams.region, "eu-north-1");
  found = resolve_dynamodb_endpoints("", settings("", "cn-north-1"), settings("", ""));
  EXPECT_EQ(found->streams.host, "streams.dynamodb.cn-north-1.amazonaws.com.cn");
  // One's own engine serves both, and needs no region.
  found = resolve_dynamodb_endpoints("http://127.0.0.1:8000/", settings("http://x", ""),
                                     settings("http://y", ""));
  EXPECT_FALSE(found->amazon);
  EXPECT_EQ(found->tables.origin, "http://127.0.0.1:8000");
  EXPECT_EQ(found->streams.host, "127.0.0.1:8000");
  EXPECT_EQ(found->tables.region, "us-east-1");
  found = resolve_dynamodb_endpoints("", settings("http://x", ""), settings("", ""));
  EXPECT_EQ(found->streams.origin, "http://x");
  found = resolve_dynamodb_endpoints("", settings("http://x", ""), settings("http://y", ""));
  EXPECT_EQ(found->tables.origin, "http://x");
  EXPECT_EQ(found->streams.origin, "http://y");
  // Amazon's other endpoints of tables serve no streams.
  found = resolve_dynamodb_endpoints("https://dynamodb-fips.us-east-1.amazonaws.com",
                                     settings("", "us-east-1"), settings("", ""));
  EXPECT_EQ(found->tables.host, "dynamodb-fips.us-east-1.amazonaws.com");
  EXPECT_EQ(found->streams.host, "streams.dynamodb.us-east-1.amazonaws.com");
  EXPECT_FALSE(resolve_dynamodb_endpoints("", settings("", ""), settings("", "")).ok());
  EXPECT_FALSE(
      resolve_dynamodb_endpoints("127.0.0.1:8000", settings("", ""), settings("", "")).ok());
}

TEST(DynamoDbEndpoints, ComeFromTheSettingsOfBothServices) {
  std::map<std::string, std::string> variables{
      {"HOME", "/h"},
      {"AWS_REGION", "eu-west-1"},
      {"AWS_ENDPOINT_URL_DYNAMODB", "http://tables"},
      {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "http://streams"}};
  AwsSurroundings from;
  from.variable = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  from.file = [](const std::string&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>{};
  };
  JumpingClock clock;
  CountingRandom random;
  auto client = DynamoDbClient::open("", from, clock, random);
  ASSERT_TRUE(client.ok());
  EXPECT_EQ((*client)->endpoints().tables.origin, "http://tables");
  EXPECT_EQ((*client)->endpoints().streams.origin, "http://streams");
  EXPECT_EQ((*client)->describe(), "http://tables");
  variables.erase("AWS_ENDPOINT_URL_DYNAMODB_STREAMS");
  client = DynamoDbClient::open("", from, clock, random);
  EXPECT_EQ((*client)->endpoints().streams.origin, "http://tables");
  variables.erase("AWS_ENDPOINT_URL_DYNAMODB");
  client = DynamoDbClient::open("", from, clock, random);
  EXPECT_EQ((*client)->describe(), "DynamoDB in eu-west-1");
}

class DynamoDbClientTest : public CannedDynamoDbTest {
 protected:
  DynamoDbAnswer call() {
    return run_awaitable(client_->call({DynamoDbApi::kTables, "PutItem", "{}"}));
  }
};

TEST_F(DynamoDbClientTest, ThrottlesAreWaitedOut) {
  canned_.refuses("ProvisionedThroughputExceededException").refuses("ThrottlingException");
  canned_.answers("{}");
  const auto answer = call();
  EXPECT_TRUE(answer.done());
  EXPECT_TRUE(answer.slowed);
  EXPECT_EQ(canned_.sent.size(), 3U);
}

TEST_F(DynamoDbClientTest, ADoubtStaysOne) {
  canned_.is_silent().refuses("ConditionalCheckFailedException");
  auto answer = call();
  EXPECT_EQ(answer.outcome, RemoteOutcome::kUnknown);
  EXPECT_EQ(answer.code, "ConditionalCheckFailedException");
  canned_.refuses("ConditionalCheckFailedException");
  answer = call();
  EXPECT_EQ(answer.outcome, RemoteOutcome::kNotDone);
  for (int i = 0; i < 5; ++i) canned_.refuses("InternalServerError", 500);
  EXPECT_EQ(call().outcome, RemoteOutcome::kUnknown);
}

TEST_F(DynamoDbClientTest, WhoMayNotWriteAnyMoreSendsNoFurtherAttempt) {
  std::size_t allowed = 1;
  may_send_ = [&allowed](const SignedRequest& request) {
    EXPECT_EQ(request.name, "PutItem");
    return allowed-- > 0;
  };
  open();
  canned_.is_silent();
  auto answer = call();
  EXPECT_EQ(answer.outcome, RemoteOutcome::kUnknown);  // the first may have been done
  EXPECT_EQ(canned_.sent.size(), 1U);
  allowed = 0;
  answer = call();
  EXPECT_EQ(answer.outcome, RemoteOutcome::kNotDone);
  EXPECT_THAT(answer.why, HasSubstr("not sent"));
  EXPECT_EQ(canned_.sent.size(), 1U);
}

TEST_F(DynamoDbClientTest, ADamagedAnswerIsNone) {
  HttpReply damaged{HttpReply::Kind::kAnswered, 200, {{"x-amz-crc32", "1"}}, "{}", {}};
  canned_.then(damaged).answers("{}");
  EXPECT_TRUE(call().done());
  EXPECT_EQ(canned_.sent.size(), 2U);
  for (const char* const said : {"1", "x", "2745614147x", "99999999999"}) {
    damaged.headers[0].second = said;
    for (int i = 0; i < 5; ++i) canned_.then(damaged);
    const auto answer = call();
    EXPECT_EQ(answer.outcome, RemoteOutcome::kUnknown) << said;
    EXPECT_THAT(answer.why, HasSubstr("x-amz-crc32"));
  }
  damaged.headers.clear();  // engines that don't send one
  canned_.then(damaged);
  EXPECT_TRUE(call().done());
}

TEST_F(DynamoDbClientTest, ExpiredAndSkewedAreMendedOnceEach) {
  canned_.refuses("ExpiredTokenException").refuses("RequestTimeTooSkewed", 403).answers("{}");
  EXPECT_TRUE(call().done());
  canned_.refuses("ExpiredTokenException").refuses("ExpiredTokenException");
  const auto answer = call();
  EXPECT_EQ(answer.outcome, RemoteOutcome::kNotDone);
  EXPECT_EQ(to_read_error(answer, "asking").code, ErrorCode::kInvalid);
}

TEST_F(DynamoDbClientTest, WithoutCredentialsNothingIsSent) {
  variables_.erase("AWS_ACCESS_KEY_ID");
  variables_.erase("AWS_SECRET_ACCESS_KEY");
  open();
  const auto answer = call();
  EXPECT_TRUE(answer.no_credentials);
  EXPECT_EQ(answer.outcome, RemoteOutcome::kNotDone);
  EXPECT_EQ(to_read_error(answer, "asking").code, ErrorCode::kInvalid);
  EXPECT_EQ(to_stream_error(answer, "asking").kind, StreamErrorKind::kDenied);
}

class DynamoDbTableStreamTest : public CannedDynamoDbTest {
 protected:
  DynamoDbTableStream stream() { return DynamoDbTableStream(*client_); }
};

TEST_F(DynamoDbTableStreamTest, AsksAsTheReferenceHasIt) {
  canned_.answers(
      R"({"StreamDescription":{"StreamArn":"a","StreamStatus":"ENABLED","Shards":[]}})");
  EXPECT_TRUE(run_awaitable(stream().shards("a", "")).ok());
  canned_.answers(
      R"({"StreamDescription":{"StreamArn":"a","StreamStatus":"ENABLED","Shards":[]}})");
  EXPECT_TRUE(run_awaitable(stream().shards("a", "s")).ok());
  for (int i = 0; i < 3; ++i) canned_.answers(R"({"ShardIterator":"i"})");
  using At = StreamPosition::At;
  EXPECT_EQ(*run_awaitable(stream().iterator("a", "s", {At::kOldest, ""})), "i");
  EXPECT_TRUE(run_awaitable(stream().iterator("a", "s", {At::kAfter, "17"})).ok());
  EXPECT_TRUE(run_awaitable(stream().iterator("a", "s", {At::kLatest, ""})).ok());
  canned_.answers(R"({"Records":[]})");
  EXPECT_TRUE(run_awaitable(stream().records("i\"", 1000)).ok());
  std::vector<std::string> bodies;
  for (const auto& sent : canned_.sent) bodies.push_back(sent.operation + " " + sent.body);
  EXPECT_THAT(
      bodies,
      ElementsAre(
          R"(DescribeStream {"StreamArn":"a","Limit":100})",
          R"(DescribeStream {"StreamArn":"a","Limit":100,"ExclusiveStartShardId":"s"})",
          R"(GetShardIterator {"StreamArn":"a","ShardId":"s","ShardIteratorType":"TRIM_HORIZON"})",
          R"(GetShardIterator {"StreamArn":"a","ShardId":"s","ShardIteratorType":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"17"})",
          R"(GetShardIterator {"StreamArn":"a","ShardId":"s","ShardIteratorType":"LATEST"})",
          R"(GetRecords {"ShardIterator":"i\"","Limit":1000})"));
}

TEST_F(DynamoDbTableStreamTest, SaysWhatAReaderHasToDecideBy) {
  const auto kind = [this](const std::string& code, unsigned status = 400) {
    const bool repeated = status >= 500 || code == "LimitExceededException";
    for (int i = 0; i < (repeated ? 5 : 1); ++i) canned_.refuses(code, status);
    const auto page = run_awaitable(stream().records("i", 10));
    EXPECT_FALSE(page.ok());
    EXPECT_THAT(page.error().message, HasSubstr("reading records"));
    return page.error().kind;
  };
  EXPECT_EQ(kind("ExpiredIteratorException"), StreamErrorKind::kExpiredIterator);
  EXPECT_EQ(kind("TrimmedDataAccessException"), StreamErrorKind::kTrimmed);
  EXPECT_EQ(kind("ResourceNotFoundException"), StreamErrorKind::kNotFound);
  EXPECT_EQ(kind("LimitExceededException"), StreamErrorKind::kThrottled);
  EXPECT_EQ(kind("AccessDeniedException"), StreamErrorKind::kDenied);
  EXPECT_EQ(kind("UnrecognizedClientException"), StreamErrorKind::kDenied);
  EXPECT_EQ(kind("ValidationException"), StreamErrorKind::kInvalid);
  EXPECT_EQ(kind("InternalServerError", 500), StreamErrorKind::kUnavailable);
  canned_.answers(R"({"Records":5})");
  EXPECT_EQ(run_awaitable(stream().records("i", 10)).error().kind, StreamErrorKind::kUnavailable);
}

class DynamoDbSourceTableTest : public CannedDynamoDbTest {
 protected:
  static std::string key(int n) { return R"({"k":{"N":")" + std::to_string(n) + "\"}}"; }
  static std::string item(int n) {
    return R"({"v":{"S":"x"}, "k":{"N":")" + std::to_string(n) + ".0\"}}";
  }
  static std::string batch(const std::vector<int>& items, const std::vector<int>& unprocessed) {
    std::string text = R"({"Responses":{"t":[)";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ",") + item(items[i]);
    text += R"(]},"UnprocessedKeys":{)";
    if (!unprocessed.empty()) text += R"("t":{"Keys":[)";
    for (std::size_t i = 0; i < unprocessed.size(); ++i)
      text += (i == 0 ? "" : ",") + key(unprocessed[i]);
    return text + (unprocessed.empty() ? "}}" : "]}}}");
  }
  Result<std::vector<std::optional<std::string>>> get_many(const std::vector<int>& keys) {
    std::vector<std::string> texts;
    for (const int n : keys) texts.push_back(key(n));
    return run_awaitable(table().get_many(texts));
  }
  DynamoDbSourceTable table() { return {*client_, "t"}; }
};

TEST_F(DynamoDbSourceTableTest, ManyAreAnsweredInOrder) {
  canned_.answers(batch({3, 1}, {4, 2}));  // 5 is not there
  canned_.answers(batch({2}, {4})).answers(batch({}, {4})).answers(batch({4}, {}));
  const auto found = get_many({1, 2, 3, 4, 5, 1});
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_THAT(*found, ElementsAre(item(1), item(2), item(3), item(4), std::nullopt, item(1)));
  // Each key once: the service takes no key twice.
  EXPECT_EQ(
      canned_.sent[0].body,
      R"({"RequestItems":{"t":{"ConsistentRead":true,"Keys":[{"k":{"N":"1"}},{"k":{"N":"2"}},)"
      R"({"k":{"N":"3"}},{"k":{"N":"4"}},{"k":{"N":"5"}}]}}})");
  EXPECT_THAT(*get_many({}), ElementsAre());
}

TEST_F(DynamoDbSourceTableTest, WhatIsTooLargeIsAskedForInHalves) {
  const HttpReply too_large{HttpReply::Kind::kTooLarge, 200, {}, {}, {}};
  canned_.then(too_large).answers(batch({1, 2}, {})).then(too_large).answers(batch({3}, {}));
  canned_.answers(batch({4}, {}));
  const auto found = get_many({1, 2, 3, 4});
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_THAT(*found, ElementsAre(item(1), item(2), item(3), item(4)));
  canned_.then(too_large);
  EXPECT_FALSE(get_many({1}).ok());
}

TEST_F(DynamoDbSourceTableTest, ManyThatCannotBeAnswered) {
  for (std::uint32_t i = 0; i < DynamoDbSourceTable::kFruitlessMax; ++i)
    canned_.answers(batch({}, {1}));
  EXPECT_EQ(get_many({1}).error().code, ErrorCode::kUnavailable);
  canned_.answers(batch({2}, {}));  // not asked for
  EXPECT_EQ(get_many({1}).error().code, ErrorCode::kUnavailable);
  canned_.answers(batch({}, {2}));
  EXPECT_EQ(get_many({1}).error().code, ErrorCode::kUnavailable);
  for (const char* const bad : {"", "{}", "[]", "{\"k\":5}", "{\"k\":{\"N\":\"1\"}}}"}) {
    EXPECT_EQ(run_awaitable(table().get_many({bad})).error().code, ErrorCode::kInvalid) << bad;
    if (std::string_view(bad) == "{}" || std::string_view(bad) == "{\"k\":5}") continue;
    EXPECT_EQ(run_awaitable(table().get(bad)).error().code, ErrorCode::kInvalid) << bad;
  }
  // Keys of one call are of one table.
  EXPECT_EQ(run_awaitable(table().get_many({key(1), R"({"j":{"N":"1"}})"})).error().code,
            ErrorCode::kInvalid);
}

TEST_F(DynamoDbSourceTableTest, AsksAsTheReferenceHasIt) {
  canned_.answers(R"({"Item":{"k":{"N":"1"}}})").answers("{}");
  EXPECT_EQ(**run_awaitable(table().get(key(1))), R"({"k":{"N":"1"}})");
  EXPECT_EQ(*run_awaitable(table().get(key(1))), std::nullopt);
  canned_.answers(R"({"Items":[]})").answers(R"({"Items":[]})");
  EXPECT_TRUE(run_awaitable(table().scan(0, 1, "", {})).ok());
  EXPECT_TRUE(run_awaitable(table().scan(2, 3, key(1), {"k", "a.b"})).ok());
  EXPECT_EQ(canned_.sent[0].body,
            R"({"TableName":"t","ConsistentRead":true,"Key":{"k":{"N":"1"}}})");
  EXPECT_EQ(canned_.sent[2].body, R"({"TableName":"t"})");
  EXPECT_EQ(
      canned_.sent[3].body,
      R"({"TableName":"t","Segment":2,"TotalSegments":3,"ExclusiveStartKey":{"k":{"N":"1"}},)"
      R"("ExpressionAttributeNames":{"#a0":"k","#a1":"a.b"},"ProjectionExpression":"#a0,#a1"})");
}

TEST_F(DynamoDbSourceTableTest, SaysWhoCanHelp) {
  canned_.refuses("ResourceNotFoundException");
  EXPECT_EQ(run_awaitable(table().describe()).error().code, ErrorCode::kNotFound);
  canned_.refuses("AccessDeniedException");
  const auto denied = run_awaitable(table().describe()).error();
  EXPECT_EQ(denied.code, ErrorCode::kInvalid);
  EXPECT_THAT(denied.hint, HasSubstr("dynamodb:DescribeTable"));
  canned_.answers("<html>");
  EXPECT_EQ(run_awaitable(table().describe()).error().code, ErrorCode::kUnavailable);
  for (int i = 0; i < 5; ++i) canned_.is_silent();
  EXPECT_EQ(run_awaitable(table().get(key(1))).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pawl
