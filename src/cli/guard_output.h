// What `pawl guard record` prints.
#pragma once

#include <string>

#include "guard/preflight.h"
#include "guard/worker.h"
#include "server/guard_record.h"

namespace pawl::cli {

void print_preflight(const guard::Preflight& found);
// docs/schemas/guard.schema.json
void print_preflight_json(const server::GuardRecord& guard, const guard::Preflight& found);

// One line of what this worker does: what it reads, how far that is behind, and how long until records may be trimmed.
std::string status_line(const guard::WorkerStatus& status);

}  // namespace pawl::cli
