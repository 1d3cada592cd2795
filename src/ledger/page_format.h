// The format of ledger pages, root pages and the tip. Described in docs/internals/archive-format.md, sections
// "Lines" to "Tip"; written by this folder, and read for verification by src/audit, which shares none of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl::ledger {

inline constexpr std::string_view kPageFormat = "pawl-page/1";
inline constexpr std::string_view kRootFormat = "pawl-root/1";
inline constexpr std::string_view kTipFormat = "pawl-tip/1";
inline constexpr std::string_view kRootChain = "root";
// What is signed: this, then the 64 digits of the line's digest.
inline constexpr std::string_view kSignedPrefix = "pawl-ledger/1 ";

inline constexpr std::size_t kChangesPerPageMax = 4096;
// A page is closed before its entries exceed this (but it has one at least), so that a reader knows how much
// memory a line takes at most.
inline constexpr std::size_t kPageEntryBytesMax = std::size_t{4} << 20;
// The longest line that a reader takes. Tip and checkpoints list every open shard: about 180 bytes each, and
// at most 2,500 tables (table/table_definition.h) of, commonly, 4 shards.
inline constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;
// A volume that has reached this is followed by a new one.
inline constexpr std::uint64_t kVolumeBytesMax = std::uint64_t{64} << 20;

}  // namespace pawl::ledger
