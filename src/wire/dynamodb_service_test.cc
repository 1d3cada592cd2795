#include "wire/dynamodb_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "item/dynamodb_json.h"
#include "wire/fake_table_test.h"

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class DynamoDbServiceTest : public ::testing::Test {
 protected:
  DynamoDbServiceTest() {
    reader.put("users", parse(R"({"hashid":{"S":"A"},"v":{"N":"1"}})"));
    table::MutationOutcome done;
    done.changed = true;
    done.old_image =
        std::make_shared<const item::Item>(parse(R"({"hashid":{"S":"A"},"v":{"N":"1"}})"));
    done.new_image =
        std::make_shared<const item::Item>(parse(R"({"hashid":{"S":"A"},"v":{"N":"2"}})"));
    done.updated_old = parse(R"({"v":{"N":"1"}})");
    done.updated_new = parse(R"({"v":{"N":"2"}})");
    done.size_before = 1500;
    done.size_after = 10;
    sink.outcome.mutations = {done};
  }

  static item::Item parse(std::string_view json) { return item::parse_item_text(json).value(); }

  // The answer's body; empty if the connection was closed without one.
  std::string ask(std::string_view operation, std::string body,
                  std::vector<HttpHeader> headers = {}) {
    body.reserve(body.size() + kBodyPadding);
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    request.body = body;
    request.id = "0123456789abcdef";
    request.headers = std::move(headers);
    const auto responder = std::make_shared<FakeResponder>();
    service.serve(operation, request, caller, Completion(responder));
    answered = responder->calls;
    status = responder->response ? responder->response->status : 0;
    return responder->response ? responder->response->body : "";
  }

  FakeReader reader;
  FakeSink sink;
  DynamoDbService service{reader, sink, [](const std::string& name) {
                            TableDefaults defaults;
                            defaults.partitions = 7;
                            defaults.record.name_template = "logs/" + name;
                            return defaults;
                          }};
  Caller caller{"AKID", "eu-north-1"};
  unsigned status = 0;
  int answered = 0;
};

TEST_F(DynamoDbServiceTest, PutItemBecomesAMutationAndItsOldImageTheAnswer) {
  EXPECT_EQ(
      ask("PutItem",
          R"({"TableName":"users","Item":{"hashid":{"S":"A"},"v":{"N":"2"}},)"
          R"("ConditionExpression":"v = :one","ExpressionAttributeValues":{":one":{"N":"1"}},)"
          R"("ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"})"),
      R"({"Attributes":{"hashid":{"S":"A"},"v":{"N":"1"}},"ConsumedCapacity":)"
      R"({"TableName":"users","CapacityUnits":2.0,"Table":{"CapacityUnits":2.0}}})");
  EXPECT_EQ(status, 200U);
  EXPECT_EQ(sink.mutation().kind, table::Mutation::Kind::kPut);
  EXPECT_EQ(sink.mutation().table, "users");
  EXPECT_EQ(sink.mutation().item, parse(R"({"hashid":{"S":"A"},"v":{"N":"2"}})"));
  EXPECT_TRUE(sink.mutation().condition.has_value());
  EXPECT_EQ(sink.last->trace, "0123456789abcdef");
}

TEST_F(DynamoDbServiceTest, UpdateItemGivesWhatReturnValuesAsks) {
  const auto update = [&](std::string_view values) {
    return ask(
        "UpdateItem",
        R"({"TableName":"users","Key":{"hashid":{"S":"A"}},"UpdateExpression":"ADD #v :one",)"
        R"("ExpressionAttributeNames":{"#v":"v"},"ExpressionAttributeValues":{":one":{"N":"1"}},)"
        R"("ReturnValues":")" +
            std::string(values) + "\"}");
  };
  EXPECT_EQ(update("NONE"), "{}");
  EXPECT_EQ(update("UPDATED_NEW"), R"({"Attributes":{"v":{"N":"2"}}})");
  EXPECT_EQ(update("UPDATED_OLD"), R"({"Attributes":{"v":{"N":"1"}}})");
  EXPECT_EQ(update("ALL_NEW"), R"({"Attributes":{"hashid":{"S":"A"},"v":{"N":"2"}}})");
  EXPECT_EQ(update("ALL_OLD"), R"({"Attributes":{"hashid":{"S":"A"},"v":{"N":"1"}}})");
  EXPECT_THAT(
      update("SOME"),
      HasSubstr("1 validation error detected: Value 'SOME' at 'returnValues' failed to satisfy "
                "constraint: Member must satisfy enum value set: ["));
  EXPECT_EQ(status, 400U);
}

