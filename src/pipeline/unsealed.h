// Objects that were durable when the data directory was lost, and whose pages were not: no ledger lists them, and what a
// restored table writes next has their sequence numbers, and often their names. They are moved aside, as an object that is
// in no page is after a crash; otherwise the next version of that name would look like a counter that was reset, and
// `pawl verify` would find objects that claim to be other changes.
#pragma once

#include <cstdint>

#include "port/archive_view.h"
#include "port/ledger_store.h"
#include "port/object_store.h"

namespace pawl::pipeline {

// For an archive that nobody writes to. `names` shows the objects of `objects`. An object is moved only if no page lists
// its name and it says itself that it is a change after the end of its shard's chain. Objects that are stored under a
// hashed name stay (docs/internals/archive-format.md). Memory: 8 bytes for each change in the ledger.
// Returns how many were moved. Errors: those of the stores.
Awaitable<Result<std::uint64_t>> set_unsealed_aside(ArchiveView& names, LedgerStore& ledger,
                                                    ObjectStore& objects);

}  // namespace pawl::pipeline
