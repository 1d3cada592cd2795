#include "server/memory_leases.h"

#include <utility>

namespace pawl::server {

Awaitable<Result<std::vector<LeaseRow>>> MemoryLeases::list(std::string prefix) {
  std::vector<LeaseRow> rows;
  for (auto at = rows_.lower_bound(prefix); at != rows_.end() && at->first.starts_with(prefix);
       ++at)
    rows.push_back(at->second);
  co_return rows;
}

Awaitable<Result<std::optional<LeaseRow>>> MemoryLeases::get(std::string name) {
  const auto found = rows_.find(name);
  if (found == rows_.end()) co_return std::optional<LeaseRow>{};
  co_return std::optional(found->second);
}

Awaitable<LeaseResult> MemoryLeases::put(std::string name, std::uint64_t expected,
                                         std::string value) {
  const auto found = rows_.find(name);
  const std::uint64_t revision = found == rows_.end() ? 0 : found->second.revision;
  if (revision != expected) co_return LeaseResult{LeaseOutcome::kConflict, "another revision"};
  rows_[name] = {name, expected + 1, std::move(value)};
  co_return LeaseResult{LeaseOutcome::kDone, {}};
}

Awaitable<LeaseResult> MemoryLeases::erase(std::string name, std::uint64_t expected) {
  const auto found = rows_.find(name);
  if (found == rows_.end() || found->second.revision != expected)
    co_return LeaseResult{LeaseOutcome::kConflict, "another revision"};
  rows_.erase(found);
  co_return LeaseResult{LeaseOutcome::kDone, {}};
}

}  // namespace pawl::server