TEST_F(DynamoDbServiceTest, AFailedConditionGivesItsExceptionAndTheItemIfAsked) {
  sink.outcome = {};
  sink.outcome.failure =
      table::Failure{table::Refusal::kConditionFailed, {}, parse(R"({"hashid":{"S":"A"}})"), {}};
  EXPECT_EQ(ask("DeleteItem", R"({"TableName":"users","Key":{"hashid":{"S":"A"}},)"
                              R"("ConditionExpression":"attribute_exists(x) ",)"
                              R"("ReturnValuesOnConditionCheckFailure":"ALL_OLD"})"),
            R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
            R"("message":"The conditional request failed","Item":{"hashid":{"S":"A"}}})");
  EXPECT_EQ(status, 400U);
  EXPECT_TRUE(sink.mutation().return_old_on_failure);
}

TEST_F(DynamoDbServiceTest, WhatPawlCannotDoNowIsRetryable) {
  sink.outcome = {};
  const std::string put = R"({"TableName":"users","Item":{"hashid":{"S":"A"}}})";
  sink.outcome.failure = table::Failure{table::Refusal::kNoRoom, {}, {}, {}};
  EXPECT_THAT(ask("PutItem", put), HasSubstr("#InternalServerError"));
  EXPECT_EQ(status, 500U);
  sink.outcome.failure = table::Failure{table::Refusal::kNeedsAdopt, {}, {}, {}};
  EXPECT_THAT(ask("PutItem", put), HasSubstr("pawl adopt"));
  EXPECT_EQ(status, 500U);
  sink.outcome.failure = table::Failure{table::Refusal::kBusy, {}, {}, {}};
  EXPECT_THAT(ask("PutItem", put), HasSubstr("#ThrottlingException"));
  EXPECT_EQ(status, 400U);
  sink.outcome.failure = table::Failure{table::Refusal::kStopping, {}, {}, {}};
  ask("PutItem", put);
  EXPECT_EQ(status, 503U);
}

TEST_F(DynamoDbServiceTest, AnUnknownOutcomeHasNoAnswer) {
  sink.unknown = true;
  EXPECT_EQ(ask("PutItem", R"({"TableName":"users","Item":{"hashid":{"S":"A"}}})"), "");
  EXPECT_EQ(answered, 1);
}

TEST_F(DynamoDbServiceTest, ADroppedCommandClosesTheConnection) {
  sink.hold = true;
  ask("PutItem", R"({"TableName":"users","Item":{"hashid":{"S":"A"}}})");
  EXPECT_EQ(answered, 0);
  sink.last.reset();  // the completion goes with it: no request is left without an end
}

TEST_F(DynamoDbServiceTest, RepeatsAreGuardedByInvocationIdAndDigest) {
  const std::string put = R"({"TableName":"users","Item":{"hashid":{"S":"A"}}})";
  ask("PutItem", put);
  EXPECT_FALSE(sink.last->invocation.has_value());
  ask("PutItem", put, {{"amz-sdk-invocation-id", "6f1b"}});
  const auto first = sink.last->invocation;
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->caller, "AKID");
  EXPECT_EQ(first->id, "6f1b");
  EXPECT_FALSE(first->client_token);
  ask("PutItem", put, {{"AMZ-SDK-Invocation-Id", "6f1b"}});
  EXPECT_EQ(sink.last->invocation->request, first->request);
  ask("PutItem", R"({"TableName":"users","Item":{"hashid":{"S":"B"}}})",
      {{"amz-sdk-invocation-id", "6f1b"}});
  EXPECT_NE(sink.last->invocation->request, first->request);
}

