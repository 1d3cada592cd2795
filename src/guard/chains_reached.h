// How far the chains of a guarded table are, by the ledger alone: what its stream need not hold any more.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "ledger/shard_page.h"
#include "port/ledger_store.h"

namespace pawl::guard {

struct ChainReached {
  std::optional<ledger::PageEntry> last;  // of the last record in a page; nothing: none yet
  bool closed = false;                    // the shard was read to its end
};

// Of each shard that the root chain knows, by the stream's own id of it. Errors: kCorrupt, and those of the store.
Awaitable<Result<std::map<std::string, ChainReached>>> read_chains_reached(LedgerStore& ledger,
                                                                           std::string archive,
                                                                           Incarnation incarnation);

}  // namespace pawl::guard
