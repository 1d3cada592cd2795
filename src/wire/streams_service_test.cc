// DynamoDB Streams' API over a real change log in memory.
#include "wire/streams_fixture_test.h"

namespace pawl::wire {
namespace {

using simdjson::dom::element;
using table::StreamView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(StreamsServiceTest, ARecordSaysWhatTheServiceSays) {
  create("users", StreamView::kNewAndOldImages);
  put(R"({"id":{"S":"a"},"v":{"N":"0"}})");
  put(R"({"id":{"S":"a"},"v":{"N":"1"}})");
  put(R"({"id":{"S":"a"},"v":{"N":"1"}})");  // changes nothing
  remove(R"({"id":{"S":"a"}})");
  good("GetRecords", records_request(iterator()));
  const std::string id = tables_.catalog->view()->find("users")->record.incarnation.to_string();
  const auto record = [&](const std::string& number, const std::string& kind,
                          const std::string& images, const std::string& size) {
    return R"({"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-north-1","eventID":")" +
           id + "000000000000000" + number + R"(","eventName":")" + kind +
           R"(","dynamodb":{"ApproximateCreationDateTime":1795372535,"Keys":{"id":{"S":"a"}},)" +
           images + R"(,"SequenceNumber":"10000000000000000000)" + number + R"(","SizeBytes":)" +
           size + R"(,"StreamViewType":"NEW_AND_OLD_IMAGES"}})";
  };
  const std::string zero = R"({"id":{"S":"a"},"v":{"N":"0"}})";
  const std::string one = R"({"id":{"S":"a"},"v":{"N":"1"}})";
  // Sizes as DynamoDB Local says them.
  EXPECT_THAT(answer_, HasSubstr("[" + record("1", "INSERT", R"("NewImage":)" + zero, "8") + "," +
                                 record("2", "MODIFY",
                                        R"("NewImage":)" + one + R"(,"OldImage":)" + zero, "14") +
                                 "," + record("3", "REMOVE", R"("OldImage":)" + one, "9") + "]"));
}

TEST_F(StreamsServiceTest, EachViewShowsItsImages) {
  const std::vector<std::pair<StreamView, std::string>> views{
      {StreamView::kKeysOnly, "KKK"},
      {StreamView::kNewImage, "KN KN K"},
      {StreamView::kOldImage, "K KO KO"},
      {StreamView::kNewAndOldImages, "KN KNO KO"}};
  for (const auto& [view, expected] : views) {
    const std::string name = "t" + std::to_string(static_cast<int>(view)) + "-";
    create(name, view);
    put(R"({"id":{"S":"a"},"v":{"N":"0"}})", name);
    put(R"({"id":{"S":"a"},"v":{"N":"1"}})", name);
    remove(R"({"id":{"S":"a"}})", name);
    const std::string token = text_of(
        good("GetShardIterator", iterator_request(arn(name), shard(0, 0, name), "TRIM_HORIZON")),
        "ShardIterator");
    std::string shown;
    for (const element record : good("GetRecords", records_request(token))["Records"]) {
      const element change = record["dynamodb"];
      if (!shown.empty() && view != StreamView::kKeysOnly) shown += ' ';
      shown += change["Keys"].error() == simdjson::SUCCESS ? "K" : "";
      shown += change["NewImage"].error() == simdjson::SUCCESS ? "N" : "";
      shown += change["OldImage"].error() == simdjson::SUCCESS ? "O" : "";
    }
    EXPECT_EQ(shown, expected);
  }
}

TEST_F(StreamsServiceTest, PositionsOfAllFourKinds) {
  create("users", StreamView::kKeysOnly);
  for (int i = 0; i < 5; ++i) put(R"({"id":{"S":"a"},"v":{"N":")" + std::to_string(i) + R"("}})");
  const std::string latest = iterator("LATEST");
  EXPECT_THAT(page(iterator()).numbers, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(page(iterator(), R"(,"Limit":2)").numbers, ElementsAre("1", "2"));
  EXPECT_THAT(page(iterator("AT_SEQUENCE_NUMBER", at(4))).numbers, ElementsAre("4", "5"));
  EXPECT_THAT(page(iterator("AFTER_SEQUENCE_NUMBER", at(4))).numbers, ElementsAre("5"));
  EXPECT_THAT(page(iterator("AFTER_SEQUENCE_NUMBER", at(5))).numbers, IsEmpty());
  EXPECT_THAT(page(iterator("AT_SEQUENCE_NUMBER", at(6))).numbers, IsEmpty()) << "the next one";
  for (const auto number : {std::uint64_t{7}, std::uint64_t{0}, UINT64_MAX}) {
    EXPECT_EQ(
        ask("GetShardIterator", iterator_request(arn(), shard(), "AT_SEQUENCE_NUMBER", at(number)))
            .code(),
        "ValidationException")
        << number;
  }
  const Page empty = page(latest);
  EXPECT_THAT(empty.numbers, IsEmpty());
  restart();
  put(R"({"id":{"S":"b"}})");
  EXPECT_THAT(page(latest).numbers, ElementsAre("6")) << "LATEST is a position, also after a crash";
  EXPECT_THAT(page(empty.next).numbers, ElementsAre("6"));
}

TEST_F(StreamsServiceTest, AnIteratorLivesForFifteenMinutes) {
  create("users", StreamView::kKeysOnly);
  const std::string old = iterator();
  clock_.advance(kIteratorLife);
  EXPECT_EQ(ask("GetRecords", records_request(old)).status, 200U);
  clock_.advance(Duration{1});
  const Answer expired = ask("GetRecords", records_request(old));
  EXPECT_EQ(expired.code(), "ExpiredIteratorException");
  EXPECT_EQ(expired.status, 400U);
}

TEST_F(StreamsServiceTest, AClosedShardEnds) {
  create("users", StreamView::kKeysOnly);
  put(R"({"id":{"S":"a"}})");
  put(R"({"id":{"S":"b"}})");
  const std::string before = iterator();
  set_stream("users", std::nullopt);
  put(R"({"id":{"S":"c"}})");
  set_stream("users", StreamView::kNewImage);
  put(R"({"id":{"S":"d"}})");
  const Page first = page(before, R"(,"Limit":1)");
  EXPECT_THAT(first.numbers, ElementsAre("1"));
  EXPECT_NE(first.next, "");
  const Page last = page(first.next);
  EXPECT_THAT(last.numbers, ElementsAre("2"));
  EXPECT_EQ(last.next, "") << "the end of a closed shard, and nothing else";
  EXPECT_EQ(page(iterator("LATEST")).next, "");
  EXPECT_THAT(page(iterator("TRIM_HORIZON", "", 0, 1)).numbers, ElementsAre("4"));
  EXPECT_NE(arn("users", 0), arn("users", 1));
  EXPECT_NE(shard(0, 0), shard(0, 1));
  good("DescribeStream", R"({"StreamArn":")" + arn() + "\"}");
  EXPECT_THAT(answer_, HasSubstr(R"("StreamStatus":"DISABLED")"));
  EXPECT_THAT(
      answer_,
      HasSubstr(R"("SequenceNumberRange":{"StartingSequenceNumber":"100000000000000000001",)"
                R"("EndingSequenceNumber":"100000000000000000002"})"));
  good("DescribeStream", R"({"StreamArn":")" + arn("users", 1) + "\"}");
  EXPECT_THAT(answer_, HasSubstr(R"({"StartingSequenceNumber":"100000000000000000004"})"));
}

