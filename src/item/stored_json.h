// A stored item as DynamoDB JSON, straight from its bytes: what a reader of a change stream is sent, a hundred thousand
// times a second, without a tree of values in between.
#pragma once

#include <cstddef>
#include <string>

#include "base/coding.h"
#include "base/result.h"

namespace pawl::item {

// Reads one item, as read_item() would (item_codec.h), and appends what append_item_json() would write of it
// (dynamodb_json.h). Returns its size as size_of() would say it (item_size.h). Errors: kCorrupt for exactly the bytes that
// read_item() refuses; what was appended by then is then worth nothing.
Result<std::size_t> append_stored_item_json(std::string& out, Reader& reader);

}  // namespace pawl::item
