// GetItem, BatchGetItem, TransactGetItems.
#include <map>
#include <set>

#include "base/json_writer.h"
#include "item/dynamodb_json.h"
#include "item/item_size.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_call.h"
#include "wire/dynamodb_constraints.h"
#include "wire/dynamodb_expressions.h"

namespace pawl::wire {
namespace {

constexpr std::size_t kKeysMax = 100;                     // of a BatchGetItem or TransactGetItems
constexpr std::size_t kBatchBytesMax = 16 * 1024 * 1024;  // of a BatchGetItem's items
constexpr std::size_t kTransactionBytesMax = 4 * 1024 * 1024;  // of a TransactGetItems'

using Keys = std::vector<std::pair<std::string, item::Item>>;
using Found = std::vector<std::optional<item::Item>>;

const RequestExpressions::Allowed& projection_only() {
  static const RequestExpressions::Allowed allowed{
      {"ProjectionExpression"}, {"AttributesToGet"}, ""};
  return allowed;
}

ServiceResult<Found> get_many(const DynamoDbCall& call, const Keys& keys) {
  auto found = call.tables.get_many(keys);
  if (auto* failure = std::get_if<table::Failure>(&found)) return service_error_of(*failure);
  return std::get<Found>(std::move(found));
}

void append_projected(std::string& out, const item::Item& item,
                      const std::optional<expression::Projection>& projection) {
  item::append_item_json(out, projection ? projection->project(item) : item);
}

// The part of a BatchGetItem that asks one table.
struct BatchTable {
  std::string asked;  // its name or ARN: what the answer calls it
  std::string name;
  Members members;
  bool consistent = false;
  std::optional<expression::Projection> projection;
  std::vector<simdjson::dom::element> keys;  // as asked, for UnprocessedKeys
  HalfUnits units = 0;
};

ServiceResult<BatchTable> open_batch_table(const DynamoDbCall& call, std::string_view asked,
                                           simdjson::dom::element element, Keys& keys,
                                           std::set<std::string>& seen) {
  WIRE_ASSIGN(Members members, Members::of(element));
  BatchTable part;
  part.asked = asked;
  part.name = without_arn(asked);
  part.members = std::move(members);
  Constraints constraints(part.members);
  constraints.check_table_name(part.name, "TableName");
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto list, part.members.list("Keys"));
  if (!list || list->size() == 0) {
    return validation("The list of keys in RequestItems for BatchGetItem is required");
  }
  WIRE_ASSIGN(const table::TableDescription description, find_table(call, part.name));
  if (keys.size() + list->size() > kKeysMax) {
    return validation("Too many items requested for the BatchGetItem call");
  }
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(part.members, projection_only()));
  WIRE_ASSIGN(part.projection, expressions.projection());
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(const auto consistent, part.members.boolean("ConsistentRead"));
  part.consistent = consistent.value_or(false);
  for (const simdjson::dom::element one : *list) {
    WIRE_ASSIGN(item::Item key, parse_key(one, description.definition.schema));
    if (!seen.insert(part.name + '\0' + item::encode_key(description.definition.schema, key))
             .second) {
      return validation("Provided list of item keys contains duplicates");
    }
    part.keys.push_back(one);
    keys.emplace_back(part.name, std::move(key));
  }
  return part;
}

// What did not fit: the table's part of the request, with the keys that are left.
void append_unprocessed(std::string& out, const BatchTable& part, std::size_t first) {
  if (out.size() > 1) out.push_back(',');
  append_json_string(out, part.asked);
  out.append(":{\"Keys\":[");
  for (std::size_t i = first; i < part.keys.size(); ++i) {
    if (i > first) out.push_back(',');
    out.append(simdjson::minify(part.keys[i]));
  }
  out.push_back(']');
  for (const std::string_view name :
       {"ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}) {
    if (const auto* value = part.members.find(name)) {
      out.append(",\"").append(name).append("\":").append(simdjson::minify(*value));
    }
  }
  out.push_back('}');
}

std::string render_batch(std::vector<BatchTable>& parts, const Found& found,
                         CapacityDetail capacity) {
  AnswerObject answer;
  std::string unprocessed = "{";
  std::size_t next = 0, bytes = 0;
  bool full = false;
  std::string& out = answer.member("Responses");
  out.push_back('{');
  for (BatchTable& part : parts) {
    if (&part != &parts.front()) out.push_back(',');
    append_json_string(out, part.asked);
    out.append(":[");
    if (full) append_unprocessed(unprocessed, part, 0);
    bool first = true;
    for (std::size_t i = 0; i < part.keys.size() && !full; ++i) {
      const std::optional<item::Item>& item = found[next + i];
      const std::size_t size = item ? item::size_of(*item) : 0;
      if (bytes + size > kBatchBytesMax) {
        full = true;
        append_unprocessed(unprocessed, part, i);
        break;
      }
      bytes += size;
      part.units += read_units(size, part.consistent);
      if (!item) continue;
      if (!first) out.push_back(',');
      first = false;
      append_projected(out, *item, part.projection);
    }
    next += part.keys.size();
    out.push_back(']');
  }
  out.push_back('}');
  answer.member("UnprocessedKeys").append(unprocessed).push_back('}');
  if (capacity != CapacityDetail::kNone) {
    std::string& list = answer.member("ConsumedCapacity");
    for (const BatchTable& part : parts) {
      list.push_back(&part == &parts.front() ? '[' : ',');
      append_capacity(list, part.name, part.units, capacity);
    }
    list.push_back(']');
  }
  return std::move(answer).finish();
}

}  // namespace

