#include "table.h"

#include <fmt/format.h>

#include "mix.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::size_t kScanBytes =
    1 << 20;  // API reference, Scan: "the processed dataset size exceeds … 1 MB"

}  // namespace

Table::Table(std::string name, KeySchema schema, std::int64_t now_ms,
             std::shared_ptr<const ItemFormula> formula)
    : name_(std::move(name)),
      schema_(std::move(schema)),
      created_ms_(now_ms),
      formula_(std::move(formula)) {
  // A table that is made anew under the same name is another one: API reference, TableDescription: TableId.
  static std::uint64_t made = 0;
  const std::uint64_t first = mix(static_cast<std::uint64_t>(now_ms) + hash_text(name_) + ++made);
  const std::uint64_t second = mix(first);
  id_ = fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", first >> 32, first >> 16 & 0xFFFF,
                    first & 0xFFF, second >> 52, second & 0xFFFFFFFFFFFF);
}

std::uint64_t Table::about_items() const {
  return written_.size() + (formula_ ? formula_->items() : 0);
}

std::uint64_t Table::hash_of(const KeySchema& schema, const Item& key) {
  return hash_text(key.find(schema.partition.name)->second);
}

std::optional<std::uint64_t> Table::formula_item(const Item& key) const {
  if (!formula_) return std::nullopt;
  return formula_->find(key.find(schema_.partition.name)->second);
}

std::optional<Item> Table::find(const Item& key, std::int64_t now_ms) const {
  const Row row = row_of(key);
  if (const auto found = written_.find(row); found != written_.end()) return found->second;
  const auto number = formula_item(key);
  if (!number || erased_.contains(row)) return std::nullopt;
  return formula_->item_at(*number, now_ms);
}

void Table::put(const Item& item) {
  written_.insert_or_assign(row_of(key_of(schema_, item)), item);
}

void Table::erase(const Item& key) {
  const Row row = row_of(key);
  written_.erase(row);
  if (formula_item(key)) erased_.insert(row);
}

struct Table::Scan {
  ScanPage page;
  std::uint64_t segment = 0;
  std::uint64_t segments = 1;
  std::uint64_t count_max = 0;
  std::int64_t now_ms = 0;
  std::size_t bytes = 0;

  // False: the page is full, and ends with this item.
  bool take(const KeySchema& schema, Item item) {
    for (const auto& [name, value] : item) bytes += name.size() + value.size();
    page.items.push_back(std::move(item));
    if (page.items.size() < count_max && bytes < kScanBytes) return true;
    page.last = key_of(schema, page.items.back());
    return false;
  }
};

// The formula's items in their places of the scan, whether they have been written since or not: a scan that goes on while
// items are written misses none.
bool Table::scan_formula(Scan& scan, const std::optional<Item>& after) const {
  const std::uint64_t items = formula_->items();
  std::uint64_t position =
      items / scan.segments * scan.segment + items % scan.segments * scan.segment / scan.segments;
  const std::uint64_t end = items / scan.segments * (scan.segment + 1) +
                            items % scan.segments * (scan.segment + 1) / scan.segments;
  if (after) {
    const auto number = formula_item(*after);
    if (!number) return true;  // it stands among the written ones
    position = std::max(position, formula_->position_of(*number) + 1);
  }
  for (; position < end; ++position) {
    const std::uint64_t number = formula_->item_at_position(position);
    const bool untouched = written_.empty() && erased_.empty();
    std::optional<Item> item = untouched ? formula_->item_at(number, scan.now_ms)
                                         : find(formula_->key(number), scan.now_ms);
    if (item && !scan.take(schema_, std::move(*item))) return false;
  }
  return true;
}

void Table::scan_written(Scan& scan, const std::optional<Item>& after) const {
  const std::uint64_t width = UINT64_MAX / scan.segments;
  const std::uint64_t low = width * scan.segment;
  const bool last_segment = scan.segment + 1 == scan.segments;
  auto at = written_.lower_bound({low, ""});
  if (after && !formula_item(*after)) at = written_.upper_bound(row_of(*after));
  for (; at != written_.end() && (last_segment || at->first.first < low + width); ++at) {
    if (formula_ && formula_item(at->second)) continue;
    if (!scan.take(schema_, at->second)) return;
  }
}

Table::ScanPage Table::scan(std::uint64_t segment, std::uint64_t segments,
                            const std::optional<Item>& after, std::uint64_t count_max,
                            std::int64_t now_ms) const {
  Scan scan;
  scan.segment = segment;
  scan.segments = segments;
  scan.count_max = count_max;
  scan.now_ms = now_ms;
  if (!formula_ || scan_formula(scan, after)) scan_written(scan, after);
  return std::move(scan.page);
}

}  // namespace scripted
