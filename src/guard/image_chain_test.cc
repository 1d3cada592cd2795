// Breaks in a shard's image chain, over batches, lives and gaps; and by seeds that a lost change of a known item is found, and
// nothing else.
#include "guard/image_chain.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace pawl::guard {
namespace {

using Images = std::optional<std::uint64_t>;  // a version; nothing: no image

RenderedChange change(std::uint64_t source, const std::string& item, Images old_image,
                      Images new_image, std::optional<std::string> gap = std::nullopt) {
  const auto facts = [](Images version) -> std::optional<ImageFacts> {
    if (!version) return std::nullopt;
    return ImageFacts{sha256(std::to_string(*version)), version};
  };
  RenderedChange rendered;
  rendered.entry.source = std::to_string(source);
  rendered.entry.gap = std::move(gap);
  rendered.checked = CheckedChange{sha256(item), facts(old_image), facts(new_image)};
  return rendered;
}

using Batch = std::deque<RenderedChange>;
using Gaps = std::vector<std::string>;  // "-" = none

Gaps check(ImageChain& chain, Batch batch, bool pages = true) {
  chain.check(batch);
  Gaps gaps;
  for (const auto& one : batch) {
    gaps.push_back(one.entry.gap.value_or("-"));
    if (pages) chain.paged(one);
  }
  return gaps;
}

TEST(ImageChain, WhatFollowsHasNoGap) {
  ItemMemory memory;
  ImageChain chain(memory);
  chain.begin("");
  EXPECT_EQ(check(chain, {change(1, "a", {}, 0), change(2, "a", 0, 1), change(3, "b", 7, 8)}),
            (Gaps{"-", "-", "-"}));
  EXPECT_EQ(check(chain, {change(4, "b", 8, {}), change(5, "a", 1, 2), change(6, "b", {}, 0)}),
            (Gaps{"-", "-", "-"}));
}

TEST(ImageChain, WhatDoesNotIsEnteredWithTheRecordBefore) {
  ItemMemory memory;
  ImageChain chain(memory);
  chain.begin("");
  // In one batch, and over two.
  EXPECT_EQ(check(chain, {change(1, "a", {}, 0), change(2, "b", {}, 0), change(3, "a", 1, 2)}),
            (Gaps{"-", "-", "2"}));
  EXPECT_EQ(check(chain, {change(4, "a", 5, 6)}), (Gaps{"3"}));
  // An insertion of what exists, a change of what was removed.
  EXPECT_EQ(check(chain, {change(5, "a", {}, 0), change(6, "a", 0, {}), change(7, "a", 0, 1)}),
            (Gaps{"4", "-", "6"}));
}

TEST(ImageChain, AGapStandsForEveryItem) {
  ItemMemory memory;
  ImageChain chain(memory);
  chain.begin("");
  (void)check(chain, {change(1, "a", {}, 0), change(2, "b", {}, 0), change(3, "c", {}, 0)});
  // Trimmed, as the cursor says: what is missing of a and b is missing there.
  EXPECT_EQ(check(chain, {change(9, "c", 0, 1, "3"), change(10, "a", 5, 6)}), (Gaps{"3", "-"}));
  EXPECT_EQ(check(chain, {change(11, "b", 5, 6)}), (Gaps{"-"}));
  // From there on they are known again.
  EXPECT_EQ(check(chain, {change(12, "c", 3, 4)}), (Gaps{"11"}));
  EXPECT_EQ(check(chain, {change(13, "a", 9, 10), change(14, "a", 12, 13)}), (Gaps{"-", "13"}));
}

TEST(ImageChain, WhatIsReadAgainIsJudgedAnew) {
  ItemMemory memory;
  ImageChain chain(memory);
  chain.begin("");
  (void)check(chain, {change(1, "a", {}, 0)});
  (void)check(chain, {change(2, "a", 0, 1)}, false);  // it came to no page
  chain.begin("1");
  EXPECT_EQ(check(chain, {change(2, "a", 0, 1)}), (Gaps{"-"}));
  // Another worker has read on meanwhile.
  chain.begin("7");
  EXPECT_EQ(check(chain, {change(8, "a", 6, 7), change(9, "a", 8, 9)}), (Gaps{"-", "8"}));
  // Two shards of a worker have items of one name each.
  ImageChain other(memory);
  other.begin("");
  EXPECT_EQ(check(other, {change(1, "a", 3, 4)}), (Gaps{"-"}));
}

TEST(ImageChain, AViewWithoutImagesTellsNothing) {
  ItemMemory memory;
  ImageChain chain(memory);
  chain.begin("");
  auto removed = change(2, "a", {}, {});
  removed.checked.reset();
  EXPECT_EQ(check(chain, {change(1, "a", {}, 0), removed, change(3, "a", {}, 0)}),
            (Gaps{"-", "-", "-"}));
}

// Items count up; each change is lost with some chance. A gap is entered before the first change of a known item that does not
// follow, and from then on nothing is known of any.
TEST(ImageChain, FindsWhatIsLost) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    ItemMemory memory;
    ImageChain chain(memory);
    chain.begin("");
    std::map<std::string, std::uint64_t> now;
    std::map<std::string, std::uint64_t> known;
    Batch batch;
    Gaps expected;
    std::string before = "-";
    for (std::uint64_t source = 1; source <= 80; ++source) {
      const std::string item(1, static_cast<char>('a' + random() % 5));
      const Images was = now.contains(item) ? Images(now[item]) : std::nullopt;
      now[item] = was ? *was + 1 : 0;
      if (random() % 6 == 0) continue;
      const bool follows = !known.contains(item) || known[item] == was;
      if (!follows) known.clear();
      expected.push_back(follows ? "-" : before);
      known[item] = now[item];
      batch.push_back(change(source, item, was, now[item]));
      before = std::to_string(source);
      if (random() % 4 != 0) continue;
      ASSERT_EQ(check(chain, std::exchange(batch, {})), std::exchange(expected, {}))
          << "seed " << seed;
    }
    ASSERT_EQ(check(chain, batch), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pawl::guard
