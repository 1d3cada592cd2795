// Query and Scan.
#include <limits>

#include "item/dynamodb_json.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_call.h"
#include "wire/dynamodb_constraints.h"
#include "wire/dynamodb_expressions.h"

namespace pawl::wire {
namespace {

using table::PageRequest;

constexpr std::int64_t kSegmentsMax = 1'000'000;

enum class Select : std::uint8_t { kUnsaid, kAll, kAllProjected, kCount, kSpecific };

// What Query and Scan have in common.
struct PageCall {
  PageRequest request;
  item::KeySchema schema;
  CapacityDetail capacity = CapacityDetail::kNone;
  Select select = Select::kUnsaid;
  bool consistent = false;
};

Select read_select(Constraints& constraints) {
  static constexpr std::array<std::string_view, 4> kChoices{
      "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT", "SPECIFIC_ATTRIBUTES"};
  const auto chosen = constraints.choice("Select", kChoices);
  return chosen ? static_cast<Select>(*chosen + 1) : Select::kUnsaid;
}

ServiceStatus check_select(const DynamoDbCall& call, Select select, std::string_view operation) {
  const bool projected = call.members.has("ProjectionExpression");
  switch (select) {
    case Select::kAllProjected:
      return validation("ALL_PROJECTED_ATTRIBUTES can be used only when " + std::string(operation) +
                        " using an IndexName");
    case Select::kSpecific:
      if (projected) return Unit{};
      return validation(
          "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
          "SPECIFIC_ATTRIBUTES");
    case Select::kCount:
      if (!projected) return Unit{};
      return validation(
          "Cannot specify the ProjectionExpression when choosing to get only the Count");
    case Select::kAll:
      if (!projected) return Unit{};
      return validation(
          "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES");
    case Select::kUnsaid:
      break;
  }
  return Unit{};
}

ServiceResult<PageCall> open_page(DynamoDbCall& call, Constraints& constraints,
                                  std::string_view operation) {
  PageCall page;
  const std::string_view name = constraints.table_name();
  const auto limit = constraints.integer("Limit", 1, std::numeric_limits<std::int32_t>::max());
  page.capacity = constraints.consumed_capacity();
  page.select = read_select(constraints);
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(table::TableDescription description, find_table(call, name));
  WIRE_ASSIGN(const auto index, call.members.string("IndexName"));
  if (index) {
    return validation("not supported by Pawl yet: secondary indexes (IndexName " +
                      std::string(*index) + ")");
  }
  WIRE_TRY(check_select(call, page.select, operation));
  WIRE_ASSIGN(const auto consistent, call.members.boolean("ConsistentRead"));
  page.consistent = consistent.value_or(false);
  page.schema = std::move(description.definition.schema);
  page.request.table = name;
  page.request.count_only = page.select == Select::kCount;
  if (limit) page.request.limit = static_cast<std::uint32_t>(*limit);
  return page;
}

ServiceStatus read_start_key(const DynamoDbCall& call, PageCall& page) {
  const auto* start = call.members.find("ExclusiveStartKey");
  if (start == nullptr) return Unit{};
  auto key = item::parse_item(*start);
  if (!key.ok()) return service_error_of(key.error());
  if (!item::check_key(page.schema, key.value()).ok()) {
    return validation(
        "The provided starting key is invalid: The provided key element does not match the schema");
  }
  page.request.exclusive_start_key = std::move(key).value();
  return Unit{};
}

// Whether a start key could have come from a page of this query.
bool within(const expression::KeyCondition& condition, const item::KeySchema& schema,
            const item::Item& key) {
  using Sort = expression::KeyCondition::SortOperator;
  if (!(key.find(schema.partition.name)->second == condition.partition())) return false;
  if (!schema.sort || condition.sort().op == Sort::kNone) return true;
  const std::string at = item::encode_key_value(key.find(schema.sort->name)->second);
  const std::string low = item::encode_key_value(condition.sort().low);
  switch (condition.sort().op) {
    case Sort::kNone:
      return true;
    case Sort::kEqual:
      return at == low;
    case Sort::kLess:
      return at < low;
    case Sort::kLessEqual:
      return at <= low;
    case Sort::kGreater:
      return at > low;
    case Sort::kGreaterEqual:
      return at >= low;
    case Sort::kBetween:
      return at >= low && at <= item::encode_key_value(condition.sort().high);
    case Sort::kBeginsWith: {
      const item::Value& value = key.find(schema.sort->name)->second;
      const item::Value& prefix = condition.sort().low;
      if (const auto* text = value.get_if<item::String>()) {
        const auto* start = prefix.get_if<item::String>();
        return start != nullptr && text->text.starts_with(start->text);
      }
      const auto* bytes = value.get_if<item::Binary>();
      const auto* start = prefix.get_if<item::Binary>();
      return bytes != nullptr && start != nullptr && bytes->bytes.starts_with(start->bytes);
    }
  }
  return true;
}

ServiceResult<std::string> answer_page(const DynamoDbCall& call, const PageCall& asked) {
  auto read = call.tables.page(asked.request);
  if (auto* failure = std::get_if<table::Failure>(&read)) return service_error_of(*failure);
  const auto& page = std::get<table::Page>(read);
  AnswerObject answer;
  if (!asked.request.count_only) {
    std::string& items = answer.member("Items");
    items.push_back('[');
    bool first = true;
    for (const item::Item& item : page.items) {
      if (!first) items.push_back(',');
      first = false;
      item::append_item_json(items, item);
    }
    items.push_back(']');
  }
  answer.number("Count", page.count);
  answer.number("ScannedCount", page.scanned_count);
  if (page.last_evaluated_key) answer.item("LastEvaluatedKey", *page.last_evaluated_key);
  if (asked.capacity != CapacityDetail::kNone) {
    append_capacity(answer.member("ConsumedCapacity"), asked.request.table,
                    read_units(page.scanned_bytes, asked.consistent), asked.capacity);
  }
  return std::move(answer).finish();
}

const RequestExpressions::Allowed& query_expressions() {
  static const RequestExpressions::Allowed allowed{
      {"KeyConditionExpression", "FilterExpression", "ProjectionExpression"},
      {"KeyConditions", "QueryFilter", "ConditionalOperator", "AttributesToGet"},
      "FilterExpression and KeyConditionExpression are null"};
  return allowed;
}

const RequestExpressions::Allowed& scan_expressions() {
  static const RequestExpressions::Allowed allowed{
      {"FilterExpression", "ProjectionExpression"},
      {"ScanFilter", "ConditionalOperator", "AttributesToGet"},
      "FilterExpression is null"};
  return allowed;
}

}  // namespace

ServiceResult<std::string> query(DynamoDbCall& call) {
  Constraints constraints(call.members);
  WIRE_ASSIGN(PageCall page, open_page(call, constraints, "Querying"));
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, query_expressions()));
  if (!call.members.has("KeyConditionExpression")) {
    return validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
        "request.");
  }
  WIRE_ASSIGN(page.request.filter, expressions.filter(&page.schema));
  WIRE_ASSIGN(page.request.projection, expressions.projection());
  WIRE_ASSIGN(page.request.key_condition, expressions.key_condition(page.schema));
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(const auto forward, call.members.boolean("ScanIndexForward"));
  page.request.forward = forward.value_or(true);
  WIRE_TRY(read_start_key(call, page));
  if (page.request.exclusive_start_key &&
      !within(*page.request.key_condition, page.schema, *page.request.exclusive_start_key)) {
    return validation(
        "The provided starting key is outside query boundaries based on provided conditions");
  }
  return answer_page(call, page);
}