TEST_F(DynamoDbServiceTest, GetItemProjects) {
  EXPECT_EQ(ask("GetItem", R"({"TableName":"users","Key":{"hashid":{"S":"A"}}})"),
            R"({"Item":{"hashid":{"S":"A"},"v":{"N":"1"}}})");
  EXPECT_EQ(
      ask("GetItem",
          R"({"TableName":"users","Key":{"hashid":{"S":"A"}},"ProjectionExpression":"v",)"
          R"("ReturnConsumedCapacity":"TOTAL"})"),
      R"({"Item":{"v":{"N":"1"}},"ConsumedCapacity":{"TableName":"users","CapacityUnits":0.5}})");
  EXPECT_EQ(ask("GetItem", R"({"TableName":"users","Key":{"hashid":{"S":"nobody"}}})"), "{}");
}

TEST_F(DynamoDbServiceTest, MembersThatAnOperationDoesNotHaveArePassedOver) {
  for (const char* const more : {"{}", R"({":x":{"S":"unused"}})", R"({":x":7})"}) {
    EXPECT_EQ(ask("GetItem", R"({"TableName":"users","Key":{"hashid":{"S":"A"}},)"
                             R"("ProjectionExpression":"v","ExpressionAttributeValues":)" +
                                 std::string(more) + "}"),
              R"({"Item":{"v":{"N":"1"}}})")
        << more;
  }
}

TEST_F(DynamoDbServiceTest, ArnsNameTablesToo) {
  EXPECT_EQ(ask("GetItem", R"({"TableName":"arn:aws:dynamodb:eu-north-1:000000000000:table/users",)"
                           R"("Key":{"hashid":{"S":"A"}}})"),
            R"({"Item":{"hashid":{"S":"A"},"v":{"N":"1"}}})");
}

// As keys of a map as well; the answer calls a table what the request called it.
TEST_F(DynamoDbServiceTest, ArnsNameTablesInBatches) {
  const std::string arn = "arn:aws:dynamodb:eu-north-1:000000000000:table/users";
  EXPECT_EQ(
      ask("BatchGetItem", R"({"RequestItems":{")" + arn + R"(":{"Keys":[{"hashid":{"S":"A"}}]}}})"),
      R"({"Responses":{")" + arn +
          R"(":[{"hashid":{"S":"A"},"v":{"N":"1"}}]},"UnprocessedKeys":{}})");
  EXPECT_THAT(ask("BatchGetItem", R"({"RequestItems":{")" + arn +
                                      R"(":{"Keys":[{"hashid":{"S":"A"}}]},)"
                                      R"("users":{"Keys":[{"hashid":{"S":"A"}}]}}})"),
              HasSubstr("duplicates"));
  sink.outcome.mutations.resize(1);
  EXPECT_EQ(ask("BatchWriteItem", R"({"RequestItems":{")" + arn +
                                      R"(":[{"PutRequest":{"Item":{"hashid":{"S":"B"}}}}]}})"),
            R"({"UnprocessedItems":{}})");
  for (const char* const name :
       {"arn:x:table/users", "arn:aws:dynamodb:\\u0001:table/users", "arn:aws:dynamodb:table/users",
        "arn:aws:dynamodb:r:1:table/users/index/i", "arn:aws:s3:::table/users"}) {
    EXPECT_THAT(ask("BatchGetItem", R"({"RequestItems":{")" + std::string(name) +
                                        R"(":{"Keys":[{"hashid":{"S":"A"}}]}}})"),
                HasSubstr("failed to satisfy constraint"))
        << name;
  }
}

struct BadRequest {
  const char* operation;
  const char* body;
  const char* message;
};

