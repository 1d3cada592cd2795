// The adapters that a data directory and an archive are used through: what serve, restore and adopt have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapter/archive_directory.h"
#include "adapter/data_directory.h"
#include "adapter/directory_ledger_store.h"
#include "adapter/directory_object_store.h"
#include "adapter/rocksdb_store.h"
#include "adapter/system_clock.h"
#include "adapter/system_random.h"
#include "pipeline/catalog_tables.h"
#include "pipeline/recorder.h"
#include "port/signer.h"
#include "table/table_store.h"

namespace pawl::server {

// Holds both directories' locks while it lives. In the order in which they stand on each other.
struct Stores {
  Stores() = default;
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;

  // Opens both, makes what is absent. Once. Errors: as of the adapters, each saying what to do.
  Status open(const std::string& data_path, const std::string& archive_path);

  std::string archive_id() const;  // 16 hex digits

  std::optional<DataDirectory> data;
  std::unique_ptr<SystemClock> clock;
  SystemRandom random;
  std::unique_ptr<Signer> signer;
  std::optional<ArchiveDirectory> archive;
  std::unique_ptr<RocksDbStore> store;
  std::unique_ptr<DirectoryObjectStore> objects;
  std::unique_ptr<DirectoryLedgerStore> ledger;
};

// For commands, which make neither. Errors: kNotFound, saying that there is none at that path.
Status check_data_exists(const std::string& data_path);
Status check_archive_exists(const std::string& archive_path);

// A recorder over these, which must all outlive it.
std::unique_ptr<pipeline::Recorder> make_recorder(Stores& stores, table::TableStore& tables,
                                                  pipeline::CatalogTables& recorded,
                                                  pipeline::CommitBoard& board);

}  // namespace pawl::server
