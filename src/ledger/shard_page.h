// Pages of shard chains: which changes there were, and which object holds each. The format:
// ledger/page_format.h and docs/internals/archive-format.md, "Shard pages".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "item/change.h"

namespace pawl::ledger {

// One change and its object.
struct PageEntry {
  SequenceNumber sequence;
  std::string
      source;  // of a guarded table's change: its own number (item/source_number.h), else empty
  item::Item key;
  std::optional<Version> version;  // absent in a guarded table's change only (item/change.h)
  item::ChangeKind kind = item::ChangeKind::kInsert;
  Instant instant;  // of the commit; of a guarded change what the service says, in no order
  std::string object;
  std::uint64_t size = 0;
  Digest sha256;
  // In a guarded table's change only, and at most one of the two (docs/internals/archive-format.md, "Tables that are
  // checked"): somebody else wrote the object; or nobody had by its deadline, so there is neither size nor digest.
  bool foreign = false;
  bool missing = false;
  // Of a foreign one: it was there only after Pawl had given the change to its function once more.
  bool redelivered = false;
  // In a guarded table's change only: what stood between this record and the one with this number was trimmed before it
  // was read, or never came. Empty: nothing had been read before, and this is the chain's first change.
  std::optional<std::string> gap;
  std::optional<std::string> renamed;   // the name that was taken by other content
  std::optional<std::string> repaired;  // how, if the object was put back later
  bool operator==(const PageEntry&) const = default;
};

struct ShardPage {
  std::string archive;  // 16 hex digits
  ShardId shard;
  PageIndex page;
  Digest previous;  // zero for page 0
  Instant instant;
  std::vector<PageEntry> entries;  // 1 to kChangesPerPageMax, dense in sequence
  bool operator==(const ShardPage&) const = default;

  SequenceNumber first() const { return entries.front().sequence; }
  SequenceNumber last() const { return entries.back().sequence; }
};

// One entry as JSON: what encode_page() puts between its brackets, so that a writer can render entries beforehand
// and knows their size.
std::string encode_entry(const PageEntry& entry);
// The page around entries that were rendered by encode_entry(), in order; `page.entries` is not looked at.
std::string encode_page(const ShardPage& page, SequenceNumber first, SequenceNumber last,
                        const std::vector<std::string>& entries);
std::string encode_page(const ShardPage& page);

// Checks the form, that the changes are dense and their instants don't decrease (of a guarded table: that their source
// numbers grow; a page holds only one sort), and the bounds of the format.
// What ties it to the page before is ledger/chain.h. Errors: kCorrupt.
Result<ShardPage> parse_page(std::string_view json);

// "INSERT", "MODIFY", "REMOVE", as item::name_of writes them.
std::optional<item::ChangeKind> parse_change_kind(std::string_view name);

}  // namespace pawl::ledger