ServiceResult<table::TableDescription> find_table(const DynamoDbCall& call, std::string_view name) {
  auto found = call.tables.describe(name);
  if (auto* failure = std::get_if<table::Failure>(&found)) {
    if (failure->refusal == table::Refusal::kNoSuchTable) {
      return ServiceError{
          kResourceNotFound,
          "Requested resource not found: Table: " + std::string(name) + " not found",
          400,
          {}};
    }
    return service_error_of(*failure);
  }
  return std::get<table::TableDescription>(std::move(found));
}

ServiceResult<std::string> get_item(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("Key");
  const std::string_view name = constraints.table_name();
  const CapacityDetail capacity = constraints.consumed_capacity();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const table::TableDescription description, find_table(call, name));
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, projection_only()));
  WIRE_ASSIGN(const auto projection, expressions.projection());
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(const auto consistent, call.members.boolean("ConsistentRead"));
  WIRE_ASSIGN(const item::Item key,
              parse_key(*call.members.find("Key"), description.definition.schema));

  auto found = call.tables.get(name, key);
  if (auto* failure = std::get_if<table::Failure>(&found)) return service_error_of(*failure);
  const auto& item = std::get<std::optional<item::Item>>(found);
  AnswerObject answer;
  if (item) append_projected(answer.member("Item"), *item, projection);
  if (capacity != CapacityDetail::kNone) {
    append_capacity(answer.member("ConsumedCapacity"), name,
                    read_units(item ? item::size_of(*item) : 0, consistent.value_or(false)),
                    capacity);
  }
  return std::move(answer).finish();
}

ServiceResult<std::string> batch_get_item(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("RequestItems");
  const CapacityDetail capacity = constraints.consumed_capacity();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto request_items, call.members.map("RequestItems"));
  if (request_items->empty()) return validation("BatchGetItem must have some requests set");
  if (request_items->size() > kKeysMax) {
    return validation("Too many items requested for the BatchGetItem call");
  }

  Keys keys;
  std::set<std::string> seen;
  std::vector<BatchTable> parts;
  for (const auto& [name, element] : *request_items) {
    WIRE_ASSIGN(BatchTable part, open_batch_table(call, name, element, keys, seen));
    parts.push_back(std::move(part));
  }
  WIRE_ASSIGN(const Found found, get_many(call, keys));
  return render_batch(parts, found, capacity);
}

ServiceResult<std::string> transact_get_items(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("TransactItems");
  const CapacityDetail capacity = constraints.consumed_capacity();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto actions, call.members.list("TransactItems"));
  if (actions->size() == 0 || actions->size() > kKeysMax) {
    constraints.violate("TransactItems", "'[…]'",
                        actions->size() == 0 ? "Member must have length greater than or equal to 1"
                                             : "Member must have length less than or equal to 100");
    WIRE_TRY(constraints.finish());
  }
  Keys keys;
  std::set<std::string> seen;
  std::vector<std::optional<expression::Projection>> projections;
  for (const simdjson::dom::element element : *actions) {
    const std::string path = "transactItems." + std::to_string(keys.size() + 1) + ".member.";
    WIRE_ASSIGN(const Members action, Members::of(element));
    Constraints outer(action, path);
    outer.required("Get");
    WIRE_TRY(outer.finish());
    WIRE_ASSIGN(const auto get, action.structure("Get"));
    Constraints inner(*get, path + "get.");
    inner.required("Key");
    const std::string_view name = inner.table_name();
    WIRE_TRY(inner.finish());
    WIRE_ASSIGN(const table::TableDescription description, find_table(call, name));
    WIRE_ASSIGN(RequestExpressions expressions, RequestExpressions::open(*get, projection_only()));
    WIRE_ASSIGN(auto projection, expressions.projection());
    WIRE_TRY(expressions.finish());
    WIRE_ASSIGN(item::Item key, parse_key(*get->find("Key"), description.definition.schema));
    if (!seen.insert(std::string(name) + '\0' +
                     item::encode_key(description.definition.schema, key))
             .second) {
      return validation("Transaction request cannot include multiple operations on one item");
    }
    keys.emplace_back(name, std::move(key));
    projections.push_back(std::move(projection));
  }
  WIRE_ASSIGN(const Found found, get_many(call, keys));

  AnswerObject answer;
  std::map<std::string_view, HalfUnits> units;
  std::size_t bytes = 0;
  std::string& responses = answer.member("Responses");
  for (std::size_t i = 0; i < found.size(); ++i) {
    responses.append(i == 0 ? "[{" : ",{");
    const std::size_t size = found[i] ? item::size_of(*found[i]) : 0;
    bytes += size;
    units[keys[i].first] += 2 * read_units(size, true);  // a transaction reads twice
    if (found[i]) {
      responses.append("\"Item\":");
      append_projected(responses, *found[i], projections[i]);
    }
    responses.push_back('}');
  }
  responses.push_back(']');
  if (bytes > kTransactionBytesMax) {
    return validation("Collection size of the transaction's items exceeded the maximum of 4 MB");
  }
  if (capacity != CapacityDetail::kNone) {
    std::string& list = answer.member("ConsumedCapacity");
    char before = '[';
    for (const auto& [table, used] : units) {
      list.push_back(before);
      append_capacity(list, table, used, capacity, UnitKind::kRead);
      before = ',';
    }
    list.push_back(']');
  }
  return std::move(answer).finish();
}

}  // namespace pawl::wire
