#include "item.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exchange.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::array<std::string_view, 10> kTypes = {"S", "N", "B",  "BOOL", "NULL",
                                                     "M", "L", "SS", "NS",   "BS"};

Refusal invalid(std::string message) {
  return {400, "ValidationException", std::move(message), {}};
}

void check_value(const Json& value) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS || object.size() != 1 ||
      std::find(kTypes.begin(), kTypes.end(), object.begin().key()) == kTypes.end())
    throw invalid(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
}

}  // namespace

std::string KeySchema::to_json() const {
  std::string out = "[{\"AttributeName\":" + json_string(partition.name) + ",\"KeyType\":\"HASH\"}";
  if (sort) out += ",{\"AttributeName\":" + json_string(sort->name) + ",\"KeyType\":\"RANGE\"}";
  return out + "]";
}

Item read_item(const Json& json) {
  simdjson::dom::object object;
  if (json.get_object().get(object) != simdjson::SUCCESS)
    throw invalid("an item must be an object");
  Item item;
  for (const auto& [name, value] : object) {
    check_value(value);
    item[std::string(name)] = simdjson::minify(value);
  }
  return item;
}

std::string item_json(const Item& item) {
  std::string out = "{";
  for (const auto& [name, value] : item) {
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out += ':';
    out += value;
  }
  return out + "}";
}

Item key_of(const KeySchema& schema, const Item& item) {
  Item key;
  const auto take = [&](const KeyPart& part) {
    const auto found = item.find(part.name);
    if (found == item.end()) throw invalid("One of the required keys was not given a value");
    if (!found->second.starts_with("{\"" + part.type + "\":"))
      throw invalid("Type mismatch for key " + part.name + " expected: " + part.type);
    key.insert(*found);
  };
  take(schema.partition);
  if (schema.sort) take(*schema.sort);
  return key;
}

Item read_key(const KeySchema& schema, const Json& object) {
  const Item given = read_item(object);
  Item key = key_of(schema, given);
  if (given.size() != key.size())
    throw invalid("The provided key element does not match the schema");
  return key;
}

}  // namespace scripted
