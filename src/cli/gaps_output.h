// What `pawl gaps` says: for people, and as the document of docs/schemas/gaps.schema.json.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/gap_list.h"
#include "audit/gap_recovery.h"
#include "audit/name_pattern.h"
#include "audit/table_search.h"
#include "base/json_writer.h"

namespace pawl::cli {

// What a table adds.
struct GapsTableReport {
  std::string name;
  std::uint64_t unnamed =
      0;               // items without a usable version, or without an attribute of the template
  std::string stream;  // its ARN; "" = it has none
  std::string stream_not_read;   // why, where it wasn't
  audit::StreamSummary summary;  // where it was
  std::uint64_t unreadable = 0;  // images without what a name is made of
};

// All but the holes.
struct GapsReport {
  std::string bucket;  // s3://BUCKET/PREFIX
  std::uint64_t first_version = 0;
  audit::NameCounts names;
  audit::GapTotals totals;
  std::optional<GapsTableReport> table;
};

// Holes are given one by one as they are drained, then the rest; so that a document with millions of them takes no memory.
class GapsOutput {
 public:
  virtual ~GapsOutput() = default;
  virtual Status hole(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries) = 0;
  virtual void end(const GapsReport& report) = 0;
};

// What both commands' documents have of a table and its stream: the field "table".
void write_table(JsonWriter& json, const GapsTableReport& table, const audit::GapTotals& totals);
// The fields "item", "key", "head" and "tail".
void write_item(JsonWriter& json, const audit::NamePattern& pattern, audit::ItemName item);
// One place where a version still is: an object's fields.
void write_way(JsonWriter& json, const audit::Recovery& recovery);
// A store can list any bytes; a JSON document is UTF-8.
std::string utf8(std::string_view bytes);

// On standard output. `pattern` must outlive it.
std::unique_ptr<GapsOutput> make_gaps_text(const audit::NamePattern& pattern, bool with_table);
std::unique_ptr<GapsOutput> make_gaps_json(const audit::NamePattern& pattern);

}  // namespace pawl::cli
