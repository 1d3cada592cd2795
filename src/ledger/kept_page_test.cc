#include "ledger/kept_page.h"

#include <gtest/gtest.h>

#include "ledger/line.h"

namespace pawl::ledger {
namespace {

const std::string kArchive = "00000000000000aa";

std::string entry(std::uint64_t sequence) {
  return encode_kept_entry(
      {{sequence}, "a", 3, sha256("one"), ".pawl/kept/x", {1'000'000}, false, {}});
}

TEST(KeptPage, GoesOnFromItsLastLine) {
  const auto first = next_kept_page({}, kArchive, {entry(1), entry(2)}, {5'000'000});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*kept_chain_end(first->line.text, kArchive), first->after);
  EXPECT_EQ(first->after.last.value, 2U);
  // The clock of the page before counts, where it is later.
  const auto second = next_kept_page(first->after, kArchive, {entry(3)}, {4'000'000});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->after.pages, 2U);
  EXPECT_EQ(second->after.instant.microseconds, 5'000'000);
  EXPECT_NE(second->line.text.find("\"previous\":\"" + first->line.digest.to_hex()),
            std::string::npos);
}

TEST(KeptPage, SaysWhatTookThePlace) {
  KeptEntry replaced{{1}, "a", 3, sha256("one"), ".pawl/kept/x", {1'000'000}, false, {}};
  EXPECT_EQ(encode_kept_entry(replaced).find("by"), std::string::npos);
  replaced.by = ContentFacts{4, sha256("more")};
  const auto text = encode_kept_entry(replaced);
  const std::string end = R"(,"by":{"size":4,"sha256":")" + sha256("more").to_hex() + R"("}})";
  EXPECT_EQ(text.substr(text.size() - end.size()), end);
}

TEST(KeptPage, OfAnotherArchiveOrChainIsRefused) {
  const auto page = next_kept_page({}, kArchive, {entry(1)}, {});
  EXPECT_FALSE(kept_chain_end(page->line.text, "00000000000000bb").ok());
  EXPECT_FALSE(kept_chain_end(make_line("{}", nullptr)->text, kArchive).ok());
  std::string damaged = page->line.text;
  damaged[100] ^= 1;
  EXPECT_FALSE(kept_chain_end(damaged, kArchive).ok());
}

}  // namespace
}  // namespace pawl::ledger
