#include "adapter/dynamodb_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "adapter/json_answer.h"
#include "base/crc.h"

namespace pawl {
namespace {

using testing::ElementsAre;

// As the service answers (API reference, the operations' examples), but shorter.
constexpr std::string_view kTable = R"({"Table":{
  "AttributeDefinitions":[{"AttributeName":"ForumName","AttributeType":"S"},{"AttributeName":"At","AttributeType":"N"}],
  "CreationDateTime":1363729002.358, "ItemCount":8, "TableSizeBytes":18446744073709551615,
  "KeySchema":[{"AttributeName":"ForumName","KeyType":"HASH"},{"AttributeName":"At","KeyType":"RANGE"}],
  "ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":5}, "BillingModeSummary":null,
  "TableArn":"arn:aws:dynamodb:us-west-2:123456789012:table/Thread", "TableId":"d3-1", "TableName":"Thread",
  "TableStatus":"ACTIVE", "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},
  "LatestStreamLabel":"x", "LatestStreamArn":"arn:stream"}})";
constexpr std::string_view kShards = R"({"StreamDescription":{"CreationRequestDateTime":1437684.0,
  "KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"LastEvaluatedShardId":"shardId-2",
  "Shards":[{"SequenceNumberRange":{"EndingSequenceNumber":"20500000000000000910398","StartingSequenceNumber":"20500000000000000910398"},
    "ShardId":"shardId-1"},{"ParentShardId":"shardId-1","SequenceNumberRange":{"StartingSequenceNumber":"820400000000000000001192334"},
    "ShardId":"shardId-2"}],"StreamArn":"arn:s","StreamLabel":"x","StreamStatus":"ENABLED","StreamViewType":"NEW_IMAGE","TableName":"t"}})";
constexpr std::string_view kIterator = R"({"ShardIterator":"arn:s|1|AAAAAAAAAAE="})";
constexpr std::string_view kRecords = R"({"NextShardIterator":"next","Records":[
  {"awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1463480,"Keys":{"a":{"S":"k\u00e9"}, "n":{"N":"1.0"} },
   "NewImage": { "a" : {"S":"k"}, "m":{"M":{"x":{"L":[{"NULL":true},{"B":"AA=="}]}}}}  ,"SequenceNumber":"300000000000000499659",
   "SizeBytes":41,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventID":"e2","eventName":"INSERT","eventSource":"aws:dynamodb","eventVersion":"1.0"},
  {"dynamodb":{"ApproximateCreationDateTime":1463481.5,"Keys":{"a":{"S":"k"}},"OldImage":{"a":{"S":"k"}},"SequenceNumber":"1"},
   "eventName":"REMOVE","userIdentity":{"Type":"Service","PrincipalId":"dynamodb.amazonaws.com"}}]})";
constexpr std::string_view kItem =
    R"({"Item":{"a":{"S":"x"}},"ConsumedCapacity":{"CapacityUnits":1.5}})";
constexpr std::string_view kScan =
    R"({"Count":2,"Items":[{"a":{"S":"1"}},{"a":{"S":"2"} }],"LastEvaluatedKey":{"a":{"S":"2"}},"ScannedCount":2})";
constexpr std::string_view kBatch =
    R"({"Responses":{"t":[{"a":{"S":"1"}}]},"UnprocessedKeys":{"t":{"ConsistentRead":true,"Keys":[{"a":{"S":"2"}}]}}})";
constexpr std::string_view kLease =
    R"({"Item":{"revision":{"N":"18446744073709551615"},"name":{"S":"worker/1"},"value":{"S":"{\"a\":1}"},"more":{"BOOL":true}}})";
constexpr std::string_view kLeases =
    R"({"Items":[{"name":{"S":"root"},"revision":{"N":"2"},"value":{"S":""}}],"LastEvaluatedKey":{"name":{"S":"root"}}})";

// Every parser on one text: whether each took it.
std::vector<bool> parse_all(std::string_view json) {
  return {parse_described_table(json).ok(),   parse_shard_page(json).ok(),
          parse_shard_iterator(json).ok(),    parse_record_page(json).ok(),
          parse_item_answer(json).ok(),       parse_scan_answer(json).ok(),
          parse_batch_answer(json, "t").ok(), parse_lease_answer(json).ok(),
          parse_lease_page(json).ok()};
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const auto at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? result : result.replace(at, from.size(), to);
}

