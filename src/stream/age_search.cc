#include "stream/age_search.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::stream {

AgeSearch::AgeSearch(SequenceNumber old, SequenceNumber newest, Instant cutoff)
    : old_(old), young_(newest.next()), cutoff_(cutoff) {
  PAWL_ASSERT(old <= newest);
}

std::optional<SequenceNumber> AgeSearch::next() const {
  const std::uint64_t gap = young_.value - old_.value;
  if (gap <= 1) return std::nullopt;
  if (growing_) return SequenceNumber{old_.value + std::min(stride_, gap - 1)};
  return SequenceNumber{old_.value + gap / 2};
}

void AgeSearch::tell(Instant instant) {
  const auto looked_at = next();
  PAWL_ASSERT(looked_at.has_value());
  if (instant < cutoff_) {
    old_ = *looked_at;
    stride_ *= 2;  // ends at the newest long before it could overflow
  } else {
    young_ = *looked_at;
    growing_ = false;
  }
}

}  // namespace pawl::stream
