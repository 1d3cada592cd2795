// The buckets of a data directory: their store, files and threads, put together for `pawl serve`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapter/directory_body_files.h"
#include "adapter/rocksdb_store.h"
#include "adapter/worker_threads.h"
#include "bucket/bucket_store.h"
#include "port/clock.h"
#include "server/round_thread.h"
#include "table/room_gate.h"

namespace pawl::server {

// Members stand on those before them. Stopped in order: requests first, by who serves them; then stop().
class BucketPlace {
 public:
  // Opens <data>/buckets, and makes what is absent. The caller holds the directory's lock; the clock must outlive it.
  // `on_unknown` as in bucket::BucketPorts. Errors: as of the adapters, each saying what to do.
  static Result<std::unique_ptr<BucketPlace>> open(
      const std::string& data, Clock& clock, table::RoomReserve reserve,
      std::function<void(const std::string& why)> on_unknown);
  ~BucketPlace() { stop(); }

  bucket::BucketStore& store() { return *store_; }
  void run_elsewhere(std::function<void()> work) { workers_.run(std::move(work)); }
  // How many buckets there are, at most bucket::kBucketsMax; nothing if their store does not say. Any thread.
  std::optional<std::uint64_t> count();
  // Lets bodies under way go, does the commands that wait, and joins the threads.
  void stop();

 private:
  // Enough that one slow file does not hold up the others; they wait for the disk, not for the processor.
  static constexpr unsigned kWorkers = 8;

  BucketPlace() = default;

  std::unique_ptr<RocksDbStore> records_;
  std::unique_ptr<DirectoryBodyFiles> files_;
  std::unique_ptr<bucket::BucketStore> store_;
  std::unique_ptr<RoundThread<bucket::BucketCommitter>> commit_thread_;
  WorkerThreads workers_{kWorkers};
};

}  // namespace pawl::server
