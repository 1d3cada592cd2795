// Pages of a guarded table's repair chain: what was put back after a gap, and what is known to be lost. The format:
// docs/internals/archive-format.md, "Repair pages". Written by `pawl guard repair` (server/guard_repair.h); read by src/audit,
// which shares none of this. A writer needs no more of an old page than where its chain ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "item/value.h"
#include "ledger/entry_chain.h"

namespace pawl::ledger {

inline constexpr std::string_view kRepairPageFormat = "pawl-repair-page/1";
// Shards of a guarded table are numbered from 1.
inline constexpr std::uint32_t kRepairChain = 0;

// A change of the table, by its place in the chains of its shards.
struct ChangePlace {
  ShardId shard;
  SequenceNumber sequence;
  bool operator==(const ChangePlace&) const = default;
};

// An image that was found and put. Of the change after the hole (its old image) where there is one, else of the table.
struct PutBack {
  std::optional<Version> version;  // absent where the image has none
  std::string object;
  std::uint64_t size = 0;
  Digest sha256;
};
// What exists nowhere any more. Without `from` and `to` nobody can say which versions, or whether there were any.
struct KnownLost {
  std::optional<Version> from;
  std::optional<Version> to;  // included
  bool removed = false;       // a removal of the item is among it
  Instant since;              // of the change before
  Instant until;              // of the change after, or when the table was looked at
};

struct RepairEntry {
  SequenceNumber sequence;  // in the repair chain, dense from 1
  item::Item key;
  ChangePlace after;  // the item's last change before the hole
  std::optional<ChangePlace>
      before;  // its next one; nothing: the hole reaches to the table as it was
  std::variant<PutBack, KnownLost> what;
};

std::string encode_repair_entry(const RepairEntry& entry);

// The next page of the chain, over entries rendered by encode_repair_entry() for the sequence numbers from end.last + 1 on, of
// which there must be 1 to kChangesPerPageMax. Unsigned, as guarded archives are.
Result<NextPage> next_repair_page(const ChainEndState& end, const std::string& archive,
                                  Incarnation incarnation, const std::vector<std::string>& entries,
                                  Instant now);

// Where the chain ends, by its last line. Errors: kCorrupt, also where it is a line of another archive or chain.
Result<ChainEndState> repair_chain_end(std::string_view last_line, const std::string& archive,
                                       Incarnation incarnation);

}  // namespace pawl::ledger