class BadRequests : public DynamoDbServiceTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequests, AreRefusedWithTheServicesMessage) {
  const std::string answer = ask(GetParam().operation, GetParam().body);
  EXPECT_THAT(answer, HasSubstr(GetParam().message));
  EXPECT_EQ(status, 400U);
  EXPECT_FALSE(sink.last.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Validation, BadRequests,
    ::testing::Values(
        BadRequest{"PutItem", R"({})",
                   "2 validation errors detected: Value null at 'item' failed to satisfy "
                   "constraint: Member must "
                   "not be null; Value null at 'tableName' failed to satisfy constraint: Member "
                   "must not be null"},
        BadRequest{"PutItem", R"({"TableName":"ab","Item":{}})",
                   "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy "
                   "constraint: Member must "
                   "have length greater than or equal to 3"},
        BadRequest{"PutItem", R"({"TableName":"a b c","Item":{}})",
                   "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
        BadRequest{"PutItem", R"({"TableName":"nobody","Item":{}})", "#ResourceNotFoundException"},
        BadRequest{"PutItem", R"({"TableName":3,"Item":{}})", "#SerializationException"},
        BadRequest{"PutItem", R"({"TableName":"users","Item":{"v":{"N":"1"}}})",
                   "Missing the key hashid in the item"},
        BadRequest{"PutItem", R"({"TableName":"users","Item":{"hashid":{"N":"1"}}})",
                   "Type mismatch for key"},
        BadRequest{"PutItem",
                   R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"ReturnValues":"ALL_NEW"})",
                   "Return values set to invalid value"},
        BadRequest{
            "PutItem",
            R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"ExpressionAttributeNames":{"#a":"b"}})",
            "ExpressionAttributeNames can only be specified when using expressions"},
        BadRequest{
            "PutItem",
            R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"ExpressionAttributeValues":{":a":{"S":"b"}}})",
            "can only be specified when using expressions: ConditionExpression is null"},
        BadRequest{
            "PutItem",
            R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"ConditionExpression":"attribute_exists(v) ",)"
            R"("ExpressionAttributeValues":{":a":{"S":"b"}}})",
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}"},
        BadRequest{
            "PutItem",
            R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"Expected":{"v":{"Exists":false}}})",
            "not supported by Pawl yet: the legacy parameter Expected"},
        BadRequest{
            "PutItem",
            R"({"TableName":"users","Item":{"hashid":{"S":"A"}},"Expected":{},"ConditionExpression":"v = v"})",
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression "
            "parameters: {Expected} Expression parameters: {ConditionExpression}"},
        BadRequest{"GetItem", R"({"TableName":"users","Key":{"hashid":{"S":"A"},"x":{"S":"b"}}})",
                   "The provided key element does not match the schema"},
        BadRequest{"GetItem",
                   R"({"TableName":"users","Key":{"hashid":{"S":"A"}},"AttributesToGet":["v"]})",
                   "not supported by Pawl yet"},
        BadRequest{
            "Query", R"({"TableName":"range"})",
            "Either the KeyConditions or KeyConditionExpression parameter must be specified"},
        BadRequest{
            "Query",
            R"({"TableName":"range","KeyConditionExpression":"hashid = :h","FilterExpression":"r > :h",)"
            R"("ExpressionAttributeValues":{":h":{"S":"A"}}})",
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
            "r"},
        BadRequest{"Query",
                   R"({"TableName":"range","KeyConditionExpression":"hashid = :h","Limit":0,)"
                   R"("ExpressionAttributeValues":{":h":{"S":"A"}}})",
                   "Value '0' at 'limit' failed to satisfy constraint: Member must have value "
                   "greater than or equal to "
                   "1"},
        BadRequest{"Query",
                   R"({"TableName":"range","KeyConditionExpression":"hashid = :h",)"
                   R"("ExclusiveStartKey":{"hashid":{"S":"B"},"r":{"N":"1"}},)"
                   R"("ExpressionAttributeValues":{":h":{"S":"A"}}})",
                   "The provided starting key is outside query boundaries"},
        BadRequest{"Query", R"({"TableName":"range","IndexName":"foo"})", "secondary indexes"},
        BadRequest{"Scan", R"({"TableName":"range","Segment":1})",
                   "The TotalSegments parameter is required"},
        BadRequest{
            "Scan", R"({"TableName":"range","Segment":4,"TotalSegments":4})",
            "The Segment parameter is zero-based and must be less than parameter TotalSegments"},
        BadRequest{"Scan", R"({"TableName":"range","Select":"COUNT","ProjectionExpression":"x"})",
                   "Cannot specify the ProjectionExpression when choosing to get only the Count"},
        BadRequest{"BatchWriteItem", R"({"RequestItems":{}})",
                   "BatchWriteItem cannot have a null or no requests set"},
        BadRequest{"BatchWriteItem",
                   R"({"RequestItems":{"users":[{"PutRequest":{"Item":{"hashid":{"S":"A"}}}},)"
                   R"({"DeleteRequest":{"Key":{"hashid":{"S":"A"}}}}]}})",
                   "Provided list of item keys contains duplicates"},
        BadRequest{"BatchGetItem", R"({"RequestItems":{"users":{"Keys":[]}}})",
                   "The list of keys in RequestItems"},
        BadRequest{"TransactWriteItems",
                   R"({"TransactItems":[{"Put":{"TableName":"users","Item":{"hashid":{"S":"A"}}}},)"
                   R"({"Delete":{"TableName":"users","Key":{"hashid":{"S":"A"}}}}]})",
                   "Transaction request cannot include multiple operations on one item"},
        BadRequest{"TransactWriteItems", R"({"TransactItems":[{"Put":{"TableName":"users"}}]})",
                   "Value null at 'transactItems.1.member.put.item' failed to satisfy constraint"},
        BadRequest{
            "TransactWriteItems",
            R"({"TransactItems":[{"Put":{"TableName":"users","Item":{"hashid":{"S":"A"}}}},)"
            R"({"Update":{"TableName":"users","Key":{"hashid":{"S":"B"}},"UpdateExpression":"REMOVE hashid"}}]})",
            "specific reasons [None, ValidationError]"},
        BadRequest{
            "CreateTable",
            R"({"TableName":"new","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],)"
            R"("KeySchema":[{"AttributeName":"a","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST"})",
            "The first KeySchemaElement is not a HASH key type"},
        BadRequest{
            "CreateTable",
            R"({"TableName":"new","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],)"
            R"("KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",)"
            R"("GlobalSecondaryIndexes":[{}]})",
            "not supported by Pawl yet: GlobalSecondaryIndexes"},
        BadRequest{"UpdateTable", R"({"TableName":"users"})",
                   "At least one of ProvisionedThroughput"},
        BadRequest{"ListTables", R"({"Limit":101})",
                   "Member must have value less than or equal to 100"},
        BadRequest{"ExecuteStatement", R"({})",
                   "Pawl does not serve the DynamoDB operation 'ExecuteStatement'"},
        BadRequest{"ListTables", R"([])", "#SerializationException"},
        BadRequest{"ListTables", R"()", "#SerializationException"},
        BadRequest{"ListTables", R"({"Limit":1} x)", "#SerializationException"},
        BadRequest{"ListTables", R"({"Limit":1,"Limit":2})", "#SerializationException"},
        BadRequest{"DescribeTable", "{\"TableName\":\"\xff\xfe\"}", "#SerializationException"}));

