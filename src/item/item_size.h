// Sizes as the service accounts them (Amazon DynamoDB developer guide, "Item sizes and formats"):
// names and strings by UTF-8 bytes, numbers by digits, null and boolean 1, sets the sum of their
// members, lists and maps 3 bytes of overhead plus 1 for each element.
#pragma once

#include <cstddef>

#include "item/value.h"

namespace pawl::item {

std::size_t size_of(const Value& value);
std::size_t size_of(const Item& item);

}  // namespace pawl::item