TEST(DynamoDbAnswers, ATablesFacts) {
  const auto table = parse_described_table(kTable);
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  EXPECT_EQ(table->status, "ACTIVE");
  const auto& facts = table->facts;
  EXPECT_EQ(facts.name, "Thread");
  EXPECT_EQ(facts.arn, "arn:aws:dynamodb:us-west-2:123456789012:table/Thread");
  EXPECT_EQ(facts.id, "d3-1");
  EXPECT_EQ(facts.created.to_string(), "2013-03-19T21:36:42.358000Z");
  EXPECT_EQ(facts.partition.name, "ForumName");
  EXPECT_EQ(facts.partition.type, 'S');
  ASSERT_TRUE(facts.sort.has_value());
  EXPECT_EQ(facts.sort->name, "At");
  EXPECT_EQ(facts.sort->type, 'N');
  EXPECT_EQ(facts.item_count, 8U);
  EXPECT_EQ(facts.bytes, ~std::uint64_t{0});
  ASSERT_TRUE(facts.stream.has_value());
  EXPECT_EQ(facts.stream->arn, "arn:stream");
  EXPECT_TRUE(facts.stream->enabled);
  EXPECT_EQ(facts.stream->view, StreamView::kNewAndOldImages);
  // Disabled: the stream is still readable, and the table says nothing more of it.
  const auto disabled = parse_described_table(
      replaced(kTable, R"({"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"})", "null"));
  ASSERT_TRUE(disabled.ok());
  EXPECT_FALSE(disabled->facts.stream->enabled);
}

TEST(DynamoDbAnswers, AGlobalTablesReplicas) {
  const auto with = [](std::string_view replicas) {
    return parse_described_table(
        replaced(kTable, "\"BillingModeSummary\":null", "\"Replicas\":" + std::string(replicas)));
  };
  const auto table = with(
      R"([{"RegionName":"eu-west-1","ReplicaStatus":"ACTIVE"},{"ReplicaStatus":"CREATING","RegionName":"us-east-2"}])");
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  EXPECT_THAT(table->facts.replicas, ElementsAre("eu-west-1", "us-east-2"));
  EXPECT_TRUE(with("[]")->facts.replicas.empty());
  EXPECT_TRUE(with("null")->facts.replicas.empty());
  EXPECT_FALSE(with(R"({"RegionName":"eu-west-1"})").ok());
  EXPECT_FALSE(with(R"([{"ReplicaStatus":"ACTIVE"}])").ok());
  EXPECT_FALSE(with(R"([{"RegionName":7}])").ok());
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "" : ",") + std::string(R"({"RegionName":"r"})");
  EXPECT_FALSE(with(many + "]").ok());
}

TEST(DynamoDbAnswers, TablesThatAreNone) {
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"\"Table\"", "\"Other\""},
           {"1363729002.358", "1e308"},
           {"1363729002.358", "-1"},
           {"1363729002.358", "\"today\""},
           {"18446744073709551615", "18446744073709551616"},
           {"\"ItemCount\":8", "\"ItemCount\":-8"},
           {"\"ItemCount\":8", "\"ItemCount\":8.5"},
           {"\"TableName\":\"Thread\"", "\"TableName\":7"},
           {"\"TableName\":\"Thread\"", "\"TableName\":null"},
           {"\"TableArn\"", "\"Arn\""},
           {"\"TableStatus\"", "\"Status\""},
           {"\"HASH\"", "\"RANGE\""},
           {"\"RANGE\"", "\"HASH\""},
           {"\"RANGE\"", "\"OTHER\""},
           {"\"AttributeType\":\"N\"", "\"AttributeType\":\"BOOL\""},
           {"\"AttributeName\":\"At\",\"AttributeType\"",
            "\"AttributeName\":\"Bt\",\"AttributeType\""},
           {"NEW_AND_OLD_IMAGES", "EVERYTHING"},
           {"\"StreamEnabled\":true", "\"StreamEnabled\":\"true\""}}) {
    const auto table = parse_described_table(replaced(kTable, from, to));
    ASSERT_FALSE(table.ok()) << from << " -> " << to;
    EXPECT_EQ(table.error().code, ErrorCode::kCorrupt);
  }
}

