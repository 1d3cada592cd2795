// The functions in the status document and the metrics: docs/schemas/status.schema.json, "functions" and "other_functions".
#pragma once

#include <string>

#include "base/json_writer.h"
#include "function/function_meter.h"

namespace pawl::server {

void append_functions(JsonWriter& json, const function::FunctionsFigures& functions);
void append_function_metrics(std::string& out, const function::FunctionsFigures& functions);

}  // namespace pawl::server
