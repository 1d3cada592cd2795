// Checks the history of every item. Of Pawl's own tables: that each item's versions are dense and their kinds fit: 0, 1, 2, … with an INSERT first
// and after every REMOVE, over adoptions too. In a deep check also that each change starts where
// the one before ended. Guarded tables' items go to guarded_item_check.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "audit/chain_lineage.h"
#include "audit/external_sort.h"
#include "audit/guarded_item_check.h"
#include "audit/repair_reader.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

// Gathers entries in any order; checks them in one sorted pass. One thread.
class ItemHistoryCheck {
 public:
  ItemHistoryCheck(const RootFacts& facts, std::size_t memory_max, std::string folder);

  // `images` where the bodies are read, else nullptr; the same for all entries.
  Status add(const LedgerEntry& entry, const ImageDigests* images);
  // An entry of a repair chain; and where its body is read, right after that, the digest of its image.
  Status add_repair(const LedgerRepair& repair);
  Status add_repair_image(const LedgerEntry& entry, const Digest& image);
  // Records before this change of a guarded table were trimmed before they were read. In the order of each chain.
  void add_gap(ShardId shard, std::uint64_t sequence) { lineage_.add_gap(shard, sequence); }
  // Counts items into the report and adds what is wrong. `step` hears of each entry.
  Status check(Report& report, const std::function<void()>& step);

 private:
  struct State {
    std::uint64_t next_version = 0;
    bool exists = false;
    Digest image;
    bool image_known = false;
  };
  struct Parsed;
  std::string begin_record(ShardId shard, std::string_view key, std::uint64_t sequence) const;

  void begin_item(const Parsed& entry, Report& report);
  void take(const Parsed& entry, Report& report);
  void take_own(const Parsed& entry, Report& report);
  void take_guarded(const Parsed& entry, const IncarnationFacts& table, Report& report);

  const RootFacts& facts_;
  std::map<Incarnation, std::vector<Incarnation>> children_;
  ChainLineage lineage_;
  GuardedItemCheck guarded_;
  ExternalSort sort_;
  std::string item_;                      // lineage and key of the present item
  std::map<Incarnation, State> at_fork_;  // of the present item: where each child goes on
  Incarnation incarnation_;
  State state_;
};

}  // namespace pawl::audit
