#include "audit/history.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "audit/body_facts.h"
#include "audit/chain_lineage.h"
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

Status read_bodies(ArchiveView& archive, std::vector<HistoryEntry>& entries) {
  for (auto& entry : entries) {
    if (entry.missing) continue;
    PAWL_ASSIGN_OR_RETURN(auto body, archive.read(entry.object, 0, kBodySizeMax));
    if (!body) {
      const auto hashed = ".pawl/hashed/" + sha256(entry.object).to_hex();
      PAWL_ASSIGN_OR_RETURN(body, archive.read(hashed, 0, kBodySizeMax));
    }
    if (!body) continue;
    entry.body = std::move(*body);
    if (entry.foreign) continue;
    if (const auto facts = read_body(entry.body)) entry.image = facts->new_image;
  }
  return ok();
}

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

// Of each item, the newest version that was there at `at`.
std::vector<HistoryEntry> current_at(const std::vector<HistoryEntry>& entries, Instant at) {
  std::vector<HistoryEntry> current;
  for (const auto& entry : entries) {
    if (entry.instant > at) continue;
    if (!current.empty() && current.back().table == entry.table &&
        current.back().key == entry.key) {
      current.back() = entry;
    } else {
      current.push_back(entry);
    }
  }
  return current;
}

}  // namespace

Result<std::vector<HistoryEntry>> item_history(ArchiveView& archive,
                                               const HistoryOptions& options) {
  PAWL_ASSIGN_OR_RETURN(auto matcher, KeyMatcher::make(options));
  Report report;
  RootOptions root_options;
  root_options.check_signature = [](auto, auto, auto) { return true; };  // `verify` is who judges
  PAWL_ASSIGN_OR_RETURN(const auto facts, read_root(archive, root_options, report));
  std::vector<HistoryEntry> entries;
  for (const auto& lived : facts.incarnations) {
    const auto& id = lived.first;
    const auto& table = lived.second;
    if (options.table && table.table != *options.table) continue;
    for (const auto& name : table.shards) {
      const auto shard = ShardId::parse(name);
      if (!shard) continue;
      bool head_found = false;
      PAWL_TRY(read_shard(
          archive, facts, *shard, root_options, head_found, report,
          [&](const LedgerEntry& entry) -> Status {
            if (options.version && entry.version != *options.version) return ok();
            if (!matcher.matches(entry.key, table)) return ok();
            entries.push_back({table.table,
                               id.to_string(),
                               std::string(entry.key),
                               entry.version,
                               std::string(name_of(entry.kind)),
                               entry.instant,
                               std::string(entry.object),
                               name,
                               entry.sequence,
                               std::string(entry.source),
                               entry.foreign,
                               entry.missing,
                               {},
                               {}});
            return ok();
          },
          [](std::uint64_t) {}));
    }
  }
  if (report.findings_total > 0 && entries.empty()) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the ledger of {} is damaged: {}", archive.describe(),
                             to_text(report.findings[0])),
                 "run `pawl verify` on it"};
  }
  sort_entries(facts, entries);
  if (options.at) entries = current_at(entries, *options.at);
  if (options.version || options.at) PAWL_TRY(read_bodies(archive, entries));
  return entries;
}

}  // namespace pawl::audit
