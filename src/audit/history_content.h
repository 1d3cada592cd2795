// The contents of versions that `pawl history` was asked for: under their names, or what a supervised bucket keeps of them.
#pragma once

#include <vector>

#include "audit/history.h"
#include "audit/root_facts.h"
#include "base/result.h"
#include "port/archive_view.h"

namespace pawl::audit {

// Sets `content` of each entry that has an object, and of what was found `kept`, `body` and `image`. Looks under the names first,
// then reads the kept chain, and lists the kept objects last: a server may be at work, and what was displaced before somebody saw
// that it was is kept by then. Errors: I/O.
Status read_contents(ArchiveView& archive, const RootFacts& facts, const RootOptions& options,
                     std::vector<HistoryEntry>& entries);

}  // namespace pawl::audit
