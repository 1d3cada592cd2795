#include "base/instant.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace pawl {
namespace {

constexpr std::int64_t kFirst = -62'167'219'200'000'000;  // 0000-01-01T00:00:00.000000Z
constexpr std::int64_t kLast = 253'402'300'799'999'999;   // 9999-12-31T23:59:59.999999Z

TEST(Instant, WritesKnownInstants) {
  EXPECT_EQ(Instant{0}.to_string(), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Instant{-1}.to_string(), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Instant{1'795'370'400'123'456}.to_string(), "2026-11-22T18:00:00.123456Z");
  EXPECT_EQ(Instant{kFirst}.to_string(), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(Instant{kLast}.to_string(), "9999-12-31T23:59:59.999999Z");
}

TEST(Instant, ReadsFractionsOfZeroToSixDigits) {
  EXPECT_EQ(Instant::parse("1970-01-01T00:00:01Z"), Instant{1'000'000});
  EXPECT_EQ(Instant::parse("1970-01-01T00:00:01.5Z"), Instant{1'500'000});
  EXPECT_EQ(Instant::parse("1970-01-01T00:00:01.000001Z"), Instant{1'000'001});
  EXPECT_EQ(Instant::parse("2024-02-29T00:00:00Z")->to_string(), "2024-02-29T00:00:00.000000Z");
}

TEST(Instant, RefusesWhatIsNoInstant) {
  for (const char* text : {"",
                           "Z",
                           "1970-01-01",
                           "1970-01-01T00:00:00",
                           "1970-01-01T00:00:00z",
                           "1970-01-01 00:00:00Z",
                           "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:00.1234567Z",
                           "1970-01-01T00:00:00,5Z",
                           "1970-01-01T00:00:00+00:00",
                           "1970-01-01T00:00:00.-1Z",
                           "1970-13-01T00:00:00Z",
                           "1970-00-01T00:00:00Z",
                           "1970-01-00T00:00:00Z",
                           "1970-04-31T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T00:00:60Z",
                           "-970-01-01T00:00:00Z",
                           "+970-01-01T00:00:00Z",
                           "1970-1-01T00:00:000Z",
                           "10000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(Instant::parse(text)) << text;
  }
}

RC_GTEST_PROP(Instant, RoundTripsInItsYears, ()) {
  const Instant instant{*rc::gen::inRange<std::int64_t>(kFirst, kLast + 1)};
  const std::string text = instant.to_string();
  RC_ASSERT(text.size() == 27U);
  RC_ASSERT(Instant::parse(text) == instant);
}

RC_GTEST_PROP(Instant, TextSortsAsTime, ()) {
  const Instant a{*rc::gen::inRange<std::int64_t>(kFirst, kLast + 1)};
  const Instant b{*rc::gen::inRange<std::int64_t>(kFirst, kLast + 1)};
  RC_ASSERT((a < b) == (a.to_string() < b.to_string()));
}

RC_GTEST_PROP(Instant, AnyTextIsReadOrRefused, (const std::string& text)) {
  (void)Instant::parse(text + "Z");
}

TEST(MonotonicInstant, AddsAndSubtractsDurations) {
  const MonotonicInstant start{5};
  EXPECT_EQ((start + Duration{7}).microseconds, 12);
  EXPECT_EQ((start + Duration{7}) - start, Duration{7});
}

}  // namespace
}  // namespace pawl
