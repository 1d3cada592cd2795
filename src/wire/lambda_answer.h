// Answers of Lambda's API about functions.
#pragma once

#include <string>

#include "base/json_writer.h"
#include "function/function_types.h"

namespace pawl::wire {

// FunctionConfiguration of the service model.
void write_configuration(JsonWriter& out, const function::FunctionRecord& function);
std::string configuration_json(const function::FunctionRecord& function);

}  // namespace pawl::wire
