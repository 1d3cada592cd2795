#include "adapter/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <limits>

#include "adapter/posix_file.h"

namespace pawl {
namespace {

constexpr std::uint64_t kBlobBytesMin = 4096;

constexpr std::array<const char*, kKeySpaces> kFamilyNames = {
    "default", "items", "deleted-versions", "changes", "answers"};

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

ErrorCode code_of(const rocksdb::Status& status) {
  if (status.IsCorruption()) return ErrorCode::kCorrupt;
  if (status.IsNoSpace()) return ErrorCode::kExhausted;
  if (status.IsInvalidArgument() || status.IsNotSupported()) return ErrorCode::kInternal;
  return ErrorCode::kUnavailable;
}

Error error_of(const rocksdb::Status& status, std::string_view attempted) {
  std::string hint;
  if (status.IsCorruption())
    hint = "restore the data directory from a copy, or run pawl restore on the archive";
  if (status.IsNoSpace()) hint = "make room on the file system of the data directory";
  return {code_of(status), std::string(attempted) + ": " + status.ToString(), std::move(hint)};
}

rocksdb::DBOptions database_options(const RocksDbSettings& settings) {
  rocksdb::DBOptions options;
  if (settings.env != nullptr) options.env = settings.env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.recycle_log_file_num = 0;
  options.max_total_wal_size = settings.wal_bytes_max;
  options.db_write_buffer_size = settings.memtable_bytes_max;
  options.max_open_files = settings.open_files_max;
  options.max_background_jobs = settings.background_threads;
  options.bytes_per_sync = 1 << 20;
  // What is in the log needs no flush at a clean end, nor a table file at the next start.
  options.avoid_flush_during_shutdown = true;
  options.avoid_flush_during_recovery = true;
  // RocksDB's own log: small, and without the periodic statistics that wake an idle process.
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 3;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

struct FamilyTuning {
  std::size_t write_buffer_bytes;
  int write_buffers_max;
  bool point_reads;  // worth a filter
  rocksdb::CompressionType compression;
};

FamilyTuning tuning_of(KeySpace space) {
  switch (space) {
    case KeySpace::kCatalog:
      return {1 << 20, 2, false, rocksdb::kNoCompression};
    case KeySpace::kItems:
      return {16 << 20, 3, true, rocksdb::kLZ4Compression};
    case KeySpace::kDeletedVersions:
      return {4 << 20, 2, true, rocksdb::kLZ4Compression};
    case KeySpace::kChanges:
      return {16 << 20, 3, false, rocksdb::kLZ4Compression};
    case KeySpace::kAnswers:
      return {8 << 20, 2, true, rocksdb::kLZ4Compression};
  }
  return {1 << 20, 2, false, rocksdb::kNoCompression};
}

rocksdb::ColumnFamilyOptions family_options(KeySpace space,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  const FamilyTuning tuning = tuning_of(space);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // so that the cache's bound is the bound
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  if (tuning.point_reads) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = tuning.write_buffer_bytes;
  options.max_write_buffer_number = tuning.write_buffers_max;
  options.compression = tuning.compression;
  options.target_file_size_base = 16 << 20;
  options.max_bytes_for_level_base = 64 << 20;
  if (space == KeySpace::kAnswers) {
    // Nearly every lookup is of an id that never came before: the filter answers it without a walk through the
    // memtable. 2 % of the buffer are some 25 bits an entry.
    options.memtable_prefix_bloom_size_ratio = 0.02;
    options.memtable_whole_key_filtering = true;
  }
  if (space != KeySpace::kCatalog) {
    options.enable_blob_files = true;
    options.min_blob_size = kBlobBytesMin;
    options.blob_file_size = 64 << 20;
    options.blob_compression_type = tuning.compression;
    options.enable_blob_garbage_collection = true;
  }
  return options;
}

// RocksDB 7.8 aborts in an assertion (WritableFileWriter) where a full disk fails the writes of its recovery. So much
// is asked for: the log that it replays into new files is far smaller when a server was stopped by its reserve.
constexpr std::uint64_t kRoomToOpen = 8ULL << 20;

Status check_room_to_open(const std::string& path) {
  struct statvfs about {};
  const std::string parent = path.substr(0, path.rfind('/') + 1);
  if (::statvfs(parent.empty() ? "." : parent.c_str(), &about) != 0)
    return ok();  // open() will say why
  const auto free_bytes = static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
  if (free_bytes >= kRoomToOpen) return ok();
  return Error{ErrorCode::kExhausted,
               "opening the store " + path + ": the disk is full, " + std::to_string(free_bytes) +
                   " bytes are free",
               "make room (at least " + std::to_string(kRoomToOpen >> 20) +
                   " MiB) and start again; nothing is lost"};
}

}  // namespace

// Hears of RocksDB's errors before the write that suffers from them returns, and tells those that
// may have touched the log from those after which RocksDB refuses writes beforehand.
class RocksDbStore::ErrorWatch final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    switch (reason) {
      case rocksdb::BackgroundErrorReason::kFlush:
      case rocksdb::BackgroundErrorReason::kFlushNoWAL:
      case rocksdb::BackgroundErrorReason::kCompaction:
      case rocksdb::BackgroundErrorReason::kManifestWrite:
      case rocksdb::BackgroundErrorReason::kManifestWriteNoWAL:
        // An error without severity is one that RocksDB shrugs off: writes go on.
        if (status->severity() >= rocksdb::Status::kHardError) refusing_ = true;
        break;
      default:
        log_in_doubt_ = true;
    }
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    if (info.new_bg_error.ok()) refusing_ = false;
  }

