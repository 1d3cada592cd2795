#include "audit/entry_chain_reader.h"

#include <fmt/format.h>

#include "audit/root_events.h"

namespace pawl::audit {

using simdjson::dom::element;

Result<ShardSummary> EntryChainReader::read(ArchiveView& archive,
                                            const std::function<void(std::uint64_t)>& read_bytes) {
  PAWL_TRY(read_chain(
      archive, form_.chain, [this](const RawLine& line) { return take(line); }, read_bytes));
  return summary_;
}

bool EntryChainReader::take(const RawLine& raw) {
  if (!raw.complete) {
    ++report_.torn_pages;
    return false;
  }
  std::string why;
  element page;
  const auto line = parse_page(raw, parser_, page, why);
  if (!line) return stop(FindingKind::kDamagedPage, why);
  if (!take_header(page, raw, *line)) return false;
  simdjson::dom::array entries;
  if (page[form_.list].get(entries) != simdjson::SUCCESS) {
    return stop(FindingKind::kDamagedPage, fmt::format("it has no list \"{}\"", form_.list));
  }
  for (const element entry : entries) {
    if (!take_entry(entry)) return false;
  }
  if (summary_.last_sequence != last_) {
    return stop(FindingKind::kDamagedPage, "it holds fewer entries than it says");
  }
  if (options_.expected_head == line->digest) head_found_ = true;
  previous_ = line->digest;
  ++summary_.pages;
  ++report_.pages;
  return true;
}

bool EntryChainReader::stop(FindingKind kind, const std::string& detail) {
  add(kind, detail + "; the rest of this chain was not read");
  return false;
}

void EntryChainReader::add(FindingKind kind, std::string detail) {
  report_.add({kind, form_.table, {}, {}, {}, form_.chain, {}, summary_.pages, std::move(detail)});
}

bool EntryChainReader::take_header(const element& page, const RawLine& raw,
                                   const LedgerLine& line) {
  if (text_at(page, "format") != form_.format || text_at(page, "chain") != form_.chain ||
      text_at(page, "archive") != facts_.archive_id) {
    return stop(FindingKind::kDamagedPage, "it is no page of this chain and archive");
  }
  if (number_at(page, "page") != summary_.pages ||
      text_at(page, "previous") != previous_.to_hex()) {
    return stop(FindingKind::kBrokenChain,
                "it does not follow the page before it: pages were removed, repeated or rewritten");
  }
  const auto instant = Instant::parse(text_at(page, "instant"));
  if (!instant) return stop(FindingKind::kDamagedPage, "it has no instant");
  if (*instant < summary_.last_instant) {
    add(FindingKind::kOutOfOrder, "its instant is before that of the page before it");
  }
  summary_.last_instant = *instant;
  const auto first = number_at(page, "first");
  const auto last = number_at(page, "last");
  if (first != summary_.last_sequence + 1 || !last || *last < *first) {
    return stop(FindingKind::kDamagedPage,
                fmt::format("it does not go on after entry {}", summary_.last_sequence));
  }
  last_ = *last;
  // As of any chain: the first page of a volume must be signed, where the archive is.
  const bool must = raw.first_of_volume || !line.signature.empty();
  if (must && !facts_.public_keys.empty() &&
      !signature_holds(line, facts_.public_keys, options_.check_signature)) {
    add(FindingKind::kBadSignature, line.signature.empty()
                                        ? "the first page of a volume is not signed"
                                        : "its signature was not made with the ledger's key");
  }
  return true;
}

bool EntryChainReader::take_entry(const element& entry) {
  const auto sequence = number_at(entry, "sequence").value_or(0);
  if (sequence != summary_.last_sequence + 1) {
    return stop(FindingKind::kDamagedPage,
                fmt::format("after entry {} comes {}", summary_.last_sequence, sequence));
  }
  const Taken taken = visit_(entry, sequence);
  if (taken == Taken::kMalformed)
    return stop(FindingKind::kDamagedPage, fmt::format("entry {} is malformed", sequence));
  if (taken == Taken::kStop) return false;
  summary_.last_sequence = sequence;
  return true;
}

}  // namespace pawl::audit
