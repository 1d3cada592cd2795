// The table that `pawl gaps --table` compares a bucket with: DynamoDB's, or an engine's that speaks its API. Read-only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/table_search.h"

namespace pawl::cli {

inline constexpr std::uint32_t kScanSegments = 4;

// Blocks the calling thread in every call.
class GapsTable {
 public:
  // `endpoint` as given by --dynamodb-endpoint, or "". Describes the table. Errors: of the settings; kNotFound; kInvalid.
  static Result<std::unique_ptr<GapsTable>> open(const std::string& table,
                                                 const std::string& endpoint);
  virtual ~GapsTable() = default;

  virtual const SourceTableFacts& facts() const = 0;
  virtual Status scan(audit::TableScan& scan, std::uint32_t segments) = 0;
  virtual SourceTable& table() = 0;
  virtual TableStream& stream() = 0;
  virtual Clock& clock() = 0;
  // All of `work` side by side, to their ends; the first error.
  virtual Status run(std::vector<Awaitable<Status>> work) = 0;
  virtual Status search(audit::StreamSearch& search, std::uint32_t workers) = 0;
};

}  // namespace pawl::cli
