// One round of handing messages out: expiry first, then everyone who asks or waits, in the order in which they came. What it
// decides is one batch that is written without a sync: receives are cheap, and what a power cut may take back of them is only
// that a message was hidden and counted, so it is handed out again (docs/internals/queues.md).
#pragma once

#include <vector>

#include "queue/message_step.h"
#include "queue/queue_catalog.h"

namespace pawl::queue {

class ReceiveRound {
 public:
  // Messages that are read into one round, and messages moved or removed by it.
  static constexpr std::size_t kBytesMax = 8 * 1024 * 1024;
  static constexpr std::size_t kHandledMax = 2'000;

  ReceiveRound(KeyValueStore& store, QueueCatalog& catalog, Instant now)
      : store_(store), catalog_(catalog), now_(now) {}

  struct Served {
    Command command;
    Answer answer;
  };

  // Removes the oldest messages of a queue that have expired, if any can have. Of every queue before the first serve(), and
  // of a queue that has been advanced to `now`. Errors: the store's, or kCorrupt.
  Status expire(QueueShelf& shelf);
  // Serves the waiters of a queue, oldest first, as far as messages and the round's bounds reach; they are taken out of it.
  // Whoever's time is up gets nothing. After an error this round is of no use: undo(), and nothing is written.
  Status serve(QueueShelf& shelf, MonotonicInstant tick);

  // More is left than this round could take.
  bool full() const { return bytes_ >= kBytesMax || handled_ >= kHandledMax; }
  WriteBatch& finish();
  // Only a dead letter's move is synced: a receipt from its new queue must go on meaning it.
  Sync sync() const { return moved_ ? Sync::kYes : Sync::kNo; }
  std::vector<Served>& served() { return served_; }
  // The batch was not done: memory goes back to what the store says.
  void undo();

 private:
  struct Picked {
    std::uint64_t sequence = 0;
    MessageState before;
    Offered offered;
  };
  void remember(QueueShelf& shelf);
  Result<std::vector<Picked>> pick(QueueShelf& shelf, Cursor& cursor, const Command& command);
  // Those whose time is up, wherever they stand in the line.
  void send_away(QueueShelf& shelf, MonotonicInstant tick);
  Result<Answer> hand_out(QueueShelf& shelf, const std::vector<Picked>& picked);
  Status move(QueueShelf& shelf, const Picked& picked);

  KeyValueStore& store_;
  QueueCatalog& catalog_;
  Instant now_;
  WriteBatch batch_;
  std::vector<Served> served_;
  std::vector<std::pair<QueueShelf*, QueueShelf::Marks>> before_;
  std::size_t bytes_ = 0;
  std::size_t handled_ = 0;
  bool moved_ = false;
};

}  // namespace pawl::queue
