#include "guard/objects_taken.h"

#include <gtest/gtest.h>

#include <string>

namespace pawl::guard {
namespace {

ObjectContent content(std::string_view bytes, std::int64_t second) {
  return {sha256(bytes), Instant{second * 1'000'000}};
}

TEST(ObjectsTaken, KnowsANamesContentAsItWasThen) {
  ObjectsTaken taken;
  taken.take("a", content("x", 5));
  EXPECT_TRUE(taken.is_taken("a", content("x", 5)));
  EXPECT_TRUE(taken.is_taken("a", content("x", 4)));
  EXPECT_FALSE(taken.is_taken("a", content("x", 6)));
  EXPECT_FALSE(taken.is_taken("a", content("y", 5)));
  EXPECT_FALSE(taken.is_taken("b", content("x", 5)));
}

TEST(ObjectsTaken, OfOneContentTheLatestTimeCounts) {
  ObjectsTaken taken;
  taken.take("a", content("x", 5));
  taken.take("a", content("x", 9));
  taken.take("a", content("x", 7));
  EXPECT_TRUE(taken.is_taken("a", content("x", 9)));
  EXPECT_FALSE(taken.is_taken("a", content("x", 10)));
}

TEST(ObjectsTaken, KeepsTheNewest) {
  ObjectsTaken taken(3);
  for (int i = 0; i < 10; ++i) taken.take("a" + std::to_string(i), content("x", 1));
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(taken.is_taken("a" + std::to_string(i), content("x", 1)), i >= 7) << i;
}

}  // namespace
}  // namespace pawl::guard
