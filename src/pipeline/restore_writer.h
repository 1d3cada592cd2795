// Writes restored tables into an empty store: the RestoreSink of `pawl restore`.
//
// The tables become known with the last batch, which is synced; a restore that did not end leaves a directory without
// tables, which the ledger then disagrees with, and which can be thrown away.
#pragma once

#include <map>

#include "pipeline/restore.h"
#include "port/key_value_store.h"
#include "port/random.h"

namespace pawl::pipeline {

// Thread use: that of the restore. The store must outlive it.
class RestoreWriter final : public RestoreSink {
 public:
  // Makes the catalog of the empty store. Errors: kExists if it holds a table already; the store's.
  static Result<RestoreWriter> begin(KeyValueStore& store, Random& random);

  Status item(Incarnation table, const item::KeySchema& schema, Version version,
              const item::Item& item) override;
  Status removed_item(Incarnation table, const item::KeySchema& schema, Version version,
                      const item::Item& key) override;
  Status newest_change(const item::Change& change) override;
  Status table(const RecordedTable& table) override;
  Status finish() override;

 private:
  explicit RestoreWriter(KeyValueStore& store) : store_(&store) {}
  Status write_when_large();

  struct Count {
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
  };
  KeyValueStore* store_;
  WriteBatch data_;     // items and change records
  WriteBatch catalog_;  // written last
  std::map<Incarnation, Count> counts_;
  std::map<ShardId, SequenceNumber> newest_;  // of each shard that has a change
};

}  // namespace pawl::pipeline