TEST(DynamoDbAnswers, Shards) {
  const auto page = parse_shard_page(kShards);
  ASSERT_TRUE(page.ok()) << page.error().to_string();
  EXPECT_EQ(page->stream.arn, "arn:s");
  EXPECT_TRUE(page->stream.enabled);
  EXPECT_EQ(page->stream.view, StreamView::kNewImage);
  EXPECT_EQ(page->last_shard, "shardId-2");
  ASSERT_EQ(page->shards.size(), 2U);
  EXPECT_FALSE(page->shards[0].open());
  EXPECT_EQ(page->shards[0].parent, "");
  EXPECT_TRUE(page->shards[1].open());
  EXPECT_EQ(page->shards[1].parent, "shardId-1");
  EXPECT_EQ(page->shards[1].first_sequence, "820400000000000000001192334");
  EXPECT_FALSE(parse_shard_page(replaced(kShards, "ENABLED", "DISABLED"))->stream.enabled);
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string>>{
           {"\"Shards\"", "\"shards\""},
           {"\"820400000000000000001192334\"", "\"82040000000000000000119233x\""},
           {"\"820400000000000000001192334\"", "820400000000000000001192334"},
           {"\"820400000000000000001192334\"", "\"\""},
           {"820400000000000000001192334", std::string(41, '1')},
           {"{\"StartingSequenceNumber\":\"820400000000000000001192334\"}", "{}"},
           {"\"ShardId\":\"shardId-2\"", "\"ShardId\":\"\""},
           {"\"ShardId\":\"shardId-2\"", "\"ShardId\":\"shard\\nId\""},
           {"\"ShardId\":\"shardId-2\"", "\"ShardId\":\"shardId-1\""},  // its own parent
           {"\"ShardId\":\"shardId-2\"", "\"ShardId\":\"" + std::string(66, 's') + "\""},
           {"\"StreamStatus\"", "\"Status\""}}) {
    EXPECT_FALSE(parse_shard_page(replaced(kShards, from, to)).ok()) << from << " -> " << to;
  }
  std::string many = R"({"SequenceNumberRange":{"StartingSequenceNumber":"1"},"ShardId":"s"})";
  for (int i = 0; i < 100; ++i)
    many += R"(,{"SequenceNumberRange":{"StartingSequenceNumber":"1"},"ShardId":"s"})";
  EXPECT_FALSE(parse_shard_page(
                   R"({"StreamDescription":{"StreamArn":"a","StreamStatus":"ENABLED","Shards":[)" +
                   many + "]}}")
                   .ok());
}

TEST(DynamoDbAnswers, RecordsGiveOnTheBytesThatCame) {
  const auto page = parse_record_page(kRecords);
  ASSERT_TRUE(page.ok()) << page.error().to_string();
  EXPECT_EQ(page->next_iterator, "next");
  ASSERT_EQ(page->records.size(), 2U);
  const auto& first = page->records[0];
  EXPECT_EQ(first.sequence, "300000000000000499659");
  EXPECT_EQ(first.kind, StreamChangeKind::kInsert);
  EXPECT_EQ(first.created.microseconds, 1'463'480'000'000);
  EXPECT_EQ(first.keys, R"({"a":{"S":"k\u00e9"}, "n":{"N":"1.0"} })");
  EXPECT_EQ(first.new_image,
            R"({ "a" : {"S":"k"}, "m":{"M":{"x":{"L":[{"NULL":true},{"B":"AA=="}]}}}})");
  EXPECT_EQ(first.old_image, "");
  EXPECT_EQ(first.principal, "");
  const auto& second = page->records[1];
  EXPECT_EQ(second.kind, StreamChangeKind::kRemove);
  EXPECT_EQ(second.old_image, R"({"a":{"S":"k"}})");
  EXPECT_EQ(second.principal, "dynamodb.amazonaws.com");
  const auto end = parse_record_page(R"({"Records":[],"NextShardIterator":null})");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->next_iterator, "");
}

