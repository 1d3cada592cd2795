// An item's name as the beginning of a sort record: byte by byte, records sort as items do by head, then by tail.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "audit/name_pattern.h"
#include "base/coding.h"

namespace pawl::audit {

void append_item(std::string& out, ItemName item);
// What append_item() wrote: head and tail. The reader fails on anything else.
std::pair<std::string, std::string> read_item(Reader& reader);

}  // namespace pawl::audit
