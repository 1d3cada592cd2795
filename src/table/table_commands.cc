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

TablePlan plan(const CreateTable& create, const Catalog& catalog, Random& random, Instant now) {
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
  const auto tables = catalog.view();
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
  record.incarnation = catalog.new_incarnation(random);
  record.space = record.incarnation;
  record.created = now;
  if (definition.stream) record.stream_enabled = now;
  result.event = TablePlan::Event::kCreated;
  result.outcome.table = description_of(record, {});
  result.records.push_back(std::move(record));
  return result;
}

TablePlan plan(const DeleteTable& remove, const Catalog& catalog, Random&, Instant) {
  const TablePtr table = catalog.view()->find(remove.name);
  if (!table) return no_such_table(remove.name);
  if (table->record.definition.deletion_protected) {
    return refuse(Refusal::kTableProtected,
                  "Resource cannot be deleted as it is currently protected against deletion. "
                  "Disable deletion protection first.");
  }
  TablePlan result;
  TableRecord record = table->record;
  record.state = TableState::kClosing;
  result.event = TablePlan::Event::kDeleted;
  result.outcome.table = table->describe();
  result.records.push_back(std::move(record));
  return result;
}

TablePlan plan(const UpdateTable& update, const Catalog& catalog, Random&, Instant now) {
  const TablePtr table = catalog.view()->find(update.name);
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
    // The label stays readable after the stream was switched off, as the service's does.
    if (definition.stream) record.stream_enabled = now;
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

TablePlan plan(const AdoptTable& adopt, const Catalog& catalog, Random& random, Instant) {
  // By its id: names are those of active tables, and one that is closing may disagree with its ledger, too.
  const auto tables = catalog.view();
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
  record.incarnation = catalog.new_incarnation(random);
  record.parent = old.incarnation;
  result.event = TablePlan::Event::kAdopted;
  result.count = count_of(*table);
  result.outcome.table = description_of(record, result.count);
  result.records = {std::move(old), std::move(record)};
  return result;
}

}  // namespace

TablePlan plan_table_command(const Command& command, const Catalog& catalog, Random& random,
                             Instant now) {
  return std::visit(
      [&](const auto& action) -> TablePlan {
        using Action = std::decay_t<decltype(action)>;
        if constexpr (std::is_same_v<Action, Mutations> || std::is_same_v<Action, Transaction>) {
          PAWL_ASSERT(false);
          return {};
        } else {
          return plan(action, catalog, random, now);
        }
      },
      command.action);
}

}  // namespace pawl::table
