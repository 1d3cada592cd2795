// All queues by name, and the commands that make, change and remove them. The queue thread's own.
//
// A command on queues is one synced batch of its own; memory follows the store only when it is done, so a failed one leaves
// nothing to undo. The messages of a queue that is deleted or purged are unreachable at once, because their space is no
// queue's any more; they are then removed as ranges, and again at the next start if a crash undid it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "port/clock.h"
#include "queue/command.h"
#include "queue/queue_shelf.h"

namespace pawl::queue {

inline constexpr std::size_t kQueuesMax = 10'000;

class QueueCatalog {
 public:
  // Errors: kCorrupt; kInvalid if a newer Pawl wrote it; the store's.
  static Result<QueueCatalog> open(KeyValueStore& store, Instant now);

  QueueShelf* find(const std::string& name);
  using Shelves = std::map<std::string, std::unique_ptr<QueueShelf>>;
  const Shelves& shelves() const { return shelves_; }

  // Where a queue's dead letters go now; null if it has no redrive policy, or if that queue is no more.
  QueueShelf* target_of(const QueueShelf& shelf);

  // A number that no message, queue or space had before: about the microseconds since 1970, one more at least at each call.
  // So sequence numbers follow the order of sends over all queues, and a dead letter keeps its own.
  std::uint64_t next_number(Instant now);

  // What a command on queues would do. `batch` is empty where it changes nothing.
  struct Plan {
    Answer answer;
    WriteBatch batch;
    std::optional<QueueRecord> record;     // the queue as it then is
    std::optional<std::uint64_t> emptied;  // the space that is no queue's any more
    bool removes = false;                  // the queue itself
  };
  Plan plan(const Command& command, Instant now);
  // The batch is durable. Returns what the waiters of a deleted queue have waited for.
  std::deque<Waiter> apply(const Plan& plan, const std::string& name, Instant now);

  Answer describe(const Command& command);
  Answer list(const Command& command);

 private:
  Plan plan_create(const Command& command, const AttributeChanges& changes, Instant now);
  Plan plan_change(const QueueShelf& shelf, const AttributeChanges& changes, Instant now);
  std::optional<Failure> check_target(const std::string& name, const AttributeChanges& changes);

  Shelves shelves_;
  std::uint64_t newest_number_ = 0;
};

// Removes everything of a space. Not synced.
Status remove_space(KeyValueStore& store, std::uint64_t space);

Answer failed(Refusal refusal, std::string message = {});

}  // namespace pawl::queue