  bool only_refusing() const { return refusing_ && !log_in_doubt_; }

 private:
  std::atomic<bool> refusing_ = false;
  std::atomic<bool> log_in_doubt_ = false;
};

class RocksDbStore::RocksCursor final : public Cursor {
 public:
  explicit RocksCursor(std::unique_ptr<rocksdb::Iterator> iterator)
      : iterator_(std::move(iterator)) {}

  void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
  void seek_for_prev(std::string_view key) override { iterator_->SeekForPrev(slice(key)); }
  void next() override {
    PAWL_ASSERT(iterator_->Valid());
    iterator_->Next();
  }
  void prev() override {
    PAWL_ASSERT(iterator_->Valid());
    iterator_->Prev();
  }
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return iterator_->key().ToStringView(); }
  std::string_view value() const override { return iterator_->value().ToStringView(); }
  Status status() const override {
    const rocksdb::Status status = iterator_->status();
    if (!status.ok()) return error_of(status, "reading the store");
    return pawl::ok();
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(const std::string& path,
                                                         const RocksDbSettings& settings) {
  auto store = std::unique_ptr<RocksDbStore>(new RocksDbStore());
  store->path_ = path;
  PAWL_TRY(check_room_to_open(path));
  store->watch_ = std::make_shared<ErrorWatch>();
  rocksdb::DBOptions options = database_options(settings);
  options.listeners.push_back(store->watch_);
  const auto cache = rocksdb::NewLRUCache(settings.cache_bytes_max);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kKeySpaces; ++i) {
    descriptors.emplace_back(kFamilyNames[i], family_options(static_cast<KeySpace>(i), cache));
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(options, path, descriptors, &store->families_, &db);
  if (!status.ok()) return error_of(status, "opening the store " + path);
  store->db_.reset(db);
  return store;
}

RocksDbStore::~RocksDbStore() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : families_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();  // what was synced is safe whatever this says
}

Result<std::optional<std::string>> RocksDbStore::get(KeySpace space, std::string_view key) {
  std::string value;
  const rocksdb::Status status = db_->Get({}, family(space), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return error_of(status, "reading the store " + path_);
  return std::optional<std::string>(std::move(value));
}

Result<std::vector<std::optional<std::string>>> RocksDbStore::multi_get(
    KeySpace space, const std::vector<std::string_view>& keys) {
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const std::string_view key : keys) slices.push_back(slice(key));
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet({}, family(space), keys.size(), slices.data(), found.data(), statuses.data());
  std::vector<std::optional<std::string>> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return error_of(statuses[i], "reading the store " + path_);
    values[i].emplace(found[i].data(), found[i].size());
  }
  return values;
}

std::unique_ptr<Cursor> RocksDbStore::cursor(KeySpace space) {
  return std::make_unique<RocksCursor>(
      std::unique_ptr<rocksdb::Iterator>(db_->NewIterator({}, family(space))));
}

WriteResult RocksDbStore::write(const WriteBatch& batch, Sync sync) {
  if (stopped_) {
    return {WriteOutcome::kNotDone,
            "the outcome of an earlier write is unknown; the store must be opened again"};
  }
  rocksdb::WriteBatch native(batch.bytes() + 16 * batch.entries().size() + 64);
  for (const WriteBatch::Entry& entry : batch.entries()) {
    const rocksdb::Status added =
        entry.kind == WriteBatch::Kind::kPut
            ? native.Put(family(entry.space), slice(entry.key), slice(entry.value))
            : native.Delete(family(entry.space), slice(entry.key));
    if (!added.ok()) return {WriteOutcome::kNotDone, "building a batch: " + added.ToString()};
  }
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::kYes;
  const rocksdb::Status status = db_->Write(options, &native);
  if (status.ok()) return {WriteOutcome::kDone, {}};
  const std::string why = "writing to the store " + path_ + ": " + status.ToString();
  if (watch_->only_refusing()) return {WriteOutcome::kNotDone, why};
  stopped_ = true;
  return {WriteOutcome::kUnknown, why};
}

Status RocksDbStore::remove_range(KeySpace space, std::string_view from, std::string_view to) {
  if (from >= to) return ok();
  if (stopped_) {
    return Error{ErrorCode::kUnavailable,
                 "removing a range: the outcome of an earlier write is unknown",
                 "the store must be opened again"};
  }
  const rocksdb::Slice first = slice(from);
  const rocksdb::Slice last = slice(to);
  rocksdb::Status status = rocksdb::DeleteFilesInRange(db_.get(), family(space), &first, &last,
                                                       /*include_end=*/false);
  if (status.ok()) status = db_->DeleteRange({}, family(space), first, last);
  if (!status.ok()) return error_of(status, "removing a range from the store " + path_);
  return ok();
}

Result<Room> RocksDbStore::room() {
  struct statvfs about {};
  if (::statvfs(path_.c_str(), &about) != 0)
    return error_of_errno(errno, "asking the room of", path_);
  Room room;
  room.free_bytes = static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
  // File systems that make inodes as they need them (btrfs) say that they have none at all.
  room.free_inodes =
      about.f_files == 0 ? std::numeric_limits<std::uint64_t>::max() : about.f_favail;
  return room;
}

RocksDbStore::Usage RocksDbStore::usage() const {
  Usage usage;
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &usage.memtable_bytes);
  db_->GetIntProperty(rocksdb::DB::Properties::kBlockCacheUsage, &usage.cache_bytes);
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &usage.file_bytes);
  return usage;
}

}  // namespace pawl
