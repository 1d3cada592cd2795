// The part of lineage.h that looks at one whole listing of a stream: which shards are new, and in which order they come.
#pragma once

#include <vector>

#include "guard/lineage.h"

namespace pawl::guard {

struct NewShards {
  std::vector<Lineage::ToOpen> to_open;  // parents before children
  // Those whose parent is neither known nor listed, which is not believed yet: since when. What
  // descends from them is held back with them.
  std::map<Lineage::Source, MonotonicInstant> missed;
  bool circle = false;  // shards that are their own ancestors: they are opened without a parent
};

NewShards order_new_shards(const Lineage& lineage, const Lineage::Listing& listing,
                           MonotonicInstant now);

}  // namespace pawl::guard
