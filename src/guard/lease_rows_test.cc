#include "guard/lease_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace pawl::guard {
namespace {

TEST(LeaseRows, EachKindComesBackAsItWas) {
  const ShardRow shard{17, "a1b2", true, false};
  EXPECT_EQ(*parse_row({shard_row_name(17), 3, encode_row(shard)}), ParsedRow(shard));
  ShardRow finished{4294967295, "", false, true, "arn:s", "shardId-1", Instant{7}};
  finished.gap = true;
  EXPECT_EQ(*parse_row({"shard/4294967295", 3, encode_row(finished)}), ParsedRow(finished));
  const RootRow root{"w-1"};
  EXPECT_EQ(*parse_row({"root", 1, encode_row(root)}), ParsedRow(root));
  EXPECT_EQ(*parse_row({worker_row_name("w-1"), 1, encode_row(WorkerRow{"w-1"})}),
            ParsedRow(WorkerRow{"w-1"}));
}

TEST(LeaseRows, AWorkersRowIsJudgedByItsNameAlone) {
  EXPECT_TRUE(parse_row({"worker/abc", 1, "{{{"}).ok());
  for (const char* name : {"worker/", "worker/a b", "worker/../x", "worker/\xC3\xA4"})
    EXPECT_EQ(parse_row({name, 1, "{}"}).error().code, ErrorCode::kCorrupt) << name;
  EXPECT_FALSE(parse_row({"worker/" + std::string(kWorkerIdBytesMax + 1, 'a'), 1, "{}"}).ok());
}

TEST(LeaseRows, NamesAreWrittenInOneWayOnly) {
  const auto value = encode_row(ShardRow{1, "", false, false});
  for (const char* name :
       {"shard/", "shard/0", "shard/01", "shard/+1", "shard/-1", "shard/1 ", "shard/4294967296",
        "shard/99999999999999999999", "shards/1", "", "Root"})
    EXPECT_EQ(parse_row({name, 1, value}).error().code, ErrorCode::kCorrupt) << name;
}

TEST(LeaseRows, DamagedValuesAreRefused) {
  for (const std::string value :
       {"", "{", "[]", "null", "{}", R"({"row":"root","owner":""})", R"({"row":"shard"})",
        R"({"row":"shard","owner":7})", R"({"row":"shard","owner":"a b"})",
        R"({"row":"shard","owner":"","waits":1})", R"({"row":"shard","owner":"","finished":"no"})",
        "{\"row\":\"shard\",\"owner\":\"\"} x"})
    EXPECT_FALSE(parse_row({"shard/1", 1, value}).ok()) << value;
  EXPECT_FALSE(parse_row({"shard/1", 1, std::string(4000, '[')}).ok());
  EXPECT_FALSE(parse_row({"shard/1", 1, std::string(1 << 20, ' ')}).ok());
}

TEST(LeaseRows, AnErrorShowsALongNameShortened) {
  const auto error = parse_row({std::string(1024, 'x'), 1, "{}"}).error();
  EXPECT_LT(error.message.size(), 200U);
}

RC_GTEST_PROP(LeaseRowsProperty, AnyBytesAreReadOrRefused, (std::string name, std::string value)) {
  (void)parse_row({name, 1, value}).ok();
  (void)parse_row({"root", 1, value}).ok();
  (void)parse_row({"shard/7", 1, value}).ok();
}

}  // namespace
}  // namespace pawl::guard
