// How a ledger lies in a bucket, whoever puts it there: .pawl/ledger/<chain>/<volume>.pages, volumes numbered densely from 0, and
// .pawl/tip (docs/internals/archive-format.md). Pure; names are without the archive's prefix.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pawl::ledger_volumes {

inline constexpr std::string_view kFolder = ".pawl/ledger/";
inline constexpr std::string_view kTip = ".pawl/tip";
inline constexpr std::uint64_t kVolumesMax = 100'000'000;  // of a chain: eight digits
// What one sync gives a chain: a round's pages, or one line of the longest (ledger/page_format.h).
inline constexpr std::size_t kVolumeBytesMax = std::size_t{128} << 20;
inline constexpr std::size_t kTipBytesMax = std::size_t{64} << 20;

inline bool is_chain_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// With its '/'.
inline std::string folder_of(std::string_view chain) {
  return fmt::format("{}{}/", kFolder, chain);
}
inline std::string name_of(std::string_view chain, std::uint64_t volume) {
  return fmt::format("{}{:08}.pages", folder_of(chain), volume);
}

// Of a volume, which is whole lines and one at least.
inline std::string_view last_line(std::string_view volume) {
  const auto before =
      volume.size() < 2 ? std::string_view::npos : volume.rfind('\n', volume.size() - 2);
  return before == std::string_view::npos ? volume : volume.substr(before + 1);
}
// False if `visit` wanted no more.
inline bool each_line(std::string_view volume,
                      const std::function<bool(std::string_view line)>& visit) {
  while (!volume.empty()) {
    const auto size = volume.find('\n') + 1;
    if (!visit(volume.substr(0, size))) return false;
    volume.remove_prefix(size);
  }
  return true;
}

}  // namespace pawl::ledger_volumes
