// The commands on tables: what each makes of the catalog. Pure: the committer writes the records
// and, after the sync, changes the catalog and the shards.
#pragma once

#include <optional>

#include "port/random.h"
#include "stream/change_log.h"
#include "stream/read_holds.h"
#include "table/carry_changes.h"
#include "table/catalog.h"
#include "table/command.h"

namespace pawl::table {

// What a command on tables comes to.
struct TablePlan {
  enum class Event { kNone, kCreated, kDeleted, kUpdated, kAdopted };
  Event event = Event::kNone;  // kNone: refused, see outcome.failure
  Outcome outcome;
  std::vector<TableRecord> records;   // to be written: the table's own is the last
  std::vector<CarriedShard> carried;  // kAdopted: what the committer found in the new one's log
  TableCount count;                   // kCreated and kAdopted: where the new incarnation starts
};

// What a plan is made from. Between rounds: the newest changes of the log are those that the plan's batch follows.
struct PlanGround {
  const Catalog& catalog;
  const stream::ChangeLog& log;
  Random& random;
  Instant now;
  Duration stream_retention;
  const stream::ReadHolds* read_holds = nullptr;  // null: nobody holds anything
};

TablePlan plan_table_command(const Command& command, const PlanGround& ground);

}  // namespace pawl::table