TEST_F(DynamoDbServiceTest, DeepJsonIsRefusedAndCostsNoStack) {
  std::string deep = R"({"TableName":"users","Item":)";
  for (int i = 0; i < 100'000; ++i) deep += R"({"M":)";
  EXPECT_THAT(ask("PutItem", deep), HasSubstr("#SerializationException"));
  EXPECT_THAT(ask("PutItem", std::string(100'000, '[')), HasSubstr("#SerializationException"));
  EXPECT_EQ(ask("ListTables", "{}"), R"({"TableNames":["range","users"]})");
}

TEST_F(DynamoDbServiceTest, AnItemOfThirtyTwoLevelsParses) {
  std::string item = R"({"S":"x"})";
  for (int i = 0; i < 31; ++i) item = R"({"L":[)" + item + "]}";
  EXPECT_EQ(ask("TransactWriteItems",
                R"({"TransactItems":[{"Put":{"TableName":"users","Item":{"hashid":{"S":"A"},"d":)" +
                    item + "}}}]}"),
            "{}");
}

TEST_F(DynamoDbServiceTest, ListTablesPages) {
  EXPECT_EQ(ask("ListTables", R"({"Limit":1})"),
            R"({"TableNames":["range"],"LastEvaluatedTableName":"range"})");
  EXPECT_EQ(ask("ListTables", R"({"Limit":1,"ExclusiveStartTableName":"range"})"),
            R"({"TableNames":["users"]})");
}

TEST_F(DynamoDbServiceTest, CreateTableTakesItsDefaultsFromTheConfiguration) {
  sink.hold = true;
  ask("CreateTable",
      R"({"TableName":"new","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"B"},)"
      R"({"AttributeName":"b","AttributeType":"N"}],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},)"
      R"({"AttributeName":"b","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST",)"
      R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"OLD_IMAGE"}})");
  const auto& definition = std::get<table::CreateTable>(sink.last->action).definition;
  EXPECT_EQ(definition.partitions, 7);
  EXPECT_EQ(definition.record.name_template, "logs/new");
  EXPECT_EQ(definition.schema.partition, (item::KeyAttribute{"a", item::Type::kBinary}));
  EXPECT_EQ(definition.schema.sort, (item::KeyAttribute{"b", item::Type::kNumber}));
  EXPECT_EQ(definition.stream, table::StreamView::kOldImage);
}

TEST_F(DynamoDbServiceTest, DescribeTableSaysWhatTheServiceSays) {
  auto& description = reader.description("users");
  description.definition.stream = table::StreamView::kNewImage;
  description.stream_enabled = description.created;
  description.item_count = 3;
  EXPECT_EQ(
      ask("DescribeTable", R"({"TableName":"users"})"),
      R"({"Table":{"AttributeDefinitions":[{"AttributeName":"hashid","AttributeType":"S"}],"TableName":"users",)"
      R"("KeySchema":[{"AttributeName":"hashid","KeyType":"HASH"}],"TableStatus":"ACTIVE",)"
      R"("CreationDateTime":1795372535.771,"ProvisionedThroughput":{"NumberOfDecreasesToday":0,)"
      R"("ReadCapacityUnits":0,"WriteCapacityUnits":0},"TableSizeBytes":0,"ItemCount":3,)"
      R"("TableArn":"arn:aws:dynamodb:eu-north-1:000000000000:table/users","TableId":"0000000000001234",)"
      R"("BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST",)"
      R"("LastUpdateToPayPerRequestDateTime":1795372535.771},)"
      R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},)"
      R"("LatestStreamLabel":"2026-11-22T18:35:35.771","LatestStreamArn":)"
      R"("arn:aws:dynamodb:eu-north-1:000000000000:table/users/stream/2026-11-22T18:35:35.771",)"
      R"("DeletionProtectionEnabled":false}})");
}