ServiceResult<std::string> scan(DynamoDbCall& call) {
  Constraints constraints(call.members);
  const auto segment = constraints.integer("Segment", 0, kSegmentsMax - 1);
  const auto total = constraints.integer("TotalSegments", 1, kSegmentsMax);
  WIRE_ASSIGN(PageCall page, open_page(call, constraints, "Scanning"));
  if (segment && !total) {
    return validation(
        "The TotalSegments parameter is required but was not present in the request when Segment "
        "parameter is present");
  }
  if (total && !segment) {
    return validation(
        "The Segment parameter is required but was not present in the request when parameter "
        "TotalSegments is present");
  }
  if (segment && *segment >= *total) {
    return validation(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
        "Segment: " +
        std::to_string(*segment) + " is not less than TotalSegments: " + std::to_string(*total));
  }
  if (segment) {
    page.request.segment = static_cast<std::uint32_t>(*segment);
    page.request.total_segments = static_cast<std::uint32_t>(*total);
  }
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, scan_expressions()));
  WIRE_ASSIGN(page.request.filter, expressions.filter(nullptr));
  WIRE_ASSIGN(page.request.projection, expressions.projection());
  WIRE_TRY(expressions.finish());
  WIRE_TRY(read_start_key(call, page));
  return answer_page(call, page);
}

}  // namespace pawl::wire
