// One DynamoDB request under way: what its operation is given, and the operations themselves, each of which
// turns a request into a command for the committer or, if it only reads, into the answer's body.
//
// Order of checks, for every operation: constraints of the model (dynamodb_constraints.h), the table's
// existence, parameters against each other, expressions, values against the table's key schema.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "table/command.h"
#include "table/table_reader.h"
#include "wire/dynamodb_members.h"
#include "wire/service_error.h"

namespace pawl::wire {

// What the configuration says about a table that is about to be created.
struct TableDefaults {
  std::uint16_t partitions = table::kPartitionsDefault;
  table::RecordSettings record;
};

struct DynamoDbCall {
  Members members;
  const table::TableReader& tables;
  const std::function<TableDefaults(const std::string& name)>& table_defaults;
  std::string_view region;  // of the credential scope: part of ARNs
  std::string_view caller;  // access key id, or empty
};

// The table, or ResourceNotFoundException.
ServiceResult<table::TableDescription> find_table(const DynamoDbCall& call, std::string_view name);

// Mutations. `render` is set; the service adds the rest.
ServiceResult<table::Command> put_item(DynamoDbCall& call);
ServiceResult<table::Command> update_item(DynamoDbCall& call);
ServiceResult<table::Command> delete_item(DynamoDbCall& call);
ServiceResult<table::Command> batch_write_item(DynamoDbCall& call);
ServiceResult<table::Command> transact_write_items(DynamoDbCall& call);
ServiceResult<table::Command> create_table(DynamoDbCall& call);
ServiceResult<table::Command> delete_table(DynamoDbCall& call);
ServiceResult<table::Command> update_table(DynamoDbCall& call);

// Reads: the answer's body.
ServiceResult<std::string> get_item(DynamoDbCall& call);
ServiceResult<std::string> batch_get_item(DynamoDbCall& call);
ServiceResult<std::string> transact_get_items(DynamoDbCall& call);
ServiceResult<std::string> query(DynamoDbCall& call);
ServiceResult<std::string> scan(DynamoDbCall& call);
ServiceResult<std::string> describe_table(DynamoDbCall& call);
ServiceResult<std::string> list_tables(DynamoDbCall& call);
ServiceResult<std::string> describe_limits(DynamoDbCall& call);
ServiceResult<std::string> describe_time_to_live(DynamoDbCall& call);
ServiceResult<std::string> describe_continuous_backups(DynamoDbCall& call);

// Of one item's write or read: its key, checked against the schema.
ServiceResult<item::Item> parse_key(const simdjson::dom::element& element,
                                    const item::KeySchema& schema);
// A whole item to be put: its key and its size are right.
ServiceResult<item::Item> parse_put_item(const simdjson::dom::element& element,
                                         const item::KeySchema& schema);

}  // namespace pawl::wire