TEST(DynamoDbAnswers, RecordsThatAreNone) {
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string>>{
           {"\"Records\"", "\"records\""},
           {"\"next\"", "\"\""},  // would say that the shard has ended
           {"\"next\"", "5"},
           {"\"300000000000000499659\"", "300000000000000499659"},
           {"300000000000000499659", "-1"},
           {"\"SequenceNumber\":\"1\"", "\"Sequence\":\"1\""},
           {"\"INSERT\"", "\"UPSERT\""},
           {"\"eventName\":\"REMOVE\"", "\"name\":\"REMOVE\""},
           {"\"Keys\":{\"a\":{\"S\":\"k\"}}", "\"Keys\":null"},
           {"\"Keys\":{\"a\":{\"S\":\"k\"}}", "\"Keys\":[]"},
           {"\"Keys\":{\"a\":{\"S\":\"k\"}}", "\"Keys\":\"{}\""},
           {"{\"NULL\":true}", "{\"NULL\":tru}"},  // deep inside an image
           {"{\"NULL\":true}", "{\"NULL\":true,}"},
           {"1463481.5", "99999999999999999999"}}) {
    EXPECT_FALSE(parse_record_page(replaced(kRecords, from, to)).ok()) << from << " -> " << to;
  }
  EXPECT_FALSE(parse_record_page(replaced(kRecords, "AA==", "\xC3\x28")).ok());  // no UTF-8
}

TEST(DynamoDbAnswers, ItemsAndLeases) {
  EXPECT_EQ(**parse_item_answer(kItem), R"({"a":{"S":"x"}})");
  EXPECT_EQ(*parse_item_answer("{}"), std::nullopt);
  EXPECT_FALSE(parse_item_answer(R"({"Item":[]})").ok());
  const auto scan = parse_scan_answer(kScan);
  ASSERT_TRUE(scan.ok());
  EXPECT_THAT(scan->items, ElementsAre(R"({"a":{"S":"1"}})", R"({"a":{"S":"2"} })"));
  EXPECT_EQ(scan->next, R"({"a":{"S":"2"}})");
  EXPECT_FALSE(parse_scan_answer("{}").ok());
  const auto batch = parse_batch_answer(kBatch, "t");
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(batch->items, ElementsAre(R"({"a":{"S":"1"}})"));
  EXPECT_THAT(batch->unprocessed_keys, ElementsAre(R"({"a":{"S":"2"}})"));
  EXPECT_FALSE(parse_batch_answer(kBatch, "u").ok());
  EXPECT_FALSE(parse_batch_answer("{}", "t").ok());
  EXPECT_EQ(**parse_lease_answer(kLease), (LeaseRow{"worker/1", ~std::uint64_t{0}, R"({"a":1})"}));
  EXPECT_EQ(*parse_lease_answer("{}"), std::nullopt);
  const auto leases = parse_lease_page(kLeases);
  ASSERT_TRUE(leases.ok());
  EXPECT_THAT(leases->rows, ElementsAre(LeaseRow{"root", 2, ""}));
  EXPECT_EQ(leases->next, R"({"name":{"S":"root"}})");
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string>>{
           {"18446744073709551615", "18446744073709551616"},
           {"18446744073709551615", "0"},
           {"18446744073709551615", "-1"},
           {"18446744073709551615", "1.0"},
           {"18446744073709551615", ""},
           {"\"18446744073709551615\"", "1"},
           {"{\"N\":", "{\"S\":"},
           {"{\"S\":\"worker/1\"}", "{\"S\":\"worker/1\",\"N\":\"1\"}"},
           {"{\"S\":\"worker/1\"}", "{}"},
           {"worker/1", ""},
           {"worker/1", std::string(kLeaseNameMax + 1, 'n')},
           {"\"value\"", "\"values\""}}) {
    EXPECT_FALSE(parse_lease_answer(replaced(kLease, from, to)).ok()) << from << " -> " << to;
  }
}

TEST(DynamoDbAnswers, NothingThatIsCutOffIsTaken) {
  for (const auto text :
       {kTable, kShards, kIterator, kRecords, kItem, kScan, kBatch, kLease, kLeases}) {
    const auto whole = parse_all(text);
    EXPECT_THAT(whole, testing::Contains(true));
    const std::vector<bool> none(whole.size(), false);
    for (std::size_t size = 0; size < text.size(); ++size)
      ASSERT_EQ(parse_all(text.substr(0, size)), none) << text.substr(0, size);
    EXPECT_EQ(parse_all(std::string(text) + "x"), none);
  }
}

