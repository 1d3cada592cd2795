#include "audit/history.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "audit/chain_lineage.h"
#include "audit/history_content.h"
#include "audit/repair_reader.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"
#include "base/json_writer.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

// Whether a key of a page is the one that was asked for.
class KeyMatcher {
 public:
  static Result<KeyMatcher> make(const HistoryOptions& options) {
    KeyMatcher matcher(options);
    if (!options.key.starts_with('{')) return matcher;
    simdjson::dom::parser parser;
    element key;
    if (parser.parse(options.key).get(key) != simdjson::SUCCESS || !key.is_object()) {
      return Error{ErrorCode::kInvalid, fmt::format("the key {} is no JSON object", options.key),
                   R"(write it as DynamoDB does: {"hashid":{"S":"A000001"}})"};
    }
    for (const auto& [name, value] : simdjson::dom::object(key)) {
      std::string part;
      append_json_string(part, name);
      part += ':';
      part += simdjson::minify(value);
      matcher.parts_.push_back(std::move(part));
    }
    matcher.whole_ = true;
    return matcher;
  }

  bool matches(std::string_view key, const IncarnationFacts& facts) {
    if (whole_) return matches_whole(key);
    if (key.find(plain_start_) == std::string_view::npos)
      return false;  // cheap: most keys are other ones
    element document;
    if (parser_.parse(key.data(), key.size()).get(document) != simdjson::SUCCESS) return false;
    if (!value_is(document, facts.partition_key, options_.key)) return false;
    return !options_.sort || value_is(document, facts.sort_key, *options_.sort);
  }

 private:
  explicit KeyMatcher(const HistoryOptions& options) : options_(options) {
    const auto escaped = std::find_if(options.key.begin(), options.key.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
    });
    plain_start_.assign(options.key.begin(), escaped);
  }

  bool matches_whole(std::string_view key) const {
    std::size_t size = 1;  // the opening brace; each part has a comma or the closing one behind it
    for (const auto& part : parts_) {
      if (key.find(part) == std::string_view::npos) return false;
      size += part.size() + 1;
    }
    return size == key.size();
  }

  static bool value_is(const element& key, std::string_view name, std::string_view wanted) {
    simdjson::dom::object value;
    if (key[name].get(value) != simdjson::SUCCESS) return false;
    for (const auto& [type, text] : value) {
      std::string_view found;
      if (text.get(found) == simdjson::SUCCESS && found == wanted) return true;
    }
    return false;
  }

  const HistoryOptions& options_;
  std::string plain_start_;  // of the wanted value, up to the first character that JSON escapes
  bool whole_ = false;
  std::vector<std::string> parts_;
  simdjson::dom::parser parser_;
};

// One item's changes in the order in which they happened: by table, key, life of the table, chain and sequence.
void sort_entries(const RootFacts& facts, std::vector<HistoryEntry>& entries) {
  const auto ordinal = [&facts](const HistoryEntry& entry) {
    return facts.incarnations.at(*Incarnation::parse(entry.incarnation)).ordinal;
  };
  const auto item_of = [&](const HistoryEntry& entry) {
    return std::tuple(std::string_view(entry.table), std::string_view(entry.key), ordinal(entry));
  };
  std::sort(entries.begin(), entries.end(), [&](const HistoryEntry& a, const HistoryEntry& b) {
    return std::tuple(item_of(a), ShardId::parse(a.shard), a.sequence) <
           std::tuple(item_of(b), ShardId::parse(b.shard), b.sequence);
  });
  // An item of a guarded table is in one chain after another, and their numbers are not their order.
  const ChainLineage lineage(facts);
  std::vector<HistoryEntry> ordered;
  ordered.reserve(entries.size());
  for (std::size_t begin = 0; begin < entries.size();) {
    std::vector<ChainLineage::Span> chains;
    std::vector<std::size_t> starts;
    std::size_t end = begin;
    for (; end < entries.size() && item_of(entries[end]) == item_of(entries[begin]); ++end) {
      if (end > begin && entries[end].shard == entries[end - 1].shard) continue;
      chains.push_back(
          {ShardId::parse(entries[end].shard).value_or(ShardId{}), entries[end].source});
      starts.push_back(end);
    }
    starts.push_back(end);
    for (const auto chain : lineage.order(chains)) {
      for (auto i = starts[chain]; i < starts[chain + 1]; ++i) {
        ordered.push_back(std::move(entries[i]));
      }
    }
    begin = end;
  }
  entries = std::move(ordered);
}

// An entry of the repair chain, and the change that it stands behind.
struct Repair {
  HistoryEntry entry;
  std::string shard;
  std::uint64_t sequence = 0;
};

Repair make_repair(const LedgerRepair& found, const std::string& table, Incarnation incarnation) {
  Repair repair;
  repair.shard = found.after.shard.to_string();
  repair.sequence = found.after.sequence;
  HistoryEntry& entry = repair.entry;
  entry.table = table;
  entry.incarnation = incarnation.to_string();
  entry.key = found.key;
  entry.kind = found.lost ? "LOST" : "PUT-BACK";
  entry.shard = found.chain.to_string();
  entry.sequence = found.sequence;
  entry.version = found.version;
  entry.object = found.object;
  entry.size = found.size;
  entry.digest = found.digest;
  entry.put_back = !found.lost;
  entry.lost = found.lost;
  entry.from = found.from;
  entry.to = found.to;
  return repair;
}

