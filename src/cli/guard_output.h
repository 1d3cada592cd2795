// What `pawl guard` prints.
#pragma once

#include <string>

#include "guard/preflight.h"
#include "guard/worker.h"
#include "server/guard_record.h"

namespace pawl::cli {

void print_preflight(const server::GuardRecord& guard, const guard::Preflight& found);
// docs/schemas/guard.schema.json
void print_preflight_json(const server::GuardRecord& guard, const guard::Preflight& found);

// One line of what this worker does: what it reads, how far that is behind, and how long until records may be trimmed.
std::string status_line(const guard::WorkerStatus& status);

// What `guard check` adds to it: "1,190 found, 14 missing, 14 put in", of this worker.
std::string counts_text(const guard::CheckCounts& counts);
// The line as a document: docs/schemas/guard-check.schema.json.
std::string check_status_json(const server::GuardRecord& guard, const guard::WorkerStatus& status,
                              const guard::CheckCounts& counts, bool ended);

}  // namespace pawl::cli
