// CreateTable, DescribeTable, ListTables, DeleteTable, UpdateTable, and the descriptions around them.
#include <set>

#include "base/json_writer.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_call.h"
#include "wire/dynamodb_constraints.h"

namespace pawl::wire {
namespace {

using table::Outcome;
using table::StreamView;
using table::TableDefinition;
using table::TableDescription;

constexpr std::size_t kListMax = 100;
constexpr std::size_t kAttributeNameMax = 255;
constexpr std::array<std::string_view, 3> kKeyTypes{"S", "N", "B"};
constexpr std::array<item::Type, 3> kKeyItemTypes{item::Type::kString, item::Type::kNumber,
                                                  item::Type::kBinary};

void append_attribute_definitions(std::string& out, const item::KeySchema& schema) {
  JsonWriter json(out);
  json.begin_array();
  for (const item::KeyAttribute* key : {&schema.partition, schema.sort ? &*schema.sort : nullptr}) {
    if (key == nullptr) continue;
    json.begin_object()
        .field("AttributeName", key->name)
        .field("AttributeType", item::name_of(key->type))
        .end_object();
  }
  json.end_array();
}

void append_stream(AnswerObject& answer, const TableDescription& description,
                   const std::string& arn) {
  const TableDefinition& definition = description.definition;
  if (definition.stream) {
    answer.member("StreamSpecification")
        .append("{\"StreamEnabled\":true,\"StreamViewType\":\"")
        .append(kStreamViews[static_cast<std::size_t>(*definition.stream)])
        .append("\"}");
  }
  // Of one that was switched off, too: it can still be read for a while.
  if (!description.stream_enabled) return;
  const std::string label = table::label_text(*description.stream_enabled);
  append_json_string(answer.member("LatestStreamLabel"), label);
  append_json_string(answer.member("LatestStreamArn"), arn + "/stream/" + label);
}

std::string describe(const TableDescription& description, std::string_view region,
                     std::string_view status) {
  const TableDefinition& definition = description.definition;
  const std::string arn = arn_of(region, definition.name);
  AnswerObject answer;
  append_attribute_definitions(answer.member("AttributeDefinitions"), definition.schema);
  append_json_string(answer.member("TableName"), definition.name);
  append_key_schema(answer.member("KeySchema"), definition.schema);
  append_json_string(answer.member("TableStatus"), status);
  append_seconds(answer.member("CreationDateTime"), description.created);
  std::string& throughput = answer.member("ProvisionedThroughput");
  throughput.append("{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":")
      .append(std::to_string(definition.read_units))
      .append(",\"WriteCapacityUnits\":")
      .append(std::to_string(definition.write_units))
      .append("}");
  answer.number("TableSizeBytes", description.size_bytes);
  answer.number("ItemCount", description.item_count);
  append_json_string(answer.member("TableArn"), arn);
  append_json_string(answer.member("TableId"), description.incarnation.to_string());
  if (definition.pay_per_request) {
    std::string& billing = answer.member("BillingModeSummary");
    billing.append("{\"BillingMode\":\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":");
    append_seconds(billing, description.created);
    billing.push_back('}');
  }
  append_stream(answer, description, arn);
  answer.member("DeletionProtectionEnabled")
      .append(definition.deletion_protected ? "true" : "false");
  return std::move(answer).finish();
}

// {"TableDescription": …} from the outcome of a table command.
std::function<std::string(const Outcome&)> render_description(const DynamoDbCall& call,
                                                              std::string_view status) {
  return [region = std::string(call.region), status](const Outcome& outcome) {
    if (outcome.failure) return render_failure(*outcome.failure);
    AnswerObject answer;
    answer.member("TableDescription").append(describe(*outcome.table, region, status));
    return std::move(answer).finish();
  };
}

ServiceStatus refuse_unsupported(const Members& members,
                                 std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto* value = members.find(name);
    if (value == nullptr) continue;
    simdjson::dom::array list;
    if (value->get_array().get(list) == simdjson::SUCCESS && list.size() == 0) continue;
    return validation("not supported by Pawl yet: " + std::string(name));
  }
  return Unit{};
}

ServiceStatus refuse_encryption(const Members& members) {
  WIRE_ASSIGN(const auto encryption, members.structure("SSESpecification"));
  if (!encryption) return Unit{};
  WIRE_ASSIGN(const auto enabled, encryption->boolean("Enabled"));
  if (!enabled.value_or(false)) return Unit{};
  return validation(
      "not supported by Pawl yet: SSESpecification (encryption at rest is the file system's)");
}

// StreamSpecification: nothing said, or switched off, or on with a view.
ServiceResult<std::optional<std::optional<StreamView>>> read_stream(const Members& members) {
  using Said = std::optional<std::optional<StreamView>>;
  WIRE_ASSIGN(const auto specification, members.structure("StreamSpecification"));
  if (!specification) return Said();
  Constraints constraints(*specification, "streamSpecification.");
  constraints.required("StreamEnabled");
  const auto view = constraints.choice("StreamViewType", kStreamViews);
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto enabled, specification->boolean("StreamEnabled"));
  if (!*enabled) {
    if (view) {
      return validation(
          "One or more parameter values were invalid: StreamViewType must not be specified when "
          "StreamEnabled is "
          "false");
    }
    return Said(std::optional<StreamView>());
  }
  if (!view) {
    return validation(
        "One or more parameter values were invalid: StreamViewType must be specified when "
        "StreamEnabled is true");
  }
  return Said(std::optional(static_cast<StreamView>(*view)));
}

struct Billing {
  std::optional<bool> pay_per_request;
  std::optional<std::uint64_t> read_units;
  std::optional<std::uint64_t> write_units;
};

ServiceResult<Billing> read_billing(const Members& members) {
  static constexpr std::array<std::string_view, 2> kModes{"PROVISIONED", "PAY_PER_REQUEST"};
  Billing billing;
  Constraints constraints(members);
  const auto mode = constraints.choice("BillingMode", kModes);
  WIRE_TRY(constraints.finish());
  if (mode) billing.pay_per_request = *mode == 1;
  WIRE_ASSIGN(const auto throughput, members.structure("ProvisionedThroughput"));
  if (!throughput) return billing;
  Constraints inner(*throughput, "provisionedThroughput.");
  inner.required("ReadCapacityUnits");
  inner.required("WriteCapacityUnits");
  const auto read = inner.integer("ReadCapacityUnits", 1, 1'000'000'000);
  const auto write = inner.integer("WriteCapacityUnits", 1, 1'000'000'000);
  WIRE_TRY(inner.finish());
  if (billing.pay_per_request.value_or(false)) {
    return validation(
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
        "WriteCapacityUnits can be "
        "specified when BillingMode is PAY_PER_REQUEST");
  }
  billing.read_units = static_cast<std::uint64_t>(*read);
  billing.write_units = static_cast<std::uint64_t>(*write);
  return billing;
}

// AttributeDefinitions: name -> type, in the order of the request.
using Definitions = std::vector<item::KeyAttribute>;

ServiceResult<Definitions> read_definitions(const Members& members) {
  WIRE_ASSIGN(const auto list, members.list("AttributeDefinitions"));
  Definitions definitions;
  std::set<std::string_view> names;
  for (const simdjson::dom::element element : *list) {
    WIRE_ASSIGN(const Members one, Members::of(element));
    Constraints constraints(
        one, "attributeDefinitions." + std::to_string(definitions.size() + 1) + ".member.");
    constraints.required("AttributeName");
    constraints.required("AttributeType");
    const auto type = constraints.choice("AttributeType", kKeyTypes);
    WIRE_TRY(constraints.finish());
    WIRE_ASSIGN(const auto name, one.string("AttributeName"));
    if (name->empty() || name->size() > kAttributeNameMax) {
      return validation(
          "One or more parameter values were invalid: attribute names have 1 to 255 bytes");
    }
    if (!names.insert(*name).second) {
      return validation("Cannot have two attributes with the same name");
    }
    definitions.push_back({std::string(*name), kKeyItemTypes[*type]});
    if (definitions.size() > kListMax) return validation("Too many AttributeDefinitions");
  }
  return definitions;
}

struct SchemaElement {
  std::string name;
  bool partition = false;
};

ServiceResult<std::vector<SchemaElement>> read_schema_elements(const Members& members) {
  static constexpr std::array<std::string_view, 2> kRoles{"HASH", "RANGE"};
  WIRE_ASSIGN(const auto list, members.list("KeySchema"));
  if (list->size() == 0 || list->size() > 2) {
    Constraints constraints(members);
    constraints.violate("KeySchema", "'[…]'",
                        list->size() == 0 ? "Member must have length greater than or equal to 1"
                                          : "Member must have length less than or equal to 2");
    WIRE_TRY(constraints.finish());
  }
  std::vector<SchemaElement> elements;
  for (const simdjson::dom::element element : *list) {
    WIRE_ASSIGN(const Members one, Members::of(element));
    Constraints constraints(one, "keySchema." + std::to_string(elements.size() + 1) + ".member.");
    constraints.required("AttributeName");
    constraints.required("KeyType");
    const auto role = constraints.choice("KeyType", kRoles);
    WIRE_TRY(constraints.finish());
    WIRE_ASSIGN(const auto name, one.string("AttributeName"));
    elements.push_back({std::string(*name), *role == 0});
  }
  return elements;
}

ServiceResult<item::KeySchema> read_schema(const Members& members) {
  WIRE_ASSIGN(const Definitions definitions, read_definitions(members));
  WIRE_ASSIGN(const std::vector<SchemaElement> elements, read_schema_elements(members));
  if (!elements[0].partition) {
    return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  }
  if (elements.size() == 2 && elements[1].partition) {
    return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  }
  if (elements.size() == 2 && elements[0].name == elements[1].name) {
    return validation(
        "Both the Hash Key and the Range Key element in the KeySchema have the same name");
  }
  item::KeySchema schema;
  for (const SchemaElement& element : elements) {
    const item::KeyAttribute* found = nullptr;
    for (const item::KeyAttribute& definition : definitions) {
      if (definition.name == element.name) found = &definition;
    }
    if (found == nullptr) {
      return validation(
          "One or more parameter values were invalid: Some index key attributes are not defined in "
          "AttributeDefinitions. Keys: [" +
          element.name + "]");
    }
    if (element.partition) {
      schema.partition = *found;
    } else {
      schema.sort = *found;
    }
  }
  if (definitions.size() != elements.size()) {
    return validation(
        "One or more parameter values were invalid: Number of attributes in KeySchema does not "
        "exactly match "
        "number of attributes defined in AttributeDefinitions");
  }
  return schema;
}

}  // namespace

ServiceResult<table::Command> create_table(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("AttributeDefinitions");
  constraints.required("KeySchema");
  TableDefinition definition;
  definition.name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  WIRE_TRY(refuse_unsupported(
      call.members, {"LocalSecondaryIndexes", "GlobalSecondaryIndexes", "Tags", "ResourcePolicy"}));
  WIRE_TRY(refuse_encryption(call.members));
  WIRE_ASSIGN(definition.schema, read_schema(call.members));
  WIRE_ASSIGN(const Billing billing, read_billing(call.members));
  definition.pay_per_request = billing.pay_per_request.value_or(false);
  if (!definition.pay_per_request && !billing.read_units) {
    return validation(
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must "
        "both be specified "
        "when BillingMode is PROVISIONED");
  }
  definition.read_units = billing.read_units.value_or(0);
  definition.write_units = billing.write_units.value_or(0);
  WIRE_ASSIGN(const auto stream, read_stream(call.members));
  if (stream) definition.stream = *stream;
  WIRE_ASSIGN(const auto is_protected, call.members.boolean("DeletionProtectionEnabled"));
  definition.deletion_protected = is_protected.value_or(false);
  TableDefaults defaults = call.table_defaults(definition.name);
  definition.partitions = defaults.partitions;
  definition.record = std::move(defaults.record);

  table::Command command;
  command.render =
      render_description(call, "ACTIVE");  // the commit has made it: it may be used at once
  command.action = table::CreateTable{std::move(definition)};
  return command;
}

ServiceResult<table::Command> delete_table(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const std::string_view name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  table::Command command;
  command.render = render_description(call, "DELETING");
  command.action = table::DeleteTable{std::string(name)};
  return command;
}

ServiceResult<table::Command> update_table(DynamoDbCall& call) {
  Constraints constraints(call.members);
  table::UpdateTable update;
  update.name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  WIRE_TRY(refuse_unsupported(call.members, {"GlobalSecondaryIndexUpdates", "ReplicaUpdates"}));
  WIRE_TRY(refuse_encryption(call.members));
  WIRE_ASSIGN(const TableDescription description, find_table(call, update.name));
  WIRE_ASSIGN(update.stream, read_stream(call.members));
  WIRE_ASSIGN(update.deletion_protected, call.members.boolean("DeletionProtectionEnabled"));
  WIRE_ASSIGN(const Billing billing, read_billing(call.members));
  if (!update.stream && !update.deletion_protected && !billing.pay_per_request &&
      !billing.read_units) {
    return validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates or "
        "SSESpecification or ReplicaUpdates is required");
  }
  const bool has_stream = description.definition.stream.has_value();
  if (update.stream && update.stream->has_value() && has_stream) {
    return validation("Table already has an enabled stream: TableName: " + update.name);
  }
  if (update.stream && !update.stream->has_value() && !has_stream) {
    return validation("Table has no stream to disable: TableName: " + update.name);
  }
  const bool pay_per_request =
      billing.pay_per_request.value_or(description.definition.pay_per_request);
  if (pay_per_request && billing.read_units) {
    return validation(
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
        "WriteCapacityUnits can be "
        "specified when BillingMode is PAY_PER_REQUEST");
  }
  if (!pay_per_request && description.definition.pay_per_request && !billing.read_units) {
    return validation(
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must "
        "both be specified "
        "when BillingMode is PROVISIONED");
  }
  update.pay_per_request = billing.pay_per_request;
  update.read_units = billing.read_units;
  update.write_units = billing.write_units;
  table::Command command;
  command.render = render_description(call, "ACTIVE");
  command.action = std::move(update);
  return command;
}

ServiceResult<std::string> describe_table(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const std::string_view name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const TableDescription description, find_table(call, name));
  AnswerObject answer;
  answer.member("Table").append(describe(description, call.region, "ACTIVE"));
  return std::move(answer).finish();
}

ServiceResult<std::string> list_tables(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const auto limit = constraints.integer("Limit", 1, kListMax);
  WIRE_ASSIGN(const auto start, call.members.string("ExclusiveStartTableName"));
  if (start) constraints.check_table_name(*start, "ExclusiveStartTableName");
  WIRE_TRY(constraints.finish());
  const std::size_t size = limit ? static_cast<std::size_t>(*limit) : kListMax;
  const std::vector<std::string> names =
      call.tables.list(start.value_or(std::string_view()), size + 1);
  AnswerObject answer;
  std::string& list = answer.member("TableNames");
  list.push_back('[');
  for (std::size_t i = 0; i < names.size() && i < size; ++i) {
    if (i > 0) list.push_back(',');
    append_json_string(list, names[i]);
  }
  list.push_back(']');
  if (names.size() > size)
    append_json_string(answer.member("LastEvaluatedTableName"), names[size - 1]);
  return std::move(answer).finish();
}

ServiceResult<std::string> describe_limits(DynamoDbCall&) {
  // The service's defaults, which Pawl does not enforce.
  return std::string(R"({"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,)"
                     R"("TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000})");
}

ServiceResult<std::string> describe_time_to_live(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const std::string_view name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  WIRE_TRY(find_table(call, name));
  return std::string(R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})");
}

ServiceResult<std::string> describe_continuous_backups(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const std::string_view name = constraints.table_name();
  WIRE_TRY(constraints.finish());
  WIRE_TRY(find_table(call, name));
  return std::string(
      R"({"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"DISABLED",)"
      R"("PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}})");
}

}  // namespace pawl::wire
