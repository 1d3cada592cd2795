// Gives changes to the functions of their table's mappings once more, on somebody's word: what a function should have made of them
// is not there (docs/internals/supervised.md).
//
// Only a mapping that is enabled and has been through a change already gets it again, through its filter and as it got it before: what
// it has not reached yet is coming anyway, and is given it when it has been through and the change is offered again. Each mapping gets
// a change once. Each batch is given once; one that fails is halved until what fails is alone. A function that is throttled or can't be
// started is waited for until the time is over. Nothing of it moves a checkpoint. Who was given what is remembered until it is
// forgotten by its caller; a crash forgets all.
//
// Thread use: all on one executor, but for stop(), begun() and status(). Beside a mapping's own calls of the function: a function that
// is called twice at once must bear that.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
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
// Pairs of a change and a mapping that are remembered; what is beyond is not given before others are forgotten.
inline constexpr std::size_t kRedeliveriesRememberedMax = 131'072;

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
  Redelivery(RedeliveryPorts ports, boost::asio::any_io_executor executor,
             std::size_t remembered_max = kRedeliveriesRememberedMax)
      : ports_(ports), executor_(std::move(executor)), remembered_max_(remembered_max) {}
  Redelivery(const Redelivery&) = delete;
  Redelivery& operator=(const Redelivery&) = delete;

  // Begins to give them to every mapping that can take them and has not been given them before, which goes on for `within` at
  // most (beside the call that is under way then). Says of each whether that is anybody now. `changes` ascend.
  std::vector<bool> begin(ShardId shard, const std::vector<SequenceNumber>& changes,
                          Duration within);
  // Of each, how many calls of a function were begun with it: what only waits to be given is not among them. From any thread.
  std::vector<std::uint32_t> begun(ShardId shard, const std::vector<SequenceNumber>& changes) const;
  // Of this shard, nothing through this change is offered any more.
  void forget(ShardId shard, SequenceNumber through);

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
    ShardId shard;
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

  // What became of a change so far.
  struct Offered {
    std::vector<MappingId> mappings;  // that were given it, or have no use for it
    std::uint32_t begun = 0;          // calls
  };

  std::optional<Work> work_of(const MappingStatus& mapping, ShardId shard,
                              const std::vector<SequenceNumber>& changes, std::vector<bool>& taken);
  bool may_be_given(const MappingStatus& mapping, ShardId shard, SequenceNumber change) const;
  bool remember(const MappingId& mapping, ShardId shard, SequenceNumber change);
  void count_begun(const Work& work, Piece piece);
  Awaitable<void> give(std::shared_ptr<Work> work);
  Awaitable<bool> call(const Work& work, Piece piece, std::vector<Piece>& left);
  static std::vector<Piece> pieces_of(const Work& work);
  void count_failure(std::string why, std::uint64_t count = 1);

  RedeliveryPorts ports_;
  boost::asio::any_io_executor executor_;
  std::atomic<bool> stopping_ = false;
  std::size_t running_ = 0;
  std::size_t bytes_ = 0;  // of records that wait
  const std::size_t remembered_max_;

  mutable std::mutex mutex_;  // of what follows
  RedeliveryStatus status_;
  std::map<ShardId, std::map<SequenceNumber, Offered>> offered_;
  std::size_t remembered_ = 0;  // mappings in offered_, over all
};

}  // namespace pawl::trigger
