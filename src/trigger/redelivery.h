// Gives changes to the functions of their table's mappings once more, on somebody's word: what a function should have made of them
// is not there (docs/internals/supervised.md).
//
// Only a mapping that is enabled and has been through a change already gets it again, through its filter and as it got it before: what
// it has not reached yet is coming anyway. Each batch is given once; one that fails is halved until what fails is alone. A function
// that is throttled or can't be started is waited for until the time is over. Nothing of it moves a checkpoint, or is remembered: a
// crash forgets it.
//
// Thread use: all on one executor, but for stop() and status(). Beside a mapping's own calls of the function: a function that is called twice at
// once must bear that.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/function_host.h"
#include "trigger/mapping_desk.h"
#include "trigger/trigger_ports.h"

namespace pawl::trigger {

// Of records that wait to be given again; what is beyond is not given.
inline constexpr std::size_t kRedeliveryBytesMax = std::size_t{64} << 20;

// All must outlive it.
struct RedeliveryPorts {
  const MappingDesk& mappings;
  const MappingStreams& streams;
  FunctionHost& functions;
  Clock& clock;
};

struct RedeliveryStatus {
  std::uint64_t calls = 0;     // that were begun
  std::uint64_t failures = 0;  // of them; and changes that were not given before the time was over
  std::string why;             // of the last; empty after a success
};

class Redelivery {
 public:
  Redelivery(RedeliveryPorts ports, boost::asio::any_io_executor executor)
      : ports_(ports), executor_(std::move(executor)) {}
  Redelivery(const Redelivery&) = delete;
  Redelivery& operator=(const Redelivery&) = delete;

  // Begins to give them, which goes on for `within` at most (beside the call that is under way then). Says of each whether any
  // mapping gets it again. `changes` ascend.
  std::vector<bool> begin(ShardId shard, const std::vector<SequenceNumber>& changes,
                          Duration within);

  // Begins no further call. From any thread.
  void stop() { stopping_ = true; }
  // It must not be destroyed before this is 0.
  std::size_t running() const { return running_; }

  // From any thread.
  RedeliveryStatus status() const;

 private:
  struct Record {
    SequenceNumber sequence;
    std::string text;
  };
  struct Work {
    std::string function;
    std::size_t batch_size = 0;
    bool reports_items = false;
    std::vector<Record> records;
    MonotonicInstant until;
  };
  struct Piece {
    std::size_t begin = 0;  // of the records
    std::size_t end = 0;
  };

  std::optional<Work> work_of(const MappingStatus& mapping, ShardId shard,
                              const std::vector<SequenceNumber>& changes, std::vector<bool>& taken);
  Awaitable<void> give(std::shared_ptr<Work> work);
  Awaitable<bool> call(const Work& work, Piece piece, std::vector<Piece>& left);
  static std::vector<Piece> pieces_of(const Work& work);
  void count_failure(std::string why, std::uint64_t count = 1);

  RedeliveryPorts ports_;
  boost::asio::any_io_executor executor_;
  std::atomic<bool> stopping_ = false;
  std::size_t running_ = 0;
  std::size_t bytes_ = 0;  // of records that wait

  mutable std::mutex mutex_;
  RedeliveryStatus status_;  // guarded by mutex_
};

}  // namespace pawl::trigger
