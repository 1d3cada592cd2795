// What the status says of expectations (server/supervision.h).
#pragma once

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "server/expectation_status.h"
#include "server/status_document.h"

namespace pawl::server {

// The member `expectations`.
void append_expectations(JsonWriter& json, const std::vector<ExpectationStatus>& expectations);
void append_expectation_metrics(std::string& out,
                                const std::vector<ExpectationStatus>& expectations);
std::vector<AlarmLine> expectation_alarms(const std::vector<ExpectationStatus>& expectations);

}  // namespace pawl::server
