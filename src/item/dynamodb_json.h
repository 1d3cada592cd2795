// DynamoDB JSON ({"S": "…"}, {"N": "1"}, …) to values and back.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "item/value.h"

namespace pawl::item {

// Appends the one canonical rendering: attributes in byte order of their names, no white space,
// numbers as Number::to_string, sets in their order.
void append_value_json(std::string& out, const Value& value);
void append_item_json(std::string& out, const Item& item);

// Parses one attribute value or one item. The element must stay valid during the call only. Errors,
// with the service's messages:
//   kMalformed  the JSON is not of the right shape: a number where a string belongs, no object, bad
//   base64, the
//               same key twice (which the service lets pass, the last one winning: here nothing
//               that a client sent is dropped in silence). The wire layer's SerializationException.
//   kInvalid    no type key or a second one, a number that is none, an empty set, a duplicate in a
//   set, a value
//               of NULL that isn't true, deeper than kNestingDepthMax. The wire layer's
//               ValidationException.
// As in the service, a malformed place anywhere in the element outweighs an invalid one before it.
// Unknown type keys, and type keys with the value null, count as absent. Empty strings and binaries
// are let pass: only keys refuse them (key.h).
Result<Value> parse_value(const simdjson::dom::element& element);
Result<Item> parse_item(const simdjson::dom::element& element);

// The same from text, for stored documents. Bounded: text of at most 16 MiB. Text that is no JSON
// is kMalformed.
Result<Item> parse_item_text(std::string_view json);

}  // namespace pawl::item
