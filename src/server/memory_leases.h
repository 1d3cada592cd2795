// Lease rows of workers that are all in this process: a server has its data directory to itself, so there is nobody else to agree
// with, and nothing to remember when it is gone. See port/lease_store.h.
#pragma once

#include <map>

#include "port/lease_store.h"

namespace pawl::server {

// One executor. Every answer is certain, and comes at once.
class MemoryLeases final : public LeaseStore {
 public:
  Awaitable<Status> create_if_absent() override { co_return ok(); }
  Awaitable<Result<std::vector<LeaseRow>>> list(std::string prefix) override;
  Awaitable<Result<std::optional<LeaseRow>>> get(std::string name) override;
  Awaitable<LeaseResult> put(std::string name, std::uint64_t expected, std::string value) override;
  Awaitable<LeaseResult> erase(std::string name, std::uint64_t expected) override;

 private:
  std::map<std::string, LeaseRow, std::less<>> rows_;
};

}  // namespace pawl::server
