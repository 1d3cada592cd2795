#include "adapter/key_between.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pawl {
namespace {

// Keys as numbers: a digit for each of the first kPlaces bytes after what two have in common. What is no printable ASCII
// is the first or the last digit.
constexpr std::uint64_t kBase = 97;
constexpr std::size_t kPlaces = 8;  // kBase to the 8th is below 2^53

std::uint64_t digit_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) return 0;
  return byte > 0x7E ? kBase - 1 : byte - 0x20U + 1;
}

std::uint64_t number_of(std::string_view key, std::size_t skip) {
  std::uint64_t number = 0;
  for (std::size_t i = skip; i < skip + kPlaces; ++i)
    number = number * kBase + (i < key.size() ? digit_of(key[i]) : 0);
  return number;
}

std::uint64_t number_of(std::optional<std::string_view> bound, std::size_t skip) {
  if (bound) return number_of(*bound, skip);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) number = number * kBase + (kBase - 1);
  return number;
}

// Bytes that both begin with, whole characters only.
std::size_t common_size(std::string_view low, std::optional<std::string_view> high) {
  if (!high) return 0;
  std::size_t size = 0;
  while (size < low.size() && size < high->size() && low[size] == (*high)[size]) ++size;
  while (size > 0 && size < high->size() &&
         (static_cast<unsigned char>((*high)[size]) & 0xC0) == 0x80)
    --size;
  return size;
}

}  // namespace

std::optional<std::string> key_between(std::string_view low, std::optional<std::string_view> high) {
  const auto common = common_size(low, high);
  const auto from = number_of(low, common);
  const auto to = number_of(high, common);
  if (to <= from) return std::nullopt;
  std::uint64_t middle = from + (to - from) / 2;
  std::array<std::uint64_t, kPlaces> digits{};
  for (std::size_t i = kPlaces; i-- > 0; middle /= kBase) digits[i] = middle % kBase;
  std::string key(low.substr(0, common));
  for (const auto digit : digits) {
    if (digit == 0) break;
    key.push_back(static_cast<char>(0x20 + std::min(digit, kBase - 2) - 1));
  }
  if (key <= low || (high && key >= *high)) return std::nullopt;
  return key;
}

double key_progress(std::string_view low, std::string_view at,
                    std::optional<std::string_view> high) {
  const auto common = common_size(low, high);
  const auto from = number_of(low, common);
  const auto to = number_of(high, common);
  const auto now = number_of(at, common);
  if (to <= from || now <= from) return 0;
  return std::min(1.0, static_cast<double>(now - from) / static_cast<double>(to - from));
}

}  // namespace pawl
