// Which tables there are. Read by everybody, changed by the commit thread alone, after the batch
// that makes the change durable.
//
// A deleted table stays known as *closing*, without its name, until the pipeline says that all of
// its changes are in ledger pages; the name is free at once, for another incarnation.
//
// Thread use: view() and data_id() from any thread; the rest from the commit thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "port/key_value_store.h"
#include "port/random.h"
#include "table/catalog_format.h"

namespace pawl::table {

// One table. Immutable but for its counters, which are those of the last synced batch.
struct Table {
  struct Counters {
    std::atomic<std::uint64_t> items = 0;
    std::atomic<std::uint64_t> bytes = 0;
  };
  TableRecord record;
  std::shared_ptr<Counters> counters;  // shared by all states of the table

  TableDescription describe() const;
  std::vector<ShardId> shards() const;
};
using TablePtr = std::shared_ptr<const Table>;

// All tables at one moment.
struct CatalogView {
  std::map<std::string, TablePtr, std::less<>> by_name;  // active ones
  std::map<Incarnation, TablePtr> by_incarnation;        // closing ones too

  TablePtr find(std::string_view name) const;
};

class Catalog {
 public:
  // Reads the catalog, or makes one in an empty store, or raises an older format to the present one (one synced write
  // either way). Errors: kInvalid for a directory of a newer format; kCorrupt.
  static Result<std::unique_ptr<Catalog>> open(KeyValueStore& store, Random& random);

  std::shared_ptr<const CatalogView> view() const;
  // Grows with every change of the view.
  std::uint64_t revision() const { return revision_.load(std::memory_order_acquire); }
  // Random, made with the data directory; stands in the root chain of the ledger.
  std::uint64_t data_id() const { return data_id_; }
  // Random and secret, made with the data directory: signs the iterators of streams, which so outlive the process.
  const std::string& iterator_key() const { return iterator_key_; }

  // Floors as found by open().
  const std::map<ShardId, SequenceNumber>& floors_at_open() const { return floors_; }

  // An incarnation that no table here has.
  Incarnation new_incarnation(Random& random) const;
  // Adds a table, or replaces the same incarnation's state (counters are kept).
  void put(const TableRecord& record, TableCount count);
  void forget(Incarnation incarnation);

 private:
  Catalog() = default;
  Status load(KeyValueStore& store);
  Status load_tables(KeyValueStore& store);

  std::uint64_t data_id_ = 0;
  std::string iterator_key_;
  std::map<ShardId, SequenceNumber> floors_;
  void show(std::shared_ptr<const CatalogView> next);

  std::atomic<std::uint64_t> revision_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const CatalogView> view_ = std::make_shared<CatalogView>();
};

}  // namespace pawl::table
