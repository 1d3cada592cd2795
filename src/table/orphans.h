// What a crash leaves behind of tables that are gone: range removals are not atomic
// (port/key_value_store.h).
#pragma once

#include "port/key_value_store.h"
#include "table/catalog.h"

namespace pawl::table {

// Removes items and counters of spaces that no active table names.
Status remove_items(KeyValueStore& store, Incarnation space);

// The same for all spaces, and for the change logs of unknown incarnations. One seek a table.
Status remove_orphans(KeyValueStore& store, const CatalogView& tables);

}  // namespace pawl::table
