// Expressions, limited to what a lease store and a scan need: terms joined by AND, each attribute_not_exists(path),
// attribute_exists(path), begins_with(path, :value) or path = :value, where a path is a name or #placeholder. Everything else is
// refused, so that nobody takes silence for an answer.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "item.h"
#include "json.h"

namespace scripted {

// Whether `item` (nothing: there is none) meets the expression in member `name` of `request`; true if there isn't one.
// Throws Refusal (ValidationException).
bool meets(const Json& request, std::string_view name, const Item* item);

// The names of a ProjectionExpression; empty: all attributes.
std::set<std::string, std::less<>> projection_of(const Json& request);
Item projected(const Item& item, const std::set<std::string, std::less<>>& names);

}  // namespace scripted
