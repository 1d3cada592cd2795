// Streams of data directories that were written before there was anything to read them (record format 1): the record tells
// of a stream and not where it begins.
#pragma once

#include "port/key_value_store.h"
#include "stream/change_log.h"
#include "table/catalog.h"

namespace pawl::table {

// Gives each such stream its beginning: the first change that the log holds from the label's instant on. One synced batch if
// there is any; nothing to do ever after. All shards must be open in `log`. Errors: of the store, kCorrupt.
Status begin_old_streams(KeyValueStore& store, Catalog& catalog, const stream::ChangeLog& log);

}  // namespace pawl::table
