// Rebuilds tables from an archive alone: from its ledger and its objects, through the ports.
//
// What comes back: for every table that is open at the ledger's end its definition, the latest version of every item,
// the version counters of removed items, and for each shard the newest change that is in a page, which is all that a
// server needs to go on after the ledger's end without `pawl adopt`. What does not: changes after the last page (they were
// only in the data directory that was lost), tables that are not recorded, and answers kept for repeated requests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "item/change.h"
#include "pipeline/table_events.h"
#include "port/ledger_store.h"
#include "port/object_store.h"

namespace pawl::pipeline {

// Where restored tables go. Called in this order: for each table items, removed items and newest changes in any order,
// then the table; at last finish(). An error ends the restore.
class RestoreSink {
 public:
  virtual ~RestoreSink() = default;
  // `schema` is that of the table which is told later.
  virtual Status item(Incarnation table, const item::KeySchema& schema, Version version,
                      const item::Item& item) = 0;
  virtual Status removed_item(Incarnation table, const item::KeySchema& schema, Version version,
                              const item::Item& key) = 0;
  // The newest change in a page of change.shard. It stays in the change log; what came before is trimmed.
  virtual Status newest_change(const item::Change& change) = 0;
  virtual Status table(const RecordedTable& table) = 0;
  virtual Status finish() = 0;
};

struct RestoreReport {
  std::uint64_t tables = 0;
  std::uint64_t items = 0;
  std::uint64_t removed_items = 0;
  std::uint64_t changes = 0;   // that the ledger holds of these tables
  std::uint64_t unsealed = 0;  // bytes of torn last pages, which were not read
};

// Memory: the keys of one shard's items at a time. Every page must follow the one before, and every object must be what
// its page says: else kCorrupt, and what the sink has got is worthless. `progress` is told of the items so far.
Awaitable<Result<RestoreReport>> restore(ObjectStore& objects, LedgerStore& ledger,
                                         RestoreSink& sink,
                                         std::function<void(const RestoreReport&)> progress = {});

}  // namespace pawl::pipeline
