#include "audit/shard_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <map>

#include "audit/ledger_lines.h"
#include "audit/source_number.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

class ShardReader {
 public:
  ShardReader(const RootFacts& facts, ShardId shard, const RootOptions& options, bool& head_found,
              Report& report, const std::function<Status(const LedgerEntry&)>& visit)
      : facts_(facts),
        shard_(shard),
        chain_(shard.to_string()),
        options_(options),
        head_found_(head_found),
        report_(report),
        visit_(visit) {
    const auto incarnation = facts.incarnations.find(shard.incarnation);
    if (incarnation != facts.incarnations.end()) {
      table_ = incarnation->second.table;
      guarded_ = incarnation->second.guarded;
      checked_ = incarnation->second.checked;
    }
    const auto claims = facts.claims.find(chain_);
    if (claims == facts.claims.end()) return;
    for (const auto& claim : claims->second) claims_.emplace(claim.page, &claim);
  }

  // False to stop reading.
  bool take(const RawLine& raw) {
    if (!raw.complete) {
      ++report_.torn_pages;
      return false;
    }
    std::string why;
    element page;
    const auto line = parse_page(raw, parser_, page, why);
    if (!line) return stop(FindingKind::kDamagedPage, why);
    if (!take_header(page, raw, *line)) return false;
    simdjson::dom::array changes;
    if (page["changes"].get(changes) != simdjson::SUCCESS) {
      return stop(FindingKind::kDamagedPage, "it has no changes");
    }
    for (const element change : changes) {
      if (!take_change(change)) return false;
    }
    if (summary_.last_sequence != last_) {
      return stop(FindingKind::kMissingChange,
                  fmt::format("it says that it ends at sequence {}, and its changes end at {}",
                              last_, summary_.last_sequence));
    }
    check_claims(line->digest);
    if (options_.expected_head == line->digest) head_found_ = true;
    previous_ = line->digest;
    ++summary_.pages;
    ++report_.pages;
    return true;
  }

  // What the chain should have had after its end.
  void finish() {
    for (const auto& [page, claim] : claims_) {
      if (page < summary_.pages || stopped_) continue;
      report_.add({FindingKind::kCutOff,
                   table_,
                   {},
                   {},
                   {},
                   chain_,
                   {},
                   page,
                   fmt::format("{} names this page, and the chain ends after {} pages",
                               claim->source, summary_.pages)});
    }
    const auto closed = facts_.closed.find(chain_);
    if (closed != facts_.closed.end() && !stopped_ && closed->second != summary_.last_sequence) {
      report_.add(
          {FindingKind::kCutOff,
           table_,
           {},
           {},
           {},
           chain_,
           closed->second,
           {},
           fmt::format("the root chain closed it after this change, and the chain ends at {}",
                       summary_.last_sequence)});
    }
  }

  const ShardSummary& summary() const { return summary_; }
  Status take_error() { return std::move(error_); }

 private:
  bool stop(FindingKind kind, const std::string& detail) {
    report_.add({kind,
                 table_,
                 {},
                 {},
                 {},
                 chain_,
                 {},
                 summary_.pages,
                 detail + "; the rest of this chain was not read"});
    stopped_ = true;
    return false;
  }

  static std::string_view text_at(const element& parent, std::string_view key) {
    std::string_view text;
    if (parent[key].get(text) != simdjson::SUCCESS) return {};
    return text;
  }
  static std::uint64_t number_at(const element& parent, std::string_view key) {
    std::uint64_t value = 0;
    if (parent[key].get(value) != simdjson::SUCCESS) return kNoNumber;
    return value;
  }

