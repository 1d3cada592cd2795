// What the actions of an update write, worked out from the item as it was.
#pragma once

#include <optional>

#include "base/result.h"
#include "expression/update_clauses.h"
#include "item/value.h"

namespace pawl::expression {

// The new value at the action's path. Nothing: the path is left without a value (REMOVE, or DELETE
// of the last members of a set or from an attribute that isn't there). Errors: kInvalid where an
// operand is missing or of a wrong type, or a number leaves its range.
Result<std::optional<item::Value>> evaluate(const UpdateAction& action, const item::Item& before);

}  // namespace pawl::expression
