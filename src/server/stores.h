// The adapters that a data directory and an archive are used through: what serve, restore and adopt have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapter/archive_directory.h"
#include "adapter/data_directory.h"
#include "adapter/rocksdb_store.h"
#include "adapter/s3_client.h"
#include "adapter/system_clock.h"
#include "adapter/system_random.h"
#include "pipeline/catalog_tables.h"
#include "pipeline/recorder.h"
#include "port/ledger_store.h"
#include "port/object_store.h"
#include "port/signer.h"
#include "server/archive_place.h"
#include "server/config.h"
#include "table/table_store.h"

namespace pawl::server {

// Holds the directories' locks while it lives (a bucket has none: the ledger's pages are its fence). In the order in which they stand on each other.
struct Stores {
  Stores() = default;
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;

  // What the archive is opened for: a bucket that is only read is not probed, and needs no permission to write.
  enum class Use : std::uint8_t { kRecord, kRead };
  // Opens both, makes what is absent. Once. Errors: as of the adapters, each saying what to do.
  Status open(const std::string& data_path, const ArchivePlace& place, Use use = Use::kRecord);

  std::string archive_id() const;  // 16 hex digits

  std::optional<DataDirectory> data;
  std::unique_ptr<SystemClock> clock;
  SystemRandom random;
  std::unique_ptr<Signer> signer;
  std::optional<ArchiveDirectory> directory;  // one of the two
  std::unique_ptr<S3Client> bucket;
  std::uint64_t archive_number = 0;  // the archive's id
  std::unique_ptr<RocksDbStore> store;
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<LedgerStore> ledger;

 private:
  Status open_directory(const std::string& path);
  Status open_bucket(const ArchivePlace& place, Use use);
};

// For commands, which make neither. Errors: kNotFound, saying that there is none at that path.
Status check_data_exists(const std::string& data_path);
Status check_archive_exists(const ArchivePlace& place);

// A recorder over these, which must all outlive it.
std::unique_ptr<pipeline::Recorder> make_recorder(Stores& stores, table::TableStore& tables,
                                                  pipeline::CatalogTables& recorded,
                                                  pipeline::CommitBoard& board,
                                                  PageIntervals page_intervals = {});

}  // namespace pawl::server
