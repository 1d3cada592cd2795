#include "adapter/rocksdb_store.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "adapter/temporary_directory.h"
#include "port/conformance/key_value_store_conformance.h"

namespace pawl {
namespace {

std::unique_ptr<RocksDbStore> open_store(const std::string& path,
                                         const RocksDbSettings& settings = {}) {
  auto store = RocksDbStore::open(path, settings);
  EXPECT_TRUE(store.ok()) << store.error().to_string();
  return store.ok() ? std::move(store).value() : nullptr;
}

// A restart opens a copy of the files of the living store: what a SIGKILL would have left.
class RocksDbHarness final : public KeyValueStoreHarness {
 public:
  KeyValueStore& store() override { return *store_; }
  void restart() override {
    const std::string copy = directory_ / ("copy" + std::to_string(++copies_));
    std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
    store_.reset();
    path_ = copy;
    store_ = open_store(path_);
  }

 private:
  TemporaryDirectory directory_;
  int copies_ = 0;
  std::string path_ = directory_ / "store";
  std::unique_ptr<RocksDbStore> store_ = open_store(path_);
};

std::unique_ptr<KeyValueStoreHarness> make_rocksdb_harness() {
  return std::make_unique<RocksDbHarness>();
}

INSTANTIATE_TEST_SUITE_P(RocksDb, KeyValueStoreConformance, testing::Values(make_rocksdb_harness));

// Fails appends or syncs of chosen files when told to.
class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FailingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FailingFileSystem"; }

  std::atomic<bool> fail_log_append = false;
  std::atomic<bool> fail_log_sync = false;
  std::atomic<bool> fail_tables = false;

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    const bool is_log = name.ends_with(".log");
    const bool is_table = name.ends_with(".sst") || name.ends_with(".blob");
    if (is_table && fail_tables) return rocksdb::IOStatus::IOError("injected: table");
    auto status = target()->NewWritableFile(name, options, result, context);
    if (status.ok() && is_log) *result = std::make_unique<LogFile>(std::move(*result), *this);
    return status;
  }

 private:
  class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    LogFile(std::unique_ptr<rocksdb::FSWritableFile> file, FailingFileSystem& system)
        : FSWritableFileOwnerWrapper(std::move(file)), system_(system) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override {
      if (!system_.fail_log_append)
        return FSWritableFileOwnerWrapper::Append(data, options, context);
      // Half of it gets there, as on a disk that fills up.
      (void)FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, context);
      return rocksdb::IOStatus::NoSpace("injected: log append");
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
      if (system_.fail_log_sync) return rocksdb::IOStatus::IOError("injected: log sync");
      return FSWritableFileOwnerWrapper::Sync(options, context);
    }

   private:
    FailingFileSystem& system_;
  };
};

class FailingRocksDb : public testing::Test {
 protected:
  WriteResult put(const std::string& key, std::size_t bytes = 10) {
    WriteBatch batch;
    batch.put(KeySpace::kItems, key, std::string(bytes, 'v'));
    return store_->write(batch, Sync::kYes);
  }
  bool has(const std::string& key) { return store_->get(KeySpace::kItems, key)->has_value(); }
  void reopen() {
    store_.reset();
    store_ = open_store(directory_ / "store", settings());
  }
  RocksDbSettings settings() {
    RocksDbSettings settings;
    settings.env = env_.get();
    return settings;
  }

  std::shared_ptr<FailingFileSystem> files_ = std::make_shared<FailingFileSystem>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_ = open_store(directory_ / "store", settings());
};

TEST_F(FailingRocksDb, AFailedSyncIsUnknownAndStopsTheStore) {
  ASSERT_EQ(put("a").outcome, WriteOutcome::kDone);
  files_->fail_log_sync = true;
  const WriteResult failed = put("b");
  EXPECT_EQ(failed.outcome, WriteOutcome::kUnknown);
  EXPECT_THAT(failed.why, testing::HasSubstr("injected: log sync"));
  EXPECT_FALSE(has("b"));
  files_->fail_log_sync = false;
  EXPECT_EQ(put("c").outcome, WriteOutcome::kNotDone);
  EXPECT_FALSE(store_->remove_range(KeySpace::kItems, "a", "z").ok());
  EXPECT_TRUE(has("a"));
  reopen();
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("c"));
  EXPECT_EQ(put("d").outcome, WriteOutcome::kDone);
}

