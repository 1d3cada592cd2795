// A table that only gains items: what was put is there for good, however the request comes.
#include <gmock/gmock.h>

#include "table/committer_fixture_test.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InsertOnly : public CommitterTest {
 protected:
  InsertOnly() {
    options.insert_only = {"users"};
    crash();
    create("users");
    create("others");
    EXPECT_TRUE(write(put(kItem))->done());
  }
  void expect_refused(const ReplyPtr& reply, const std::string& why) {
    EXPECT_EQ(reply->refusal(), Refusal::kConditionFailed);
    EXPECT_THAT(reply->message(), HasSubstr("table users is insert-only: " + why));
  }
  static constexpr const char* kItem = R"({"id":{"S":"A"},"v":{"N":"1"}})";
  static constexpr const char* kOther = R"({"id":{"S":"A"},"v":{"N":"2"}})";
  static constexpr const char* kKey = R"({"id":{"S":"A"}})";
};

TEST_F(InsertOnly, ItemsAreNotReplacedUpdatedOrDeleted) {
  expect_refused(write(put(kOther)), "an item with this key is there");
  expect_refused(write(update(kKey, "ADD v :one", R"({":one":{"N":"1"}})")),
                 "items are not updated");
  expect_refused(write(update(R"({"id":{"S":"new"}})")), "items are not updated");
  expect_refused(write(remove(kKey)), "items are not deleted");
  expect_refused(write(remove(R"({"id":{"S":"absent"}})")), "items are not deleted");
  EXPECT_TRUE(write(put(kItem))->done()) << "the same put again changes nothing";
  EXPECT_TRUE(write(put(R"({"id":{"S":"B"}})"))->done());
  EXPECT_EQ(read(kKey), kItem);
  EXPECT_THAT(story(shard()), ElementsAre("INSERT 0", "INSERT 0"));
}

TEST_F(InsertOnly, ABatchIsRefusedAsAWhole) {
  expect_refused(do_action(Mutations{{put(R"({"id":{"S":"B"}})"), put(kOther)}}), "an item");
  expect_refused(do_action(Mutations{{put(R"({"id":{"S":"B"}})"), remove(kKey)}}), "items are");
  EXPECT_EQ(read(R"({"id":{"S":"B"}})"), "");
}

TEST_F(InsertOnly, ATransactionIsCancelledWithTheReason) {
  const auto reply = do_action(all({put(R"({"id":{"S":"B"}})"), put(kOther)}));
  EXPECT_EQ(reply->refusal(), Refusal::kTransactionCancelled);
  const auto& reasons = reply->outcome.failure->reasons;
  EXPECT_FALSE(reasons[0].refusal);
  EXPECT_EQ(reasons[1].refusal, Refusal::kConditionFailed);
  EXPECT_THAT(reasons[1].message, HasSubstr("insert-only"));
  EXPECT_EQ(read(R"({"id":{"S":"B"}})"), "");
  auto check = mutation(Mutation::Kind::kCheck, kKey, "users");
  check = with_condition(std::move(check), "attribute_exists(v)");
  EXPECT_TRUE(do_action(all({check, put(R"({"id":{"S":"B"}})")}))->done());
}

TEST_F(InsertOnly, OfTwoInOneRoundTheFirstStays) {
  const auto one_reply = submit_action(one(put(R"({"id":{"S":"C"},"v":{"N":"1"}})")));
  const auto other = submit_action(one(put(R"({"id":{"S":"C"},"v":{"N":"2"}})")));
  run();
  EXPECT_TRUE(one_reply->done());
  expect_refused(other, "an item");
}

TEST_F(InsertOnly, OtherTablesAndAFailingConditionAreAsEver) {
  EXPECT_TRUE(write(put(kItem, "others"))->done());
  EXPECT_TRUE(write(put(kOther, "others"))->done());
  EXPECT_TRUE(write(remove(kKey, "others"))->done());
  auto conditional = with_condition(put(kOther), "attribute_not_exists(id)");
  conditional.return_old_on_failure = true;
  const auto reply = write(conditional);
  EXPECT_EQ(reply->message(), "The conditional request failed");
  EXPECT_EQ(json_of(*reply->outcome.failure->item), kItem);
}

}  // namespace
}  // namespace pawl::table