TEST_F(DynamoDbServiceTest, QueryBecomesAPageRequest) {
  reader.next_page.items = {parse(R"({"hashid":{"S":"A"},"r":{"N":"1"}})")};
  reader.next_page.count = 1;
  reader.next_page.scanned_count = 4;
  reader.next_page.scanned_bytes = 5000;
  reader.next_page.last_evaluated_key = parse(R"({"hashid":{"S":"A"},"r":{"N":"1"}})");
  EXPECT_EQ(
      ask("Query",
          R"({"TableName":"range","KeyConditionExpression":"hashid = :h AND r < :r","Limit":4,)"
          R"("ExpressionAttributeValues":{":h":{"S":"A"},":r":{"N":"5"}},"ScanIndexForward":false,)"
          R"("ExclusiveStartKey":{"hashid":{"S":"A"},"r":{"N":"4"}},"ConsistentRead":true,)"
          R"("ReturnConsumedCapacity":"TOTAL"})"),
      R"({"Items":[{"hashid":{"S":"A"},"r":{"N":"1"}}],"Count":1,"ScannedCount":4,)"
      R"("LastEvaluatedKey":{"hashid":{"S":"A"},"r":{"N":"1"}},)"
      R"("ConsumedCapacity":{"TableName":"range","CapacityUnits":2.0}})");
  EXPECT_FALSE(reader.last_page->forward);
  EXPECT_EQ(reader.last_page->limit, 4U);
  EXPECT_TRUE(reader.last_page->key_condition.has_value());
  EXPECT_TRUE(reader.last_page->exclusive_start_key.has_value());
}

TEST_F(DynamoDbServiceTest, ScanWithCountGivesNoItems) {
  reader.next_page.count = 2;
  reader.next_page.scanned_count = 2;
  EXPECT_EQ(
      ask("Scan",
          R"({"TableName":"range","Select":"COUNT","Segment":1,"TotalSegments":3,)"
          R"("FilterExpression":"hashid = :h","ExpressionAttributeValues":{":h":{"S":"A"}}})"),
      R"({"Count":2,"ScannedCount":2})");
  EXPECT_EQ(reader.last_page->segment, 1U);
  EXPECT_EQ(reader.last_page->total_segments, 3U);
  EXPECT_TRUE(reader.last_page->count_only);
}

