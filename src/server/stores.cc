#include "server/stores.h"

#include <fmt/format.h>
#include <unistd.h>

#include "adapter/ed25519_signer.h"

namespace pawl::server {

Status Stores::open(const std::string& data_path, const std::string& archive_path) {
  PAWL_ASSIGN_OR_RETURN(data, DataDirectory::open(data_path));
  PAWL_ASSIGN_OR_RETURN(clock, SystemClock::open(data->descriptor()));
  PAWL_ASSIGN_OR_RETURN(signer, open_signer(data->descriptor()));
  PAWL_ASSIGN_OR_RETURN(archive, ArchiveDirectory::open(archive_path, random, clock->now()));
  PAWL_ASSIGN_OR_RETURN(store, RocksDbStore::open(data->store_path()));
  PAWL_ASSIGN_OR_RETURN(objects, DirectoryObjectStore::open(*archive));
  PAWL_ASSIGN_OR_RETURN(ledger, DirectoryLedgerStore::open(*archive));
  return ok();
}

std::string Stores::archive_id() const { return fmt::format("{:016x}", archive->id()); }

Status check_data_exists(const std::string& data_path) {
  if (::access((data_path + "/FORMAT").c_str(), F_OK) == 0) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("{} is no data directory of Pawl's", data_path),
               "give with --data, or in the configuration, the one that `pawl serve` uses"};
}

Status check_archive_exists(const std::string& archive_path) {
  if (::access((archive_path + "/.pawl/archive.json").c_str(), F_OK) == 0) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("{} is no archive of Pawl's", archive_path),
               "give the folder that `pawl serve` names as its archive"};
}

std::unique_ptr<pipeline::Recorder> make_recorder(Stores& stores, table::TableStore& tables,
                                                  pipeline::CatalogTables& recorded,
                                                  pipeline::CommitBoard& board) {
  pipeline::RecorderOptions options;
  options.archive = stores.archive_id();
  options.data = fmt::format("{:016x}", tables.catalog->data_id());
  options.software = "pawl " PAWL_VERSION;
  return std::make_unique<pipeline::Recorder>(
      pipeline::RecorderPorts{*tables.log, *stores.objects, *stores.ledger, recorded, board,
                              *stores.clock, stores.signer.get()},
      options);
}

}  // namespace pawl::server
