// What Pawl puts for a version that nobody archived in time: into a bucket of somebody else's function, where there is no ledger
// and the body is all that tells where it came from, and into the archive of a guarded table (ledger/repair_page.h). Described in docs/internals/archive-format.md, "Repaired versions".
//
// A pure function of what was found: nothing of when, so that a second put of the same version has the same bytes.
#pragma once

#include <cstdint>
#include <optional>
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
  std::string_view name;                 // that the function would have given it
  std::optional<std::uint64_t> version;  // nothing where the image has none: null
  std::string_view source;               // "stream", "old-image", "table"
  // Of the record, where it was one; "" otherwise. In a guarded table's archive: of the change before or after the hole in the
  // ledger, without a stream, so that no two holes have equal bodies.
  std::string_view stream;
  std::string_view shard;
  std::string_view sequence;
};

std::string render_repair_body(const RepairedVersion& version, const item::Item& image);

}  // namespace pawl::archive
