// Arrays of objects in what a server says.
#pragma once

#include <string_view>
#include <vector>

#include "item/json_fields.h"

namespace pawl::cli {

// The members of an array that must all be objects: a member that is none must not be read as one. Errors: kCorrupt.
Result<std::vector<simdjson::dom::object>> objects_of(item::JsonFields& fields,
                                                      std::string_view name);

}  // namespace pawl::cli