TEST_F(StreamsServiceTest, AClosedShardThatNeverHadAChangeEndsAtItsFirstNumber) {
  create("users", StreamView::kKeysOnly);
  set_stream("users", std::nullopt);
  good("DescribeStream", R"({"StreamArn":")" + arn() + "\"}");
  EXPECT_THAT(answer_, HasSubstr(R"("EndingSequenceNumber":"100000000000000000001")"));
  for (const auto* const type : {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"}) {
    const Page end = page(iterator(type, at(1)));
    EXPECT_THAT(end.numbers, IsEmpty());
    EXPECT_EQ(end.next, "");
  }
}

TEST_F(StreamsServiceTest, WhatHasAgedIsSaidToBeTrimmed) {
  create("users", StreamView::kKeysOnly);
  for (int i = 0; i < 4; ++i) put(R"({"id":{"S":"a"},"v":{"N":")" + std::to_string(i) + R"("}})");
  clock_.advance(std::chrono::hours(23));
  put(R"({"id":{"S":"b"}})");
  const std::string held = iterator("AT_SEQUENCE_NUMBER", at(2));
  clock_.advance(std::chrono::minutes(14));
  put(R"({"id":{"S":"c"}})");
  EXPECT_THAT(page(held).numbers, SizeIs(5));
  clock_.advance(std::chrono::hours(1));
  const std::string horizon = iterator();
  put(R"({"id":{"S":"d"}})");
  EXPECT_THAT(page(horizon).numbers, ElementsAre("5", "6", "7"));
  EXPECT_EQ(
      ask("GetShardIterator", iterator_request(arn(), shard(), "AT_SEQUENCE_NUMBER", at(2))).code(),
      "TrimmedDataAccessException");
  EXPECT_THAT(page(iterator("AFTER_SEQUENCE_NUMBER", at(4))).numbers, SizeIs(3));
  const ShardIterator behind{tables_.catalog->view()->find("users")->record.incarnation,
                             tables_.streams->list("users", "", "", 1)[0].facts->label, 0,
                             SequenceNumber{1}, clock_.now()};
  EXPECT_EQ(
      ask("GetRecords", records_request(encode_iterator(behind, tables_.catalog->iterator_key())))
          .code(),
      "TrimmedDataAccessException");
}

