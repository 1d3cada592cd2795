// Leases in memory: what stands for the table of leases in unit tests, simulation and the drill.
//
// MemoryLeases is the table, which every worker shares and which outlives them; a MemoryLeaseStore is one worker's way to it,
// with faults and delays of its own. Contract and conformance suite are those of port/lease_store.h.
#pragma once

#include <functional>
#include <map>

#include "fault/fault_plan.h"
#include "fault/injected_delay.h"
#include "port/lease_store.h"

namespace pawl {

// The answers of FaultPoint::kLeaseWrite, asked once for each put and each erase.
enum class LeaseWriteFault : std::size_t {
  kNone = 0,
  kRefused,            // kNotDone
  kAnswerLost,         // kUnknown; the write was tried, and done where its condition held
  kRequestLost,        // kUnknown; the write was not tried
  kRepeatedAfterLoss,  // tried twice, the first answer being lost: must find its own write
};
inline constexpr std::size_t kLeaseWriteFaults = 5;

struct MemoryLeases {
  std::map<std::string, LeaseRow, std::less<>> rows;
};

// Coroutines may overlap. Suspends only with a clock in `delay`: before the operation, and between it and its answer; so a
// write that is under way when its worker crashes, or is fenced, may still arrive. Leases, plan and clock must outlive it.
class MemoryLeaseStore final : public LeaseStore {
 public:
  explicit MemoryLeaseStore(MemoryLeases& leases, FaultPlan* plan = nullptr,
                            InjectedDelay delay = {})
      : leases_(leases), plan_(plan), delay_(delay) {}

  Awaitable<Status> create_if_absent() override;
  Awaitable<Result<std::vector<LeaseRow>>> list(std::string prefix) override;
  Awaitable<Result<std::optional<LeaseRow>>> get(std::string name) override;
  Awaitable<LeaseResult> put(std::string name, std::uint64_t expected, std::string value) override;
  Awaitable<LeaseResult> erase(std::string name, std::uint64_t expected) override;

 private:
  using Attempt = std::function<LeaseOutcome()>;
  bool holds(std::string_view name, std::uint64_t expected) const;
  Awaitable<LeaseResult> write(Attempt attempt, Attempt after_loss);
  bool read_fails();

  MemoryLeases& leases_;
  FaultPlan* plan_;
  InjectedDelay delay_;
};

}  // namespace pawl
