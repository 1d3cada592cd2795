// The holes that were found, put in order by item, and, where there is a table, joined with the versions that its items
// have now: an archive that is behind its table lacks a tail, which no name of the bucket can show.
//
// Holes, newest versions and the table's versions are records of one external sort, so memory is bounded however many
// there are. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "audit/external_sort.h"
#include "audit/gap_finder.h"

namespace pawl::audit {

// A run of versions of one item that the bucket doesn't have.
struct Gap {
  enum class Kind : std::uint8_t {
    kBetween,   // there are later versions
    kTail,      // the table is ahead of the bucket
    kNoObject,  // the table has the item, the bucket no version of it
  };
  Kind kind = Kind::kBetween;
  ItemName item;  // valid during the call
  VersionRange versions;
  // The item's version in the table now.
  std::optional<std::uint64_t> table_version;
  VersionDigits digits;  // how those that are there are written
};

struct GapTotals {
  std::uint64_t holes = 0;
  std::uint64_t missing = 0;  // versions; no more than 2^64-1 are counted
  std::uint64_t items = 0;    // that lack something
  // With a table:
  std::uint64_t table_items = 0;
  std::uint64_t no_object = 0;       // of them, without any version in the bucket
  std::uint64_t only_in_bucket = 0;  // items that the table doesn't have (any more)
  std::uint64_t table_behind = 0;    // whose version is less than the newest in the bucket
};

class GapList final : public GapSink {
 public:
  // Without a table, gaps don't tell how versions are written.
  GapList(bool with_table, std::uint64_t first_version, std::size_t memory_max, std::string tmp);

  Status hole(ItemName item, VersionRange versions) override;
  Status item(ItemName item, std::uint64_t newest, VersionDigits digits) override;
  // An item that the table has. Once for each.
  Status table_item(ItemName item, std::uint64_t version);

  // Everything, in byte order of items, each item's from its oldest on, until `visit` fails. Once.
  Result<GapTotals> drain(const std::function<Status(const Gap&)>& visit);

 private:
  struct Group;
  Status add(ItemName item, std::uint8_t tag, std::uint64_t first, std::uint64_t second);
  Status visit_hole(Group& group, Gap::Kind kind, VersionRange versions,
                    const std::function<Status(const Gap&)>& visit);
  Status end(Group& group, const std::function<Status(const Gap&)>& visit);

  bool with_table_;
  std::uint64_t first_version_;
  ExternalSort sort_;
  std::string record_;
  GapTotals totals_;
};

}  // namespace pawl::audit
