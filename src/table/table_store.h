// The tables of one data directory, put together: catalog, change log, committer and reader.
#pragma once

#include <memory>

#include "table/committer.h"
#include "table/store_reader.h"
#include "table/stream_reader.h"

namespace pawl::table {

struct TableStore {
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<stream::ChangeLog> log;
  std::unique_ptr<Committer> committer;
  std::unique_ptr<StoreReader> reader;
  std::unique_ptr<StoreStreamReader> streams;

  // Opens what is in the store, or begins anew in an empty one. Everything given must outlive the
  // result.
  static Result<TableStore> open(KeyValueStore& store, Clock& clock, Random& random,
                                 CommitListener& listener, const CommitterOptions& options);
};

}  // namespace pawl::table
