#include "guard/image_chain.h"

#include <utility>

#include "base/coding.h"
#include "port/table_stream.h"

namespace pawl::guard {
namespace {

// Other lives' items are others.
Digest item_of_life(std::uint64_t life, const Digest& item) {
  std::string text;
  append_u64_be(text, life);
  text.append(reinterpret_cast<const char*>(item.bytes.data()), item.bytes.size());
  return sha256(text);
}

bool breaks(const GapVerdict& verdict) {
  return std::holds_alternative<VersionGap>(verdict) ||
         std::holds_alternative<ChainBroken>(verdict);
}

}  // namespace

void ImageChain::begin(std::string last_source) {
  life_ = ++memory_.lives;
  last_source_ = std::move(last_source);
}

void ImageChain::check(std::deque<RenderedChange>& changes) {
  GapCheck in_hand(kStreamRecordsMax);
  for (auto& change : changes) {
    const auto before = std::exchange(last_source_, change.entry.source);
    if (change.checked) {
      const auto item = change.checked->item;
      change.checked->item = item_of_life(life_, item);
      const auto& known = in_hand.knows(change.checked->item) ? in_hand : memory_.items;
      if (!change.entry.gap && !before.empty() && breaks(known.judge(*change.checked)))
        change.entry.gap = before;
      if (change.entry.gap) change.checked->item = item_of_life(memory_.lives + 1, item);
    }
    // Of an item whose change shows too little nothing is known any more.
    if (change.entry.gap || !change.checked) {
      life_ = ++memory_.lives;
      in_hand = GapCheck(kStreamRecordsMax);
    }
    if (change.checked) in_hand.remember(*change.checked);
  }
}

void ImageChain::paged(const RenderedChange& change) {
  if (change.checked) memory_.items.remember(*change.checked);
}

}  // namespace pawl::guard
