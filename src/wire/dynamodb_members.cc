#include "wire/dynamodb_members.h"

#include <cmath>

namespace pawl::wire {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// What the service's parser calls the token.
std::string token_name(const element& value) {
  switch (value.type()) {
    case element_type::STRING:
      return "STRING_VALUE";
    case element_type::INT64:
    case element_type::UINT64:
      return "NUMBER_VALUE";
    case element_type::DOUBLE:
      return "DECIMAL_VALUE";
    case element_type::BOOL:
      return value.get_bool().value_unsafe() ? "TRUE_VALUE" : "FALSE_VALUE";
    case element_type::ARRAY:
      return "START_ARRAY";
    case element_type::OBJECT:
      return "START_OBJECT";
    case element_type::NULL_VALUE:
      return "NULL_VALUE";
  }
  return "UNKNOWN_VALUE";
}

ServiceError wrong_type(const element& value, std::string_view name, std::string_view wanted) {
  return serialization(token_name(value) + " cannot be converted to " + std::string(wanted) +
                       " (member " + std::string(name) + ")");
}

ServiceError twice(std::string_view name) {
  return serialization("The key '" + std::string(name.substr(0, 256)) +
                       "' comes twice in one JSON object");
}

// No structure of the service's model has more than 20; a request is searched through for each of them.
constexpr std::size_t kMembersMax = 256;

}  // namespace

ServiceResult<Members> Members::of(element value) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return serialization(token_name(value) + " cannot be converted to a structure");
  }
  Members members;
  members.members_.reserve(object.size());
  for (const auto& [name, member] : object) {
    if (members.members_.size() >= kMembersMax)
      return serialization("A structure has too many members");
    if (members.find(name) != nullptr) return twice(name);
    if (!member.is_null()) members.members_.emplace_back(name, member);
  }
  return members;
}

const element* Members::find(std::string_view name) const {
  for (const auto& [member, value] : members_) {
    if (member == name) return &value;
  }
  return nullptr;
}

ServiceResult<std::optional<std::string_view>> Members::string(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<std::string_view>();
  std::string_view text;
  if (value->get_string().get(text) != simdjson::SUCCESS) return wrong_type(*value, name, "String");
  return std::optional(text);
}

ServiceResult<std::optional<bool>> Members::boolean(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<bool>();
  bool truth = false;
  if (value->get_bool().get(truth) != simdjson::SUCCESS) return wrong_type(*value, name, "Boolean");
  return std::optional(truth);
}

ServiceResult<std::optional<std::int64_t>> Members::integer(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  std::int64_t number = 0;
  if (value->get_int64().get(number) == simdjson::SUCCESS) return std::optional(number);
  double decimal = 0;
  if (value->type() == element_type::DOUBLE &&
      value->get_double().get(decimal) == simdjson::SUCCESS && std::abs(decimal) < 1e15) {
    return std::optional(static_cast<std::int64_t>(decimal));  // the service cuts the fraction off
  }
  return wrong_type(*value, name, "Integer");
}

ServiceResult<std::optional<Members>> Members::structure(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<Members>();
  if (!value->is_object()) return wrong_type(*value, name, "a structure");
  WIRE_ASSIGN(Members members, Members::of(*value));
  return std::optional(std::move(members));
}

ServiceResult<std::optional<simdjson::dom::array>> Members::list(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<simdjson::dom::array>();
  simdjson::dom::array array;
  if (value->get_array().get(array) != simdjson::SUCCESS) return wrong_type(*value, name, "a list");
  return std::optional(array);
}

ServiceResult<std::optional<Members::Map>> Members::map(std::string_view name) const {
  const element* value = find(name);
  if (value == nullptr) return std::optional<Map>();
  simdjson::dom::object object;
  if (value->get_object().get(object) != simdjson::SUCCESS)
    return wrong_type(*value, name, "a map");
  Map entries;
  for (const auto& [key, entry] : object) {
    if (!entries.emplace(key, entry).second) return twice(key);
  }
  return std::optional(std::move(entries));
}

}  // namespace pawl::wire