TEST_F(StreamsServiceTest, APageHoldsAMegabyteAndOneRecordAtLeast) {
  create("users", StreamView::kNewAndOldImages);
  const std::string large(300'000, 'x');
  for (int i = 0; i < 8; ++i) {
    put(R"({"id":{"S":"a"},"v":{"N":")" + std::to_string(i) + R"("},"x":{"S":")" + large +
        R"("}})");
  }
  EXPECT_THAT(page(iterator()).numbers, ElementsAre("1", "2")) << "0.3 MB and 0.6 MB";
  EXPECT_THAT(page(iterator("AT_SEQUENCE_NUMBER", at(2))).numbers, ElementsAre("2"));
  set_stream("users", std::nullopt);
  set_stream("users", StreamView::kKeysOnly);
  for (int i = 0; i < 20; ++i) {
    put(R"({"id":{"S":"a"},"v":{"N":")" + std::to_string(-i) + R"("},"x":{"S":")" + large +
        R"("}})");
  }
  EXPECT_THAT(page(iterator("TRIM_HORIZON", "", 0, 1)).numbers, SizeIs(6)) << "4 MiB are read";
}

TEST_F(StreamsServiceTest, ShardsAreDescribedInPages) {
  create("users", StreamView::kKeysOnly, 5);
  std::string start;
  std::vector<std::string> ids;
  std::vector<std::size_t> sizes;
  do {
    const std::string more = start.empty() ? "" : R"(,"ExclusiveStartShardId":")" + start + "\"";
    const element described =
        good("DescribeStream",
             R"({"StreamArn":")" + arn() + R"(","Limit":2)" + more + "}")["StreamDescription"];
    std::size_t size = 0;
    for (const element one : described["Shards"]) {
      ids.push_back(text_of(one, "ShardId"));
      ++size;
    }
    sizes.push_back(size);
    start = text_of(described, "LastEvaluatedShardId");
  } while (!start.empty() && sizes.size() < 10);
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(ids, ElementsAre(shard(0), shard(1), shard(2), shard(3), shard(4)));
  good("DescribeStream", R"({"StreamArn":")" + arn() +
                             R"(","ShardFilter":{"Type":"CHILD_SHARDS","ShardId":")" + shard(1) +
                             "\"}}");
  EXPECT_THAT(answer_, HasSubstr(R"("Shards":[]})"));
}

TEST_F(StreamsServiceTest, StreamsAreListedInPages) {
  for (const auto* const name : {"aaa", "bbb", "ccc"}) create(name, StreamView::kKeysOnly);
  create("none", std::nullopt);
  good("ListStreams", "{}");
  EXPECT_EQ(answer_,
            R"({"Streams":[{"StreamArn":")" + arn("aaa") +
                R"(","TableName":"aaa","StreamLabel":"2026-11-22T18:35:35.771"},{"StreamArn":")" +
                arn("bbb") +
                R"(","TableName":"bbb","StreamLabel":"2026-11-22T18:35:35.771"},{"StreamArn":")" +
                arn("ccc") + R"(","TableName":"ccc","StreamLabel":"2026-11-22T18:35:35.771"}]})");
  const element first = good("ListStreams", R"({"Limit":2})");
  EXPECT_EQ(text_of(first, "LastEvaluatedStreamArn"), arn("bbb"));
  good("ListStreams", R"({"Limit":2,"ExclusiveStartStreamArn":")" + arn("bbb") + "\"}");
  EXPECT_THAT(answer_, HasSubstr("ccc"));
  EXPECT_THAT(answer_, ::testing::Not(HasSubstr("LastEvaluated")));
  good("ListStreams", R"({"TableName":"none"})");
  EXPECT_EQ(answer_, R"({"Streams":[]})");
}

