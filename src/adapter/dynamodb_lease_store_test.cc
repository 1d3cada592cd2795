#include "adapter/dynamodb_lease_store.h"

#include "adapter/canned_dynamodb_test.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DynamoDbLeaseStoreTest : public CannedDynamoDbTest {
 protected:
  static std::string described(std::string_view status, std::string_view key = "name",
                               std::string_view type = "S") {
    std::string text = R"({"Table":{"TableName":"l","TableArn":"a","TableStatus":")";
    text.append(status).append(R"(","KeySchema":[{"KeyType":"HASH","AttributeName":")");
    text.append(key).append(R"("}],"AttributeDefinitions":[{"AttributeName":")").append(key);
    return text.append(R"(","AttributeType":")").append(type).append("\"}]}}");
  }
  static std::string row(int revision, std::string_view value) {
    return R"({"Item":{"name":{"S":"row"},"revision":{"N":")" + std::to_string(revision) +
           R"("},"value":{"S":")" + std::string(value) + "\"}}}";
  }
  LeaseOutcome put() { return run_awaitable(store().put("row", 4, "mine")).outcome; }
  LeaseOutcome erase() { return run_awaitable(store().erase("row", 4)).outcome; }
  CannedDynamoDb& doubtful() {
    return canned_.is_silent().refuses("ConditionalCheckFailedException");
  }
  std::vector<std::string> operations() const {
    std::vector<std::string> names;
    for (const auto& sent : canned_.sent) names.push_back(sent.operation);
    return names;
  }
  DynamoDbLeaseStore store() { return {*client_, "l"}; }
};

TEST_F(DynamoDbLeaseStoreTest, MakesItsTableAndWaitsForIt) {
  canned_.refuses("ResourceNotFoundException").answers("{}");
  canned_.refuses("ResourceNotFoundException");  // not seen yet
  canned_.answers(described("CREATING")).answers(described("ACTIVE"));
  const auto made = run_awaitable(store().create_if_absent());
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  EXPECT_THAT(operations(), ElementsAre("DescribeTable", "CreateTable", "DescribeTable",
                                        "DescribeTable", "DescribeTable"));
  EXPECT_EQ(
      canned_.sent[1].body,
      R"({"TableName":"l","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"name",)"
      R"("AttributeType":"S"}],"KeySchema":[{"AttributeName":"name","KeyType":"HASH"}]})");
}

TEST_F(DynamoDbLeaseStoreTest, SomebodyElseMayMakeIt) {
  canned_.refuses("ResourceNotFoundException").refuses("ResourceInUseException");
  canned_.answers(described("ACTIVE"));
  EXPECT_TRUE(run_awaitable(store().create_if_absent()).ok());
  canned_.answers(described("UPDATING"));
  EXPECT_TRUE(run_awaitable(store().create_if_absent()).ok());
}

TEST_F(DynamoDbLeaseStoreTest, ATableOfAnotherShapeIsRefused) {
  canned_.answers(described("ACTIVE", "id")).answers(described("ACTIVE", "name", "N"));
  for (int i = 0; i < 2; ++i) {
    const auto refused = run_awaitable(store().create_if_absent());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(refused.error().message, HasSubstr("another use"));
  }
}

TEST_F(DynamoDbLeaseStoreTest, ATableThatCannotBeMade) {
  canned_.refuses("ResourceNotFoundException").refuses("AccessDeniedException");
  const auto denied = run_awaitable(store().create_if_absent());
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(denied.error().hint, HasSubstr("CreateTable"));
  // Or that does not become active.
  const auto turns = DynamoDbLeaseStore::kTableWait / DynamoDbLeaseStore::kTableTurn + 2;
  for (int i = 0; i < turns; ++i) canned_.answers(described("CREATING"));
  EXPECT_EQ(run_awaitable(store().create_if_absent()).error().code, ErrorCode::kUnavailable);
}

