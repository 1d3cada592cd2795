#include <fmt/format.h>

#include "dynamodb.h"
#include "exchange.h"
#include "text.h"

namespace scripted {
namespace {

Refusal invalid(std::string message) {
  return {400, "ValidationException", std::move(message), {}};
}

KeySchema read_schema(const Json& request) {
  std::map<std::string, std::string, std::less<>> types;
  const auto definitions = member(request, "AttributeDefinitions");
  const auto keys = member(request, "KeySchema");
  if (!definitions || !definitions->is_array() || !keys || !keys->is_array())
    throw invalid("AttributeDefinitions and KeySchema are needed");
  for (const Json definition : simdjson::dom::array(*definitions))
    types[std::string(text_of(definition, "AttributeName"))] = text_of(definition, "AttributeType");
  KeySchema schema;
  for (const Json key : simdjson::dom::array(*keys)) {
    KeyPart part{std::string(text_of(key, "AttributeName")), ""};
    const auto type = types.find(part.name);
    if (type == types.end() || (type->second != "S" && type->second != "N" && type->second != "B"))
      throw invalid("a key attribute needs a definition of type S, N or B");
    part.type = type->second;
    if (text_of(key, "KeyType") == "HASH")
      schema.partition = part;
    else
      schema.sort = part;
  }
  if (schema.partition.name.empty()) throw invalid("a table needs a HASH key");
  return schema;
}

}  // namespace

Table& DynamoDb::find(std::string_view name) {
  if (const std::size_t slash = name.rfind(":table/"); slash != std::string_view::npos)
    name.remove_prefix(slash + 7);
  const auto found = tables_.find(name);
  if (found == tables_.end())
    throw Refusal{400,
                  "ResourceNotFoundException",
                  fmt::format("Requested resource not found: Table: {}", name),
                  {}};
  return *found->second;
}

Table& DynamoDb::add(std::unique_ptr<Table> table) {
  const std::string name = table->name();
  return *(tables_[name] = std::move(table));
}

// FACTS: "enabling it again gives a new ARN". Its label is the instant.
std::string DynamoDb::new_stream_arn(const Table& table) const {
  std::int64_t now_ms = clock_->now_ms();
  const auto arn_at = [&table](std::int64_t ms) {
    std::string label = iso_date(ms);
    label.pop_back();
    return table.arn() + "/stream/" + label;
  };
  while (arn_at(now_ms) <= table.stream_arn) ++now_ms;
  return arn_at(now_ms);
}

std::string DynamoDb::enable_stream(Table& table, View view, std::uint64_t shards) {
  table.view = view;
  table.stream_arn = new_stream_arn(table);
  streams_->add(std::make_unique<Stream>(table.name(), table.stream_arn, table.schema(), view,
                                         clock_->now_ms(), shards));
  return table.stream_arn;
}

std::string DynamoDb::create(const Json& request) {
  const std::string name(text_of(request, "TableName"));
  if (tables_.contains(name))
    throw Refusal{400, "ResourceInUseException", "Table already exists: " + name, {}};
  Table& table =
      add(std::make_unique<Table>(name, read_schema(request), clock_->now_ms(), nullptr));
  if (const auto stream = member(request, "StreamSpecification");
      stream && truth_or(*stream, "StreamEnabled", false)) {
    const auto view = view_of(text_or(*stream, "StreamViewType", ""));
    if (!view) throw invalid("StreamViewType is none");
    enable_stream(table, *view, 1);
  }
  return "{\"TableDescription\":" + describe(table) + '}';
}

std::string DynamoDb::describe(const Table& table) const {
  const KeySchema& schema = table.schema();
  std::string attributes = fmt::format(R"({{"AttributeName":{},"AttributeType":"{}"}})",
                                       json_string(schema.partition.name), schema.partition.type);
  if (schema.sort)
    attributes += fmt::format(R"(,{{"AttributeName":{},"AttributeType":"{}"}})",
                              json_string(schema.sort->name), schema.sort->type);
  std::string out = fmt::format(
      R"({{"TableName":{},"TableArn":{},"TableId":"{}","TableStatus":"ACTIVE","CreationDateTime":{},"KeySchema":{},)"
      R"("AttributeDefinitions":[{}],"ItemCount":{},"TableSizeBytes":{},"BillingModeSummary":{{"BillingMode":"PAY_PER_REQUEST"}})",
      json_string(table.name()), json_string(table.arn()), table.id(),
      static_cast<double>(table.created_ms()) / 1000, schema.to_json(), attributes,
      table.about_items(), table.about_items() * 100);
  if (!table.stream_arn.empty()) {
    const Stream* stream = nullptr;
    try {
      stream = &streams_->find(table.stream_arn);
    } catch (const Refusal&) {
      return out + '}';  // disabled for more than 24 hours
    }
    out += fmt::format(R"(,"LatestStreamArn":{},"LatestStreamLabel":{})",
                       json_string(stream->arn()), json_string(stream->label()));
    if (stream->enabled())
      out += fmt::format(R"(,"StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"{}"}})",
                         scripted::name_of(stream->view()));
  }
  if (!table.replica.empty()) {
    out += fmt::format(
        R"(,"GlobalTableVersion":"2019.11.21","Replicas":[{{"RegionName":{},"ReplicaStatus":"ACTIVE"}}])",
        json_string(table.replica));
  }
  return out + '}';
}

std::string DynamoDb::run(std::string_view operation, const Json& request, const Effects& effects) {
  if (operation == "PutItem") return put(request, effects);
  if (operation == "DeleteItem") return remove(request, effects);
  if (operation == "GetItem") return get(request);
  if (operation == "BatchGetItem") return batch_get(request, effects);
  if (operation == "Scan") return scan(request);
  if (operation == "CreateTable") return create(request);
  if (operation == "DescribeTable")
    return "{\"Table\":" + describe(find(text_of(request, "TableName"))) + '}';
  if (operation == "DeleteTable") {
    const Table& table = find(text_of(request, "TableName"));
    std::string answer = "{\"TableDescription\":" + describe(table) + '}';
    if (!table.stream_arn.empty()) streams_->find(table.stream_arn).disable(clock_->now_ms());
    tables_.erase(table.name());
    return answer;
  }
  if (operation == "ListTables") {
    std::string names;
    for (const auto& [name, table] : tables_)
      names += (names.empty() ? "" : ",") + json_string(name);
    return "{\"TableNames\":[" + names + "]}";
  }
  throw Refusal{400, "UnknownOperationException", "", {}};
}

std::string DynamoDb::name_of(std::string_view operation, const Json& request) try {
  if (operation == "BatchGetItem") {
    const auto tables = member(request, "RequestItems");
    if (!tables || !tables->is_object()) return "";
    const simdjson::dom::object object(*tables);
    return object.begin() == object.end() ? "" : std::string(object.begin().key());
  }
  return std::string(text_or(request, "TableName", ""));
} catch (const Refusal&) {
  return "";  // run() will say what is wrong
}

}  // namespace scripted
