// Which tables the recorder records, and the ends of their lives. The composition implements it over the catalog; tests
// over a list.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "port/clock.h"
#include "table/table_definition.h"

namespace pawl::pipeline {

// One incarnation with record.record == true.
struct RecordedTable {
  Incarnation incarnation;
  table::TableDefinition definition;
  std::vector<ShardId> shards;  // fixed for the incarnation's life
  Instant created;
  // What it was adopted from, if it was: an incarnation that is also listed, as deleted, until closed().
  std::optional<Incarnation> parent;
  // DeleteTable has been answered: no change will follow, but those in the change log are held until closed().
  bool deleted = false;
};

// Called by the recorder's coroutine only, but for listed().
class RecordedTables {
 public:
  virtual ~RecordedTables() = default;
  // Grows whenever tables() would answer differently. Cheap: asked every round. A table must be listed before the
  // first of its changes is told to the CommitBoard.
  virtual std::uint64_t revision() = 0;
  // Every incarnation that is recorded: also the deleted ones until closed().
  virtual std::vector<RecordedTable> tables() = 0;
  // The same list, and nothing else happens. From any thread, also while the recorder is stuck in a call of a store:
  // status() names the shards that it has not met yet.
  virtual std::vector<RecordedTable> listed() const = 0;
  // All changes of a deleted incarnation are in durable pages, and so is its end: the data directory may forget it.
  // May be repeated after a crash; tables() may go on listing it for a while.
  virtual Awaitable<Status> closed(Incarnation incarnation) = 0;
};

}  // namespace pawl::pipeline
