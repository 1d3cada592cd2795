// All queues of a server: takes commands from any thread, and does them in rounds on one. A round hands messages out
// (receive_round.h), writes and syncs what senders and deleters asked for as one batch (mutation_round.h), and then answers
// all of them: one sync, many acknowledgements. It stands beside the table's committer and shares nothing with it: its store
// is another one, so neither waits for the other's batches.
//
// What survives a crash. A send or a deletion that was answered is durable. A receive is written without a sync: a killed
// process loses none of it; a power cut may take back the last receives, of which then neither the visibility nor the count
// is remembered, so the message is handed out again with the count that it had before. That is what "at least once" allows.
// A message moves to its dead letter queue in one synced batch: it is in one of the two, never in both or neither.
//
// A receive that waits holds no thread: it stands in its queue's line in memory until a message is ready or its time is up.
// Bounded: commands and bytes that wait, receives that wait, queues, messages in flight. Messages themselves are in the store
// alone; a queue in memory is a few hundred bytes.
//
// Thread use: submit, close, stop_waiting from any thread; run_round, until_next_wake from one thread at a time, on which the
// callbacks come (also on the submitter's, where a command is refused at once).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>

#include "port/clock.h"
#include "port/random.h"
#include "queue/mutation_round.h"
#include "queue/queue_board.h"
#include "queue/queue_catalog.h"
#include "queue/receive_round.h"

namespace pawl::queue {

struct EngineOptions {
  std::size_t commands_max = 16'384;
  std::size_t bytes_max = 128 * 1024 * 1024;  // of Command::bytes
  std::size_t round_commands_max = 2'048;
  std::size_t batch_bytes_max = 8 * 1024 * 1024;  // unless a single command is larger
  std::size_t waiters_max = 16'384;
  // Sends are refused below this much room; deletions are not: they make some.
  std::uint64_t reserve_bytes = 256ULL * 1024 * 1024;
  std::uint64_t reserve_inodes = 20'000;
};

// All must outlive the engine.
struct EnginePorts {
  KeyValueStore& store;  // of its own
  Clock& clock;
  Random& random;
};

// Told on the queue thread; must not block.
class EngineListener {
 public:
  virtual ~EngineListener() = default;
  // Nobody knows whether the last batch is durable: the process must end.
  virtual void outcome_unknown(const std::string& why) = 0;
  // The store failed, or said what it can't have been told; whoever asked was told, too.
  virtual void trouble(const Error& error) = 0;
};

class QueueEngine final : public CommandSink {
 public:
  // Reads the queues and removes what a crash left of those that are gone. Errors: kCorrupt, or the store's.
  static Result<std::unique_ptr<QueueEngine>> open(EnginePorts ports, EngineListener& listener,
                                                   EngineOptions options = {});

  void submit(Command command) override;

  enum class Round {
    kIdle,   // nothing to do for until_next_wake(), or until a submit
    kDone,   // something was done; there may be more
    kEnded,  // outcome_unknown() was called: no further round does anything
  };
  Round run_round();
  // How long there is nothing to do without a submit; after kIdle. At most a second.
  Duration until_next_wake();

  // Receives wait no longer, those that wait are answered now: a server that stops does this first.
  void stop_waiting() { waiting_ends_ = true, wake(); }
  // Commands from now on are refused as kStopping; those before are still to be done.
  void close();
  bool has_commands() const;
  // Called after each submit, on its thread. Set before the first.
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }

  // From any thread; at most about two seconds old while the engine goes on.
  std::shared_ptr<const QueuesFigures> figures() const { return board_.newest(); }

  // For tests, on the queue thread or while it stands.
  const QueueCatalog& catalog() const { return catalog_; }

 private:
  QueueEngine(EnginePorts ports, EngineListener& listener, EngineOptions options,
              QueueCatalog catalog);
  void wake() {
    if (waker_) waker_();
  }
  void show(Instant now);
  std::deque<Command> take();
  static bool is_on_queues(const Command& command);
  // Leaves the command untouched where it did not take it.
  std::optional<Refusal> push(Command& command);
  void wait_in_line(Command command);
  Answer describe(const Command& command, Instant now);
  Round receive(Instant now);
  static bool may_serve(const QueueShelf& shelf, MonotonicInstant now);
  Status plan_receives(ReceiveRound& round, Instant now);
  void fail_waiters(const Error& error);
  Round mutate(std::deque<Command> commands, Instant now);
  Round on_queues(const Command& command, Instant now);
  // Whether the batch is done; if not, why_ says why. Ends everything where nobody knows.
  bool write(const WriteBatch& batch, Sync sync);
  void end();
  std::optional<Failure> room(Instant now);

  EnginePorts ports_;
  EngineListener& listener_;
  const EngineOptions options_;
  std::function<void()> waker_;
  std::atomic<bool> waiting_ends_ = false;

  QueueBoard board_;

  mutable std::mutex mutex_;
  std::deque<Command> commands_;  // guarded by mutex_
  std::size_t bytes_ = 0;         // guarded by mutex_
  bool closed_ = false;           // guarded by mutex_

  // The queue thread's own.
  QueueCatalog catalog_;
  std::set<std::string> waited_for_;  // queues that somebody waits for
  std::size_t waiters_ = 0;
  Instant swept_;  // when expiry was looked at last
  Instant room_asked_;
  Instant shown_;  // when the board was written last
  std::optional<Failure> no_room_;
  std::string why_;
  bool ended_ = false;
};

}  // namespace pawl::queue
