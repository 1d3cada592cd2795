#include "audit/root_events.h"

#include "audit/repair_reader.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

constexpr std::string_view kNoShard = "its event names no shard of a guarded table that is there";

}  // namespace

std::string_view text_at(const element& parent, std::string_view key) {
  std::string_view text;
  if (parent[key].get(text) != simdjson::SUCCESS) return {};
  return text;
}

std::optional<std::uint64_t> number_at(const element& parent, std::string_view key) {
  std::uint64_t value = 0;
  if (parent[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

void read_definition(const element& event, IncarnationFacts& facts) {
  element definition;
  if (event["definition"].get(definition) != simdjson::SUCCESS) return;
  element key;
  if (definition["partition_key"].get(key) == simdjson::SUCCESS) {
    facts.partition_key = text_at(key, "name");
  }
  if (definition["sort_key"].get(key) == simdjson::SUCCESS) facts.sort_key = text_at(key, "name");
  facts.version_attribute = text_at(definition, "version_attribute");
  facts.checked = facts.guarded && text_at(definition, "objects") == "foreign";
}

std::string_view take_end(const element& end, std::string source, RootFacts& facts) {
  const std::string chain(text_at(end, "shard"));
  const auto last = number_at(end, "last");
  const auto pages = number_at(end, "pages");
  const auto digest = Digest::parse(text_at(end, "digest"));
  if (!last || !pages || (*last == 0) != (*pages == 0) || (*pages > 0 && !digest)) {
    return "what it says of a chain's end is malformed";
  }
  facts.closed[chain] = *last;
  if (*pages > 0) facts.claims[chain].push_back({*pages - 1, *digest, std::move(source)});
  return {};
}

std::string_view GuardedEvents::take_table(const element& event) {
  const auto id = Incarnation::parse(text_at(event, "incarnation"));
  if (!id || facts_.incarnations.contains(*id)) {
    return "its table-guarded event is malformed or repeated";
  }
  IncarnationFacts facts;
  facts.ordinal = static_cast<std::uint32_t>(facts_.incarnations.size());
  facts.table = text_at(event, "table");
  facts.guarded = true;
  read_definition(event, facts);
  facts_.incarnations.emplace(*id, std::move(facts));
  ++report_.guarded_tables;
  return {};
}

// The guarded table that an event is of, and the shard that it names; nullptr if they don't fit.
IncarnationFacts* GuardedEvents::table_of(const element& event, std::optional<ShardId>& shard) {
  const auto id = Incarnation::parse(text_at(event, "incarnation"));
  shard = ShardId::parse(text_at(event, "shard"));
  if (!id || !shard || shard->incarnation != *id) return nullptr;
  const auto found = facts_.incarnations.find(*id);
  if (found == facts_.incarnations.end()) return nullptr;
  return found->second.guarded && !found->second.deleted ? &found->second : nullptr;
}

std::string_view GuardedEvents::take_opened(const element& event) {
  std::optional<ShardId> shard;
  auto* const table = table_of(event, shard);
  if (table == nullptr) return kNoShard;
  if (shard->number == kRepairChain) return "it opens the table's repair chain as a shard's";
  // Chains are numbered in the order in which they are opened.
  const auto above = facts_.opened.lower_bound(*shard);
  if (above != facts_.opened.end() && above->first.incarnation == shard->incarnation) {
    return "it opens a chain again, or out of the order of their numbers";
  }
  std::string source = shard->incarnation.to_string();
  source.append(text_at(event, "stream")).append(1, '\0').append(text_at(event, "source"));
  const bool is_new = sources_.insert(sha256(source)).second;
  OpenedShard opened;
  element parent;
  bool parent_fits = true;
  if (event["parent"].get(parent) == simdjson::SUCCESS) {
    opened.parent = ShardId::parse(text_at(event, "parent"));
    parent_fits = opened.parent && opened.parent->incarnation == shard->incarnation &&
                  facts_.opened.contains(*opened.parent);
    if (!parent_fits) opened.parent.reset();
  }
  opened.gap = event["gap"].get(opened.gap) == simdjson::SUCCESS && opened.gap;
  if (opened.gap) report_.add(KnownGap{table->table, shard->to_string(), 0, {}, {}});
  facts_.opened.emplace(*shard, opened);
  table->shards.push_back(shard->to_string());
  if (!is_new) return "it opens a second chain for a shard of the stream";
  return parent_fits ? std::string_view{}
                     : "it opens a shard whose parent was not announced before it";
}

std::string_view GuardedEvents::take_closed(const element& event, std::string source) {
  std::optional<ShardId> shard;
  const auto* const table = table_of(event, shard);
  if (table == nullptr) return kNoShard;
  const auto opened = facts_.opened.find(*shard);
  const auto chain = shard->to_string();
  if (opened == facts_.opened.end() || facts_.closed.contains(chain)) {
    return "it closes a shard that is not open";
  }
  const auto wrong = take_end(event, std::move(source), facts_);
  if (!wrong.empty()) return wrong;
  auto& gap = opened->second.gap_at_end;
  gap = event["gap"].get(gap) == simdjson::SUCCESS && gap;
  if (gap) report_.add(KnownGap{table->table, chain, facts_.closed[chain] + 1, {}, {}});
  return {};
}

}  // namespace pawl::audit
