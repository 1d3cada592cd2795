// What is to become of the versions that a bucket lacks: which can be put back, from where, under which name, and which
// can't. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/gap_finder.h"
#include "audit/gap_list.h"
#include "audit/gap_recovery.h"

namespace pawl::audit {

// Versions of one item that fare alike: one that is somewhere, or a run of those that are nowhere.
struct MissingVersions {
  VersionRange versions;
  // Where the one version is, the best way first: into the vector that divide_gap() got. Empty: nowhere.
  const Recovery* first_way = nullptr;
  std::size_t ways = 0;
  bool found() const { return ways > 0; }
};

// Divides a gap, from its oldest version on. `recoveries` are as GapRecovery::drain() gives them.
Status divide_gap(const Gap& gap, const std::vector<Recovery>& recoveries,
                  const std::function<Status(const MissingVersions&)>& visit);

// The name that the function would have given to a missing version: with leading zeros where the item's others have them.
// Nothing where that is not certain: items of the bucket are written with leading zeros, and none of this item's versions
// shows whether it is one of them.
std::optional<std::string> name_of_missing(const Gap& gap, std::uint64_t version,
                                           const NameCounts& counts);

}  // namespace pawl::audit
