// The versions of one item, told one by one as a bucket lists their names, and which are missing between them: without
// sorting and without keeping them.
//
// Byte order is not the order of numbers: 0, 1, 10, 11, 2. But among versions written with equally many digits it is. So
// for each number of digits all that is kept is the first and the last version; a hole between two neighbours of equal
// length is known at once, one between lengths at the end. However many versions an item has, this stays small.
//
// Leading zeros ("0007") are taken if all versions of the item agree: those with leading zeros have one width, and none
// of the others is shorter. Otherwise "7" and "007" would be two names of one version, and those with leading zeros are
// not understood.
//
// Pure. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace pawl::audit {

struct VersionRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // inclusive
  friend constexpr auto operator<=>(VersionRange, VersionRange) = default;
};

// How an item's versions are written.
struct VersionDigits {
  std::uint8_t zero_led = 0;  // the width of those with leading zeros; 0: there are none
  std::uint8_t least = 0;     // of all; 0: no version is there
};

class VersionRuns {
 public:
  enum class Told : std::uint8_t {
    kNew,
    kAgain,      // the version that was told last among those of its length: nothing changes
    kBackwards,  // not in order
  };
  // `digits` is how many it is written with, `zero_led` whether the first of several is 0. A hole that is certain by now
  // is set in `hole`. `repaired`: there is only what Pawl put in its place; told after the version itself, it changes nothing.
  Told add(std::uint64_t version, std::uint8_t digits, bool zero_led, bool repaired,
           std::optional<VersionRange>& hole);
  // Takes over what was told of the same item from the part of the listing right after this one's. Holes between them
  // are appended. False: not in order.
  bool append(VersionRuns later, std::vector<VersionRange>& holes);

  struct Summary {
    std::uint64_t versions = 0;  // that are there
    std::uint64_t repaired = 0;  // of them, only by repair
    std::uint64_t newest = 0;
    VersionDigits digits;
    std::uint64_t not_understood = 0;  // names with leading zeros that don't fit the others
  };
  // All is told. Appends the holes from `first` on that add() and append() didn't give, in no particular order. Nothing
  // if no version is left. Begins anew after that.
  std::optional<Summary> finish(std::uint64_t first, std::vector<VersionRange>& holes);

  bool empty() const { return runs_.empty(); }
  // Holes that are kept until it is certain that leading zeros are meant.
  std::size_t pending() const { return pending_.size(); }

 private:
  // What was told with `digits` digits.
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    std::uint64_t repaired = 0;
    std::uint8_t digits = 0;
    bool zero_led = false;
    bool first_repaired = false;
  };
  Run* find(std::uint8_t digits, bool zero_led);
  bool zeros_agree() const;

  std::vector<Run> runs_;  // at most two for each number of digits
  std::vector<VersionRange> pending_;
};

}  // namespace pawl::audit
