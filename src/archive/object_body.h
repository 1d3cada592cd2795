// Object bodies: a pure function of the change record and its table's name, so that putting an object again after a
// crash gives the same bytes. The format: archive/body_format.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "item/change.h"

namespace pawl::archive {

// `table` is the name of the table that change.shard.incarnation belongs to: fixed for an incarnation's life.
// `change.body_format` chooses the format: that of Pawl's own tables, or that of a guarded one.
std::string render_body(std::string_view table, const item::Change& change);

struct ParsedBody {
  std::string table;
  item::Change change;
};
// What render_body() was given, in either format. For restoring a table, and for going on after one that was put. Errors: kCorrupt.
Result<ParsedBody> parse_body(std::string_view body);

}  // namespace pawl::archive
