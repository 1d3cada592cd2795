#include "cli/status_work.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace pawl::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Plain text, also where the tests themselves run on a terminal.
class StatusWorkTest : public ::testing::Test {
 protected:
  StatusWorkTest() { ::setenv("NO_COLOR", "1", 1); }
};

Result<WorkPart> read(const std::string& json) {
  simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, json, std::size_t{1} << 20, "a test"));
  item::JsonFields fields(object, "a test");
  return read_work(fields);
}

std::string text_of(const std::string& json) {
  const auto work = read(json);
  EXPECT_TRUE(work.ok()) << work.error().to_string();
  std::string text;
  if (work.ok()) append_work(text, *work);
  return text;
}

std::string function(std::string_view head, std::string_view ended, int discarded = 0,
                     std::string_view more = "") {
  return fmt::format(
      R"({{{},"processes":{{"starting":0,"idle":1,"busy":1,"ending":0}},)"
      R"("calls":{{"under_way":1,"waiting":2}},"events":{{"waiting":0,"discarded":{}}},)"
      R"("ended":{{{}}}{}}})",
      head, discarded, ended, more);
}

constexpr std::string_view kGood =
    R"("returned":1204,"failed":0,"timed_out":0,"exited":0,"throttled":0,"not_run":0)";
constexpr std::string_view kBad =
    R"("returned":1,"failed":2,"timed_out":3,"exited":4,"throttled":5,"not_run":6)";
constexpr std::string_view kZero =
    R"("returned":0,"failed":0,"timed_out":0,"exited":0,"throttled":0,"not_run":0)";

std::string functions(const std::string& listed, const std::string& others) {
  return fmt::format(R"({{"functions":[{}],"other_functions":{}}})", listed, others);
}

std::string nobody_else() {
  return R"({"functions":0,"processes":{"starting":0,"idle":0,"busy":0,"ending":0},)"
         R"("calls":{"under_way":0,"waiting":0},"events":{"waiting":0,"discarded":0},)"
         R"("ended":{)" +
         std::string(kZero) + "}}";
}

std::string queue(std::string_view name, int visible, std::string_view more = "",
                  bool dead_letters = false, int expired = 0) {
  return fmt::format(
      R"({{"queue":"{}","visible":{},"in_flight":3,"delayed":0{},"retention_s":345600,)"
      R"("expired":{},"holds_dead_letters":{}}})",
      name, visible, more, expired, dead_letters);
}

std::string queues(const std::string& listed, int others = 0, int messages = 0, int expired = 0) {
  return fmt::format(
      R"({{"queues":[{}],"other_queues":{{"queues":{},"messages":{},"expired":{}}}}})", listed,
      others, messages, expired);
}

TEST_F(StatusWorkTest, AServerWithoutThemSaysNothing) {
  EXPECT_EQ(text_of("{}"), "") << "an older one";
  EXPECT_EQ(text_of(functions("", nobody_else())), "");
  EXPECT_EQ(text_of(queues("")), "");
  EXPECT_EQ(text_of(R"({"buckets":{"count":0}})"), "");
}

TEST_F(StatusWorkTest, WhatIsWellHasOneLine) {
  EXPECT_EQ(text_of(functions(function(R"("function":"archive")", kGood), nobody_else())),
            "1 function: 2 processes, 1 call under way, 2 waiting, 1,204 returned, 0 not\n");
  EXPECT_EQ(text_of(queues(queue("jobs", 1204, R"(,"oldest_age_ms":299999)"))),
            "1 queue: 1,204 messages to take, 3 in flight, 0 delayed\n");
  EXPECT_EQ(text_of(queues(queue("jobs", 2), 5, 33)),
            "6 queues: 2 messages to take, 3 in flight, 0 delayed; 33 in queues that are not "
            "listed\n");
  EXPECT_EQ(text_of(R"({"buckets":{"count":2}})"), "2 buckets\n");
}

