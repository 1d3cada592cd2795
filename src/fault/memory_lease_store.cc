#include "fault/memory_lease_store.h"

namespace pawl {
namespace {

Error injected(std::string_view what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": injected", {}};
}

}  // namespace

bool MemoryLeaseStore::read_fails() {
  return plan_ != nullptr && plan_->choose(FaultPoint::kLeaseRead, 2) != 0;
}

Awaitable<Status> MemoryLeaseStore::create_if_absent() {
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  if (read_fails()) co_return injected("making room for leases");
  co_return ok();
}

Awaitable<Result<std::vector<LeaseRow>>> MemoryLeaseStore::list(std::string prefix) {
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  if (read_fails()) co_return injected("listing leases");
  std::vector<LeaseRow> rows;
  for (auto it = leases_.rows.lower_bound(prefix);
       it != leases_.rows.end() && it->first.starts_with(prefix); ++it)
    rows.push_back(it->second);
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  co_return rows;
}

Awaitable<Result<std::optional<LeaseRow>>> MemoryLeaseStore::get(std::string name) {
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  if (read_fails()) co_return injected("reading a lease");
  std::optional<LeaseRow> row;
  const auto it = leases_.rows.find(name);
  if (it != leases_.rows.end()) row = it->second;
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  co_return row;
}

bool MemoryLeaseStore::holds(std::string_view name, std::uint64_t expected) const {
  const auto it = leases_.rows.find(name);
  return it == leases_.rows.end() ? expected == 0 : it->second.revision == expected;
}

// `after_loss` is the second attempt, of one that knows of the first.
Awaitable<LeaseResult> MemoryLeaseStore::write(Attempt attempt, Attempt after_loss) {
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  const auto fault = static_cast<LeaseWriteFault>(
      plan_ == nullptr ? 0 : plan_->choose(FaultPoint::kLeaseWrite, kLeaseWriteFaults));
  LeaseResult result;
  switch (fault) {
    case LeaseWriteFault::kRefused:
      result = {LeaseOutcome::kNotDone, "injected: refused"};
      break;
    case LeaseWriteFault::kRequestLost:
      result = {LeaseOutcome::kUnknown, "injected: the request was lost"};
      break;
    case LeaseWriteFault::kAnswerLost:
      static_cast<void>(attempt());
      result = {LeaseOutcome::kUnknown, "injected: the answer was lost"};
      break;
    case LeaseWriteFault::kRepeatedAfterLoss:
      static_cast<void>(attempt());
      co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
      result.outcome = after_loss();
      break;
    case LeaseWriteFault::kNone:
      result.outcome = attempt();
      break;
  }
  if (result.outcome != LeaseOutcome::kDone && result.why.empty())
    result.why = "the row's revision is another one";
  co_await delay_.wait(plan_, FaultPoint::kLeaseDelay);
  co_return result;
}

Awaitable<LeaseResult> MemoryLeaseStore::put(std::string name, std::uint64_t expected,
                                             std::string value) {
  if (name.empty() || name.size() > kLeaseNameMax || value.size() > kLeaseValueMax)
    co_return LeaseResult{LeaseOutcome::kNotDone, "the lease is longer than leases are"};
  const Attempt attempt = [&] {
    if (!holds(name, expected)) return LeaseOutcome::kConflict;
    leases_.rows[name] = {name, expected + 1, value};
    return LeaseOutcome::kDone;
  };
  const Attempt after_loss = [&] {
    if (holds(name, expected)) return attempt();
    const auto it = leases_.rows.find(name);
    if (it == leases_.rows.end() || it->second.revision != expected + 1)
      return LeaseOutcome::kUnknown;
    return it->second.value == value ? LeaseOutcome::kDone : LeaseOutcome::kConflict;
  };
  co_return co_await write(attempt, after_loss);
}

Awaitable<LeaseResult> MemoryLeaseStore::erase(std::string name, std::uint64_t expected) {
  const Attempt attempt = [&] {
    if (expected == 0 || !holds(name, expected)) return LeaseOutcome::kConflict;
    leases_.rows.erase(name);
    return LeaseOutcome::kDone;
  };
  const Attempt after_loss = [&] {
    const auto it = leases_.rows.find(name);
    if (expected == 0) return LeaseOutcome::kConflict;
    if (it == leases_.rows.end()) return LeaseOutcome::kDone;
    if (it->second.revision == expected) return attempt();
    return it->second.revision > expected ? LeaseOutcome::kConflict : LeaseOutcome::kUnknown;
  };
  co_return co_await write(attempt, after_loss);
}

}  // namespace pawl
