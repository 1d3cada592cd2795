#include "audit/repair_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "audit/ledger_lines.h"
#include "audit/root_events.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

constexpr std::size_t kNameSizeMax = 2048;
constexpr std::uint64_t kGuardedVersionMax = std::uint64_t{1} << 53;

// A version that may be absent; false if it is there and none.
bool read_version(const element& parent, std::string_view name,
                  std::optional<std::uint64_t>& version) {
  element field;
  if (parent[name].get(field) != simdjson::SUCCESS) return true;
  version = number_at(parent, name);
  return version && *version <= kGuardedVersionMax;
}

class RepairReader {
 public:
  RepairReader(const RootFacts& facts, Incarnation incarnation, const RootOptions& options,
               bool& head_found, Report& report,
               const std::function<Status(const LedgerRepair&)>& visit)
      : facts_(facts),
        shard_{incarnation, kRepairChain},
        chain_(shard_.to_string()),
        table_(facts.incarnations.at(incarnation).table),
        options_(options),
        head_found_(head_found),
        report_(report),
        visit_(visit) {}

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
    simdjson::dom::array repairs;
    if (page["repairs"].get(repairs) != simdjson::SUCCESS) {
      return stop(FindingKind::kDamagedPage, "it has no repairs");
    }
    for (const element repair : repairs) {
      if (!take_repair(repair)) return false;
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

  const ShardSummary& summary() const { return summary_; }
  Status take_error() { return std::move(error_); }

 private:
  bool stop(FindingKind kind, const std::string& detail) {
    add(kind, detail + "; the rest of this chain was not read");
    return false;
  }
  void add(FindingKind kind, std::string detail) {
    report_.add({kind, table_, {}, {}, {}, chain_, {}, summary_.pages, std::move(detail)});
  }

  bool take_header(const element& page, const RawLine& raw, const LedgerLine& line) {
    if (text_at(page, "format") != "pawl-repair-page/1" || text_at(page, "chain") != chain_ ||
        text_at(page, "archive") != facts_.archive_id) {
      return stop(FindingKind::kDamagedPage, "it is no repair page of this chain and archive");
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

  bool take_repair(const element& repair) {
    LedgerRepair entry;
    entry.chain = shard_;
    entry.sequence = number_at(repair, "sequence").value_or(0);
    if (entry.sequence != summary_.last_sequence + 1) {
      return stop(FindingKind::kDamagedPage,
                  fmt::format("after entry {} comes {}", summary_.last_sequence, entry.sequence));
    }
    element key;
    element lost;
    entry.lost = repair["lost"].get(lost) == simdjson::SUCCESS;
    if (repair["key"].get(key) != simdjson::SUCCESS || !key.is_object() ||
        !take_places(repair, entry) ||
        !(entry.lost ? take_lost(repair, lost, entry) : take_put_back(repair, entry))) {
      return stop(FindingKind::kDamagedPage, fmt::format("entry {} is malformed", entry.sequence));
    }
    key_text_ = simdjson::minify(key);
    entry.key = key_text_;
    summary_.last_sequence = entry.sequence;
    error_ = visit_(entry);
    return error_.ok();
  }

  // A change of the same table.
  std::optional<ChainPlace> place_at(const element& repair, std::string_view name) const {
    element place;
    if (repair[name].get(place) != simdjson::SUCCESS) return std::nullopt;
    const auto shard = ShardId::parse(text_at(place, "shard"));
    const auto sequence = number_at(place, "sequence");
    if (!shard || !sequence || *sequence == 0 || shard->incarnation != shard_.incarnation ||
        shard->number == kRepairChain) {
      return std::nullopt;
    }
    return ChainPlace{*shard, *sequence};
  }

  bool take_places(const element& repair, LedgerRepair& entry) const {
    const auto after = place_at(repair, "after");
    if (!after) return false;
    entry.after = *after;
    element before;
    if (repair["before"].get(before) != simdjson::SUCCESS) return true;
    entry.before = place_at(repair, "before");
    return entry.before.has_value();
  }

  static bool take_put_back(const element& repair, LedgerRepair& entry) {
    entry.object = text_at(repair, "object");
    const auto size = number_at(repair, "size");
    const auto digest = Digest::parse(text_at(repair, "sha256"));
    if (!size || !digest || entry.object.empty() || entry.object.size() > kNameSizeMax ||
        entry.object.find('\0') != std::string_view::npos ||
        text_at(repair, "repaired") != (entry.before ? "old-image" : "table")) {
      return false;
    }
    entry.size = *size;
    entry.digest = *digest;
    return read_version(repair, "version", entry.version);
  }

  static bool take_lost(const element& repair, const element& lost, LedgerRepair& entry) {
    element other;
    const auto since = Instant::parse(text_at(lost, "since"));
    const auto until = Instant::parse(text_at(lost, "until"));
    // What is lost has no object.
    if (!since || !until || repair["object"].get(other) == simdjson::SUCCESS ||
        repair["repaired"].get(other) == simdjson::SUCCESS ||
        !read_version(lost, "from", entry.from) || !read_version(lost, "to", entry.to)) {
      return false;
    }
    entry.since = *since;
    entry.until = *until;
    const bool has_flag = lost["removed"].get(other) == simdjson::SUCCESS;
    if (has_flag && (other.get(entry.removed) != simdjson::SUCCESS || !entry.removed)) return false;
    if (entry.from && !entry.to) return false;
    return !entry.from || *entry.from <= *entry.to;
  }

  const RootFacts& facts_;
  ShardId shard_;
  std::string chain_;
  std::string table_;
  const RootOptions& options_;
  bool& head_found_;
  Report& report_;
  const std::function<Status(const LedgerRepair&)>& visit_;
  simdjson::dom::parser parser_;
  std::string key_text_;
  ShardSummary summary_;
  std::uint64_t last_ = 0;
  Digest previous_;
  Status error_ = ok();
};

}  // namespace

Result<ShardSummary> read_repairs(ArchiveView& archive, const RootFacts& facts,
                                  Incarnation incarnation, const RootOptions& options,
                                  bool& head_found, Report& report,
                                  const std::function<Status(const LedgerRepair&)>& visit,
                                  const std::function<void(std::uint64_t)>& read_bytes) {
  RepairReader reader(facts, incarnation, options, head_found, report, visit);
  PAWL_TRY(read_chain(
      archive, ShardId{incarnation, kRepairChain}.to_string(),
      [&reader](const RawLine& line) { return reader.take(line); }, read_bytes));
  PAWL_TRY(reader.take_error());
  return reader.summary();
}

}  // namespace pawl::audit
