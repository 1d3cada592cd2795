// Functions, queues and buckets in the status document and in the metrics.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/metric_family.h"
#include "server/status_document.h"

namespace pawl::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Outcome = InvocationResult::Outcome;

function::FunctionLine archive() {
  function::FunctionMeter meter;
  InvocationResult result;
  result.outcome = Outcome::kReturned;
  meter.ended(result, std::chrono::milliseconds(20), {});
  meter.ended(result, std::chrono::milliseconds(70), {});
  result.outcome = Outcome::kFailed;
  result.why = "the handler failed";
  result.payload = R"({"errorMessage":"no"})";
  meter.ended(result, std::chrono::minutes(2), {1'800'000'000'000'000});
  meter.processes({1, 2, 3, 4, 5, 6});
  meter.discarded_event();
  return {"archive", meter.figures(), 8};
}

StatusFacts facts() {
  StatusFacts facts;
  facts.now = {1'800'000'000'000'000};
  facts.functions.listed = {archive()};
  queue::QueuesFigures queues;
  queue::QueueLine jobs;
  jobs.name = "jobs";
  jobs.visible = 1;
  jobs.in_flight = 2;
  jobs.delayed = 3;
  jobs.expired = 4;
  jobs.retention = std::chrono::seconds(60);
  jobs.oldest = Instant{facts.now.microseconds - 1'500'000};
  jobs.holds_dead_letters = true;
  queues.listed = {jobs};
  facts.queues = std::make_shared<const queue::QueuesFigures>(queues);
  facts.buckets = 2;
  return facts;
}

// Of others: `sums` as lines.
StatusFacts facts_with_others() {
  StatusFacts facts = server::facts();
  facts.functions.other_functions = 2;
  facts.functions.others.figures.add(archive().figures);
  queue::QueuesFigures queues = *facts.queues;
  queues.others = {3, 30, 1};
  facts.queues = std::make_shared<const queue::QueuesFigures>(queues);
  return facts;
}

TEST(StatusOfWork, TheDocumentHasAllOfIt) {
  const std::string json = status_json(facts());
  EXPECT_THAT(
      json,
      HasSubstr(
          R"("functions":[{"function":"archive",)"
          R"("processes":{"starting":1,"idle":2,"busy":3,"ending":4},)"
          R"("calls":{"under_way":5,"waiting":6},"events":{"waiting":8,"discarded":1},)"
          R"("ended":{"returned":2,"failed":1,"timed_out":0,"exited":0,"throttled":0,"not_run":0},)"
          R"("durations":{"calls":3,"total_ms":120090},)"
          R"("last_failure":{"at":"2027-01-15T08:00:00.000000Z","outcome":"failed",)"
          R"("why":"the handler failed: {\"errorMessage\":\"no\"}"}}],)"
          R"("other_functions":{"functions":0,)"));
  EXPECT_THAT(json, HasSubstr(R"("queues":[{"queue":"jobs","visible":1,"in_flight":2,"delayed":3,)"
                              R"("oldest_age_ms":1500,"retention_s":60,"expired":4,)"
                              R"("holds_dead_letters":true}],)"
                              R"("other_queues":{"queues":0,"messages":0,"expired":0},)"
                              R"("buckets":{"count":2},)"));
  const std::string others = status_json(facts_with_others());
  EXPECT_THAT(others, HasSubstr(R"("other_functions":{"functions":2,"processes":{"starting":1,)"));
  EXPECT_THAT(others, HasSubstr(R"("other_queues":{"queues":3,"messages":30,"expired":1})"));
}

TEST(StatusOfWork, WhatIsNotKnownIsAbsent) {
  StatusFacts unknown = facts();
  unknown.buckets.reset();
  queue::QueuesFigures queues = *unknown.queues;
  queues.listed[0].oldest.reset();
  unknown.queues = std::make_shared<const queue::QueuesFigures>(queues);
  for (const std::string& text : {status_json(unknown), metrics_text(unknown)}) {
    EXPECT_THAT(text, Not(HasSubstr("buckets")));
    EXPECT_THAT(text, Not(HasSubstr("oldest_age_milliseconds{")));
    EXPECT_THAT(text, Not(HasSubstr(R"("delayed":3,"oldest_age_ms")")));
  }
}

