// What `pawl status` shows of expectations: a line each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "item/json_fields.h"

namespace pawl::cli {

// A table of which a function is to write an object for every change.
struct ExpectationLine {
  std::string table;
  std::string bucket;
  std::string state;
  std::string why;
  bool exists = false;
  bool deleted = false;
  std::uint64_t entered = 0;
  std::uint64_t lag = 0;
  std::uint64_t awaited = 0;
  std::uint64_t oldest_age_ms = 0;
  std::uint64_t found = 0;
  std::uint64_t late = 0;
  std::uint64_t asked_again = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t missing = 0;
  std::uint64_t written = 0;
  std::uint64_t kept = 0;
};

// None of a server that knows none yet.
Result<std::vector<ExpectationLine>> read_expectations(item::JsonFields& fields);
void append_expectations(std::string& out, const std::vector<ExpectationLine>& expectations);

}  // namespace pawl::cli
