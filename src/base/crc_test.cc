#include "base/crc.h"

#include <gtest/gtest.h>

#include <string>

namespace pawl {
namespace {

constexpr std::string_view kNine = "123456789";  // the check value of every catalogue of CRCs

TEST(Crc, CheckValues) {
  EXPECT_EQ(crc32(kNine), 0xCBF43926U);
  EXPECT_EQ(crc32c(kNine), 0xE3069283U);
  EXPECT_EQ(crc64_nvme(kNine), 0xAE8B14860A799888ULL);
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc64_nvme(""), 0U);
}

std::string pattern(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i * 7 + i / 11));
  return text;
}

TEST(Crc, PiecesGiveWhatTheWholeGives) {
  const std::string text = pattern(300);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view a = std::string_view(text).substr(0, cut);
    const std::string_view b = std::string_view(text).substr(cut);
    EXPECT_EQ(crc32(b, crc32(a)), crc32(text));
    EXPECT_EQ(crc32c(b, crc32c(a)), crc32c(text));
    EXPECT_EQ(crc64_nvme(b, crc64_nvme(a)), crc64_nvme(text));
    EXPECT_EQ(crc32_of_both(crc32(a), crc32(b), b.size()), crc32(text));
    EXPECT_EQ(crc32c_of_both(crc32c(a), crc32c(b), b.size()), crc32c(text));
    EXPECT_EQ(crc64_nvme_of_both(crc64_nvme(a), crc64_nvme(b), b.size()), crc64_nvme(text));
  }
}

}  // namespace
}  // namespace pawl
