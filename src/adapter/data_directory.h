// The data directory of one server: tables, change log, clock and key. One process at a time.
//
//   DATA/FORMAT     "pawl-data/1": which Pawl can read it; written once, first of all
//   DATA/LOCK       held (flock) by the process that uses it; holds its process id
//   DATA/store/     RocksDB (adapter/rocksdb_store)
//   DATA/queues/    RocksDB, of the queues alone
//   DATA/triggers/  RocksDB, of the event source mappings
//   DATA/functions/ functions: their store (RocksDB), and where their code is unpacked
//   DATA/logs/      what functions wrote (adapter/log_files)
//   DATA/clock      the persisted clock (adapter/system_clock)
//   DATA/signing-key.pem   the ledger's private key (adapter/ed25519_signer)
#pragma once

#include <string>

#include "adapter/posix_file.h"
#include "base/result.h"

namespace pawl {

inline constexpr unsigned kDataFormat = 1;

// Holds the lock while it lives. Movable. Its files belong to the other adapters.
class DataDirectory {
 public:
  // Creates the directory (0700) if it is absent or empty.
  // Errors: kConflict if another process uses it; kInvalid if it was made by a newer Pawl, or holds
  // something else than Pawl's data; kUnavailable if it can't be written.
  static Result<DataDirectory> open(const std::string& path);

  const std::string& path() const { return path_; }
  int descriptor() const { return directory_.get(); }
  std::string store_path() const { return path_ + "/store"; }
  std::string queues_path() const { return path_ + "/queues"; }
  std::string triggers_path() const { return path_ + "/triggers"; }
  // It was made by this open().
  bool created() const { return created_; }

 private:
  DataDirectory() = default;

  std::string path_;
  FileDescriptor directory_;
  FileDescriptor lock_;
  bool created_ = false;
};

}  // namespace pawl
