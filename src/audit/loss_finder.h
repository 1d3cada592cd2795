// Finds the places where changes of a guarded table's items may be missing: across the gaps that its ledger enters, and between
// the ledger's last change of an item and the table as it is now. What is there already in the repair chain is passed over.
//
// Everything is sorted by item outside memory and merged; of an item only its ends in each chain are held, and its entries in
// the repair chain. Versions decide what they can; what only images can tell is suspected, and for who reads the objects.
//
// Soundness of the comparison with the table: the ledger is read first, then the table, then the stream behind where the ledger
// ends. So a change that the table shows and the ledger lacks is in the stream (then its item is pending: a worker will bring
// it), or it is nowhere but in the table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/chain_lineage.h"
#include "audit/external_sort.h"
#include "audit/repair_reader.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

struct LossChange {
  ChainPlace place;
  std::optional<std::uint64_t> version;
  EntryKind kind = EntryKind::kInsert;
  Instant instant;
  std::string source;
  std::string object;
};

// The table's item at the scan; nothing of it: there was none.
struct TableState {
  bool exists = false;
  std::optional<std::uint64_t> version;
  Digest image;
};

// What the repair chain says of how the table was after a change.
struct SeenState {
  bool exists = false;
  std::optional<std::uint64_t> version;
  std::string object;  // that holds its image
};

struct LossSuspect {
  std::string key;  // DynamoDB JSON
  LossChange after;
  std::optional<SeenState>
      seen;  // a later state that is known already: what is missing is behind it
  std::optional<LossChange> before;  // the next change; nothing: it is about the table
  TableState table;
};

struct LossCounts {
  std::uint64_t changes = 0;
  std::uint64_t table_items = 0;
  std::uint64_t unseen =
      0;  // items of the table of which the ledger has nothing: older than the guard, or not
  std::uint64_t pending = 0;  // items whose changes are still in the stream
};

// One thread.
class LossFinder {
 public:
  LossFinder(const RootFacts& facts, Incarnation table, std::size_t memory_max, std::string folder);

  // Of each chain in order, then the repair chain's, then the table's items; any order between chains.
  Status add_change(const LedgerEntry& entry);
  Status add_repair(const LedgerRepair& repair);
  // `key` and `image` are DynamoDB JSON.
  Status add_table_item(std::string_view key, std::optional<std::uint64_t> version,
                        std::string_view image);

  // `pending`: digests of pending_key(). Once, after everything was added. Errors: those of `visit` and of the sort.
  Status find(const std::set<Digest>& pending,
              const std::function<Status(const LossSuspect&)>& visit);
  static Digest pending_key(std::string_view key);

  const LossCounts& counts() const { return counts_; }

 private:
  void compare(const LossChange& change, const LossChange* next, bool gap,
               std::vector<LossSuspect>& suspects) const;
  void compare_with_table(std::vector<LossSuspect>& suspects);
  bool may_miss_after(const LossChange& change) const;
  Status end_item(const std::set<Digest>& pending,
                  const std::function<Status(const LossSuspect&)>& visit);
  void take(std::string_view record);

  Incarnation table_;
  ChainLineage lineage_;
  std::map<std::uint32_t, std::uint64_t> last_gap_;  // by chain: the change that it stands before
  ExternalSort sort_;
  LossCounts counts_;

  // The present item.
  struct Run {
    LossChange first;
    LossChange last;
  };
  using Place = std::pair<std::uint32_t, std::uint64_t>;
  std::string key_;
  std::vector<Run> runs_;
  std::vector<ChainLineage::Span> spans_;
  std::set<std::pair<Place, Place>> settled_;  // holes between two changes
  std::map<Place, SeenState> seen_;
  std::optional<TableState> in_table_;
  std::vector<LossSuspect> suspects_;
};

}  // namespace pawl::audit
