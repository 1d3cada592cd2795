// Whether a change follows the one before it of its item: the check within a shard (docs/internals/guard.md, "Gaps").
// The version attribute, where a table has one, tells how many changes are missing; the image chain tells that some are,
// and that the old image is the last of them. What it can't see: a lost tail, and A -> B -> A without a version.
//
// Pure and bounded: what is remembered of each item is its newest image's digest and version, for the `items_max` items
// that changed last; of an item that was forgotten, or never seen, a change proves only itself. A regular value type.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/digest.h"

namespace pawl::guard {

inline constexpr std::size_t kItemsRememberedMax = 100'000;

// What matters of an image.
struct ImageFacts {
  Digest digest;  // of a form in which equal items are equal
  std::optional<std::uint64_t>
      version;  // nothing: the table has no version attribute, or it is no such number
  bool operator==(const ImageFacts&) const = default;
};

// One change as the stream told it. No images at all (a view without them) is not checked.
struct CheckedChange {
  Digest item;                          // of its key
  std::optional<ImageFacts> old_image;  // nothing: it was an insertion
  std::optional<ImageFacts> new_image;  // nothing: a removal
};

// It follows what is remembered.
struct Consistent {
  bool remembered =
      false;  // false: of this item nothing was, so only the change itself was looked at
  bool operator==(const Consistent&) const = default;
};
// Not a gap, but a person who counts versions ought to know: the counter started again or jumped within one write.
struct CounterNote {
  enum class What : std::uint8_t {
    kRecreated,  // removed and inserted again with a version that is not after the last one
    kWentBack,   // one write made it smaller, or left it as it was
    kJumped,     // one write made it grow by more than one: the versions between never were
  };
  What what = What::kRecreated;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  bool operator==(const CounterNote&) const = default;
};
// The versions first to last are missing; the old image is `last`.
struct VersionGap {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const VersionGap&) const = default;
};
// Changes are missing before this one, nobody can say how many. With `old_is_last` the old image is the newest of them; else
// the newest of them is a removal.
struct ChainBroken {
  bool old_is_last = false;
  bool operator==(const ChainBroken&) const = default;
};
using GapVerdict = std::variant<Consistent, CounterNote, VersionGap, ChainBroken>;

class GapCheck {
 public:
  explicit GapCheck(std::size_t items_max = kItemsRememberedMax) : items_max_(items_max) {}

  // Judges the next change of the shard, and remembers it.
  GapVerdict check(const CheckedChange& change);
  // Either of the two. A gap before it comes before a note about it.
  GapVerdict judge(const CheckedChange& change) const;
  void remember(const CheckedChange& change);
  bool knows(const Digest& item) const { return items_.contains(item); }
  std::size_t remembered() const { return items_.size(); }

 private:
  struct Remembered {
    std::optional<ImageFacts> image;       // nothing: removed
    std::optional<std::uint64_t> version;  // the last one seen, also of a removed item
    std::uint64_t used = 0;
  };

  std::size_t items_max_;
  std::uint64_t clock_ = 0;
  std::map<Digest, Remembered> items_;
  std::map<std::uint64_t, Digest> by_use_;
};

}  // namespace pawl::guard
