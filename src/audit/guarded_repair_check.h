// Checks what a guarded table's repair chain says of an item against the item's changes: that something can be missing where it
// says so, that nothing is called lost that is there, and that what was put back fits in between.
//
// A repair stands after one change of the item and before its next, with an entered gap in between; or, without the latter, it
// tells how the table was when nothing behind that change was in the stream. Then the gap that the stream may show later is
// explained by it too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/chain_lineage.h"
#include "audit/repair_reader.h"
#include "audit/shard_reader.h"
#include "base/digest.h"

namespace pawl::audit {

// Digests of a body's two images, as they stand in it; zero for null.
struct ImageDigests {
  Digest old_image;
  Digest new_image;
};

// What the check needs of one change.
struct GuardedChange {
  ChainPlace place;
  std::optional<std::uint64_t> version;
  EntryKind kind = EntryKind::kInsert;
  std::optional<ImageDigests> images;  // where its body was read
  Instant instant;
};

// One entry of the repair chain.
struct ItemRepair {
  std::uint64_t sequence = 0;
  ChainPlace after;
  std::optional<ChainPlace> before;
  bool lost = false;
  std::optional<std::uint64_t> version;  // of what was put back
  std::optional<Digest> image;           // likewise, where its body was read
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> to;
  bool removed = false;
  Instant since;
  Instant until;

  // Whether nobody can say which versions are lost.
  bool unbounded() const { return lost && !from; }
};

// One item after another. Memory: about 200 bytes for each entry of the present item. One thread.
class GuardedRepairCheck {
 public:
  // Hears what is wrong: which entry, and why.
  using Wrong = std::function<void(const ItemRepair& repair, std::string detail)>;

  // All of the present item's, in order, before its changes.
  void take(const ItemRepair& repair);
  void take_image(std::uint64_t sequence, const Digest& image);

  bool any() const { return !repairs_.empty(); }
  // Whether the table was looked at with this change as the item's last.
  bool table_seen_after(ChainPlace place) const;

  // Two consecutive changes of the present item; nothing after its last. `gap`: one is entered between them.
  // Returns whether the entries account for every version between them, as far as versions tell.
  bool check_between(const GuardedChange& change, const GuardedChange* next, bool gap,
                     const Wrong& wrong);
  // The present item has no more.
  void end_item(const Wrong& wrong);

 private:
  struct Held {
    ItemRepair repair;
    bool placed = false;  // its changes were met
  };
  void check_one(const ItemRepair& repair, const GuardedChange& change, const GuardedChange* next,
                 bool life_ended, const Wrong& wrong) const;

  std::vector<Held> repairs_;
  std::multimap<std::pair<ShardId, std::uint64_t>, std::size_t> by_after_;
};

// Whether something is visibly missing between two consecutive changes of an item.
bool misses_something(const GuardedChange& change, const GuardedChange& next);

}  // namespace pawl::audit
