// How far back a shard's changes are older than some instant: what retention by time asks before each trim.
//
// Instants never decrease within a shard and sequence numbers have no holes, so few changes need be looked at: from the
// last answer on in growing steps, then by halves. A pure step: it says which change to look at and is told its instant.
#pragma once

#include <optional>

#include "base/ids.h"
#include "base/instant.h"

namespace pawl::stream {

class AgeSearch {
 public:
  // All changes through `old` count as older than `cutoff` (or are trimmed); none is after `newest`. `old` <= `newest`.
  AgeSearch(SequenceNumber old, SequenceNumber newest, Instant cutoff);

  // The change to look at; nothing when the search is over. Over after one look if nothing has aged, and after at most
  // 2 * log2(newest - old) + 2 looks.
  std::optional<SequenceNumber> next() const;
  // The instant of next().
  void tell(Instant instant);

  // The last change that is older than `cutoff`, as far as is known yet; right when the search is over.
  SequenceNumber old() const { return old_; }

 private:
  SequenceNumber old_;
  SequenceNumber young_;  // not older than the cutoff, or one past the newest
  Instant cutoff_;
  std::uint64_t stride_ = 1;
  bool growing_ = true;
};

}  // namespace pawl::stream
