#include "guard/gap_check.h"

namespace pawl::guard {
namespace {

using What = CounterNote::What;

// What the change says by itself: one write makes the counter grow by one.
GapVerdict judge_alone(const CheckedChange& change, bool remembered) {
  if (!change.old_image || !change.new_image) return Consistent{remembered};
  const auto before = change.old_image->version;
  const auto after = change.new_image->version;
  if (!before || !after) return Consistent{remembered};
  if (*after <= *before) return CounterNote{What::kWentBack, *before, *after};
  if (*after - *before > 1) return CounterNote{What::kJumped, *before, *after};
  return Consistent{remembered};
}

// After a removal that was seen.
GapVerdict judge_after_removal(const CheckedChange& change,
                               const std::optional<std::uint64_t>& last) {
  // An insertion is missing at least; where its counter began nobody knows.
  if (change.old_image) return ChainBroken{true};
  const auto& version = change.new_image->version;
  if (version && last && *version <= *last) return CounterNote{What::kRecreated, *last, *version};
  return Consistent{true};
}

// After `known`, the newest image that was seen.
GapVerdict judge_after_image(const CheckedChange& change, const ImageFacts& known) {
  if (!change.old_image) return ChainBroken{false};  // a removal is missing at least
  if (change.old_image->digest == known.digest) return judge_alone(change, true);
  const auto& version = change.old_image->version;
  if (version && known.version && *version > *known.version)
    return VersionGap{*known.version + 1, *version};
  return ChainBroken{true};
}

}  // namespace

GapVerdict GapCheck::check(const CheckedChange& change) {
  auto verdict = judge(change);
  remember(change);
  return verdict;
}

GapVerdict GapCheck::judge(const CheckedChange& change) const {
  if (!change.old_image && !change.new_image) return Consistent{false};
  const auto known = items_.find(change.item);
  if (known == items_.end()) return judge_alone(change, false);
  const auto& before = known->second;
  return before.image ? judge_after_image(change, *before.image)
                      : judge_after_removal(change, before.version);
}

void GapCheck::remember(const CheckedChange& change) {
  if (!change.old_image && !change.new_image) return;
  auto& item = items_[change.item];
  if (item.used != 0) by_use_.erase(item.used);
  item.used = ++clock_;
  by_use_[item.used] = change.item;
  item.image = change.new_image;
  if (change.old_image && change.old_image->version) item.version = change.old_image->version;
  if (change.new_image && change.new_image->version) item.version = change.new_image->version;
  if (items_.size() <= items_max_) return;
  items_.erase(by_use_.begin()->second);
  by_use_.erase(by_use_.begin());
}

}  // namespace pawl::guard
