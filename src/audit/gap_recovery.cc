#include "audit/gap_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "audit/image_spool.h"
#include "audit/table_item.h"

namespace pawl::audit {

const char* name_of(Recovery::Source source) {
  static constexpr const char* kNames[] = {"stream", "old-image", "table"};
  return kNames[static_cast<std::size_t>(source)];
}

Status GapRecovery::take(std::size_t bytes) {
  memory_ += bytes;
  if (memory_ <= memory_max_) return ok();
  return Error{ErrorCode::kExhausted,
               fmt::format("there are {} holes and {} records of the stream that fill them: more "
                           "than {} MiB, and they are looked up in memory",
                           holes_.size(), found_.size(), memory_max_ >> 20),
               "give more --memory, look at a part of the bucket (s3://BUCKET/PREFIX), or leave "
               "the stream out with --no-stream"};
}

Status GapRecovery::add(const Gap& gap) {
  if (items_.empty() || items_.back().head != gap.item.head ||
      items_.back().tail != gap.item.tail) {
    items_.push_back({std::string(gap.item.head), std::string(gap.item.tail), holes_.size()});
    PAWL_TRY(take(sizeof(Item) + gap.item.head.size() + gap.item.tail.size()));
  }
  holes_.push_back({gap.kind, gap.versions, gap.table_version, gap.digits});
  return take(sizeof(Hole));
}

Status GapRecovery::see(const std::string& shard, const StreamRecord& record) {
  Recovery recovery;
  recovery.until = Instant{record.created.microseconds + kStreamRetention.count()};
  recovery.shard = shard;
  recovery.sequence = record.sequence;
  recovery.source = Recovery::Source::kStream;
  if (!record.new_image.empty()) PAWL_TRY(look_up(record.new_image, recovery));
  recovery.source = Recovery::Source::kOldImage;
  if (!record.old_image.empty()) PAWL_TRY(look_up(record.old_image, std::move(recovery)));
  return ok();
}

Status GapRecovery::see_table(const std::string& image) {
  Recovery recovery;
  recovery.source = Recovery::Source::kTable;
  return look_up(image, std::move(recovery));
}

Status GapRecovery::only_in_table(const std::function<Status(ItemName)>& visit) const {
  std::vector<bool> elsewhere(holes_.size());
  for (const auto& found : found_) {
    if (found.recovery.version == holes_[found.hole].table_version) elsewhere[found.hole] = true;
  }
  std::size_t item = 0;
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    while (item + 1 < items_.size() && items_[item + 1].first_hole <= i) ++item;
    if (holes_[i].in_table() && !elsewhere[i])
      PAWL_TRY(visit({items_[item].head, items_[item].tail}));
  }
  return ok();
}

Status GapRecovery::look_up(const std::string& image, Recovery recovery) {
  auto item = read_table_item(pattern_, image);
  if (!item) {
    ++unreadable_;
    return ok();
  }
  const Item wanted{std::move(item->head), std::move(item->tail), 0};
  const auto found = std::lower_bound(items_.begin(), items_.end(), wanted);
  if (found == items_.end() || found->head != wanted.head || found->tail != wanted.tail)
    return ok();
  const auto next = found + 1;
  const auto begin = holes_.begin() + static_cast<std::ptrdiff_t>(found->first_hole);
  const auto end = next == items_.end()
                       ? holes_.end()
                       : holes_.begin() + static_cast<std::ptrdiff_t>(next->first_hole);
  const auto hole = std::lower_bound(
      begin, end, item->version,
      [](const Hole& a, std::uint64_t version) { return a.versions.to < version; });
  if (hole == end || hole->versions.from > item->version) return ok();
  recovery.version = item->version;
  const auto bytes = sizeof(Found) + recovery.shard.size() + recovery.sequence.size();
  const auto number = static_cast<std::size_t>(hole - holes_.begin());
  if (images_ != nullptr) PAWL_TRY(images_->add(number, recovery, image));
  found_.push_back({number, std::move(recovery)});
  return take(bytes);
}

Status GapRecovery::drain(const Visit& visit) {
  // The longest way out of each kind first; the others of that kind are left out.
  std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    return std::tie(a.hole, a.recovery.version, a.recovery.source, b.recovery.until,
                    a.recovery.shard, a.recovery.sequence) <
           std::tie(b.hole, b.recovery.version, b.recovery.source, a.recovery.until,
                    b.recovery.shard, b.recovery.sequence);
  });
  const auto same = [](const Found& a, const Found& b) {
    return a.hole == b.hole && a.recovery.version == b.recovery.version &&
           a.recovery.source == b.recovery.source;
  };
  found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
  auto at = found_.begin();
  std::size_t item = 0;
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    while (item + 1 < items_.size() && items_[item + 1].first_hole <= i) ++item;
    const Hole& hole = holes_[i];
    std::vector<Recovery> recoveries;
    bool table_seen = false;
    for (; at != found_.end() && at->hole == i; ++at) {
      table_seen = table_seen || (at->recovery.source == Recovery::Source::kTable &&
                                  at->recovery.version == hole.table_version);
      recoveries.push_back(std::move(at->recovery));
    }
    if (hole.in_table() && !table_seen)
      recoveries.push_back({*hole.table_version, Recovery::Source::kTable, {}, {}, {}});
    std::stable_sort(recoveries.begin(), recoveries.end(),
                     [](const Recovery& a, const Recovery& b) { return a.version < b.version; });
    const ItemName name{items_[item].head, items_[item].tail};
    PAWL_TRY(
        visit({hole.kind, name, hole.versions, hole.table_version, hole.digits}, recoveries, i));
  }
  return ok();
}

}  // namespace pawl::audit
