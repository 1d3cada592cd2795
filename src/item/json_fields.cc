#include "item/json_fields.h"

namespace pawl::item {

std::optional<simdjson::dom::element> JsonFields::element(std::string_view name) {
  simdjson::dom::element found;
  if (failed_ || object_.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

void JsonFields::fail(std::string_view name) {
  if (!failed_) failed_ = std::string(name);
}

Status JsonFields::status() const {
  if (!failed_) return pawl::ok();
  return Error{
      ErrorCode::kCorrupt,
      "the " + std::string(what_) + " has no field '" + *failed_ + "' of the expected form",
      {}};
}

std::optional<std::string_view> JsonFields::optional_text(std::string_view name) {
  const auto found = element(name);
  if (!found) return std::nullopt;
  std::string_view text;
  if (found->get(text) != simdjson::SUCCESS) {
    fail(name);
    return std::nullopt;
  }
  return text;
}

std::string_view JsonFields::text(std::string_view name) {
  const auto found = optional_text(name);
  if (!found) fail(name);
  return found.value_or(std::string_view{});
}

std::optional<std::uint64_t> JsonFields::optional_number(std::string_view name) {
  const auto found = element(name);
  if (!found) return std::nullopt;
  std::uint64_t number = 0;
  if (found->get(number) != simdjson::SUCCESS) {
    fail(name);
    return std::nullopt;
  }
  return number;
}

std::uint64_t JsonFields::number(std::string_view name) {
  const auto found = optional_number(name);
  if (!found) fail(name);
  return found.value_or(0);
}

bool JsonFields::boolean_or(std::string_view name, bool otherwise) {
  const auto found = element(name);
  if (!found) return otherwise;
  bool value = otherwise;
  if (found->get(value) != simdjson::SUCCESS) fail(name);
  return value;
}

Instant JsonFields::instant(std::string_view name) {
  const auto value = Instant::parse(text(name));
  if (!value) fail(name);
  return value.value_or(Instant{});
}

Digest JsonFields::digest(std::string_view name) {
  const auto value = Digest::parse(text(name));
  if (!value) fail(name);
  return value.value_or(Digest{});
}

ShardId JsonFields::shard(std::string_view name) {
  const auto value = ShardId::parse(text(name));
  if (!value) fail(name);
  return value.value_or(ShardId{});
}

Incarnation JsonFields::incarnation(std::string_view name) {
  const auto value = Incarnation::parse(text(name));
  if (!value) fail(name);
  return value.value_or(Incarnation{});
}

simdjson::dom::object JsonFields::object(std::string_view name) {
  simdjson::dom::object value;
  const auto found = element(name);
  if (!found || found->get(value) != simdjson::SUCCESS) fail(name);
  return value;
}

simdjson::dom::array JsonFields::array(std::string_view name) {
  simdjson::dom::array value;
  const auto found = element(name);
  if (!found || found->get(value) != simdjson::SUCCESS) fail(name);
  return value;
}

void JsonFields::expect(std::string_view name, std::string_view value) {
  if (text(name) != value) fail(name);
}

Result<simdjson::dom::object> parse_stored_object(simdjson::dom::parser& parser,
                                                  std::string_view json, std::size_t size_max,
                                                  std::string_view what) {
  if (json.size() > size_max) {
    return Error{ErrorCode::kCorrupt,
                 "the " + std::string(what) + " is longer than any that Pawl writes",
                 {}};
  }
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
    return Error{ErrorCode::kCorrupt, "the " + std::string(what) + " is no JSON object", {}};
  }
  return object;
}

}  // namespace pawl::item
