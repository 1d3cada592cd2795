// Reads the repair chain of a guarded table: what was put back after gaps, and what is known to be lost. Checks every page and
// the form of every entry, and hands the entries on; whether they are true of their item is for guarded_repair_check.h.
// The format: docs/internals/archive-format.md, "Repair pages". Shares nothing with what writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/chain_lineage.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

// The repair chain's number; shards are numbered from 1.
inline constexpr std::uint32_t kRepairChain = 0;

// One entry. Views are valid during the call only.
struct LedgerRepair {
  ShardId chain;
  std::uint64_t sequence = 0;
  std::string_view key;              // as LedgerEntry's
  ChainPlace after;                  // the item's change before the hole
  std::optional<ChainPlace> before;  // its next one; nothing: the hole reaches to the table
  bool lost = false;                 // else an image was put back
  // Of what was put back.
  std::optional<std::uint64_t> version;
  std::string_view object;
  std::uint64_t size = 0;
  Digest digest;
  // Of what is lost.
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> to;
  bool removed = false;
  Instant since;
  Instant until;
};

// As read_shard(). A table without a repair chain has an empty one.
Result<ShardSummary> read_repairs(ArchiveView& archive, const RootFacts& facts,
                                  Incarnation incarnation, const RootOptions& options,
                                  bool& head_found, Report& report,
                                  const std::function<Status(const LedgerRepair&)>& visit,
                                  const std::function<void(std::uint64_t)>& read_bytes);

}  // namespace pawl::audit
