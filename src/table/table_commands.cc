#include "table/table_commands.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::table {
namespace {

TablePlan refuse(Refusal refusal, std::string message) {
  TablePlan plan;
  plan.outcome.failure =
      Failure{.refusal = refusal, .message = std::move(message), .item = {}, .reasons = {}};
  return plan;
}

TablePlan no_such_table(const std::string& name) {
  return refuse(Refusal::kNoSuchTable,
                "Requested resource not found: Table: " + name + " not found");
}

TableDescription description_of(const TableRecord& record, TableCount count) {
  return {.definition = record.definition,
          .incarnation = record.incarnation,
          .created = record.created,
          .stream_enabled = record.stream_enabled,
          .parent = record.parent,
          .item_count = count.items,
          .size_bytes = count.bytes};
}

TableCount count_of(const Table& table) {
  const TableDescription now = table.describe();
  return {.items = now.item_count, .bytes = now.size_bytes};
}

// 3 to 255 of [a-zA-Z0-9_.-] (Amazon DynamoDB developer guide, "Naming rules").
bool is_table_name(const std::string& name) {
  return name.size() >= 3 && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

TableStream::Positions newest_of(const stream::ChangeLog& log, const TableRecord& record) {
  TableStream::Positions positions;
  for (std::uint16_t i = 0; i < record.definition.partitions; ++i) {
    const auto position = log.position({.incarnation = record.incarnation, .number = i});
    positions.push_back(position ? position->newest : SequenceNumber{});
  }
  return positions;
}

// Switches the stream of the record's definition on, behind what is in the log.
void begin_stream(TableRecord& record, const PlanGround& ground, TableStream::Positions after) {
  // The label must be new among all tables of this name, also those that are gone but for their streams.
  std::vector<Instant> taken;
  for (const auto& [incarnation, table] : ground.catalog.view()->by_incarnation) {
    if (table->record.definition.name != record.definition.name) continue;
    for (const TableStream& stream : table->record.streams) taken.push_back(stream.label);
  }
  record.stream_enabled = next_label(ground.now, taken);
  record.streams.push_back({.label = *record.stream_enabled,
                            .view = *record.definition.stream,
                            .after = std::move(after),
                            .end = {}});
}

void end_stream(TableRecord& record, const PlanGround& ground) {
  if (record.streams.empty() || record.streams.back().end) return;
  record.streams.back().end = TableStream::End{ground.now, newest_of(ground.log, record)};
}

TablePlan plan(const CreateTable& create, const PlanGround& ground) {
  const TableDefinition& definition = create.definition;
  if (!is_table_name(definition.name)) {
    return refuse(
        Refusal::kInvalid,
        "TableName must be at least 3 characters long and at most 255 characters long, of "
        "a-z, A-Z, 0-9, '_', '-' and '.'");
  }
  if (definition.partitions == 0 || definition.partitions > kPartitionsMax) {
    return refuse(Refusal::kInvalid, "A table has 1 to " + std::to_string(kPartitionsMax) +
                                         " partitions, not " +
                                         std::to_string(definition.partitions));
  }
  const auto tables = ground.catalog.view();
  if (tables->find(definition.name)) {
    return refuse(Refusal::kTableExists, "Table already exists: " + definition.name);
  }
  if (tables->by_name.size() >= kTablesMax) {
    return refuse(Refusal::kTooManyTables, "Too many tables: there are " +
                                               std::to_string(tables->by_name.size()) +
                                               " tables; delete one first");
  }
  TablePlan result;
  TableRecord record;
  record.definition = definition;
  record.incarnation = ground.catalog.new_incarnation(ground.random);
  record.space = record.incarnation;
  record.created = ground.now;
  if (definition.stream) {
    begin_stream(record, ground, TableStream::Positions(definition.partitions));
  }
  result.event = TablePlan::Event::kCreated;
  result.outcome.table = description_of(record, {});
  result.records.push_back(std::move(record));
  return result;
}

TablePlan plan(const DeleteTable& remove, const PlanGround& ground) {
  const TablePtr table = ground.catalog.view()->find(remove.name);
  if (!table) return no_such_table(remove.name);
  if (table->record.definition.deletion_protected) {
    return refuse(Refusal::kTableProtected,
                  "Resource cannot be deleted as it is currently protected against deletion. "
                  "Disable deletion protection first.");
  }
  TablePlan result;
  TableRecord record = table->record;
  record.state = TableState::kClosing;
  end_stream(record, ground);
  result.event = TablePlan::Event::kDeleted;
  result.outcome.table = table->describe();
  result.records.push_back(std::move(record));
  return result;
}

// Whether a reader that must miss nothing has not read a stream that ended to its end. Readers of the table's other streams do
// not count: as long as there are any, no stream would ever be forgotten.
bool is_held(const TableStream& stream, const Table& table, const stream::ReadHolds* holds) {
  if (holds == nullptr || !stream.end) return false;
  const auto shards = table.shards();
  return std::any_of(shards.begin(), shards.end(), [&](const ShardId shard) {
    return holds->any_within(shard, stream.after[shard.number], stream.end->last[shard.number]);
  });
}

TablePlan plan(const UpdateTable& update, const PlanGround& ground) {
  const TablePtr table = ground.catalog.view()->find(update.name);
  if (!table) return no_such_table(update.name);
  TableRecord record = table->record;
  TableDefinition& definition = record.definition;
  if (update.stream) {
    if (*update.stream && definition.stream) {
      return refuse(Refusal::kInvalid,
                    "Table already has an enabled stream: TableName: " + update.name);
    }
    if (!*update.stream && !definition.stream) {
      return refuse(Refusal::kInvalid,
                    "Table already has a disabled stream: TableName: " + update.name);
    }
    definition.stream = *update.stream;
    // The label stays in the description after the stream was switched off, as the service's does.
    if (definition.stream) {
      std::erase_if(record.streams, [&ground, &table](const TableStream& stream) {
        return !is_readable(stream, ground.now, ground.stream_retention) &&
               !is_held(stream, *table, ground.read_holds);
      });
      if (record.streams.size() >= kStreamsMax) {
        return refuse(Refusal::kTooManyTables,
                      "Too many streams: table " + update.name + " has " +
                          std::to_string(record.streams.size()) +
                          " that can still be read; switch another on when the oldest has run out");
      }
      begin_stream(record, ground, newest_of(ground.log, record));
    } else {
      end_stream(record, ground);
    }
  }
  if (update.deletion_protected) definition.deletion_protected = *update.deletion_protected;
  if (update.pay_per_request) definition.pay_per_request = *update.pay_per_request;
  if (update.read_units) definition.read_units = *update.read_units;
  if (update.write_units) definition.write_units = *update.write_units;
  TablePlan result;
  result.event = TablePlan::Event::kUpdated;
  result.outcome.table = description_of(record, count_of(*table));
  result.records.push_back(std::move(record));
  return result;
}

TablePlan plan(const AdoptTable& adopt, const PlanGround& ground) {
  // By its id: names are those of active tables, and one that is closing may disagree with its ledger, too.
  const auto tables = ground.catalog.view();
  const auto found = tables->by_incarnation.find(adopt.incarnation);
  if (found == tables->by_incarnation.end()) return no_such_table(adopt.incarnation.to_string());
  const TablePtr& table = found->second;
  if (table->record.state == TableState::kReplaced) {
    return refuse(Refusal::kInvalid, "Table " + table->record.definition.name + " (" +
                                         adopt.incarnation.to_string() + ") was adopted before");
  }
  TablePlan result;
  // The old incarnation closes like a deleted one, but the items stay: both name the same space.
  TableRecord old = table->record;
  old.state = TableState::kReplaced;
  TableRecord record = table->record;
  record.incarnation = ground.catalog.new_incarnation(ground.random);
  record.parent = old.incarnation;
  // Its log starts anew, and so does its stream: with the changes that are carried over, which its readers may have seen
  // under the old label. The old streams go with the old log.
  record.streams.clear();
  if (record.state == TableState::kActive && record.definition.stream) {
    begin_stream(record, ground, TableStream::Positions(record.definition.partitions));
  }
  old.streams.clear();
  result.event = TablePlan::Event::kAdopted;
  result.count = count_of(*table);
  result.outcome.table = description_of(record, result.count);
  result.records = {std::move(old), std::move(record)};
  return result;
}

}  // namespace

TablePlan plan_table_command(const Command& command, const PlanGround& ground) {
  return std::visit(
      [&](const auto& action) -> TablePlan {
        using Action = std::decay_t<decltype(action)>;
        if constexpr (std::is_same_v<Action, Mutations> || std::is_same_v<Action, Transaction>) {
          PAWL_ASSERT(false);
          return {};
        } else {
          return plan(action, ground);
        }
      },
      command.action);
}

}  // namespace pawl::table