TEST_F(StreamsServiceTest, WrongArgumentsGetTheServicesExceptions) {
  create("users", StreamView::kKeysOnly);
  put(R"({"id":{"S":"a"}})");
  const std::string good_arn = arn();
  const std::string no_arn = good_arn.substr(0, good_arn.size() - 1) + "x";
  const std::string no_shard = "shardId-00000000000000000000-00000000";
  const std::string token = iterator();
  const auto stream = [](const std::string& name) { return R"({"StreamArn":")" + name + "\""; };
  struct Wrong {
    std::string_view operation;
    std::string text;
    std::string_view code;
  };
  const std::vector<Wrong> all{
      {"ListStreams", R"({"Limit":0})", "ValidationException"},
      {"ListStreams", R"({"Limit":101})", "ValidationException"},
      {"ListStreams", R"({"TableName":"a"})", "ValidationException"},
      {"ListStreams", R"({"TableName":5})", "SerializationException"},
      {"ListStreams", R"({"ExclusiveStartStreamArn":"arn:x"})", "ValidationException"},
      {"ListStreams", "[]", "SerializationException"},
      {"ListStreams", "{", "SerializationException"},
      {"DescribeStream", "{}", "ValidationException"},
      {"DescribeStream", stream(no_arn) + "}", "ResourceNotFoundException"},
      {"DescribeStream", stream("foo") + "}", "ValidationException"},
      {"DescribeStream", stream(std::string(1025, 'a')) + "}", "ValidationException"},
      {"DescribeStream", stream(good_arn) + R"(,"Limit":0})", "ValidationException"},
      {"DescribeStream", stream(good_arn) + R"(,"Limit":101})", "ValidationException"},
      {"DescribeStream", stream(good_arn) + R"(,"ExclusiveStartShardId":"x"})",
       "ValidationException"},
      {"DescribeStream", stream(good_arn) + R"(,"ShardFilter":{"Type":"PARENTS"}})",
       "ValidationException"},
      {"DescribeStream", stream(good_arn) + R"(,"ShardFilter":{"Type":"CHILD_SHARDS"}})",
       "ValidationException"},
      {"DescribeStream",
       stream(good_arn) + R"(,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":")" + no_shard +
           "\"}}",
       "ResourceNotFoundException"},
      {"GetShardIterator", "{}", "ValidationException"},
      {"GetShardIterator", iterator_request(good_arn, shard(), "NOPE"), "ValidationException"},
      {"GetShardIterator", iterator_request(good_arn, no_shard, "LATEST"),
       "ResourceNotFoundException"},
      {"GetShardIterator", iterator_request(good_arn, shard(7), "LATEST"),
       "ResourceNotFoundException"},
      {"GetShardIterator", iterator_request(no_arn, shard(), "LATEST"),
       "ResourceNotFoundException"},
      {"GetShardIterator", iterator_request(good_arn, shard(), "AT_SEQUENCE_NUMBER"),
       "ValidationException"},
      {"GetShardIterator", iterator_request(good_arn, shard(), "LATEST", at(1)),
       "ValidationException"},
      {"GetShardIterator",
       iterator_request(good_arn, shard(), "AT_SEQUENCE_NUMBER", R"(,"SequenceNumber":"12")"),
       "ValidationException"},
      {"GetShardIterator",
       iterator_request(good_arn, shard(), "AT_SEQUENCE_NUMBER",
                        R"(,"SequenceNumber":"zzzzzzzzzzzzzzzzzzzzz")"),
       "ValidationException"},
      {"GetShardIterator",
       iterator_request(good_arn, shard(), "AFTER_SEQUENCE_NUMBER",
                        R"(,"SequenceNumber":"000000000000000000001")"),
       "ValidationException"},
      {"GetRecords", "{}", "ValidationException"},
      {"GetRecords", records_request(""), "ValidationException"},
      {"GetRecords", records_request("foo"), "ValidationException"},
      {"GetRecords", records_request(std::string(2049, 'A')), "ValidationException"},
      {"GetRecords", records_request(token.substr(4) + "AAAA"), "ValidationException"},
      {"GetRecords", records_request(token, R"(,"Limit":0)"), "ValidationException"},
      {"GetRecords", records_request(token, R"(,"Limit":1001)"), "ValidationException"},
      {"GetShards", "{}", "UnknownOperationException"},
  };
  for (const Wrong& wrong : all) {
    const Answer answer = ask(wrong.operation, wrong.text);
    EXPECT_EQ(answer.code(), wrong.code) << wrong.operation << ' ' << wrong.text;
    EXPECT_EQ(answer.status, 400U);
  }
  set_stream("users", std::nullopt);
  clock_.advance(std::chrono::hours(24));
  EXPECT_EQ(ask("DescribeStream", stream(good_arn) + "}").code(), "ResourceNotFoundException");
}

}  // namespace
}  // namespace pawl::wire