TEST_F(DynamoDbServiceTest, BatchGetItemAnswersByTable) {
  EXPECT_EQ(
      ask("BatchGetItem",
          R"({"RequestItems":{"users":{"Keys":[{"hashid":{"S":"A"}},{"hashid":{"S":"Z"}}]},)"
          R"("range":{"Keys":[{"hashid":{"S":"A"},"r":{"N":"1"}}]}}})"),
      R"({"Responses":{"range":[],"users":[{"hashid":{"S":"A"},"v":{"N":"1"}}]},"UnprocessedKeys":{}})");
}

TEST_F(DynamoDbServiceTest, BatchGetItemStopsAtSixteenMegabytes) {
  std::string keys;
  for (int i = 0; i < 60; ++i) {
    item::Item item = parse(R"({"hashid":{"S":"big)" + std::to_string(100 + i) + R"("}})");
    item.emplace("d", item::Value(item::String{std::string(390 * 1024, 'x')}));
    reader.put("users", std::move(item));
    keys += (i > 0 ? "," : "") + std::string(R"({"hashid":{"S":"big)") + std::to_string(100 + i) +
            R"("}})";
  }
  const std::string answer = ask("BatchGetItem", R"({"RequestItems":{"users":{"Keys":[)" + keys +
                                                     R"(],"ConsistentRead":true}}})");
  EXPECT_LT(answer.size(), 17U * 1024 * 1024);
  EXPECT_THAT(answer,
              HasSubstr(R"("UnprocessedKeys":{"users":{"Keys":[{"hashid":{"S":"big142"}},)"));
  EXPECT_THAT(answer,
              ::testing::EndsWith(R"({"hashid":{"S":"big159"}}],"ConsistentRead":true}}})"));
}

TEST_F(DynamoDbServiceTest, TransactionsCarryTheirTokenAndTellTheirReasons) {
  const std::string items =
      R"({"TransactItems":[{"Put":{"TableName":"users","Item":{"hashid":{"S":"A"}}}},)"
      R"({"ConditionCheck":{"TableName":"users","Key":{"hashid":{"S":"B"}},)"
      R"("ConditionExpression":"attribute_exists(v) ",)"
      R"("ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}],"ClientRequestToken":"t1")";
  sink.outcome = {};
  table::Failure failure{table::Refusal::kTransactionCancelled, {}, {}, {}};
  failure.reasons.resize(2);
  failure.reasons[1].refusal = table::Refusal::kConditionFailed;
  failure.reasons[1].item = parse(R"({"hashid":{"S":"B"}})");
  sink.outcome.failure = failure;
  EXPECT_EQ(
      ask("TransactWriteItems", items + "}"),
      R"({"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":)"
      R"("Transaction cancelled, please refer cancellation reasons for specific reasons )"
      R"([None, ConditionalCheckFailed]","CancellationReasons":[{"Code":"None"},)"
      R"({"Code":"ConditionalCheckFailed","Message":"The conditional request failed",)"
      R"("Item":{"hashid":{"S":"B"}}}]})");
  ASSERT_TRUE(sink.last->token.has_value());
  EXPECT_EQ(sink.last->token->id, "t1");
  EXPECT_TRUE(sink.last->token->client_token);
  EXPECT_EQ(sink.mutation(1).kind, table::Mutation::Kind::kCheck);
  const Digest digest = sink.last->token->request;
  ask("TransactWriteItems", items + R"(,"ReturnConsumedCapacity":"TOTAL"})");
  EXPECT_EQ(sink.last->token->request, digest);  // the actions are what must be equal
}

TEST_F(DynamoDbServiceTest, TransactGetItemsAnswersInOrder) {
  EXPECT_EQ(
      ask("TransactGetItems",
          R"({"TransactItems":[{"Get":{"TableName":"users","Key":{"hashid":{"S":"Z"}}}},)"
          R"({"Get":{"TableName":"users","Key":{"hashid":{"S":"A"}},"ProjectionExpression":"v"}}],)"
          R"("ReturnConsumedCapacity":"TOTAL"})"),
      R"({"Responses":[{},{"Item":{"v":{"N":"1"}}}],"ConsumedCapacity":[{"TableName":"users",)"
      R"("CapacityUnits":4.0,"ReadCapacityUnits":4.0}]})");
}

}  // namespace
}  // namespace pawl::wire
