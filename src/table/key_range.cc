#include "table/key_range.h"

#include <algorithm>

#include "table/evaluation.h"
#include "table/item_format.h"

namespace pawl::table {
namespace {

using SortOperator = expression::KeyCondition::SortOperator;

Failure invalid(std::string message) {
  return {.refusal = Refusal::kInvalid, .message = std::move(message), .item = {}, .reasons = {}};
}

// No stored key is a prefix of another, so this is the first possible key after `key`.
std::string just_after(std::string key) { return key.append(1, '\0'); }

std::optional<Failure> check_operand(const item::KeyAttribute& attribute, item::KeyRole role,
                                     const item::Value& value) {
  if (value.type() != attribute.type) {
    return invalid(
        "One or more parameter values were invalid: Condition parameter type does not match schema "
        "type");
  }
  const Status status = item::check_key_value(attribute, role, value);
  if (!status.ok()) return invalid(status.error().message);
  return std::nullopt;
}

std::variant<KeyRange, Failure> query_range(const TableRecord& table,
                                            const expression::KeyCondition& condition) {
  const item::KeySchema& schema = table.definition.schema;
  if (auto failure =
          check_operand(schema.partition, item::KeyRole::kPartition, condition.partition())) {
    return *failure;
  }
  const std::string prefix = partition_prefix(table.space, condition.partition());
  KeyRange range{.from = prefix, .to = after_prefix(prefix)};
  const auto& sort = condition.sort();
  if (sort.op == SortOperator::kNone) return range;
  if (!schema.sort) return invalid("Query key condition not supported");
  if (auto failure = check_operand(*schema.sort, item::KeyRole::kSort, sort.low)) return *failure;
  const std::string low = prefix + item::encode_key_value(sort.low);
  switch (sort.op) {
    case SortOperator::kNone:
      break;
    case SortOperator::kEqual:
      range = {.from = low, .to = just_after(low)};
      break;
    case SortOperator::kLess:
      range.to = low;
      break;
    case SortOperator::kLessEqual:
      range.to = just_after(low);
      break;
    case SortOperator::kGreater:
      range.from = just_after(low);
      break;
    case SortOperator::kGreaterEqual:
      range.from = low;
      break;
    case SortOperator::kBetween:
      if (auto failure = check_operand(*schema.sort, item::KeyRole::kSort, sort.high)) {
        return *failure;
      }
      range = {.from = low, .to = just_after(prefix + item::encode_key_value(sort.high))};
      break;
    case SortOperator::kBeginsWith:
      if (sort.low.type() == item::Type::kNumber) {
        return invalid("Query key condition not supported");
      }
      range.from = prefix + item::encode_key_prefix(sort.low);
      range.to = after_prefix(range.from);
      break;
  }
  return range;
}

// The first key of segment `segment` of `total`: even shares of the hashes, without a gap between
// them.
std::string segment_start(Incarnation space, std::uint32_t segment, std::uint32_t total) {
  __extension__ using Wide = unsigned __int128;
  if (segment == total) return after_prefix(hash_prefix(space, 0).substr(0, 8));
  return hash_prefix(space, static_cast<std::uint64_t>((static_cast<Wide>(segment) << 64) / total));
}

bool contains(const KeyRange& range, const std::string& key) {
  return key >= range.from && key < range.to;
}

// Narrows `range` to what comes after the start key.
std::optional<Failure> apply_start(const TableRecord& table, const PageRequest& request,
                                   KeyRange& range) {
  const item::KeySchema& schema = table.definition.schema;
  const item::Item& key = *request.exclusive_start_key;
  if (const Status checked = item::check_key(schema, key); !checked.ok()) {
    return invalid("The provided starting key is invalid: " + checked.error().message);
  }
  const bool is_query = request.key_condition.has_value();
  if (is_query && key.at(schema.partition.name) != request.key_condition->partition()) {
    return invalid(
        "The provided starting key is outside query boundaries based on provided conditions");
  }
  const std::string start = place_of(table.space, schema, key).key;
  if (!contains(range, start)) {
    if (is_query)
      return invalid("The provided starting key does not match the range key predicate");
    return invalid(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
        "ExclusiveStartKey with correct Segment. TotalSegments: " +
        std::to_string(request.total_segments) + " Segment: " + std::to_string(request.segment));
  }
  if (request.forward) {
    range.from = just_after(start);
  } else {
    range.to = start;
  }
  return std::nullopt;
}

}  // namespace

std::variant<KeyRange, Failure> range_of(const TableRecord& table, const PageRequest& request) {
  KeyRange range;
  if (request.key_condition) {
    auto query = query_range(table, *request.key_condition);
    if (auto* failure = std::get_if<Failure>(&query)) return std::move(*failure);
    range = std::get<KeyRange>(std::move(query));
  } else {
    if (request.total_segments == 0 || request.segment >= request.total_segments) {
      return invalid(
          "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
          "Segment: " +
          std::to_string(request.segment) +
          " is not less than TotalSegments: " + std::to_string(request.total_segments));
    }
    range = {.from = segment_start(table.space, request.segment, request.total_segments),
             .to = segment_start(table.space, request.segment + 1, request.total_segments)};
  }
  if (request.exclusive_start_key) {
    if (auto failure = apply_start(table, request, range)) return std::move(*failure);
  }
  return range;
}

}  // namespace pawl::table
