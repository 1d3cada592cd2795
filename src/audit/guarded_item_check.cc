#include "audit/guarded_item_check.h"

#include <fmt/format.h>

namespace pawl::audit {
namespace {

// The new image's digest: zero after a removal. Nothing where the body was not read, or where the stream's view has no new
// images.
std::optional<Digest> image_after(const GuardedChange& change) {
  if (!change.images) return std::nullopt;
  if (change.kind != EntryKind::kRemove && change.images->new_image == Digest{}) {
    return std::nullopt;
  }
  return change.images->new_image;
}

// Likewise the old image's: zero before an insertion.
std::optional<Digest> image_before(const GuardedChange& change) {
  if (!change.images) return std::nullopt;
  if (change.kind != EntryKind::kInsert && change.images->old_image == Digest{}) {
    return std::nullopt;
  }
  return change.images->old_image;
}

}  // namespace

void GuardedItemCheck::take_repair(const ItemRepair& repair, ShardId chain, std::string_view table,
                                   std::string_view key) {
  table_ = table;
  key_ = key;
  repair_chain_ = chain;
  repairs_.take(repair);
}

GuardedRepairCheck::Wrong GuardedItemCheck::wrong_repair(Report& report) const {
  return [this, &report](const ItemRepair& repair, std::string detail) {
    report.add({FindingKind::kFalseRepair,
                table_,
                key_,
                repair.lost ? repair.from : repair.version,
                {},
                repair_chain_.to_string(),
                repair.sequence,
                {},
                std::move(detail)});
  };
}

bool GuardedItemCheck::check_repairs(const GuardedChange& change, const GuardedChange* next,
                                     bool gap, Report& report) {
  if (!repairs_.any()) return next == nullptr || !misses_something(change, *next);
  return repairs_.check_between(change, next, gap, wrong_repair(report));
}

void GuardedItemCheck::take(const GuardedChange& change, std::string_view source,
                            std::string_view table, std::string_view key, Report& report) {
  if (runs_.empty()) {
    table_ = table;
    key_ = key;
  }
  if (!runs_.empty() && runs_.back().last.place.shard == change.place.shard) {
    follow(runs_.back().last, change, report);
    runs_.back().last = change;
    return;
  }
  runs_.push_back({change, change});
  spans_.push_back({change.place.shard, std::string(source)});
}

void GuardedItemCheck::end_item(Report& report) {
  if (!runs_.empty()) {
    const auto order = lineage_.order(spans_);
    for (std::size_t i = 1; i < order.size(); ++i) {
      follow(runs_[order[i - 1]].last, runs_[order[i]].first, report);
    }
    (void)check_repairs(runs_[order.back()].last, nullptr, false, report);
  }
  if (repairs_.any()) repairs_.end_item(wrong_repair(report));
  runs_.clear();
  spans_.clear();
}

void GuardedItemCheck::wrong(FindingKind kind, const GuardedChange& change,
                             std::optional<std::uint64_t> version, std::string detail,
                             Report& report) const {
  report.add({kind,
              table_,
              key_,
              version,
              {},
              change.place.shard.to_string(),
              change.place.sequence,
              {},
              std::move(detail)});
}

void GuardedItemCheck::follow(const GuardedChange& before, const GuardedChange& change,
                              Report& report) {
  const bool gap = lineage_.is_gap_between(before.place, change.place);
  const bool settled = check_repairs(before, &change, gap, report);
  if (gap || repairs_.table_seen_after(before.place)) {
    report.open_holes += settled ? 0 : 1;
    return;
  }
  auto tie = compare_versions(before, change, report);
  if (tie == Tie::kBroken) return;
  const auto was = image_after(before);
  const auto is = image_before(change);
  if (was && is) {
    tie = Tie::kHolds;
    if (*was != *is) {
      wrong(FindingKind::kMissingChange, change, change.version,
            fmt::format("its old image is not what change {} of chain {} left: a change between "
                        "them is missing, and no gap was entered",
                        before.place.sequence, before.place.shard.to_string()),
            report);
    }
  }
  if (tie == Tie::kNone) ++report.untied;
}

GuardedItemCheck::Tie GuardedItemCheck::compare_versions(const GuardedChange& before,
                                                         const GuardedChange& change,
                                                         Report& report) const {
  const bool was_removed = before.kind == EntryKind::kRemove;
  if (change.kind == EntryKind::kInsert) {
    if (was_removed) return Tie::kHolds;
    wrong(FindingKind::kMissingChange, change, change.version,
          "it is inserted while it exists: its removal is missing, and no gap was entered", report);
    return Tie::kBroken;
  }
  if (was_removed) {
    // A removal of what is not there has no version to tell; its image may (an engine may report such removals).
    if (change.kind == EntryKind::kRemove && !change.version) return Tie::kNone;
    wrong(FindingKind::kMissingChange, change, change.version,
          "it is changed after its removal: its insertion is missing, and no gap was entered",
          report);
    return Tie::kBroken;
  }
  if (!before.version || !change.version) return Tie::kNone;
  const bool removes = change.kind == EntryKind::kRemove;
  const std::uint64_t expected = *before.version + (removes ? 0 : 1);
  if (*change.version == expected) return Tie::kHolds;
  if (*change.version < expected) {
    const bool again = *change.version == *before.version;
    wrong(again ? FindingKind::kDuplicateChange : FindingKind::kOutOfOrder, change, change.version,
          again ? "this version is listed a second time"
                : fmt::format("version {} comes before it", *before.version),
          report);
    return Tie::kBroken;
  }
  const std::uint64_t first = *before.version + 1;
  const std::uint64_t last = *change.version - (removes ? 0 : 1);
  wrong(FindingKind::kMissingChange, change, first,
        first == last
            ? "this version is missing, and no gap was entered"
            : fmt::format("versions {} to {} are missing, and no gap was entered", first, last),
        report);
  return Tie::kBroken;
}

}  // namespace pawl::audit
