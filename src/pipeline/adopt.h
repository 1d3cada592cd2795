// `pawl adopt`: makes data directory and ledger agree again without changing what either says.
//
// Where a table's change log and its chains disagree (an older copy of the data directory was restored, say), the table
// goes on as a new incarnation with chains of its own, linked to the old ones at the *fork*: the last change up to which
// log and chain tell the same story. What the chains hold after the fork stays in the archive as a past that is not the
// table's; what the log holds after it is recorded in the new chains. Tables that only the ledger knows are closed as
// abandoned. Nothing is deleted anywhere.
//
// In this order, so that a crash in between is gone on from by adopting again, or by the next start:
//   1. the data directory makes the new incarnations, with the changes after the fork in their logs (AdoptTarget);
//   2. the ledger closes the abandoned tables;
//   3. the next open() of a recorder finds incarnations that the ledger does not know, enters each with its parent and
//      forks, and settles the old ones.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/ledger_view.h"
#include "pipeline/recorded_tables.h"
#include "port/change_source.h"

namespace pawl::pipeline {

// What the data directory does: table::AdoptTable, implemented by the composition.
class AdoptTarget {
 public:
  virtual ~AdoptTarget() = default;
  // The table goes on as a new incarnation, which is deleted if it is; changes after `archived` (one position a shard of
  // the old one) are carried into its log, from 1. Durable when it returns ok.
  virtual Awaitable<Status> adopt(RecordedTable table,
                                  std::map<ShardId, SequenceNumber> archived) = 0;
};

// Up to where a shard's change log and its chain in the ledger tell the same story. Reads the chain from its start.
// The log need not hold the shard's first changes: what was trimmed had been paged. Errors: those of the stores.
Awaitable<Result<ledger::Fork>> find_fork(ChangeSource& changes, LedgerStore& store,
                                          std::string table, ShardId shard);

// The forks of all shards of an incarnation: its parent entry in the first event of the one that goes on.
Awaitable<Result<ledger::Parent>> find_forks(ChangeSource& changes, LedgerStore& store,
                                             const RecordedTable& table);

}  // namespace pawl::pipeline
