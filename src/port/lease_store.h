// Rows that workers agree by: who reads which shard. Kept in a table of the same engine as the guarded one, by conditional
// writes. The store knows nothing of what a row says; guard/ decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "port/clock.h"

namespace pawl {

inline constexpr std::size_t kLeaseNameMax = 1024;
inline constexpr std::size_t kLeaseValueMax = 4096;

struct LeaseRow {
  std::string name;  // 1 to kLeaseNameMax bytes, UTF-8
  std::uint64_t revision =
      0;  // grows by one at each write: the condition, and what shows that its owner lives
  std::string value;  // at most kLeaseValueMax bytes, UTF-8
  bool operator==(const LeaseRow&) const = default;
};

enum class LeaseOutcome : std::uint8_t {
  kDone,
  kConflict,  // the row's revision is another one: somebody else wrote it. Nothing was done
  kNotDone,   // definitely not done, for another reason; later
  kUnknown,   // may or may not have been done: read it again
};
struct LeaseResult {
  LeaseOutcome outcome = LeaseOutcome::kUnknown;
  std::string why;  // for people, where it is not done
};

// One executor; coroutines may overlap on it. What was answered kDone is durable.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  // Makes what the rows are kept in, where it is not there yet, and waits until it can be used. Errors: kInvalid (exists with
  // another shape; may not create it), kUnavailable.
  virtual Awaitable<Status> create_if_absent() = 0;
  // All rows whose name starts with `prefix`, read consistently one by one but not all at one instant; in byte order.
  virtual Awaitable<Result<std::vector<LeaseRow>>> list(std::string prefix) = 0;
  virtual Awaitable<Result<std::optional<LeaseRow>>> get(std::string name) = 0;
  // Writes `row` with revision `expected`+1 if the stored revision is `expected`; 0 = if there is no such row.
  // An implementation that repeats an attempt whose answer was lost finds its own write and says kDone: it looks at the
  // row before it says kConflict after a doubtful attempt, and revision and value being its own means done.
  virtual Awaitable<LeaseResult> put(std::string name, std::uint64_t expected,
                                     std::string value) = 0;
  // Removes the row if its revision is `expected`.
  virtual Awaitable<LeaseResult> erase(std::string name, std::uint64_t expected) = 0;
};

}  // namespace pawl
