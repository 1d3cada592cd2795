// Checks the history of items of guarded tables: that each change of an item goes on where the one before it ended.
//
// What Pawl's own tables promise (dense versions from 0) nobody promises here, so each pair of consecutive changes is tied
// by what there is:
//   versions   where both have one: version n+1 follows n, a removal repeats the n that it removes, and after a
//              removal they may start anywhere;
//   kinds      an insertion follows a removal, and nothing else does;
//   images     in a deep check, where the bodies have them: the old image is the new image of the change before.
// A pair with an entered gap in between is tied by nothing, and that is what the gap says; what the repair chain says of it is
// checked by guarded_repair_check.h. The first change that is known of an item may be anything: the item may be older than
// the guard.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/chain_lineage.h"
#include "audit/guarded_repair_check.h"
#include "audit/report.h"
#include "audit/shard_reader.h"
#include "base/digest.h"

namespace pawl::audit {

// Takes one item after another. Memory: about 300 bytes for each chain that has changes of the present item, and for each of its
// entries in the repair chain. One thread.
class GuardedItemCheck {
 public:
  explicit GuardedItemCheck(const ChainLineage& lineage) : lineage_(lineage) {}

  // The present item's entries in the repair chain, before its changes; each with the image that was read of it, if one was.
  void take_repair(const ItemRepair& repair, ShardId chain, std::string_view table,
                   std::string_view key);
  void take_repair_image(std::uint64_t sequence, const Digest& image) {
    repairs_.take_image(sequence, image);
  }
  // The next change of the present item: chain by chain in any order, and in each by sequence. `key` and `table` are
  // for findings.
  void take(const GuardedChange& change, std::string_view source, std::string_view table,
            std::string_view key, Report& report);
  // The present item has no more. Harmless where there is none.
  void end_item(Report& report);

 private:
  // An item's changes in one chain.
  struct Run {
    GuardedChange first;
    GuardedChange last;
  };

  void follow(const GuardedChange& before, const GuardedChange& change, Report& report);
  // Whether the repair chain accounts for what may be missing between them.
  bool check_repairs(const GuardedChange& change, const GuardedChange* next, bool gap,
                     Report& report);
  GuardedRepairCheck::Wrong wrong_repair(Report& report) const;
  // What version and kind say of two changes without a gap in between: nothing is wrong, or a finding was added.
  enum class Tie : std::uint8_t { kNone, kHolds, kBroken };
  Tie compare_versions(const GuardedChange& before, const GuardedChange& change,
                       Report& report) const;
  void wrong(FindingKind kind, const GuardedChange& change, std::optional<std::uint64_t> version,
             std::string detail, Report& report) const;

  const ChainLineage& lineage_;
  std::string table_;
  std::string key_;
  ShardId repair_chain_;
  GuardedRepairCheck repairs_;
  std::vector<Run> runs_;
  std::vector<ChainLineage::Span> spans_;
};

}  // namespace pawl::audit
