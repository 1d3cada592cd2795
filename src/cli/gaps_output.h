// What `pawl gaps` says: for people, and as the document of docs/schemas/gaps.schema.json.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "audit/gap_list.h"
#include "audit/name_pattern.h"

namespace pawl::cli {

// All but the holes.
struct GapsReport {
  std::string bucket;  // s3://BUCKET/PREFIX
  std::uint64_t first_version = 0;
  audit::NameCounts names;
  audit::GapTotals totals;
};

// Holes are given one by one as they are drained, then the rest; so that a document with millions of them takes no memory.
class GapsOutput {
 public:
  virtual ~GapsOutput() = default;
  virtual Status hole(const audit::Gap& gap) = 0;
  virtual void end(const GapsReport& report) = 0;
};

// On standard output. `pattern` must outlive it.
std::unique_ptr<GapsOutput> make_gaps_text(const audit::NamePattern& pattern);
std::unique_ptr<GapsOutput> make_gaps_json(const audit::NamePattern& pattern);

}  // namespace pawl::cli
