// Values and items as stored bytes. Compact, self-describing, and read with bounds on everything.
#pragma once

#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/result.h"
#include "item/value.h"

namespace pawl::item {

void append_item(std::string& out, const Item& item);
std::string encode_item(const Item& item);

// Errors: kCorrupt. `read_item` reads one item from a longer record.
Result<Item> decode_item(std::string_view encoded);
Result<Item> read_item(Reader& reader);

}  // namespace pawl::item
