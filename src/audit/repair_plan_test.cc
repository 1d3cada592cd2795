#include "audit/repair_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/image_spool.h"

namespace pawl::audit {
namespace {

using testing::ElementsAre;
using Source = Recovery::Source;

Recovery way(std::uint64_t version, Source source, std::optional<std::int64_t> until = {},
             std::string shard = {}, std::string sequence = {}) {
  Recovery made;
  made.version = version;
  made.source = source;
  if (until) made.until = Instant{*until};
  made.shard = std::move(shard);
  made.sequence = std::move(sequence);
  return made;
}

Gap gap(std::uint64_t from, std::uint64_t to, VersionDigits digits = {}) {
  return {Gap::Kind::kBetween, {"logs/A-", ".log"}, {from, to}, {}, digits};
}

std::vector<std::string> divided(const Gap& gap, const std::vector<Recovery>& recoveries) {
  std::vector<std::string> lines;
  EXPECT_TRUE(divide_gap(gap, recoveries, [&](const MissingVersions& missing) {
                auto line = fmt::format("{}-{}", missing.versions.from, missing.versions.to);
                for (std::size_t i = 0; i < missing.ways; ++i)
                  line += fmt::format(" {}", name_of(missing.first_way[i].source));
                lines.push_back(line);
                return ok();
              }).ok());
  return lines;
}

TEST(RepairPlan, DividesAGap) {
  EXPECT_THAT(divided(gap(3, 9), {}), ElementsAre("3-9"));
  EXPECT_THAT(divided(gap(3, 9), {way(4, Source::kStream), way(4, Source::kOldImage),
                                  way(5, Source::kOldImage), way(9, Source::kTable)}),
              ElementsAre("3-3", "4-4 stream old-image", "5-5 old-image", "6-8", "9-9 table"));
  EXPECT_THAT(divided(gap(0, 0), {way(0, Source::kTable)}), ElementsAre("0-0 table"));
  EXPECT_THAT(
      divided(gap(7, UINT64_MAX), {way(UINT64_MAX, Source::kTable)}),
      ElementsAre("7-18446744073709551614", "18446744073709551615-18446744073709551615 table"));
}

TEST(RepairPlan, NamesAsTheFunctionWould) {
  NameCounts plain;
  NameCounts padded;
  padded.zero_led_items = 1;
  EXPECT_EQ(name_of_missing(gap(3, 3), 3, plain), "logs/A-3.log");
  // The item's own others have leading zeros.
  EXPECT_EQ(name_of_missing(gap(3, 3, {3, 3}), 3, padded), "logs/A-003.log");
  EXPECT_EQ(name_of_missing(gap(3, 3, {3, 3}), 1234, padded), "logs/A-1234.log");
  // It has one that shows that they don't.
  EXPECT_EQ(name_of_missing(gap(3, 3, {0, 1}), 3, padded), "logs/A-3.log");
  // 10 and 11 are there; whether 3 is 03, only other items could tell, and these have leading zeros.
  EXPECT_EQ(name_of_missing(gap(3, 3, {0, 2}), 3, padded), std::nullopt);
  EXPECT_EQ(name_of_missing(gap(12, 12, {0, 2}), 12, padded), "logs/A-12.log");
  EXPECT_EQ(name_of_missing(gap(3, 3, {0, 2}), 3, plain), "logs/A-3.log");
  // None is there.
  EXPECT_EQ(name_of_missing(gap(3, 3), 3, padded), std::nullopt);
  padded.zero_led_items = 0;
  padded.mixed_zeros = 1;
  EXPECT_EQ(name_of_missing(gap(3, 3), 3, padded), std::nullopt);
}

TEST(ImageSpool, GivesThemInTheOrderOfAPlan) {
  ImageSpool spool(2 << 20, "/tmp");
  const auto newest = way(4, Source::kStream, 300, "s", "3");
  const auto older = way(4, Source::kStream, 200, "s", "2");
  const auto after = way(4, Source::kOldImage, 400, "s", "4");
  const std::string large(3'000'000, 'x');  // in pieces, and more than memory
  ASSERT_TRUE(spool.add(1, way(0, Source::kTable), "the table's").ok());
  ASSERT_TRUE(spool.add(0, after, "after").ok());
  ASSERT_TRUE(spool.add(0, older, "older").ok());
  ASSERT_TRUE(spool.add(0, newest, large).ok());
  ASSERT_TRUE(spool.add(0, newest, large).ok());  // the stream gave the record twice
  ASSERT_TRUE(spool.add(2, way(7, Source::kStream, 100, "s", "9"), "").ok());
  ASSERT_TRUE(spool.begin_taking().ok());
  std::string image;
  EXPECT_TRUE(*spool.take(0, newest, image));
  EXPECT_EQ(image, large);
  EXPECT_TRUE(*spool.take(0, after, image));  // one left out
  EXPECT_EQ(image, "after");
  EXPECT_FALSE(*spool.take(0, way(5, Source::kStream, 300, "s", "3"), image));
  EXPECT_TRUE(*spool.take(1, way(0, Source::kTable), image));
  EXPECT_EQ(image, "the table's");
  EXPECT_TRUE(*spool.take(2, way(7, Source::kStream, 100, "s", "9"), image));
  EXPECT_EQ(image, "");
  EXPECT_FALSE(*spool.take(3, way(0, Source::kTable), image));
}

}  // namespace
}  // namespace pawl::audit
