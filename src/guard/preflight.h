// What the guard finds before it starts, says to a person, and refuses to start with: everything that would otherwise be
// noticed by a hole in the archive. Writes nothing but what `probe_archive` does (.pawl/probe, which says nothing).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/clock.h"
#include "port/lease_store.h"
#include "port/random.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl::guard {

struct PreflightLine {
  enum class Verdict : std::uint8_t { kGood, kNote, kRefused };
  Verdict verdict = Verdict::kGood;
  std::string what;   // "stream": one of a few words, for programs
  std::string found;  // one sentence
  std::string to_do;  // another; "" where there is nothing to do
};
// "good", "note", "refused".
std::string_view name_of(PreflightLine::Verdict verdict);

struct Preflight {
  SourceTableFacts facts;
  std::uint64_t shards = 0;  // that the stream lists
  std::uint64_t open_shards = 0;
  std::uint64_t workers = 0;  // of this guard, that live
  std::vector<PreflightLine> lines;

  bool refused() const;
};

struct PreflightAsk {
  std::string name_template;
  std::optional<std::string> version_attribute;
  std::string lease_table;
  bool check = false;  // somebody else names and writes the objects
};

// All must outlive the call. One executor.
struct PreflightPorts {
  SourceTable& table;
  TableStream& stream;
  LeaseStore& leases;
  Clock& clock;
  // Whether the archive's store honours conditions and the archive can be written; the sentence that says what was found.
  std::function<Awaitable<Result<std::string>>()> probe_archive;
};

// Takes some seconds. Errors: those of the table (no such table, not allowed, no answer). What is merely wrong is in the lines.
Awaitable<Result<Preflight>> preflight(PreflightPorts ports, PreflightAsk ask);

// Whether the table of leases does what leases need: writes, refuses under a condition, and erases a row of its own. To other
// workers it looks like one that comes and goes. Errors: kInvalid (it ignores conditions), kUnavailable.
Awaitable<Status> probe_leases(LeaseStore& leases, Random& random);

// The IAM policy that a worker needs, as a JSON document.
struct PolicyNames {
  // Among somebody else's objects a worker is allowed to put its ledger, and what it puts in, by their names: then the
  // credentials themselves can't touch what is theirs.
  enum class Puts : std::uint8_t { kEverything, kLedgerAndMissing, kLedger };
  std::string table_arn;
  std::string lease_table_arn;
  std::string bucket;
  std::string prefix;  // "" = the whole bucket
  Puts puts = Puts::kEverything;
};
std::string iam_policy(const PolicyNames& names);
// Compact JSON line by line.
std::string indented(std::string_view json);

// US dollars, Amazon's list prices of 2026 in its cheapest region: what the requests cost, not storage or transfer.
struct MonthlyCost {
  double polling = 0;  // of the shards that are open now, while nothing changes
  double leases = 0;   // of one worker
  // An object each (or, where somebody else's are checked, some looks at each), and a page for what is read at once: many
  // changes a page, or one.
  double per_million_changes_least = 0;
  double per_million_changes_most = 0;
};
MonthlyCost estimate_cost(std::uint64_t open_shards, bool check);

}  // namespace pawl::guard