TEST_F(FailingRocksDb, AFailedAppendIsUnknownAndItsTornTailIsForgotten) {
  ASSERT_EQ(put("a").outcome, WriteOutcome::kDone);
  files_->fail_log_append = true;
  EXPECT_EQ(put("b", 1000).outcome, WriteOutcome::kUnknown);
  files_->fail_log_append = false;
  EXPECT_EQ(put("c").outcome, WriteOutcome::kNotDone);
  reopen();
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("b"));
  EXPECT_EQ(put("d").outcome, WriteOutcome::kDone);
}

TEST_F(FailingRocksDb, AFailedFlushRefusesWritesThatCertainlyWereNotDone) {
  files_->fail_tables = true;
  WriteResult result{WriteOutcome::kDone, {}};
  int written = 0;
  for (; written < 500 && result.outcome == WriteOutcome::kDone; ++written) {
    result = put("k" + std::to_string(written), 1 << 20);
  }
  ASSERT_LT(written, 500);
  EXPECT_EQ(result.outcome, WriteOutcome::kNotDone) << result.why;
  const std::string last = "k" + std::to_string(written - 1);
  EXPECT_FALSE(has(last));
  files_->fail_tables = false;
  reopen();
  EXPECT_FALSE(has(last));
  EXPECT_TRUE(has("k" + std::to_string(written - 2)));
}

TEST(RocksDbStore, ATornLogTailIsToleratedAndAHoleIsNot) {
  TemporaryDirectory directory;
  const std::string path = directory / "store";
  {
    auto store = open_store(path);
    for (int i = 0; i < 100; ++i) {
      WriteBatch batch;
      batch.put(KeySpace::kItems, "k" + std::to_string(i), std::string(1000, 'v'));
      ASSERT_EQ(store->write(batch, Sync::kYes).outcome, WriteOutcome::kDone);
    }
  }
  std::filesystem::path log;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".log" && std::filesystem::file_size(entry) > 1000)
      log = entry.path();
  }
  ASSERT_FALSE(log.empty());
  const std::string copy = directory / "copy";
  std::filesystem::copy(path, copy, std::filesystem::copy_options::recursive);
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 500);
  {
    auto store = open_store(path);
    EXPECT_TRUE(store->get(KeySpace::kItems, "k98")->has_value());
    EXPECT_FALSE(store->get(KeySpace::kItems, "k99")->has_value());
  }
  {
    std::fstream file(copy / log.filename(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40'000);
    file.write("damage", 6);
  }
  auto damaged = RocksDbStore::open(copy);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt) << damaged.error().to_string();
}

TEST(RocksDbStore, TrimmingGivesTheRoomBack) {
  TemporaryDirectory directory;
  auto store = open_store(directory / "store");
  std::string incompressible(100'000, '\0');
  std::uint64_t state = 1;
  for (char& c : incompressible)
    c = static_cast<char>((state = state * 6364136223846793005U + 1) >> 56);
  const auto key = [](int i) {
    std::string text = std::to_string(i);
    return "s" + std::string(8 - text.size(), '0') + text;
  };
  for (int i = 0; i < 1000; ++i) {
    WriteBatch batch;
    batch.put(KeySpace::kChanges, key(i), incompressible);
    ASSERT_EQ(store->write(batch, Sync::kNo).outcome, WriteOutcome::kDone);
  }
  ASSERT_TRUE(store->remove_range(KeySpace::kChanges, key(0), key(990)).ok());
  auto cursor = store->cursor(KeySpace::kChanges);
  cursor->seek("");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), key(990));
}

TEST(RocksDbStore, OpensAnEmptyDirectoryFast) {
  TemporaryDirectory directory;
  const auto start = std::chrono::steady_clock::now();
  auto store = open_store(directory / "store");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  RecordProperty("open_ms", static_cast<int>(took.count()));
  EXPECT_LT(took.count(), 60'000);  // a bound for a loaded machine; about 20 ms on a quiet one
}

TEST(RocksDbStore, AnUnwritablePlaceIsAClearError) {
  auto store = RocksDbStore::open("/proc/pawl-store");
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, testing::HasSubstr("/proc/pawl-store"));
}

}  // namespace
}  // namespace pawl
