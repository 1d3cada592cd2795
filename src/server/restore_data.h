// `pawl restore`: a data directory built from an archive alone, through the real adapters.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "pipeline/restore.h"

namespace pawl::server {

struct Restored {
  std::string archive_id;  // 16 hex digits
  pipeline::RestoreReport report;
};

// Holds the archive's writer's lock meanwhile, so that nobody appends to what is being read. `data_path` must be absent or
// empty; after an error it is to be thrown away: its tables become known only at the end, all at once.
// Errors: kNotFound (no archive there), kExists (a data directory that is used), kConflict (one of them is in use),
// kCorrupt (the archive is damaged).
Result<Restored> restore_data(
    const std::string& archive_path, const std::string& data_path,
    const std::function<void(const pipeline::RestoreReport&)>& progress = {});

}  // namespace pawl::server
