// What `pawl guard repair` needs of a guarded archive's ledger: what the root chain says of the table, and the end of its
// repair chain, which it writes on.
//
// The repair chain has no lease: its pages are put if absent, and that is the fence. Who meets another's page stops; what is on
// that page the next run knows.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger/repair_page.h"
#include "port/clock.h"
#include "port/ledger_store.h"

namespace pawl::server {

struct GuardedRoot {
  bool guarded = false;  // the table is in this archive
  std::string names;     // its template
  std::optional<std::string> version_attribute;
  bool checked = false;  // its objects are somebody else's
  // Its streams' shards, by ARN and their own ids: their chains.
  std::map<std::pair<std::string, std::string>, std::uint32_t> chains;
  std::set<std::uint32_t> closed;
};

// Errors: kCorrupt, and those of the store.
Awaitable<Result<GuardedRoot>> read_guarded_root(LedgerStore& ledger, std::string archive,
                                                 Incarnation table);

// One run at a time. The store must outlive it, and be used by nobody else.
class RepairChain {
 public:
  RepairChain(LedgerStore& ledger, Clock& clock, std::string archive, Incarnation table)
      : ledger_(ledger), clock_(clock), archive_(std::move(archive)), table_(table) {}

  // Before what the chain says is read: whatever is appended after that is met as another's.
  Awaitable<Status> open();
  // Of the next entry.
  SequenceNumber next() const { return end_.last.next(); }
  // One page. Ok: it is durable. kConflict: another run writes here, and this one must end. kUnavailable: it may be there or not.
  Awaitable<Status> append(std::vector<ledger::RepairEntry> entries);

 private:
  LedgerStore& ledger_;
  Clock& clock_;
  std::string archive_;
  Incarnation table_;
  ledger::ChainEndState end_;
};

}  // namespace pawl::server
