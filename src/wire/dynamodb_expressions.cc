#include "wire/dynamodb_expressions.h"

#include "item/dynamodb_json.h"

namespace pawl::wire {
namespace {

using expression::Condition;
using expression::KeyCondition;
using expression::Placeholders;
using expression::Projection;
using expression::Update;

std::string join(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text.append(", ");
    text.append(name);
  }
  return text;
}

std::vector<std::string_view> present(const Members& members,
                                      const std::vector<std::string_view>& names) {
  std::vector<std::string_view> found;
  for (const std::string_view name : names) {
    if (members.has(name)) found.push_back(name);
  }
  return found;
}

}  // namespace

ServiceResult<RequestExpressions> RequestExpressions::open(const Members& members,
                                                           const Allowed& allowed) {
  const auto expressions = present(members, allowed.expressions);
  const auto legacy = present(members, allowed.legacy);
  if (!expressions.empty() && !legacy.empty()) {
    return validation(
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression "
        "parameters: {" +
        join(legacy) + "} Expression parameters: {" + join(expressions) + "}");
  }
  if (!legacy.empty()) {
    return validation("not supported by Pawl yet: the legacy parameter" +
                      std::string(legacy.size() > 1 ? "s " : " ") + join(legacy) +
                      "; use the expression parameters that replaced " +
                      (legacy.size() > 1 ? "them" : "it"));
  }
  RequestExpressions request(members);
  WIRE_TRY(request.open_placeholders(allowed, !expressions.empty()));
  return request;
}

ServiceStatus RequestExpressions::open_placeholders(const Allowed& allowed, bool any_expression) {
  WIRE_ASSIGN(const auto names, members_->map("ExpressionAttributeNames"));
  WIRE_ASSIGN(auto values, members_->map("ExpressionAttributeValues"));
  // No member of this operation: passed over, as every member that an operation does not have.
  if (allowed.without_values.empty()) values.reset();
  if (!names && !values) return Unit{};
  if (!any_expression) {
    if (names)
      return validation("ExpressionAttributeNames can only be specified when using expressions");
    return validation("ExpressionAttributeValues can only be specified when using expressions: " +
                      std::string(allowed.without_values));
  }
  std::map<std::string, std::string, std::less<>> name_map;
  if (names) {
    if (names->empty()) return validation("ExpressionAttributeNames must not be empty");
    for (const auto& [key, value] : *names) {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) {
        return serialization("A value of ExpressionAttributeNames is not a string");
      }
      name_map.emplace_hint(name_map.end(), key, text);
    }
  }
  std::map<std::string, item::Value, std::less<>> value_map;
  if (values) {
    if (values->empty()) return validation("ExpressionAttributeValues must not be empty");
    for (const auto& [key, element] : *values) {
      auto value = item::parse_value(element);
      if (!value.ok()) {
        if (value.error().code != ErrorCode::kInvalid) return service_error_of(value.error());
        return validation("ExpressionAttributeValues contains invalid value: " +
                          value.error().message + " for key " + std::string(key));
      }
      value_map.emplace_hint(value_map.end(), key, std::move(value).value());
    }
  }
  auto placeholders = Placeholders::make(std::move(name_map), std::move(value_map));
  if (!placeholders.ok()) return service_error_of(placeholders.error());
  placeholders_ = std::move(placeholders).value();
  return Unit{};
}

ServiceResult<std::optional<Condition>> RequestExpressions::condition() {
  WIRE_ASSIGN(const auto text, members_->string("ConditionExpression"));
  if (!text) return std::optional<Condition>();
  auto parsed = Condition::parse(*text, Condition::Kind::kCondition, placeholders_);
  if (!parsed.ok()) return service_error_of(parsed.error());
  return std::optional(std::move(parsed).value());
}

ServiceResult<std::optional<Condition>> RequestExpressions::filter(const item::KeySchema* schema) {
  WIRE_ASSIGN(const auto text, members_->string("FilterExpression"));
  if (!text) return std::optional<Condition>();
  auto parsed = Condition::parse(*text, Condition::Kind::kFilter, placeholders_);
  if (!parsed.ok()) return service_error_of(parsed.error());
  if (schema == nullptr) return std::optional(std::move(parsed).value());
  const auto& attributes = parsed.value().attributes();
  for (const item::KeyAttribute* key :
       {&schema->partition, schema->sort ? &*schema->sort : nullptr}) {
    if (key != nullptr && attributes.contains(key->name)) {
      return validation(
          "Filter Expression can only contain non-primary key attributes: Primary key attribute: " +
          key->name);
    }
  }
  return std::optional(std::move(parsed).value());
}

ServiceResult<std::optional<Update>> RequestExpressions::update() {
  WIRE_ASSIGN(const auto text, members_->string("UpdateExpression"));
  if (!text) return std::optional<Update>();
  auto parsed = Update::parse(*text, placeholders_);
  if (!parsed.ok()) return service_error_of(parsed.error());
  return std::optional(std::move(parsed).value());
}

ServiceResult<std::optional<Projection>> RequestExpressions::projection() {
  WIRE_ASSIGN(const auto text, members_->string("ProjectionExpression"));
  if (!text) return std::optional<Projection>();
  auto parsed = Projection::parse(*text, placeholders_);
  if (!parsed.ok()) return service_error_of(parsed.error());
  return std::optional(std::move(parsed).value());
}

ServiceResult<KeyCondition> RequestExpressions::key_condition(const item::KeySchema& schema) {
  WIRE_ASSIGN(const auto text, members_->string("KeyConditionExpression"));
  auto parsed = KeyCondition::parse(text.value_or(std::string_view()), schema, placeholders_);
  if (!parsed.ok()) return service_error_of(parsed.error());
  return std::move(parsed).value();
}

ServiceStatus RequestExpressions::finish() {
  if (const Status status = placeholders_.check_all_used(); !status.ok()) {
    return service_error_of(status.error());
  }
  return Unit{};
}

std::optional<std::string> key_attribute_updated(const Update& update,
                                                 const item::KeySchema& schema) {
  for (const item::KeyAttribute* key : {&schema.partition, schema.sort ? &*schema.sort : nullptr}) {
    if (key != nullptr && update.attributes().contains(key->name)) {
      return "One or more parameter values were invalid: Cannot update attribute " + key->name +
             ". This attribute is part of the key";
    }
  }
  return std::nullopt;
}

}  // namespace pawl::wire
