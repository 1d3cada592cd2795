// Any rows: each is read, or refused as damaged; what was read is written as it can be read again, and a worker that lists them
// goes on.
#include <string>

#include "base/assert.h"
#include "guard/lease_rows.h"
#include "guard/membership.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pawl::guard;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // Rows as "<name>\0<value>\0", each with the revision of its place.
  std::vector<pawl::LeaseRow> rows;
  for (std::size_t at = 0; at < input.size() && rows.size() < 100;) {
    const auto name_end = std::min(input.find('\0', at), input.size());
    const auto value_at = std::min(name_end + 1, input.size());
    const auto value_end = std::min(input.find('\0', value_at), input.size());
    rows.push_back({std::string(input.substr(at, name_end - at)), rows.size() + 1,
                    std::string(input.substr(value_at, value_end - value_at))});
    at = value_end + 1;
  }
  for (const auto& row : rows) {
    const auto parsed = parse_row(row);
    if (!parsed.ok()) continue;
    const auto value = std::visit([](const auto& one) { return encode_row(one); }, *parsed);
    PAWL_ASSERT(*parse_row({row.name, 1, value}) == *parsed);
  }
  Membership membership;
  pawl::MonotonicInstant now{1'000'000};
  (void)step(membership, Tick{"fuzz"}, now);
  (void)step(membership, WriteAnswered{1, pawl::LeaseOutcome::kDone}, now);
  for (int second = 0; second < 8 && membership.phase == Membership::Phase::kIn; ++second) {
    now = now + std::chrono::seconds(1);
    (void)step(membership, Tick{"fuzz-again"}, now);
    rows.push_back({worker_row_name("fuzz"), 1, "{}"});
    (void)step(membership, RowsListed{now, rows}, now);
    rows.pop_back();
    PAWL_ASSERT(membership.writes.size() <= kWritesInFlightMax);
  }
  return 0;
}
