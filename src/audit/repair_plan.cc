#include "audit/repair_plan.h"

#include <fmt/format.h>

namespace pawl::audit {

Status divide_gap(const Gap& gap, const std::vector<Recovery>& recoveries,
                  const std::function<Status(const MissingVersions&)>& visit) {
  std::uint64_t due = gap.versions.from;
  for (std::size_t at = 0; at < recoveries.size();) {
    const auto version = recoveries[at].version;
    PAWL_ASSERT(version >= due && version <= gap.versions.to);
    std::size_t ways = 1;
    while (at + ways < recoveries.size() && recoveries[at + ways].version == version) ++ways;
    if (version > due) PAWL_TRY(visit({{due, version - 1}, nullptr, 0}));
    PAWL_TRY(visit({{version, version}, &recoveries[at], ways}));
    at += ways;
    if (version == gap.versions.to) return ok();
    due = version + 1;
  }
  return visit({{due, gap.versions.to}, nullptr, 0});
}

std::optional<std::string> name_of_missing(const Gap& gap, std::uint64_t version,
                                           const NameCounts& counts) {
  auto digits = std::to_string(version);
  const std::size_t width = gap.digits.zero_led;
  if (width > digits.size()) {
    digits.insert(0, width - digits.size(), '0');
  } else if (width == 0 && (counts.zero_led_items > 0 || counts.mixed_zeros > 0)) {
    // No version of the item is shorter than what leading zeros would fill up.
    const std::size_t least = gap.digits.least;
    if (least == 0 || digits.size() < least) return std::nullopt;
  }
  return fmt::format("{}{}{}", gap.item.head, digits, gap.item.tail);
}

}  // namespace pawl::audit
