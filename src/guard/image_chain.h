// Whether the changes of one shard follow each other, item by item, as they are read: gap_check.h around what a reader has in
// hand. A change that does not is entered with a gap before it, as if records had been trimmed there: some are missing,
// whatever became of them.
//
// What counts is what is in pages: changes are remembered when they are. What was in hand when a reader began anew is read again,
// and judged by nothing older than that. After a gap nothing older counts either: it stands for every item.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "guard/gap_check.h"
#include "guard/rendered_change.h"

namespace pawl::guard {

// What the readers of a worker remember of items, together: about 300 bytes each. One executor.
struct ItemMemory {
  static constexpr std::size_t kItemsMax = 50'000;

  GapCheck items{kItemsMax};
  std::uint64_t lives = 0;  // so many have been begun
};

class ImageChain {
 public:
  // It must outlive this.
  explicit ImageChain(ItemMemory& memory) : memory_(memory) {}

  // The reader has read the end of its chain: the source number of the last change in it, "" where it has none.
  void begin(std::string last_source);
  // The next changes of the shard, in order: sets `entry.gap` where one does not follow.
  void check(std::deque<RenderedChange>& changes);
  // It is in a durable page. In order.
  void paged(const RenderedChange& change);

 private:
  ItemMemory& memory_;
  std::uint64_t life_ = 0;
  std::string last_source_;
};

}  // namespace pawl::guard
