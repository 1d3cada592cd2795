// Which stored keys a Query or Scan walks: one range, from its request. Pure.
#pragma once

#include <string>
#include <variant>

#include "table/catalog_format.h"
#include "table/table_reader.h"

namespace pawl::table {

// Keys of [from, to) of KeySpace::kItems.
struct KeyRange {
  std::string from;
  std::string to;
};

// With the start key applied. Failures: kInvalid with the service's messages.
std::variant<KeyRange, Failure> range_of(const TableRecord& table, const PageRequest& request);

}  // namespace pawl::table
