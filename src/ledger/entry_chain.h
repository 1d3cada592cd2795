// Chains that stand beside those of shards: their pages are a list of entries, dense from 1, under a page's header. The repair
// chain (repair_page.h) and the kept chain (kept_page.h) are such. They are unsigned, and nothing announces them. Whoever writes on
// needs no more of an old page than where its chain ends; src/audit reads them all, and shares none of this.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "ledger/chain.h"

namespace pawl::ledger {

struct EntryChain {
  std::string_view format;  // of its pages
  std::string chain;        // its name
  std::string_view list;    // the member that holds the entries
  std::string archive;      // 16 hex digits
};

// The next page, over entries that were rendered for the sequence numbers from end.last + 1 on, of which there must be 1 to
// kChangesPerPageMax. Its instant is `now`, or that of the page before.
Result<NextPage> next_entry_page(const EntryChain& about, const ChainEndState& end,
                                 const std::vector<std::string>& entries, Instant now);

// Where the chain ends, by its last line. Errors: kCorrupt, also where it is a line of another archive or chain.
Result<ChainEndState> entry_chain_end(const EntryChain& about, std::string_view last_line);

}  // namespace pawl::ledger
