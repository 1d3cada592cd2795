#include "audit/guarded_repair_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace pawl::audit {
namespace {

using Interval = std::pair<std::uint64_t, std::uint64_t>;

bool same(const ChainPlace& one, const ChainPlace& other) {
  return one.shard == other.shard && one.sequence == other.sequence;
}

// The versions that an entry accounts for.
std::optional<Interval> versions_of(const ItemRepair& repair) {
  if (!repair.lost) {
    if (!repair.version) return std::nullopt;
    return Interval{*repair.version, *repair.version};
  }
  if (!repair.from) return std::nullopt;
  return Interval{*repair.from, *repair.to};
}

// The last version that was before `next`, as far as it tells.
std::optional<std::uint64_t> version_before(const GuardedChange& next) {
  if (!next.version || next.kind == EntryKind::kInsert) return std::nullopt;
  if (next.kind == EntryKind::kRemove) return next.version;
  if (*next.version == 0) return std::nullopt;
  return *next.version - 1;
}

bool covered(std::vector<Interval>& parts, std::uint64_t first, std::uint64_t last) {
  std::sort(parts.begin(), parts.end());
  for (const auto& [from, to] : parts) {
    if (from > first) break;
    if (to >= last) return true;
    first = std::max(first, to + 1);
  }
  return first > last;
}

}  // namespace

bool misses_something(const GuardedChange& change, const GuardedChange& next) {
  if (change.kind == EntryKind::kRemove) return next.kind != EntryKind::kInsert;
  if (next.kind == EntryKind::kInsert) return true;
  if (change.version && next.version) {
    if (*next.version != *change.version + (next.kind == EntryKind::kRemove ? 0 : 1)) return true;
  }
  if (!change.images || !next.images) return false;
  const auto& was = change.images->new_image;
  const auto& is = next.images->old_image;
  return was != Digest{} && is != Digest{} && was != is;
}

void GuardedRepairCheck::take(const ItemRepair& repair) {
  by_after_.emplace(std::pair(repair.after.shard, repair.after.sequence), repairs_.size());
  repairs_.push_back({repair, false});
}

void GuardedRepairCheck::take_image(std::uint64_t sequence, const Digest& image) {
  // Right behind its entry.
  if (!repairs_.empty() && repairs_.back().repair.sequence == sequence) {
    repairs_.back().repair.image = image;
  }
}

bool GuardedRepairCheck::table_seen_after(ChainPlace place) const {
  const auto [begin, end] = by_after_.equal_range({place.shard, place.sequence});
  return std::any_of(begin, end,
                     [this](const auto& at) { return !repairs_[at.second].repair.before; });
}

bool GuardedRepairCheck::check_between(const GuardedChange& change, const GuardedChange* next,
                                       bool gap, const Wrong& wrong) {
  const auto [begin, end] = by_after_.equal_range({change.place.shard, change.place.sequence});
  std::vector<ItemRepair*> here;
  for (auto at = begin; at != end; ++at) {
    auto& held = repairs_[at->second];
    const auto& before = held.repair.before;
    if (before && (next == nullptr || !same(*before, next->place))) continue;
    held.placed = true;
    if (before && !gap) {
      wrong(held.repair, "it tells of a hole between two changes that no gap was entered between");
    }
    here.push_back(&held.repair);
  }
  // After a removal or a lost one versions may begin anew.
  const bool life_ended =
      change.kind == EntryKind::kRemove ||
      std::any_of(here.begin(), here.end(), [](const auto* repair) { return repair->unbounded(); });
  std::vector<Interval> parts;
  for (const auto* repair : here) {
    check_one(*repair, change, next, life_ended, wrong);
    const auto versions = versions_of(*repair);
    if (!versions) continue;
    const bool twice =
        !life_ended && std::any_of(parts.begin(), parts.end(), [&versions](const auto& part) {
          return part.first <= versions->second && versions->first <= part.second;
        });
    if (twice) wrong(*repair, "it tells of a version that another entry tells of already");
    parts.push_back(*versions);
  }
  if (next == nullptr || !misses_something(change, *next)) return true;
  if (here.empty()) return false;
  const auto last = version_before(*next);
  if (life_ended || !change.version || !last) return true;
  return covered(parts, *change.version + 1, *last);
}

void GuardedRepairCheck::check_one(const ItemRepair& repair, const GuardedChange& change,
                                   const GuardedChange* next, bool life_ended,
                                   const Wrong& wrong) const {
  const auto versions = versions_of(repair);
  if (versions && change.version && !life_ended && versions->first <= *change.version) {
    wrong(repair, fmt::format("version {} is not after version {}, which the change before it has",
                              versions->first, *change.version));
  }
  const auto newest = next == nullptr ? std::nullopt : version_before(*next);
  if (repair.before && versions && newest && versions->second > *newest) {
    wrong(repair, fmt::format("version {} is not before change {} of chain {}", versions->second,
                              next->place.sequence, next->place.shard.to_string()));
  }
  // What the table was seen to lack may come all the same, and is then not lost.
  if (repair.lost && !repair.before && versions && !life_ended && next != nullptr &&
      next->kind != EntryKind::kInsert && next->version && versions->first <= *next->version &&
      *next->version <= versions->second) {
    wrong(repair, fmt::format("version {} is not lost: change {} of chain {} has it",
                              *next->version, next->place.sequence, next->place.shard.to_string()));
  }
  if (repair.lost && repair.since != change.instant) {
    wrong(repair, "`since` is not the instant of the change before it");
  }
  if (!repair.before) return;
  if (repair.lost && repair.until != next->instant) {
    wrong(repair, "`until` is not the instant of the change after it");
  }
  if (!repair.lost && next->kind == EntryKind::kInsert) {
    wrong(repair, "the change after it is an insertion, which has no old image");
  }
  if (!repair.lost && repair.image && next->images && *repair.image != next->images->old_image) {
    wrong(repair, "its image is not the old image of the change after it");
  }
}

void GuardedRepairCheck::end_item(const Wrong& wrong) {
  for (const auto& held : repairs_) {
    if (!held.placed) {
      wrong(held.repair, "it does not stand between two changes of this item that follow another");
    }
  }
  repairs_.clear();
  by_after_.clear();
}

}  // namespace pawl::audit
