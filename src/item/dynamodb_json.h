// DynamoDB JSON ({"S": "…"}, {"N": "1"}, …) to values and back.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "item/value.h"

namespace pawl::item {

// Appends the one canonical rendering: attributes in byte order of their names, no white space, numbers as
// Number::to_string, sets in their order.
void append_value_json(std::string& out, const Value& value);
void append_item_json(std::string& out, const Item& item);

// Parses one attribute value or one item. Errors: kInvalid with the service's message: an unknown or a second
// type key, a number that is none, an empty set, a duplicate in a set, deeper than 32 levels, bad base64.
// The element must stay valid during the call only.
Result<Value> parse_value(const simdjson::dom::element& element);
Result<Item> parse_item(const simdjson::dom::element& element);

// The same from text, for stored documents. Bounded: text of at most 16 MiB.
Result<Item> parse_item_text(std::string_view json);

}  // namespace pawl::item
