// The ordered store of the server: RocksDB, one column family a KeySpace. See
// port/key_value_store.h for the contract.
//
// Why these settings (DESIGN.md, "Commit"):
// - The log (WAL) is what makes an acknowledgement true. Only a torn tail of it is tolerated at
// open: a hole
//   anywhere else means acknowledged batches are missing, and open() fails. Its files are not
//   recycled, since a recycled file makes a torn tail hard to tell from old content. Its total size
//   is bounded, which bounds the time of a restart.
// - Values from 4 KiB go to blob files, so that compaction doesn't rewrite large items and images.
// - kChanges is written at the end and trimmed at the start of each shard: whole files are dropped
// first, the rest is
//   one range deletion.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "port/key_value_store.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
}  // namespace rocksdb

namespace pawl {

struct RocksDbSettings {
  std::size_t cache_bytes_max = 32ULL
                                << 20;  // blocks of tables, uncompressed; filled by reads only
  std::size_t memtable_bytes_max = 64ULL << 20;  // over all spaces, before they are flushed
  std::size_t wal_bytes_max = 64ULL << 20;       // then the oldest memtables are flushed
  int open_files_max = 512;
  int background_threads = 2;
  rocksdb::Env* env =
      nullptr;  // for tests that fail writes; the default one if null. Must outlive the store.
};

// Reads from any thread; write() from one thread at a time; remove_range() from any thread.
class RocksDbStore final : public KeyValueStore {
 public:
  // Creates the store if it is absent. The caller holds the data directory's lock.
  // Errors: kCorrupt if stored bytes are not what was written; kUnavailable or kExhausted
  // otherwise.
  static Result<std::unique_ptr<RocksDbStore>> open(const std::string& path,
                                                    const RocksDbSettings& settings = {});
  ~RocksDbStore() override;

  Result<std::optional<std::string>> get(KeySpace space, std::string_view key) override;
  Result<std::vector<std::optional<std::string>>> multi_get(
      KeySpace space, const std::vector<std::string_view>& keys) override;
  // It pins what it sees, files included: don't keep one longer than a request.
  std::unique_ptr<Cursor> cursor(KeySpace space) override;

  // kNotDone: an empty or refused batch of which nothing reached the log, because an earlier flush
  // or compaction failed (for want of room, say; RocksDB resumes by itself when there is room
  // again) or because an earlier outcome is unknown. Any failure of writing or syncing the log is
  // kUnknown.
  WriteResult write(const WriteBatch& batch, Sync sync) override;
  Status remove_range(KeySpace space, std::string_view from, std::string_view to) override;
  Result<Room> room() override;

  // Memory and files in use, for status and metrics.
  struct Usage {
    std::uint64_t memtable_bytes = 0;
    std::uint64_t cache_bytes = 0;
    std::uint64_t file_bytes = 0;
  };
  Usage usage() const;

 private:
  class ErrorWatch;
  class RocksCursor;

  RocksDbStore() = default;
  rocksdb::ColumnFamilyHandle* family(KeySpace space) const {
    return families_[static_cast<std::size_t>(space)];
  }

  std::string path_;
  std::shared_ptr<ErrorWatch> watch_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;  // owned by db_, destroyed before it
  std::atomic<bool> stopped_ = false;                   // an outcome is unknown
};

}  // namespace pawl
