// Which values have an order: two strings, two numbers, two of binary.
#pragma once

#include <compare>
#include <optional>

#include "item/value.h"

namespace pawl::expression {

// Nothing for values of different types, and of types without an order.
std::optional<std::strong_ordering> order_of(const item::Value& a, const item::Value& b);

}  // namespace pawl::expression
