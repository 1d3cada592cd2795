#include "table/table_store.h"

namespace pawl::table {

Result<TableStore> TableStore::open(KeyValueStore& store, Clock& clock, Random& random,
                                    CommitListener& listener, const CommitterOptions& options) {
  TableStore tables;
  PAWL_ASSIGN_OR_RETURN(tables.catalog, Catalog::open(store, random));
  tables.log = std::make_unique<stream::ChangeLog>(store);
  PAWL_ASSIGN_OR_RETURN(tables.committer, Committer::open({.store = store,
                                                           .clock = clock,
                                                           .random = random,
                                                           .catalog = *tables.catalog,
                                                           .log = *tables.log,
                                                           .listener = listener},
                                                          options));
  tables.reader = std::make_unique<StoreReader>(store, *tables.catalog);
  tables.streams = std::make_unique<StoreStreamReader>(*tables.catalog, *tables.log, clock,
                                                       options.stream_retention);
  return tables;
}

}  // namespace pawl::table
