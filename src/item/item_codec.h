// Values and items as stored bytes. Compact, self-describing, and read with bounds on everything:
// what is read is exactly what could have been written, so every item has one encoding. Stored in
// tables and in the change log, so codes never change their meaning. See docs/internals/item-and-change-format.md.
//
//   item    = count, then (name, value) in ascending byte order of the names
//   value   = one code byte, then
//     01 S    bytes          04 false  nothing      07 SS  count, bytes…     0A L  count, value…
//     02 N    compact        05 true   nothing      08 NS  count, compact…   0B M  item
//     03 B    bytes          06 NULL   nothing      09 BS  count, bytes…
//   count is a varint, bytes a varint length and the bytes (base/coding.h), compact a number as
//   Number::append_compact writes it; names and S are valid UTF-8; sets ascend and have no
//   duplicates.
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