TEST_F(DynamoDbLeaseStoreTest, WritesUnderConditions) {
  canned_.answers("{}").answers("{}").answers("{}");
  EXPECT_EQ(run_awaitable(store().put("row", 0, "v\"")).outcome, LeaseOutcome::kDone);
  EXPECT_EQ(put(), LeaseOutcome::kDone);
  EXPECT_EQ(erase(), LeaseOutcome::kDone);
  EXPECT_EQ(
      canned_.sent[0].body,
      R"({"TableName":"l","Item":{"name":{"S":"row"},"revision":{"N":"1"},"value":{"S":"v\""}},)"
      R"x("ConditionExpression":"attribute_not_exists(#r)","ExpressionAttributeNames":{"#r":"revision"}})x");
  EXPECT_EQ(
      canned_.sent[1].body,
      R"({"TableName":"l","Item":{"name":{"S":"row"},"revision":{"N":"5"},"value":{"S":"mine"}},)"
      R"("ConditionExpression":"#r = :r","ExpressionAttributeNames":{"#r":"revision"},)"
      R"("ExpressionAttributeValues":{":r":{"N":"4"}}})");
  EXPECT_EQ(
      canned_.sent[2].body,
      R"({"TableName":"l","Key":{"name":{"S":"row"}},"ConditionExpression":"#r = :r",)"
      R"("ExpressionAttributeNames":{"#r":"revision"},"ExpressionAttributeValues":{":r":{"N":"4"}}})");
}

TEST_F(DynamoDbLeaseStoreTest, ARefusedConditionIsAConflictUnlessThereWasDoubt) {
  canned_.refuses("ConditionalCheckFailedException");
  EXPECT_EQ(put(), LeaseOutcome::kConflict);
  canned_.refuses("ConditionalCheckFailedException");
  EXPECT_EQ(erase(), LeaseOutcome::kConflict);
  canned_.refuses("ResourceNotFoundException");
  EXPECT_EQ(put(), LeaseOutcome::kNotDone);
  for (int i = 0; i < 5; ++i) canned_.is_silent();
  EXPECT_EQ(put(), LeaseOutcome::kUnknown);
  EXPECT_EQ(canned_.sent.size(), 8U);
}

TEST_F(DynamoDbLeaseStoreTest, AfterDoubtAPutLooksForItself) {
  doubtful().answers(row(5, "mine"));
  EXPECT_EQ(put(), LeaseOutcome::kDone);
  doubtful().answers(row(5, "other's"));
  EXPECT_EQ(put(), LeaseOutcome::kConflict);
  doubtful().answers(row(6, "mine"));  // somebody went on, perhaps from it
  EXPECT_EQ(put(), LeaseOutcome::kUnknown);
  doubtful().answers("{}");
  EXPECT_EQ(put(), LeaseOutcome::kUnknown);
  doubtful().refuses("AccessDeniedException");
  EXPECT_EQ(put(), LeaseOutcome::kUnknown);
  doubtful().answers(R"({"Item":{"name":{"S":"row"}}})");
  EXPECT_EQ(put(), LeaseOutcome::kUnknown);
}

TEST_F(DynamoDbLeaseStoreTest, AfterDoubtAnEraseLooksForTheRow) {
  doubtful().answers("{}");
  EXPECT_EQ(erase(), LeaseOutcome::kDone);
  doubtful().answers(row(5, "other's"));
  EXPECT_EQ(erase(), LeaseOutcome::kConflict);
  doubtful().answers(row(1, "made anew"));
  EXPECT_EQ(erase(), LeaseOutcome::kUnknown);
}

TEST_F(DynamoDbLeaseStoreTest, ListsPageByPage) {
  canned_.answers(
      R"({"Items":[{"name":{"S":"b"},"revision":{"N":"1"},"value":{"S":""}}],"LastEvaluatedKey":{"name":{"S":"b"}}})");
  canned_.answers(R"({"Items":[],"LastEvaluatedKey":{"name":{"S":"c"}}})");
  canned_.answers(R"({"Items":[{"name":{"S":"a"},"revision":{"N":"2"},"value":{"S":"v"}}]})");
  const auto rows = run_awaitable(store().list("p"));
  ASSERT_TRUE(rows.ok()) << rows.error().to_string();
  EXPECT_THAT(*rows, ElementsAre(LeaseRow{"a", 2, "v"}, LeaseRow{"b", 1, ""}));
  EXPECT_EQ(
      canned_.sent[2].body,
      R"({"TableName":"l","ConsistentRead":true,"ExclusiveStartKey":{"name":{"S":"c"}},)"
      R"x("FilterExpression":"begins_with(#n, :p)","ExpressionAttributeNames":{"#n":"name"},)x"
      R"("ExpressionAttributeValues":{":p":{"S":"p"}}})");
  // A page that leads to itself.
  for (int i = 0; i < 2; ++i)
    canned_.answers(R"({"Items":[],"LastEvaluatedKey":{"name":{"S":"c"}}})");
  EXPECT_EQ(run_awaitable(store().list("")).error().code, ErrorCode::kUnavailable);
}

TEST_F(DynamoDbLeaseStoreTest, AnAnswerAboutAnotherRowIsNone) {
  canned_.answers(row(5, "v"));
  EXPECT_EQ(run_awaitable(store().get("other")).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pawl
