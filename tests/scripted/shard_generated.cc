#include <algorithm>

#include "exchange.h"
#include "mix.h"
#include "shard.h"
#include "text.h"

namespace scripted {
namespace {

// Sequence numbers: "40000" and 18 digits of k * kSpacing + something: 23 digits that grow and have gaps.
constexpr std::string_view kPrefix = "40000";
constexpr std::uint64_t kSpacing = 1009;
constexpr unsigned kDigits = 18;

std::string sequence_of(std::uint64_t k, std::uint64_t more) {
  std::string out(kPrefix);
  append_padded(out, k * kSpacing + more, kDigits);
  return out;
}

std::uint64_t jitter(std::uint64_t k) { return mix(k) % (kSpacing - 1); }

}  // namespace

GeneratedShard::GeneratedShard(std::shared_ptr<const ItemFormula> formula, std::uint64_t lineage,
                               std::uint64_t first, std::uint64_t end, std::uint64_t stride,
                               std::uint64_t offset)
    : formula_(std::move(formula)),
      lineage_(lineage),
      first_(first),
      end_(end),
      stride_(stride),
      offset_(offset) {}

std::uint64_t GeneratedShard::settle(std::uint64_t k) const {
  k = std::max(k, first_);
  if (stride_ == 1) return std::min(k, end_);
  const std::uint64_t items = formula_->items_of(lineage_);
  if (offset_ >= items) return end_;  // split so often that this one has no item
  const std::uint64_t version = k / items;
  const std::uint64_t index = k % items;
  const std::uint64_t steps = index <= offset_ ? 0 : (index - offset_ + stride_ - 1) / stride_;
  const std::uint64_t own = offset_ + steps * stride_;
  return std::min(own < items ? version * items + own : (version + 1) * items + offset_, end_);
}

std::vector<std::unique_ptr<GeneratedShard>> GeneratedShard::cut(std::int64_t now_ms, bool split) {
  if (!is_last() || !exists(now_ms))
    throw bad_control("only the newest shard of a lineage can be rolled over or split");
  const std::uint64_t at = std::clamp(formula_->written_at(lineage_, now_ms), first_, end_);
  std::vector<std::unique_ptr<GeneratedShard>> children;
  const std::uint64_t stride = split ? stride_ * 2 : stride_;
  children.push_back(
      std::make_unique<GeneratedShard>(formula_, lineage_, at, end_, stride, offset_));
  if (split)
    children.push_back(
        std::make_unique<GeneratedShard>(formula_, lineage_, at, end_, stride, offset_ + stride_));
  for (const auto& child : children) child->born_ = true;
  end_ = at;
  cut_ = true;
  return children;
}

void GeneratedShard::stop(std::int64_t now_ms) {
  end_ = end(now_ms);
  cut_ = true;
}

bool GeneratedShard::exists(std::int64_t now_ms) const {
  return born_ || first_ == 0 || formula_->written_at(lineage_, now_ms) > first_;
}

bool GeneratedShard::ended(std::int64_t now_ms) const {
  return cut_ || (!is_last() && formula_->written_at(lineage_, now_ms) > end_);
}

std::uint64_t GeneratedShard::end(std::int64_t now_ms) const {
  return std::clamp(formula_->written_at(lineage_, now_ms), first_, end_);
}

std::uint64_t GeneratedShard::oldest(std::int64_t now_ms) const {
  const std::uint64_t gone = formula_->written_at(lineage_, now_ms - kRetentionMs - 1);
  return std::clamp(std::max(floor_, gone), first_, end(now_ms));
}

std::uint64_t GeneratedShard::position(std::string_view sequence, bool after) const {
  if (compare_sequences(sequence, first_sequence()) < 0) return first_;
  const auto digits = sequence.size() == kPrefix.size() + kDigits && sequence.starts_with(kPrefix)
                          ? parse_number(sequence.substr(kPrefix.size()))
                          : std::nullopt;
  if (!digits) return end_;
  const std::uint64_t k = *digits / kSpacing;
  const std::uint64_t more = *digits % kSpacing;
  const bool before = more > jitter(k) || (after && more == jitter(k));
  return std::clamp(before ? k + 1 : k, first_, end_);
}

bool GeneratedShard::trimmed(std::string_view sequence, std::int64_t now_ms) const {
  return position(sequence, false) < oldest(now_ms);
}

std::string GeneratedShard::first_sequence() const { return sequence_of(first_, 0); }

// Not that of the last record: a reader may not wait for it (API reference, SequenceNumberRange, says only that the shard is
// closed).
std::string GeneratedShard::last_sequence(std::int64_t) const {
  return end_ == first_ ? first_sequence() : sequence_of(end_ - 1, kSpacing - 1);
}

void GeneratedShard::trim(std::uint64_t position) {
  floor_ = std::max(floor_, std::min(position, end_));
}

void GeneratedShard::append(std::string& out, std::uint64_t k, View view) const {
  const std::uint64_t items = formula_->items_of(lineage_);
  const std::uint64_t item = k % items * formula_->lineages() + lineage_;
  const std::uint64_t version = k / items;
  thread_local Change change;  // its strings are reused
  change.keys.clear();
  change.new_image.clear();
  change.old_image.clear();
  formula_->append_key(change.keys, item);
  formula_->append_image(change.new_image, item, version);
  if (version > 0) formula_->append_image(change.old_image, item, version - 1);
  change.created_ms = formula_->created_ms(lineage_, k);
  append_record(out, change, sequence_of(k, jitter(k)), view,
                formula_->item_size() * (version > 0 ? 2 : 1));
}

RecordPage GeneratedShard::read(std::uint64_t position, std::int64_t now_ms, std::size_t count_max,
                                std::size_t bytes_max, View view) const {
  RecordPage page;
  const std::uint64_t stop = end(now_ms);
  page.json.reserve(
      std::min<std::size_t>(bytes_max + 4096, (formula_->item_size() * 2 + 700) * count_max));
  page.next = std::min(settle(position), stop);
  while (page.next < stop && page.count < count_max) {
    const std::size_t before = page.json.size();
    if (page.count > 0) page.json += ',';
    append(page.json, page.next, view);
    if (page.json.size() > bytes_max && page.count > 0) {
      page.json.resize(before);
      break;
    }
    ++page.count;
    page.next = std::min(settle(page.next + 1), stop);
  }
  return page;
}

}  // namespace scripted
