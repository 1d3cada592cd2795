#include "audit/version_runs.h"

#include <algorithm>

namespace pawl::audit {

VersionRuns::Run* VersionRuns::find(std::uint8_t digits, bool zero_led) {
  for (auto& run : runs_) {
    if (run.digits == digits && run.zero_led == zero_led) return &run;
  }
  return nullptr;
}

VersionRuns::Told VersionRuns::add(std::uint64_t version, std::uint8_t digits, bool zero_led,
                                   bool repaired, std::optional<VersionRange>& hole) {
  Run* const run = find(digits, zero_led);
  const std::uint64_t by_repair = repaired ? 1 : 0;
  if (run == nullptr) {
    runs_.push_back({version, version, 1, by_repair, digits, zero_led, repaired});
    return Told::kNew;
  }
  if (version == run->last) return Told::kAgain;
  if (version < run->last) return Told::kBackwards;
  if (version > run->last + 1) {
    const VersionRange between{run->last + 1, version - 1};
    if (zero_led) {
      pending_.push_back(between);
    } else {
      hole = between;
    }
  }
  run->last = version;
  ++run->count;
  run->repaired += by_repair;
  return Told::kNew;
}

bool VersionRuns::append(VersionRuns later, std::vector<VersionRange>& holes) {
  for (const auto& next : later.runs_) {
    std::optional<VersionRange> hole;
    switch (add(next.first, next.digits, next.zero_led, next.first_repaired, hole)) {
      case Told::kBackwards:
        return false;
      case Told::kAgain:
      case Told::kNew:
        break;
    }
    if (hole) holes.push_back(*hole);
    Run& run = *find(next.digits, next.zero_led);
    run.last = next.last;
    run.count += next.count - 1;  // add() has counted its first, or knows it
    run.repaired += next.repaired - (next.first_repaired ? 1 : 0);
  }
  pending_.insert(pending_.end(), later.pending_.begin(), later.pending_.end());
  return true;
}

bool VersionRuns::zeros_agree() const {
  std::size_t widths = 0;
  std::uint8_t width = 0;
  for (const auto& run : runs_) {
    if (!run.zero_led) continue;
    ++widths;
    width = run.digits;
  }
  return widths <= 1 && std::none_of(runs_.begin(), runs_.end(),
                                     [width](const Run& run) { return run.digits < width; });
}

std::optional<VersionRuns::Summary> VersionRuns::finish(std::uint64_t first,
                                                        std::vector<VersionRange>& holes) {
  Summary summary;
  if (!zeros_agree()) {
    for (const auto& run : runs_) {
      if (run.zero_led) summary.not_understood += run.count;
    }
    std::erase_if(runs_, [](const Run& run) { return run.zero_led; });
    pending_.clear();
  }
  // What is left has no version twice: leading zeros are of the smallest width, before all others of that width.
  std::sort(runs_.begin(), runs_.end(),
            [](const Run& a, const Run& b) { return a.first < b.first; });
  const auto add_hole = [&](std::uint64_t from, std::uint64_t to) {
    if (to >= first) holes.push_back({std::max(from, first), to});
  };
  for (const auto& hole : pending_) add_hole(hole.from, hole.to);
  std::uint64_t due = first;  // everything from here on is not accounted for
  for (const auto& run : runs_) {
    if (run.first > due) add_hole(due, run.first - 1);
    due = std::max(due, run.last == UINT64_MAX ? run.last : run.last + 1);
    summary.versions += run.count;
    summary.repaired += run.repaired;
    if (run.zero_led) summary.digits.zero_led = run.digits;
    if (summary.digits.least == 0 || run.digits < summary.digits.least)
      summary.digits.least = run.digits;
    summary.newest = run.last;
  }
  const bool any = !runs_.empty();
  runs_.clear();
  pending_.clear();
  if (!any && summary.not_understood == 0) return std::nullopt;
  return summary;
}

}  // namespace pawl::audit
