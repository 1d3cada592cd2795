// The texts around an invocation, as Lambda writes them: START, END and REPORT lines, and the documents of errors that the
// function itself could not tell.
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "port/function_process.h"
#include "port/random.h"

namespace pawl::function {

// A random UUID (version 4).
std::string new_request_id(Random& random);
// "Root=1-…;Parent=…;Sampled=0"
std::string new_trace_id(Random& random, Instant now);

std::string start_line(std::string_view request_id);
std::string end_line(std::string_view request_id);

struct Report {
  Duration took{};
  std::uint32_t memory_mb = 0;
  std::uint64_t memory_peak_bytes = 0;
  Duration started_in{};  // 0: the process had been started before
};
std::string report_line(std::string_view request_id, const Report& report);

// "exit status 1", "signal: killed", "signal: killed (out of memory)"
std::string text_of(const ProcessEnd& end);

// {"errorType":…,"errorMessage":…}
std::string error_document(std::string_view type, std::string_view message);

}  // namespace pawl::function