  bool take_header(const element& page, const RawLine& raw, const LedgerLine& line) {
    if (text_at(page, "format") != "pawl-page/1" || text_at(page, "chain") != chain_ ||
        text_at(page, "archive") != facts_.archive_id) {
      return stop(FindingKind::kDamagedPage, "it is no page of this chain and archive");
    }
    if (number_at(page, "page") != summary_.pages ||
        text_at(page, "previous") != previous_.to_hex()) {
      return stop(
          FindingKind::kBrokenChain,
          "it does not follow the page before it: pages were removed, repeated or rewritten");
    }
    const auto instant = Instant::parse(text_at(page, "instant"));
    if (!instant) return stop(FindingKind::kDamagedPage, "it has no instant");
    if (*instant < summary_.last_instant) {
      report_.add({FindingKind::kOutOfOrder,
                   table_,
                   {},
                   {},
                   {},
                   chain_,
                   {},
                   summary_.pages,
                   "its instant is before that of the page before it"});
    }
    summary_.last_instant = *instant;
    const auto first = number_at(page, "first");
    last_ = number_at(page, "last");
    if (first != summary_.last_sequence + 1) {
      return stop(FindingKind::kMissingChange,
                  fmt::format("it starts at sequence {}, and the page before it ends at {}", first,
                              summary_.last_sequence));
    }
    if (last_ < first || last_ == kNoNumber) {
      return stop(FindingKind::kDamagedPage, "its last sequence number is before its first");
    }
    // The first page of a volume must be signed; any other may be, and then truly.
    const bool must = raw.first_of_volume || !line.signature.empty();
    if (must && !facts_.public_keys.empty() &&
        !signature_holds(line, facts_.public_keys, options_.check_signature)) {
      report_.add({FindingKind::kBadSignature,
                   table_,
                   {},
                   {},
                   {},
                   chain_,
                   {},
                   summary_.pages,
                   line.signature.empty() ? "the first page of a volume is not signed"
                                          : "its signature was not made with the ledger's key"});
    }
    return true;
  }

  bool take_change(const element& change) {
    LedgerEntry entry;
    entry.shard = shard_;
    entry.sequence = number_at(change, "sequence");
    if (const auto version = number_at(change, "version"); version != kNoNumber) {
      entry.version = version;
    }
    entry.object = text_at(change, "object");
    const bool whose = take_whose(change, entry);
    entry.size = entry.missing ? 0 : number_at(change, "size");
    const auto digest = entry.missing ? Digest{} : Digest::parse(text_at(change, "sha256"));
    const auto instant = Instant::parse(text_at(change, "instant"));
    const auto kind = text_at(change, "kind");
    element key;
    if (entry.sequence != summary_.last_sequence + 1) {
      return stop(FindingKind::kMissingChange, fmt::format("after sequence {} comes {}",
                                                           summary_.last_sequence, entry.sequence));
    }
    if (!whose || !digest || !instant || !take_guarded(change, entry) || entry.size == kNoNumber ||
        entry.object.empty() || entry.object.size() > kNameSizeMax ||
        entry.object.find('\0') != std::string_view::npos ||
        change["key"].get(key) != simdjson::SUCCESS || !key.is_object() ||
        (kind != "INSERT" && kind != "MODIFY" && kind != "REMOVE")) {
      return stop(FindingKind::kDamagedPage,
                  fmt::format("the entry of sequence {} is malformed", entry.sequence));
    }
    key_text_ = simdjson::minify(key);
    entry.key = key_text_;
    entry.kind = kind == "INSERT"   ? EntryKind::kInsert
                 : kind == "MODIFY" ? EntryKind::kModify
                                    : EntryKind::kRemove;
    entry.digest = *digest;
    entry.instant = *instant;
    if (guarded_) {
      check_source(entry);
    } else {
      if (entry.instant < change_instant_) {
        disorder(FindingKind::kOutOfOrder, entry,
                 "its instant is before that of the change before it");
      }
      change_instant_ = entry.instant;
    }
    summary_.last_sequence = entry.sequence;
    error_ = visit_(entry);
    return error_.ok();
  }

  // What only checked tables' entries have. False if it is malformed, or in another table's.
  bool take_whose(const element& change, LedgerEntry& entry) const {
    const auto flag = [&change](std::string_view name, bool& value) {
      element field;
      if (change[name].get(field) != simdjson::SUCCESS) return true;
      return field.get(value) == simdjson::SUCCESS && value;
    };
    entry.repaired = !text_at(change, "repaired").empty();
    if (!flag("foreign", entry.foreign) || !flag("missing", entry.missing) ||
        !flag("redelivered", entry.redelivered)) {
      return false;
    }
    if (entry.redelivered && !entry.foreign) return false;
    if (!entry.foreign && !entry.missing) return true;
    return checked_ && entry.foreign != entry.missing && !entry.repaired;
  }

