#include "guard/gap_check.h"

#include <gtest/gtest.h>

#include <string>

namespace pawl::guard {
namespace {

Digest item(int number) { return sha256("item " + std::to_string(number)); }
// An image with a version attribute, and one without.
ImageFacts versioned(std::uint64_t version) {
  return {sha256("v" + std::to_string(version)), version};
}
ImageFacts plain(const std::string& content) { return {sha256(content), std::nullopt}; }

TEST(GapCheck, ChangesThatFollowEachOtherAreConsistent) {
  GapCheck check;
  EXPECT_EQ(check.check({item(1), {}, versioned(0)}), GapVerdict(Consistent{false}));
  EXPECT_EQ(check.check({item(1), versioned(0), versioned(1)}), GapVerdict(Consistent{true}));
  EXPECT_EQ(check.check({item(1), versioned(1), {}}), GapVerdict(Consistent{true}));
  EXPECT_EQ(check.check({item(2), plain("a"), plain("b")}), GapVerdict(Consistent{false}));
  EXPECT_EQ(check.check({item(2), plain("b"), plain("a")}), GapVerdict(Consistent{true}));
}

TEST(GapCheck, VersionsTellWhatIsMissing) {
  GapCheck check;
  (void)check.check({item(1), {}, versioned(2)});
  EXPECT_EQ(check.check({item(1), versioned(5), versioned(6)}), GapVerdict(VersionGap{3, 5}));
  // What was found once is not found again.
  EXPECT_EQ(check.check({item(1), versioned(6), versioned(7)}), GapVerdict(Consistent{true}));
}

TEST(GapCheck, WithoutVersionsTheImagesTell) {
  GapCheck check;
  (void)check.check({item(1), {}, plain("a")});
  EXPECT_EQ(check.check({item(1), plain("c"), plain("d")}), GapVerdict(ChainBroken{true}));
  EXPECT_EQ(check.check({item(1), plain("d"), plain("e")}), GapVerdict(Consistent{true}));
  // An insertion of what is there: a removal is missing.
  EXPECT_EQ(check.check({item(1), {}, plain("f")}), GapVerdict(ChainBroken{false}));
}

TEST(GapCheck, AnImageOfTheSameVersionThatDiffersIsABrokenChain) {
  GapCheck check;
  (void)check.check({item(1), {}, versioned(4)});
  const ImageFacts uncounted{sha256("written without counting"), 4};
  EXPECT_EQ(check.check({item(1), uncounted, versioned(5)}), GapVerdict(ChainBroken{true}));
}

TEST(GapCheck, RemovalAndRecreationAreNoGap) {
  GapCheck check;
  (void)check.check({item(1), versioned(6), versioned(7)});
  (void)check.check({item(1), versioned(7), {}});
  EXPECT_EQ(check.check({item(1), {}, versioned(0)}),
            GapVerdict(CounterNote{CounterNote::What::kRecreated, 7, 0}));
  (void)check.check({item(1), versioned(0), {}});
  EXPECT_EQ(check.check({item(1), {}, versioned(1)}), GapVerdict(Consistent{true}));
  // Changed after its removal: at least the insertion is missing, and where it began to count nobody knows.
  (void)check.check({item(1), versioned(1), {}});
  EXPECT_EQ(check.check({item(1), versioned(9), versioned(10)}), GapVerdict(ChainBroken{true}));
}

TEST(GapCheck, OddCountersAreNoted) {
  GapCheck check;
  EXPECT_EQ(check.check({item(1), versioned(3), versioned(5)}),
            GapVerdict(CounterNote{CounterNote::What::kJumped, 3, 5}));
  EXPECT_EQ(check.check({item(1), versioned(5), versioned(5)}),
            GapVerdict(CounterNote{CounterNote::What::kWentBack, 5, 5}));
  EXPECT_EQ(check.check({item(1), versioned(5), versioned(1)}),
            GapVerdict(CounterNote{CounterNote::What::kWentBack, 5, 1}));
  EXPECT_EQ(check.check({item(2), versioned(UINT64_MAX - 1), versioned(UINT64_MAX)}),
            GapVerdict(Consistent{false}));
  EXPECT_EQ(check.check({item(2), versioned(UINT64_MAX), versioned(0)}),
            GapVerdict(CounterNote{CounterNote::What::kWentBack, UINT64_MAX, 0}));
}

TEST(GapCheck, AViewWithoutImagesProvesNothing) {
  GapCheck check;
  EXPECT_EQ(check.check({item(1), {}, {}}), GapVerdict(Consistent{false}));
  EXPECT_EQ(check.remembered(), 0U);
}

TEST(GapCheck, ForgetsWhatChangedLongestAgo) {
  GapCheck check(2);
  (void)check.check({item(1), {}, versioned(0)});
  (void)check.check({item(2), {}, versioned(0)});
  (void)check.check({item(1), versioned(0), versioned(1)});
  (void)check.check({item(3), {}, versioned(0)});  // 2 goes
  EXPECT_EQ(check.remembered(), 2U);
  EXPECT_EQ(check.check({item(1), versioned(1), versioned(2)}), GapVerdict(Consistent{true}));
  EXPECT_EQ(check.check({item(2), versioned(8), versioned(9)}), GapVerdict(Consistent{false}));
}

}  // namespace
}  // namespace pawl::guard
