// The one writer of the buckets: takes every queued command, decides them in order (bucket_round.h), writes one batch, syncs
// once, then answers all. While one round syncs, the commands of the next queue up.
//
// Thread use: submit and close from any thread; run_round from one, the commit thread, on which answers come. After a crash:
// what was answered as done is there, whole; of the rest each command is there whole or not at all.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bucket/bucket_command.h"
#include "bucket/bucket_round.h"
#include "bucket/read_watch.h"
#include "port/body_files.h"
#include "port/clock.h"
#include "port/key_value_store.h"
#include "table/room_gate.h"

namespace pawl::bucket {

// Who takes commands; the committer, or what stands for it in tests of src/wire.
class BucketSink {
 public:
  virtual ~BucketSink() = default;
  virtual void submit(BucketCommand command) = 0;
};

// What Pawl writes for itself (`by_pawl`; Supervise) is done below the clients' reserve: as long as it is not, the change log can't be
// trimmed, and nobody's room grows. It leaves this part of the reserve, for the stores' own work.
inline constexpr std::uint64_t kOwnReserveShare = 4;

struct BucketCommitterOptions {
  std::size_t queue_commands_max = 16'384;
  std::size_t queue_bytes_max = 128ULL << 20;
  std::size_t round_commands_max = 2048;
  // Of commands, and of what they write: a deletion in a supervised bucket writes far more than it says. Unless a single command is
  // larger.
  std::size_t round_bytes_max = 8ULL << 20;
  table::RoomReserve reserve;  // of clients
};

// All must outlive it.
struct BucketPorts {
  KeyValueStore& store;
  BodyFiles& files;
  Clock& clock;
  // Nobody knows whether the last batch is durable: the process must end. Called on the commit thread, at most once.
  std::function<void(const std::string& why)> on_unknown;
};

class BucketCommitter final : public BucketSink {
 public:
  BucketCommitter(BucketPorts ports, BucketCommitterOptions options)
      : ports_(std::move(ports)),
        options_(options),
        room_(options.reserve),
        own_room_({options.reserve.bytes / kOwnReserveShare,
                   options.reserve.inodes / kOwnReserveShare}) {}

  void submit(BucketCommand command) override;

  enum class Round : std::uint8_t {
    kIdle,   // there was nothing to do
    kDone,   // something was done; there may be more
    kEnded,  // on_unknown was called: no further round does anything
  };
  Round run_round();

  // Commands submitted from now on are refused as kStopping; those before are still to be done.
  void close();
  bool has_commands() const;
  // Called after each submit, on its thread. Set before the first.
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }

  // Whether there was room at the last look: for clients' bodies, which are written before their command comes.
  bool enough_room() const { return enough_room_.load(std::memory_order_relaxed); }
  const std::shared_ptr<ReadWatch>& watch() const { return watch_; }

 private:
  struct Decided {
    BucketCommand command;
    Outcome outcome;
  };

  // Leaves the command untouched where it did not take it.
  Refusal push(BucketCommand& command);
  std::vector<BucketCommand> take();
  // They are the next ones again, in this order.
  void put_back(std::vector<BucketCommand>::iterator first,
                std::vector<BucketCommand>::iterator last);
  std::vector<Decided> decide(std::vector<BucketCommand> commands, BucketRound& round);
  void look_for_room();
  // Nothing: it has the room that it needs, or needs none.
  Result<const table::RoomGate*> lacks_room(const Action& action, BucketRound& round) const;
  Result<Outcome> decide_one(const Action& action, BucketRound& round) const;
  void answer(std::vector<Decided> decided);
  void answer_all(std::vector<Decided> decided, Refusal refusal, const std::string& why);
  bool remove_free_files();  // some; whether there may be more

  BucketPorts ports_;
  const BucketCommitterOptions options_;
  std::function<void()> waker_;
  std::shared_ptr<ReadWatch> watch_ = std::make_shared<ReadWatch>();
  std::atomic<bool> enough_room_ = true;

  mutable std::mutex mutex_;  // the three below
  std::deque<BucketCommand> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool closed_ = false;

  // The commit thread's own.
  table::RoomGate room_;
  table::RoomGate own_room_;
  bool ended_ = false;
};

}  // namespace pawl::bucket
