#include "stream/age_search.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace pawl::stream {
namespace {

struct Found {
  std::uint64_t old = 0;
  int looks = 0;
};

// instants[i] is that of change i + 1; those through `trimmed` are not there any more.
Found search(const std::vector<std::int64_t>& instants, std::uint64_t trimmed,
             std::int64_t cutoff) {
  AgeSearch search({trimmed}, {instants.size()}, {cutoff});
  Found found;
  while (const auto next = search.next()) {
    EXPECT_GT(next->value, trimmed);
    EXPECT_LE(next->value, instants.size());
    search.tell({instants[next->value - 1]});
    if (++found.looks > 200) break;
  }
  found.old = search.old().value;
  return found;
}

TEST(AgeSearch, AnEmptyShardNeedsNoLook) {
  EXPECT_EQ(search({}, 0, 10).looks, 0);
  EXPECT_EQ(search({1, 2}, 2, 10).looks, 0);
}

TEST(AgeSearch, OneLookIsEnoughWhereNothingHasAged) {
  const std::vector<std::int64_t> young(100'000, 50);
  EXPECT_EQ(search(young, 0, 50).looks, 1) << "an instant that is the cutoff's is not older";
  EXPECT_EQ(search(young, 0, 50).old, 0U);
}

TEST(AgeSearch, ALargeNumberOverflowsNothing) {
  AgeSearch search({0}, {UINT64_MAX - 1}, {10});
  int looks = 0;
  while (search.next()) {
    search.tell({0});
    ASSERT_LT(++looks, 130);
  }
  EXPECT_EQ(search.old().value, UINT64_MAX - 1);
}

// Every sequence of up to seven instants out of three, every start, every cutoff.
TEST(AgeSearch, EverySmallShard) {
  int shards = 0;
  for (std::size_t count = 0; count <= 7; ++count) {
    for (std::size_t second = 0; second <= count; ++second) {
      for (std::size_t third = second; third <= count; ++third) {
        std::vector<std::int64_t> instants(count, 1);
        std::fill(instants.begin() + static_cast<std::ptrdiff_t>(second), instants.end(), 2);
        std::fill(instants.begin() + static_cast<std::ptrdiff_t>(third), instants.end(), 3);
        for (std::uint64_t trimmed = 0; trimmed <= count; ++trimmed) {
          for (std::int64_t cutoff = 0; cutoff <= 4; ++cutoff) {
            std::uint64_t expected = trimmed;
            while (expected < count && instants[expected] < cutoff) ++expected;
            EXPECT_EQ(search(instants, trimmed, cutoff).old, expected)
                << count << ' ' << second << ' ' << third << ' ' << trimmed << ' ' << cutoff;
            ++shards;
          }
        }
      }
    }
  }
  EXPECT_GT(shards, 1000);
}

RC_GTEST_PROP(AgeSearch, FindsTheFirstYoungChangeInFewLooks, ()) {
  auto instants =
      *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 50));
  std::sort(instants.begin(), instants.end());
  const auto cutoff = *rc::gen::inRange<std::int64_t>(-1, 52);
  const auto trimmed = *rc::gen::inRange<std::size_t>(0, instants.size() + 1);
  const auto young = std::lower_bound(instants.begin(), instants.end(), cutoff);
  const auto expected =
      std::max<std::uint64_t>(trimmed, static_cast<std::uint64_t>(young - instants.begin()));
  const Found found = search(instants, trimmed, cutoff);
  RC_ASSERT(found.old == expected);
  int bits = 0;
  while ((instants.size() - trimmed) >> bits != 0) ++bits;
  RC_ASSERT(found.looks <= 2 * bits + 2);
}

}  // namespace
}  // namespace pawl::stream
