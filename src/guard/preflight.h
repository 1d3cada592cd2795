// What the guard finds before it starts, says to a person, and refuses to start with: everything that would otherwise be
// noticed by a hole in the archive. Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/object_naming.h"
#include "base/result.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl::guard {

struct PreflightLine {
  enum class Verdict : std::uint8_t { kGood, kNote, kRefused };
  Verdict verdict = Verdict::kGood;
  std::string what;   // "stream"
  std::string found;  // one sentence
};

struct Preflight {
  SourceTableFacts facts;
  std::uint64_t open_shards = 0;
  std::uint64_t shards = 0;  // that the stream lists
  std::vector<PreflightLine> lines;

  bool refused() const;
};

struct PreflightAsk {
  std::string name_template;
  std::optional<std::string> version_attribute;
};

// Errors: those of the table (no such table, not allowed). What is merely wrong with it is in the lines.
Awaitable<Result<Preflight>> preflight(SourceTable& table, TableStream& stream, PreflightAsk ask);

// The IAM policy that `guard record` needs, as a JSON document for people to paste.
struct PolicyNames {
  std::string table_arn;
  std::string lease_table_arn;
  std::string bucket;
  std::string prefix;  // "" = the whole bucket
};
std::string iam_policy(const PolicyNames& names);

// US dollars; prices of 2026 (shared design, FACTS, "Prices"): what the requests cost, not storage or transfer.
struct MonthlyCost {
  double fixed = 0;  // with nothing changing: polling of the shards that are open now, leases
  double per_million_changes = 0;
};
MonthlyCost estimate_cost(std::uint64_t open_shards);

}  // namespace pawl::guard
