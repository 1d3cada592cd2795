// Structured logs: an event and its fields, one line each on standard error.
//   2026-11-22T18:00:00.123Z INFO table created table=users incarnation=9f86d081884c7d65
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::observe {

using Fields = std::vector<std::pair<std::string_view, std::string>>;

// Thread-safe. Values with white space or quotes are quoted, with control characters escaped: a log line is a line.
void info(std::string_view event, const Fields& fields);
// Something that a person should look at.
void alarm(std::string_view event, const Fields& fields);

// Nothing below alarms is written from now on.
void only_alarms();

}  // namespace pawl::observe