// A function may say any bytes, and they are cut anywhere.
TEST(StatusOfWork, WhatAFunctionSaidIsMadeText) {
  StatusFacts said = facts();
  const auto why_of = [&said](std::string why) {
    said.functions.listed[0].figures.last_failure->why = std::move(why);
    const std::string json = status_json(said);
    const auto from = json.find("\"why\":") + 6;
    return json.substr(from, json.find("}}", from) - from);
  };
  EXPECT_EQ(why_of("山田"), "\"山田\"");
  EXPECT_EQ(why_of("山田\xe5\xb1"), "\"山田\"") << "cut in a character";
  EXPECT_EQ(why_of("山田\xe5"), "\"山田\"");
  EXPECT_EQ(why_of("🙂\xf0\x9f\x99"), "\"🙂\"");
  EXPECT_EQ(why_of("a\xff z"), "\"a? z\"");
  EXPECT_EQ(why_of("\xff\xff\xff\xff\xff"), "\"?????\"");
  EXPECT_EQ(why_of("\x1b[2J\""), "\"\\u001b[2J\\\"\"");
  EXPECT_EQ(why_of(""), "\"\"");
}

TEST(StatusOfWork, MetricsHaveALineForEachNameAndOneForTheOthers) {
  const std::string text = metrics_text(facts());
  for (const auto* const line :
       {"pawl_functions 1\n", "pawl_function_processes{function=\"archive\",state=\"busy\"} 3\n",
        "pawl_function_calls{function=\"archive\",state=\"waiting\"} 6\n",
        "pawl_function_events{function=\"archive\"} 8\n",
        "pawl_function_discarded_events_total{function=\"archive\"} 1\n",
        "pawl_function_invocations_total{function=\"archive\",outcome=\"returned\"} 2\n",
        "pawl_function_invocations_total{function=\"archive\",outcome=\"failed\"} 1\n",
        "pawl_function_invocations_total{function=\"archive\",outcome=\"not_run\"} 0\n",
        "pawl_queues 1\n", "pawl_queue_messages{queue=\"jobs\",state=\"visible\"} 1\n",
        "pawl_queue_messages{queue=\"jobs\",state=\"in_flight\"} 2\n",
        "pawl_queue_messages{queue=\"jobs\",state=\"delayed\"} 3\n",
        "pawl_other_queues_messages 0\n",
        "pawl_queue_oldest_age_milliseconds{queue=\"jobs\"} 1500\n",
        "pawl_queue_expired_messages_total{queue=\"jobs\"} 4\n", "pawl_buckets 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr(kOthers)));
  const std::string others = metrics_text(facts_with_others());
  for (const auto* const line :
       {"pawl_functions 3\n", "pawl_function_processes{function=\"(others)\",state=\"busy\"} 3\n",
        "pawl_function_duration_milliseconds_count{function=\"(others)\"} 3\n", "pawl_queues 4\n",
        "pawl_other_queues_messages 30\n",
        "pawl_queue_expired_messages_total{queue=\"(others)\"} 1\n"}) {
    EXPECT_THAT(others, HasSubstr(line));
  }
}

TEST(StatusOfWork, TheHistogramAddsUp) {
  const std::string text = metrics_text(facts());
  EXPECT_THAT(text, HasSubstr("# TYPE pawl_function_duration_milliseconds histogram\n"));
  const auto upto = [](std::string_view bound, int calls) {
    return fmt::format(
        "pawl_function_duration_milliseconds_bucket{{function=\"archive\",le=\"{}\"}} {}\n", bound,
        calls);
  };
  for (const auto& line : {upto("10", 0), upto("25", 1), upto("50", 1), upto("100", 2),
                           upto("60000", 2), upto("+Inf", 3)}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("pawl_function_duration_milliseconds_sum{function=\"archive\"} "
                              "120090\npawl_function_duration_milliseconds_count{function="
                              "\"archive\"} 3\n"));
}

}  // namespace
}  // namespace pawl::server
