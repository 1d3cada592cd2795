// Reads one shard's chain: checks every page and every entry, and hands the entries on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/report.h"
#include "audit/root_facts.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "port/archive_view.h"
#include "port/signature_check.h"

namespace pawl::audit {

enum class EntryKind : std::uint8_t { kInsert = 0, kModify = 1, kRemove = 2 };
std::string_view name_of(EntryKind kind);

// One change as a page lists it. Views are valid during the call only.
struct LedgerEntry {
  ShardId shard;
  std::uint64_t sequence = 0;
  std::string_view source;  // the record's own number in a guarded table's stream; empty otherwise
  std::string_view key;     // DynamoDB JSON, as it stands in the page without white space
  std::optional<std::uint64_t> version;  // absent in guarded tables only
  EntryKind kind = EntryKind::kInsert;
  Instant instant;
  std::string_view object;
  std::uint64_t size = 0;
  Digest digest;
  bool has_gap = false;  // records before it were trimmed before they were read
  // Of a checked table: whose the object is (somebody else's; Pawl's in the place of one that did not come), or that nobody's
  // had come by its deadline; then it has no size and digest.
  bool foreign = false;
  bool repaired = false;
  bool missing = false;
  bool redelivered = false;  // a foreign one that was there only after Pawl had asked again
};

struct ShardSummary {
  std::uint64_t pages = 0;
  std::uint64_t last_sequence = 0;
  Instant last_instant;  // of the newest page
};

// Reads the whole chain of `shard`. What is wrong goes to `report`; after a page that can't be read
// or does not follow, the rest of the chain is not read and one finding says so. Errors: I/O, or
// what `visit` returned.
Result<ShardSummary> read_shard(ArchiveView& archive, const RootFacts& facts, ShardId shard,
                                const RootOptions& options, bool& head_found, Report& report,
                                const std::function<Status(const LedgerEntry&)>& visit,
                                const std::function<void(std::uint64_t)>& read_bytes);

}  // namespace pawl::audit
