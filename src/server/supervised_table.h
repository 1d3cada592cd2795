// One life of a table of this server whose function is supervised: a worker of the guard (guard/worker.h) in this process, over the
// change log on one side and a bucket of this server on the other.
//
//   change log ──> worker: is its object there by its deadline? ──> ledger in the bucket ──> the change log may trim
//                    └─ no: given to the function once more ─ no: put in by Pawl, or told
//
// The ledger in the bucket is its only checkpoint: what is in hand at a crash is looked for again, and may be given to the function
// once more for a second time. Until the ledger's ends are known all of the change log is held (stream/read_holds.h).
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bucket/own_access.h"
#include "bucket/own_object_store.h"
#include "bucket/own_object_watch.h"
#include "guard/expected_objects.h"
#include "guard/worker.h"
#include "port/random.h"
#include "server/check_log.h"
#include "server/expectation_config.h"
#include "server/expectation_status.h"
#include "server/log_stream.h"
#include "server/memory_leases.h"
#include "stream/read_holds.h"
#include "trigger/redelivery.h"

namespace pawl::server {

// What supervision stands on. All must outlive it.
struct SupervisionGround {
  const table::TableStore& tables;
  stream::ReadHolds& holds;
  bucket::OwnPorts buckets;
  trigger::RedeliveryPorts functions;
  Clock& clock;
  Random& random;
};

class SupervisedTable {
 public:
  // `taken` is shared by the lives of a table. All run on `executor`.
  SupervisedTable(const SupervisionGround& ground, boost::asio::any_io_executor executor,
                  std::string name, Incarnation incarnation, ExpectationConfig config,
                  guard::ObjectsTaken& taken);
  ~SupervisedTable();
  SupervisedTable(const SupervisedTable&) = delete;
  SupervisedTable& operator=(const SupervisedTable&) = delete;

  // Until stop(), or until the table is deleted and all of it is in the ledger; then nothing of it is held any more. Once.
  Awaitable<void> run();
  // From any thread: gives nothing to functions any more; and ends.
  void stop_calling() { redelivery_.stop(); }
  void stop();
  // From any thread, while it runs.
  ExpectationStatus status() const;

 private:
  Awaitable<Status> open();
  Awaitable<Result<bool>> learn_ends();
  Status check_older(ShardId shard, const ledger::PageEntry& last);
  Awaitable<void> work();
  void ask_again(const guard::ShardSource& source,
                 std::span<const guard::RenderedChange* const> changes, Duration within);
  std::vector<std::uint32_t> given(const guard::ShardSource& source,
                                   std::span<const guard::RenderedChange* const> changes) const;
  void paged(const guard::ShardSource& source, const std::string& number);
  void tell_missing();
  bool is_deleted() const;
  std::vector<ShardId> shards() const;
  void look_at_shard(ShardId shard, const guard::WorkerStatus& worker,
                     ExpectationStatus& status) const;
  void note(std::string why);

  SupervisionGround ground_;
  boost::asio::any_io_executor executor_;
  const std::string name_;
  const Incarnation incarnation_;
  const ExpectationConfig config_;
  guard::ObjectsTaken& taken_;
  LogStream stream_;
  LogTable table_;
  MemoryLeases leases_;
  bucket::OwnObjectStore objects_;
  bucket::OwnObjectWatch watch_;
  trigger::Redelivery redelivery_;
  CheckLog log_;
  guard::CheckPorts check_;
  std::unique_ptr<Alarm> alarm_;
  std::string archive_;  // after open(); and what it says of the table
  std::optional<guard::GuardedTable> guarded_;
  std::unique_ptr<guard::Worker> worker_;
  bool working_ = false;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;                            // of what follows
  bool opened_ = false;                                 // worker_ is there
  std::string is_older_;                                // than its ledger: why
  std::map<std::uint32_t, SequenceNumber> reached_;     // of each shard: in pages through here
  std::map<std::uint32_t, MonotonicInstant> moved_at_;  // when that came
  MonotonicInstant began_;
  std::string why_;
};

}  // namespace pawl::server
