// `pawl restore`: a data directory built from an archive alone, through the real adapters.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "pipeline/restore.h"
#include "server/archive_place.h"

namespace pawl::server {

struct Restored {
  std::string archive_id;  // 16 hex digits
  pipeline::RestoreReport report;
  std::uint64_t set_aside = 0;  // objects that were in no page: pipeline/unsealed.h
};

// Holds the archive's writer's lock meanwhile, so that nobody appends to what is being read (a bucket has none: stop the
// server first, else what it goes on to write makes the new data directory an older copy). `data_path` must be absent or
// empty; after an error it is to be thrown away: its tables become known only at the end, all at once.
// Errors: kNotFound (no archive there), kExists (a data directory that is used), kConflict (one of them is in use),
// kCorrupt (the archive is damaged).
Result<Restored> restore_data(
    const ArchivePlace& place, const std::string& data_path,
    const std::function<void(const pipeline::RestoreReport&)>& progress = {});

}  // namespace pawl::server
