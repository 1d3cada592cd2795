// What a name is made of, out of an item as DynamoDB JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/name_pattern.h"

namespace pawl::audit {

struct TableItem {
  std::string head;  // as ItemName
  std::string tail;
  std::uint64_t version = 0;
};

// The values of strings and numbers are taken as the service writes them, which is what Python's %s gives. Nothing if the
// document is none, or if it lacks an attribute of the template, or has one of another type, or a version that is no
// number from 0 to 2^64-1.
std::optional<TableItem> read_table_item(const NamePattern& pattern, std::string_view json);

}  // namespace pawl::audit
