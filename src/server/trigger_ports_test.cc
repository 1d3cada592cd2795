// What a mapping finds of its stream, in all that may have become of it.
#include "server/trigger_ports.h"

#include <gtest/gtest.h>

namespace pawl::server {
namespace {

constexpr Instant kOld{1000};
constexpr Instant kNew{2000};

// Its first stream went from 3 to 7; another one began behind 9.
table::TableRecord table_with_two() {
  table::TableRecord table;
  table.streams.push_back(
      {.label = kOld, .after = {{3}}, .end = table::TableStream::End{{1500}, {{7}}}});
  table.streams.push_back({.label = kNew, .after = {{9}}, .end = {}});
  return table;
}

TEST(StreamExtent, AStreamIsAStretchOfTheLog) {
  const auto table = table_with_two();
  auto found = extent_of(table, kOld, 0, {0}, {20});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->horizon.value, 3U);
  EXPECT_EQ(found->newest.value, 7U);
  EXPECT_TRUE(found->ended);
  found = extent_of(table, kNew, 0, {12}, {20});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->horizon.value, 12U);
  EXPECT_EQ(found->newest.value, 20U);
  EXPECT_FALSE(found->ended);
}

TEST(StreamExtent, AStreamThatIsForgottenIsNotTheWholeLog) {
  auto table = table_with_two();
  table.streams.erase(table.streams.begin());
  EXPECT_FALSE(extent_of(table, kOld, 0, {0}, {20}));
  table.state = table::TableState::kClosing;
  EXPECT_FALSE(extent_of(table, kOld, 0, {0}, {20}));
}

TEST(StreamExtent, WhatWasAdoptedIsReadToItsEnd) {
  auto table = table_with_two();
  table.streams.clear();
  table.state = table::TableState::kReplaced;
  const auto found = extent_of(table, kOld, 0, {4}, {20});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->horizon.value, 4U);
  EXPECT_EQ(found->newest.value, 20U);
  EXPECT_TRUE(found->ended);
}

}  // namespace
}  // namespace pawl::server
