#include "table/orphans.h"

#include <set>

#include "base/coding.h"
#include "table/item_format.h"

namespace pawl::table {
namespace {

std::string prefix_of(Incarnation id) {
  std::string prefix;
  append_u64_be(prefix, id.value);
  return prefix;
}

// Keys of all three spaces start with an incarnation.
Status remove_unknown(KeyValueStore& store, KeySpace space, const std::set<Incarnation>& known) {
  const std::unique_ptr<Cursor> cursor = store.cursor(space);
  cursor->seek("");
  while (cursor->valid()) {
    Reader reader(cursor->key());
    const Incarnation found{reader.u64_be()};
    const std::string end = after_prefix(prefix_of(found));
    if (!known.contains(found)) {
      PAWL_TRY(store.remove_range(space, prefix_of(found), end));
    }
    if (end.empty()) break;
    cursor->seek(end);
  }
  return cursor->status();
}

}  // namespace

Status remove_items(KeyValueStore& store, Incarnation space) {
  const std::string prefix = prefix_of(space);
  for (const KeySpace keys : {KeySpace::kItems, KeySpace::kDeletedVersions}) {
    PAWL_TRY(store.remove_range(keys, prefix, after_prefix(prefix)));
  }
  return ok();
}

Status remove_orphans(KeyValueStore& store, const CatalogView& tables) {
  std::set<Incarnation> spaces;
  for (const auto& [name, table] : tables.by_name) spaces.insert(table->record.space);
  PAWL_TRY(remove_unknown(store, KeySpace::kItems, spaces));
  PAWL_TRY(remove_unknown(store, KeySpace::kDeletedVersions, spaces));
  std::set<Incarnation> incarnations;
  for (const auto& [id, table] : tables.by_incarnation) incarnations.insert(id);
  return remove_unknown(store, KeySpace::kChanges, incarnations);
}

}  // namespace pawl::table
