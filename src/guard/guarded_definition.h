// What the root chain says of a guarded table, and whether an archive that is there already can hold it.
#pragma once

#include <string>

#include "guard/guard_ports.h"
#include "port/ledger_store.h"

namespace pawl::guard {

// Root pages that check_root_chain() looks at, from the start: what an archive is for stands there.
inline constexpr std::size_t kRootPagesLookedAt = 200;

// The `definition` of table-guarded: docs/internals/archive-format.md, "Guarded tables".
std::string definition_of(const GuardedTable& table);

// Errors: kInvalid where the archive is a server's (two would write its root chain), is signed, or guards this very table with
// another template or version attribute; and those of the store.
Awaitable<Status> check_root_chain(LedgerStore& ledger, const GuardedTable& table);

}  // namespace pawl::guard
