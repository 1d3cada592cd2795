#include "server/status_expectations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawl::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

ExpectationStatus users() {
  ExpectationStatus one;
  one.table = "users";
  one.incarnation = Incarnation{0xa1};
  one.config.bucket = "history";
  one.config.names = "logs/{id}-{v}.log";
  one.state = pipeline::FlowState::kFlowing;
  one.committed = 20;
  one.entered = 15;
  one.awaited = 3;
  one.counts.found = 14;
  one.counts.asked = 2;
  one.counts.redelivered = 1;
  one.counts.missing = 1;
  one.counts.written = 1;
  return one;
}

std::string json_of(const ExpectationStatus& one) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  append_expectations(json, {one});
  json.end_object();
  return out;
}

TEST(StatusExpectations, TellsWhatCameAndWhatIsAwaited) {
  const auto text = json_of(users());
  EXPECT_THAT(text,
              HasSubstr(R"("table":"users","incarnation":"00000000000000a1","bucket":"history",)"
                        R"("name":"logs/{id}-{v}.log","deadline_ms":60000,)"
                        R"("on_missing":"write","state":"flowing")"));
  EXPECT_THAT(text, HasSubstr(R"("committed":20,"entered":15,"lag":5,"awaited":3,"found":14,)"));
  EXPECT_THAT(text, HasSubstr(R"("asked_again":2,"redelivered":1,"missing":1,)"));
  EXPECT_THAT(text, Not(HasSubstr("why")));
  auto none = users();
  none.incarnation.reset();
  EXPECT_THAT(json_of(none), Not(HasSubstr("incarnation")));
}

TEST(StatusExpectations, LivesOfOneTableAreOneLineOfMetrics) {
  auto older = users();
  older.deleted = true;
  auto other = users();
  other.table = "zebras";
  std::string text;
  append_expectation_metrics(text, {older, users(), other});
  EXPECT_THAT(text, HasSubstr("pawl_expectation_found_total{table=\"users\"} 28\n"
                              "pawl_expectation_found_total{table=\"zebras\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("pawl_expectation_lag_changes{table=\"users\"} 10\n"));
  text.clear();
  append_expectation_metrics(text, {});
  EXPECT_EQ(text, "");
}

TEST(StatusExpectations, WhatStandsStillIsAnAlarmAndWhatWasMissingIsNoted) {
  auto well = users();
  well.counts.missing = 0;
  EXPECT_THAT(expectation_alarms({well}), IsEmpty());
  auto noted = expectation_alarms({users()});
  ASSERT_THAT(noted, SizeIs(1));
  EXPECT_EQ(noted[0].kind, "missing-objects");
  EXPECT_FALSE(noted[0].standing);
  well.state = pipeline::FlowState::kStalled;
  well.why = "no room";
  const auto alarms = expectation_alarms({well});
  ASSERT_THAT(alarms, SizeIs(1));
  EXPECT_EQ(alarms[0].kind, "expectation-stalled");
  EXPECT_TRUE(alarms[0].standing);
  EXPECT_THAT(alarms[0].text,
              HasSubstr("5 changes wait; they are held in the change log: no room"));
}

}  // namespace
}  // namespace pawl::server