// Puts each where its hole is: behind the change before it, in the order of the repair chain. One of a change that the ledger
// does not have (`verify` says so) comes last.
std::vector<HistoryEntry> with_repairs(std::vector<HistoryEntry> entries,
                                       std::vector<Repair> repairs) {
  std::map<std::pair<std::string, std::uint64_t>, std::vector<HistoryEntry>> behind;
  for (auto& repair : repairs)
    behind[{std::move(repair.shard), repair.sequence}].push_back(std::move(repair.entry));
  std::vector<HistoryEntry> all;
  all.reserve(entries.size() + repairs.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto hole = behind.extract({entries[i].shard, entries[i].sequence});
    all.push_back(std::move(entries[i]));
    if (hole.empty()) continue;
    const Instant before = all.back().instant;
    const bool newest = i + 1 == entries.size() || entries[i + 1].table != all.back().table ||
                        entries[i + 1].key != all.back().key;
    for (auto& entry : hole.mapped()) {
      // A service's clock may go back from one change to the next.
      entry.instant = newest ? before : std::min(before, entries[i + 1].instant);
      if (!newest) entry.until = std::max(before, entries[i + 1].instant);
      all.push_back(std::move(entry));
    }
  }
  for (auto& hole : behind) {
    std::move(hole.second.begin(), hole.second.end(), std::back_inserter(all));
  }
  return all;
}

// Of each item, the newest version that was there at `at`; and behind it what was put back or lost and may have been.
std::vector<HistoryEntry> current_at(const std::vector<HistoryEntry>& entries, Instant at) {
  std::vector<HistoryEntry> current;
  for (const auto& entry : entries) {
    if (entry.instant > at || (entry.until && *entry.until <= at)) continue;
    const bool known = !entry.put_back && !entry.lost;
    while (known && !current.empty() && current.back().table == entry.table &&
           current.back().key == entry.key) {
      current.pop_back();
    }
    current.push_back(entry);
  }
  return current;
}

bool has_version(const HistoryEntry& entry, std::uint64_t version) {
  if (!entry.lost) return entry.version == version;
  return (entry.from || entry.to) && entry.from.value_or(version) <= version &&
         version <= entry.to.value_or(version);
}

// Reads the whole ledger, for the entries of the items that were asked for.
class LedgerSearch {
 public:
  LedgerSearch(ArchiveView& archive, const HistoryOptions& options, KeyMatcher matcher)
      : archive_(archive), options_(options), matcher_(std::move(matcher)) {
    root_options_.check_signature = [](auto, auto, auto) {
      return true;
    };  // `verify` is who judges
  }

  Result<std::vector<HistoryEntry>> run() {
    Report report;
    PAWL_ASSIGN_OR_RETURN(facts_, read_root(archive_, root_options_, report));
    for (const auto& [id, table] : facts_.incarnations) {
      if (options_.table && table.table != *options_.table) continue;
      PAWL_TRY(read_chains(id, table, report));
      PAWL_TRY(read_repair_chain(id, table, report));
    }
    if (report.findings_total > 0 && entries_.empty()) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("the ledger of {} is damaged: {}", archive_.describe(),
                               to_text(report.findings[0])),
                   "run `pawl verify` on it"};
    }
    sort_entries(facts_, entries_);
    return with_repairs(std::move(entries_), std::move(repairs_));
  }
  // Of entries that run() gave.
  Status read_contents_of(std::vector<HistoryEntry>& entries) {
    return read_contents(archive_, facts_, root_options_, entries);
  }

 private:
  Status read_chains(Incarnation id, const IncarnationFacts& table, Report& report) {
    for (const auto& name : table.shards) {
      const auto shard = ShardId::parse(name);
      if (!shard) continue;
      bool head_found = false;
      PAWL_TRY(read_shard(
          archive_, facts_, *shard, root_options_, head_found, report,
          [&](const LedgerEntry& entry) -> Status {
            if (!matcher_.matches(entry.key, table)) return ok();
            HistoryEntry& found = entries_.emplace_back();
            found.table = table.table;
            found.incarnation = id.to_string();
            found.key = entry.key;
            found.version = entry.version;
            found.kind = name_of(entry.kind);
            found.instant = entry.instant;
            found.object = entry.object;
            found.size = entry.size;
            found.digest = entry.digest;
            found.shard = name;
            found.sequence = entry.sequence;
            found.source = entry.source;
            found.foreign = entry.foreign;
            found.missing = entry.missing;
            return ok();
          },
          [](std::uint64_t) {}));
    }
    return ok();
  }

  Status read_repair_chain(Incarnation id, const IncarnationFacts& table, Report& report) {
    if (!table.guarded) return ok();
    bool head_found = false;
    PAWL_TRY(read_repairs(
        archive_, facts_, id, root_options_, head_found, report,
        [&](const LedgerRepair& repair) -> Status {
          if (matcher_.matches(repair.key, table))
            repairs_.push_back(make_repair(repair, table.table, id));
          return ok();
        },
        [](std::uint64_t) {}));
    return ok();
  }

  ArchiveView& archive_;
  const HistoryOptions& options_;
  KeyMatcher matcher_;
  RootOptions root_options_;
  RootFacts facts_;
  std::vector<HistoryEntry> entries_;
  std::vector<Repair> repairs_;
};

}  // namespace

Result<std::vector<HistoryEntry>> item_history(ArchiveView& archive,
                                               const HistoryOptions& options) {
  PAWL_ASSIGN_OR_RETURN(auto matcher, KeyMatcher::make(options));
  LedgerSearch search(archive, options, std::move(matcher));
  PAWL_ASSIGN_OR_RETURN(auto entries, search.run());
  if (options.version) {
    std::erase_if(entries, [&options](const HistoryEntry& entry) {
      return !has_version(entry, *options.version);
    });
  }
  if (options.at) entries = current_at(entries, *options.at);
  if (options.version || options.at) PAWL_TRY(search.read_contents_of(entries));
  return entries;
}

}  // namespace pawl::audit
