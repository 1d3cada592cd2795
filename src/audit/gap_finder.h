// Finds which versions are missing among the names of a bucket that anybody may have written, from nothing but a listing.
//
// A bucket lists names in byte order. Where the version is the template's last placeholder, the names of one item are
// then together but for items whose keys go on with the same bytes and a digit ('A-1-0.log' stands between 'A-1…' and
// 'A-2.log'). So only the items that the present name is within are open, a few at most, and an item is done with when
// the listing has passed it: nothing is sorted, and nothing is kept of an item that lacks nothing. Any other template's
// names are sorted first, as records of what stands around the version and the version (external_sort.h).
//
// "NAME~repaired" is the version of NAME, too: what Pawl put in its place. In byte order it stands behind NAME and before the
// version after it that is written with as many digits, so nothing of the above changes.
//
// The listing may come in parts side by side, each from some name to some other: what a part's edge may have cut is kept
// and put together at the end.
//
// Pure but for the sort's files. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/external_sort.h"
#include "audit/name_pattern.h"
#include "audit/version_runs.h"
#include "base/result.h"

namespace pawl::audit {

// Gets what is found, item by item, in no particular order; the holes of an item may come before and after one another.
class GapSink {
 public:
  virtual ~GapSink() = default;
  virtual Status hole(ItemName item, VersionRange versions) = 0;
  // An item of which at least one version is there, and how its versions are written. Once for each item.
  virtual Status item(ItemName item, std::uint64_t newest, VersionDigits digits) = 0;
};

inline constexpr std::size_t kExamplesMax = 3;

// Names of one sort: how many, and the first few.
struct OddNames {
  std::uint64_t count = 0;
  std::vector<std::string> examples;
  void add(std::string_view name) {
    ++count;
    if (examples.size() < kExamplesMax) examples.emplace_back(name);
  }
};

struct NameCounts {
  std::uint64_t names = 0;           // all
  std::uint64_t versions = 0;        // different ones, understood
  std::uint64_t repaired = 0;        // of them, there only by repair
  std::uint64_t zero_led_items = 0;  // whose versions are written with leading zeros
  std::uint64_t items = 0;
  std::uint64_t folders = 0;      // "NAME/": what consoles make
  OddNames other;                 // the template gives no such name
  OddNames ambiguous;             // gives it to more than one version
  OddNames too_large;             // the version is beyond 64 bits
  std::uint64_t mixed_zeros = 0;  // leading zeros that the item's other versions don't have
  std::string mixed_zeros_item;   // the first such, as label()
  std::uint64_t pawl_ledger = 0;  // below `.pawl/`
  std::uint64_t pawl_removals = 0;
  std::uint64_t pawl_others = 0;  // `~`
};

struct GapFinderOptions {
  std::uint64_t first_version = 0;          // that every item has
  std::size_t memory_max = 64 << 20;        // for sorting
  std::string tmp = "/tmp";                 // for what doesn't fit
  std::size_t pending_holes_max = 1 << 20;  // of items with leading zeros, until they are done with
};

class GapFinder {
 public:
  // `pattern` and `sink` must outlive it.
  GapFinder(const NamePattern& pattern, GapFinderOptions options, GapSink& sink);
  ~GapFinder();
  GapFinder(const GapFinder&) = delete;
  GapFinder& operator=(const GapFinder&) = delete;

  // A part of the listing: the names after `after` ("" = from the start). Parts may be begun and told in any order.
  class Part;
  Part* begin(std::string after);
  // The next name of a part. Errors: kInvalid (not in byte order), kExhausted, those of the sink.
  Status add(Part& part, std::string_view name);
  // The part ends with `until`, included, after which another begins ("" = it is the last): `part` is gone. All names up
  // to there must have been told.
  Status end(Part* part, std::string_view until);

  // All parts have ended, and they are everything. Once.
  Status finish();
  const NameCounts& counts() const { return counts_; }

 private:
  struct Open;
  Status add_own(Part& part, std::string_view name, const PawlName& own);
  Status add_removal(Part& part, const PawlName& own, bool repaired);
  Status take(Part& part, const NameMatch& match, bool repaired);
  Open& open(Part& part, const NameMatch& match);
  // Closes the innermost open item.
  Status close(Part& part, std::string_view until);
  Status done(ItemName item, VersionRuns& runs);
  Status tell(VersionRuns& runs, const NameMatch& match, bool repaired);
  Status found(ItemName item, VersionRange hole);
  void count_other(std::string_view name);
  Status add_record(const NameMatch& match, bool repaired);
  Status finish_sorted();
  Status finish_edges();
  // The one tail of all items, where the version is last.
  std::string_view tail() const { return pattern_.literal_tail(); }

  const NamePattern& pattern_;
  GapFinderOptions options_;
  GapSink& sink_;
  NameCounts counts_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::size_t pending_ = 0;  // holes that VersionRuns hold, about
  // What parts' edges may have cut: by head and where the part began.
  std::map<std::pair<std::string, std::string>, VersionRuns> edges_;
  std::unique_ptr<ExternalSort> sort_;  // where the template's version is not last
  std::vector<VersionRange> holes_;     // for reuse, as the next
  std::string record_;
};

}  // namespace pawl::audit
