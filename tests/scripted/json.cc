#include "json.h"

#include "exchange.h"

namespace scripted {
namespace {

Refusal wrong(std::string_view name, std::string_view what) {
  return {400, "ValidationException", std::string(name) + " " + std::string(what), {}};
}

}  // namespace

Json parse_json(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  Json document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS ||
      !document.is_object())
    throw Refusal{400, "SerializationException", "the body is not a JSON object", {}};
  return document;
}

std::optional<Json> member(const Json& object, std::string_view name) {
  Json value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

std::string_view text_or(const Json& object, std::string_view name, std::string_view otherwise) {
  const auto found = member(object, name);
  if (!found) return otherwise;
  std::string_view text;
  if (found->get_string().get(text) != simdjson::SUCCESS) throw wrong(name, "must be a string");
  return text;
}

std::string_view text_of(const Json& object, std::string_view name) {
  if (!member(object, name)) throw wrong(name, "is missing");
  return text_or(object, name, {});
}

std::uint64_t count_or(const Json& object, std::string_view name, std::uint64_t otherwise) {
  const auto found = member(object, name);
  if (!found) return otherwise;
  std::uint64_t value = 0;
  if (found->get_uint64().get(value) != simdjson::SUCCESS)
    throw wrong(name, "must be a whole number from 0 on");
  return value;
}

double number_or(const Json& object, std::string_view name, double otherwise) {
  const auto found = member(object, name);
  if (!found) return otherwise;
  double value = 0;
  if (found->get_double().get(value) != simdjson::SUCCESS) throw wrong(name, "must be a number");
  return value;
}

bool truth_or(const Json& object, std::string_view name, bool otherwise) {
  const auto found = member(object, name);
  if (!found) return otherwise;
  bool value = false;
  if (found->get_bool().get(value) != simdjson::SUCCESS) throw wrong(name, "must be true or false");
  return value;
}

std::string to_text(const Json& value) { return simdjson::minify(value); }

}  // namespace scripted
