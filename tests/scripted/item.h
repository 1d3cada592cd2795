// Items as DynamoDB JSON. Values are kept as the text that came, without spaces: a number is compared as its text, so that 1 and
// 1.0 are two numbers here (README.md, "What it does not do").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "json.h"

namespace scripted {

// Attribute name to its value, {"S":"A"}.
using Item = std::map<std::string, std::string, std::less<>>;

struct KeyPart {
  std::string name;
  std::string type = "S";  // "S", "N" or "B"
};

struct KeySchema {
  KeyPart partition;
  std::optional<KeyPart> sort;
  std::string to_json() const;  // [{"AttributeName":…,"KeyType":…}]
};

// Throws Refusal (ValidationException).
Item read_item(const Json& object);
std::string item_json(const Item& item);
// The key attributes of an item or key; throws Refusal where one is missing or of another type.
Item key_of(const KeySchema& schema, const Item& item);
// The same, and there may be nothing else.
Item read_key(const KeySchema& schema, const Json& object);

}  // namespace scripted
