// What Pawl puts into a bucket of somebody else's function for a version that the function did not write, where there is no
// ledger: the body is all that tells where it came from. Described in docs/internals/archive-format.md, "Repaired versions".
//
// A pure function of what was found: nothing of when, so that a second put of the same version has the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "item/value.h"

namespace pawl::archive {

inline constexpr std::string_view kRepairFormat = "pawl-repair/1";
// Behind the name that the function would have given it; fallback_name() evades nothing here. Read by src/audit, which shares
// none of it.
inline constexpr std::string_view kRepairedName = "~repaired";

struct RepairedVersion {
  std::string_view table;
  std::string_view name;  // that the function would have given it
  std::uint64_t version = 0;
  std::string_view source;  // "stream", "old-image", "table"
  // Of the record, where it was one; "" otherwise.
  std::string_view stream;
  std::string_view shard;
  std::string_view sequence;
};

std::string render_repair_body(const RepairedVersion& version, const item::Item& image);

}  // namespace pawl::archive