TEST(DynamoDbAnswers, DepthAndSizeAreBounded) {
  const auto nested = [](std::size_t depth) {
    std::string text = R"({"Item":)";
    for (std::size_t i = 0; i < depth; ++i) text += "{\"M\":";
    text += "{}" + std::string(depth, '}') + "}";
    return text;
  };
  EXPECT_TRUE(
      parse_item_answer(nested(66)).ok());  // 32 maps in maps, each two objects, and the item
  EXPECT_FALSE(parse_item_answer(nested(kJsonAnswerDepthMax)).ok());
  EXPECT_FALSE(parse_item_answer(nested(200'000)).ok());
  EXPECT_FALSE(parse_item_answer(std::string(1 << 20, '[')).ok());
  const auto padded = [](std::size_t size) { return "{}" + std::string(size - 2, ' '); };
  EXPECT_TRUE(parse_item_answer(padded(kJsonAnswerBytesMax)).ok());
  EXPECT_FALSE(parse_item_answer(padded(kJsonAnswerBytesMax + 1)).ok());
}

RC_GTEST_PROP(DynamoDbAnswers, AnyBytesAreTakenOrRefused,
              (std::uint32_t which, const std::vector<std::pair<std::uint16_t, char>>& changes)) {
  const std::string_view texts[] = {kTable, kShards, kRecords, kScan, kBatch, kLease};
  std::string text(texts[which % std::size(texts)]);
  for (const auto& [at, byte] : changes) text[at % text.size()] = byte;
  static_cast<void>(parse_all(text));
}

TEST(DynamoDbRefusals, WordsOfTheService) {
  auto words = parse_refusal(
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no\ntable"})");
  EXPECT_EQ(words.code, "ResourceNotFoundException");
  EXPECT_EQ(words.message, "no table");
  words = parse_refusal(R"({"__type":"ValidationException","Message":"m"})");
  EXPECT_EQ(words.code, "ValidationException");
  EXPECT_EQ(words.message, "m");
  EXPECT_EQ(parse_refusal(R"({"__type":5})").code, "");
  EXPECT_EQ(parse_refusal("<html>").code, "");
  EXPECT_EQ(parse_refusal("").code, "");
  words = parse_refusal(R"({"__type":"x#)" + std::string(1000, 'c') + R"(","message":")" +
                        std::string(100'000, 'm') + "\"}");
  EXPECT_EQ(words.code.size(), ServiceWords::kCodeMax);
  EXPECT_EQ(words.message.size(), ServiceWords::kMessageMax);
}

TEST(DynamoDbRefusals, WhatTheyMeanForAnAttempt) {
  const auto end = [](unsigned status, const char* code, const char* message = "") {
    return classify_dynamodb_answer(status, {code, message});
  };
  EXPECT_EQ(end(200, ""), AttemptEnd::kDone);
  for (const char* const code : {"ProvisionedThroughputExceededException", "ThrottlingException",
                                 "RequestLimitExceeded", "LimitExceededException"})
    EXPECT_EQ(end(400, code), AttemptEnd::kSlowDown) << code;
  EXPECT_EQ(end(500, "InternalServerError"), AttemptEnd::kUnknown);
  EXPECT_EQ(end(503, "ServiceUnavailable"), AttemptEnd::kUnknown);
  EXPECT_EQ(end(502, ""), AttemptEnd::kUnknown);
  EXPECT_EQ(end(400, "ConditionalCheckFailedException"), AttemptEnd::kRejected);
  EXPECT_EQ(end(400, "ResourceNotFoundException"), AttemptEnd::kRejected);
  EXPECT_EQ(end(400, "TransactionConflictException"), AttemptEnd::kNotDone);
  EXPECT_EQ(end(400, "ExpiredTokenException"), AttemptEnd::kExpired);
  EXPECT_EQ(end(400, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
            AttemptEnd::kSkewed);
  EXPECT_EQ(end(400, "InvalidSignatureException", "Signature not yet current: 1"),
            AttemptEnd::kSkewed);
  EXPECT_EQ(end(403, "RequestTimeTooSkewed"), AttemptEnd::kSkewed);
  EXPECT_EQ(end(400, "InvalidSignatureException", "does not match"), AttemptEnd::kRejected);
}

TEST(Crc32, IsZlibs) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
  EXPECT_EQ(crc32(std::string(32, '\0')), 0x190A55ADU);
  EXPECT_EQ(crc32("{}"), 2745614147U);  // what DynamoDB sends beside an empty answer
}

}  // namespace
}  // namespace pawl
