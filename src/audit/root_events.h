// Single events of the root chain: those of guarded tables, and what several events have in common.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "audit/report.h"
#include "audit/root_facts.h"
#include "base/digest.h"

namespace pawl::audit {

// A member of an object: empty, or nothing, where it is missing or of another type.
std::string_view text_at(const simdjson::dom::element& parent, std::string_view key);
std::optional<std::uint64_t> number_at(const simdjson::dom::element& parent, std::string_view key);

// The `definition` of an event that begins a table's life.
void read_definition(const simdjson::dom::element& event, IncarnationFacts& facts);

// How a chain ends for good: its fields in an event, or in an object of one. Returns what is wrong, or nothing.
std::string_view take_end(const simdjson::dom::element& end, std::string source, RootFacts& facts);

// Takes table-guarded, shard-opened and shard-closed into the facts. Each call returns what is wrong with the event, or
// nothing; counts guarded tables and gaps into the report. Both must outlive it. One thread.
class GuardedEvents {
 public:
  GuardedEvents(RootFacts& facts, Report& report) : facts_(facts), report_(report) {}

  std::string_view take_table(const simdjson::dom::element& event);
  std::string_view take_opened(const simdjson::dom::element& event);
  std::string_view take_closed(const simdjson::dom::element& event, std::string source);

 private:
  IncarnationFacts* table_of(const simdjson::dom::element& event, std::optional<ShardId>& shard);

  RootFacts& facts_;
  Report& report_;
  std::set<Digest> sources_;  // of the streams' shards that have a chain
};

}  // namespace pawl::audit
