// Fetches, from the table itself, the missing versions that nothing but the table has any more.
//
// An item is asked for by its key, which its name tells, a hundred at once. Where a name can be divided in more than one way,
// or doesn't hold the whole key, the table is scanned once instead: that costs what the search's own scan cost.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "audit/gap_recovery.h"
#include "audit/name_pattern.h"
#include "port/source_table.h"

namespace pawl::audit {

// One executor; coroutines of it may overlap there, and must have returned before it is destroyed.
class TableImages {
 public:
  // All must outlive it. `progress` is told how many items have come.
  TableImages(SourceTable& table, const SourceTableFacts& facts, const NamePattern& pattern,
              GapRecovery& recovery, std::function<void(std::uint64_t)> progress)
      : table_(table),
        facts_(facts),
        pattern_(pattern),
        recovery_(recovery),
        progress_(std::move(progress)) {}

  // First: what is needed. The stream must have been read. Errors: of the recovery.
  Status plan();
  bool nothing_needed() const { return keys_.empty() && !needs_scan_; }
  bool needs_scan() const { return needs_scan_; }
  // Then, unless a scan is needed.
  Awaitable<Status> get();
  // Or else each of `segments`.
  Awaitable<Status> segment(std::uint32_t segment, std::uint32_t segments);

 private:
  Status see(const std::string& image);

  SourceTable& table_;
  const SourceTableFacts& facts_;
  const NamePattern& pattern_;
  GapRecovery& recovery_;
  std::function<void(std::uint64_t)> progress_;
  std::vector<std::string> keys_;  // DynamoDB JSON
  bool needs_scan_ = false;
  std::uint64_t seen_ = 0;
};

}  // namespace pawl::audit