  // What only guarded tables' entries have, and the version, which only they may lack. False if it is malformed.
  bool take_guarded(const element& change, LedgerEntry& entry) {
    element field;
    const bool has_source = change["source"].get(field) == simdjson::SUCCESS;
    entry.has_gap = change["gap"].get(field) == simdjson::SUCCESS;
    if (!guarded_) return entry.version && !has_source && !entry.has_gap;
    const bool has_version = change["version"].get(field) == simdjson::SUCCESS;
    if (has_version && (!entry.version || *entry.version > kGuardedVersionMax)) return false;
    entry.source = text_at(change, "source");
    if (!is_source_number(entry.source)) return false;
    if (!entry.has_gap) return true;
    std::string_view gap;
    if (change["gap"].get(gap) != simdjson::SUCCESS) return false;
    if (gap.empty() ? entry.sequence != 1
                    : !is_source_number(gap) || !source_before(gap, entry.source)) {
      return false;
    }
    std::optional<std::string> after;
    if (!gap.empty()) after = gap;
    report_.add(
        KnownGap{table_, chain_, entry.sequence, std::move(after), std::string(entry.source)});
    return source_.empty() || !source_before(gap, source_);
  }

  // The service's numbers grow within a shard: else a record was entered twice, or in a wrong place.
  void check_source(const LedgerEntry& entry) {
    if (!source_.empty() && entry.source == source_) {
      disorder(FindingKind::kDuplicateChange, entry, "its record is that of the change before it");
    } else if (!source_.empty() && !source_before(source_, entry.source)) {
      disorder(FindingKind::kOutOfOrder, entry,
               fmt::format("its record {} comes before record {} of the change before it",
                           entry.source, source_));
    }
    source_ = entry.source;
  }

  void disorder(FindingKind kind, const LedgerEntry& entry, std::string detail) {
    report_.add({kind,
                 table_,
                 key_text_,
                 entry.version,
                 {},
                 chain_,
                 entry.sequence,
                 summary_.pages,
                 std::move(detail)});
  }

  void check_claims(const Digest& digest) {
    for (auto [at, end] = claims_.equal_range(summary_.pages); at != end; ++at) {
      if (at->second->digest == digest) continue;
      report_.add({FindingKind::kBrokenChain,
                   table_,
                   {},
                   {},
                   {},
                   chain_,
                   {},
                   summary_.pages,
                   fmt::format("its digest is not the one that {} names: the chain was rewritten",
                               at->second->source)});
    }
  }

  static constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};
  static constexpr std::size_t kNameSizeMax = 2048;
  static constexpr std::uint64_t kGuardedVersionMax = std::uint64_t{1} << 53;

  const RootFacts& facts_;
  ShardId shard_;
  std::string chain_;
  std::string table_;
  bool guarded_ = false;
  bool checked_ = false;
  const RootOptions& options_;
  bool& head_found_;
  Report& report_;
  const std::function<Status(const LedgerEntry&)>& visit_;
  std::multimap<std::uint64_t, const Claim*> claims_;
  simdjson::dom::parser parser_;
  std::string key_text_;
  ShardSummary summary_;
  std::uint64_t last_ = 0;
  Digest previous_;
  Instant change_instant_;
  std::string source_;  // of the last change of a guarded table
  bool stopped_ = false;
  Status error_ = ok();
};

}  // namespace

std::string_view name_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kInsert:
      return "INSERT";
    case EntryKind::kModify:
      return "MODIFY";
    case EntryKind::kRemove:
      return "REMOVE";
  }
  return "";
}

Result<ShardSummary> read_shard(ArchiveView& archive, const RootFacts& facts, ShardId shard,
                                const RootOptions& options, bool& head_found, Report& report,
                                const std::function<Status(const LedgerEntry&)>& visit,
                                const std::function<void(std::uint64_t)>& read_bytes) {
  ShardReader reader(facts, shard, options, head_found, report, visit);
  PAWL_TRY(read_chain(
      archive, shard.to_string(), [&reader](const RawLine& line) { return reader.take(line); },
      read_bytes));
  PAWL_TRY(reader.take_error());
  reader.finish();
  return reader.summary();
}

}  // namespace pawl::audit