TEST_F(StatusWorkTest, AFunctionThatFailsIsNamed) {
  const auto text = text_of(
      functions(function(R"("function":"good")", kGood) + "," +
                    function(R"("function":"bad")", kBad, 7,
                             R"(,"last_failure":{"at":"2026-11-22T18:00:00Z","outcome":"failed",)"
                             R"("why":"no \u001b[2J"})"),
                function(R"("functions":2)", kBad)));
  EXPECT_EQ(text,
            "4 functions: 6 processes, 3 calls under way, 6 waiting, 1,206 returned, 40 not\n"
            "function bad: 2 failed, 3 timed out, 4 exited, 5 throttled, 6 not run, 7 discarded "
            "for good; last failure 2026-11-22T18:00:00Z: no ?[2J\n"
            "other functions: 2 failed, 3 timed out, 4 exited, 5 throttled, 6 not run\n");
}

TEST_F(StatusWorkTest, AQueueThatNobodyKeepsUpWithIsNamed) {
  EXPECT_THAT(text_of(queues(queue("slow", 1, R"(,"oldest_age_ms":300000)"))),
              HasSubstr("queue slow: 4 messages, the oldest waits since 5.0 min of 4.0 d\n"));
  EXPECT_THAT(text_of(queues(queue("dead", 5, R"(,"oldest_age_ms":8000000)", true))),
              HasSubstr("queue dead: 8 dead letters, 8 messages, the oldest waits since 2.2 h of "
                        "4.0 d\n"));
  EXPECT_THAT(text_of(queues(queue("lost", 1, "", false, 9), 2, 0, 4)),
              HasSubstr("queue lost: 9 expired untaken\nother queues: 4 expired untaken\n"));
}

TEST_F(StatusWorkTest, NotMoreThanTenOfAKind) {
  std::string all;
  for (int i = 0; i < 30; ++i)
    all += (i > 0 ? "," : "") + function(fmt::format(R"("function":"f{:02}")", i), kBad);
  const auto text = text_of(functions(all, nobody_else()));
  EXPECT_THAT(text, HasSubstr("function f09: "));
  EXPECT_THAT(text, Not(HasSubstr("function f10: ")));
  EXPECT_THAT(text, HasSubstr("… and 20 functions more with something to see: --json has them\n"));
}

TEST_F(StatusWorkTest, AnythingElseIsRefused) {
  const auto good =
      functions(function(R"("function":"f")", kBad, 0,
                         R"(,"last_failure":{"at":"x","outcome":"failed","why":"y"})"),
                nobody_else());
  const auto good_queues = queues(queue("q", 1, R"(,"oldest_age_ms":1)"));
  const auto with = [](std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  ASSERT_TRUE(read(good).ok());
  ASSERT_TRUE(read(good_queues).ok());
  for (const auto& text :
       {with(good, R"("processes":{)", R"("processes":3,"x":{)"),
        with(good, R"("calls":{)", R"("calls":[],"x":{)"), with(good, R"("ended":{)", R"("x":{)"),
        with(good, R"("waiting":2)", R"("waiting":-2)"),
        with(good, R"("last_failure":{)", R"("last_failure":"no","x":{)"),
        with(good, R"("why":)", R"("because":)"), with(good, R"("function":"f")", R"("name":"f")"),
        with(good, R"("other_functions":{)", R"("others":{)"),
        with(good, R"("functions":0)", R"("functions":"0")"),
        with(good_queues, R"("visible":1)", R"("visible":1.5)"),
        with(good_queues, R"("queues":[)", R"("queues":[7,)"),
        with(good_queues, R"("other_queues":{)", R"("other_queues":7,"x":{)"),
        with(good_queues, R"("retention_s":)", R"("x":)"), std::string(R"({"functions":{}})"),
        std::string(R"({"queues":null})"), std::string(R"({"buckets":3})"),
        std::string(R"({"buckets":{}})")}) {
    const auto work = read(text);
    ASSERT_FALSE(work.ok()) << text;
    EXPECT_EQ(work.error().code, ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace pawl::cli
