#include "archive/repair_body.h"

#include <gtest/gtest.h>

#include "item/dynamodb_json.h"

namespace pawl::archive {
namespace {

TEST(RepairBody, IsWhatWasFoundAndNothingElse) {
  RepairedVersion version;
  version.table = "users";
  version.name = "logs/A\"1-3.log";
  version.version = 3;
  version.source = "stream";
  version.stream = "arn:aws:dynamodb:x:1:table/users/stream/2";
  version.shard = "shardId-1";
  version.sequence = "111";
  const auto image = *item::parse_item_text(
      R"({"name":{"S":"山田"},"_version":{"N":"3.0"},"hashid":{"S":"A\"1"}})");
  EXPECT_EQ(render_repair_body(version, image),
            R"({"format":"pawl-repair/1","table":"users","name":"logs/A\"1-3.log","version":3,)"
            R"("source":"stream","stream":"arn:aws:dynamodb:x:1:table/users/stream/2",)"
            R"("shard":"shardId-1","sequence":"111",)"
            R"("image":{"_version":{"N":"3"},"hashid":{"S":"A\"1"},"name":{"S":"山田"}}})"
            "\n");
}

// The service promises no order of attributes.
TEST(RepairBody, DoesNotDependOnTheServicesBytes) {
  RepairedVersion version;
  version.table = "users";
  version.name = "logs/A-3.log";
  version.version = 3;
  version.source = "table";
  const auto one = *item::parse_item_text(R"({"b":{"N":"1"},"a":{"SS":["x"]}})");
  const auto other = *item::parse_item_text(R"({ "a":{"SS":["x"]}, "b":{"N":"1.0"}})");
  const auto body = render_repair_body(version, one);
  EXPECT_EQ(body, render_repair_body(version, other));
  EXPECT_EQ(body, R"({"format":"pawl-repair/1","table":"users","name":"logs/A-3.log","version":3,)"
                  R"("source":"table","image":{"a":{"SS":["x"]},"b":{"N":"1"}}})"
                  "\n");
}

}  // namespace
}  // namespace pawl::archive
