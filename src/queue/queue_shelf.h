// One queue as the engine holds it in memory: its record, its counts, and marks that keep scans short. A few hundred bytes,
// however many messages it has: these are in the store alone.
//
// Every change of a message goes through place(), take() and moved_to(), which write the three keys that a message has and
// keep counts and marks in step; so a queue's counts are what its keys say. Marks and counts are of the batch: a batch that
// was not done is followed by restore().
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "port/key_value_store.h"
#include "queue/command.h"
#include "queue/queue_format.h"

namespace pawl::queue {

struct Waiter {
  Command command;            // a Receive
  MonotonicInstant deadline;  // from then on it is answered, with nothing if need be
  bool polls_once = false;    // it did not want to wait at all
};

class QueueShelf {
 public:
  // Reads its counts. Errors: the store's, or kCorrupt.
  static Result<std::unique_ptr<QueueShelf>> open(KeyValueStore& store, QueueRecord record,
                                                  Instant now);
  // A queue that was just made, or purged: nothing is in its space.
  QueueShelf(QueueRecord record, Instant now);

  QueueRecord record;
  std::deque<Waiter> waiters;

  std::uint64_t visible() const { return marks_.total - marks_.in_flight - marks_.delayed; }
  std::uint64_t in_flight() const { return marks_.in_flight; }
  std::uint64_t delayed() const { return marks_.delayed; }
  std::uint64_t total() const { return marks_.total; }
  QueueFigures figures() const { return {record, visible(), in_flight(), delayed()}; }

  // Counts as visible what has become ready until `now`. Before anything below, in every round. Costs time in proportion to
  // what became ready.
  Status advance(KeyValueStore& store, Instant now);

  // Puts a message that was not in this queue. Whoever calls puts its kMessages entry.
  void place(WriteBatch& batch, std::uint64_t sequence, const MessageState& state);
  // Takes it away, its kMessages entry, too.
  void take(WriteBatch& batch, std::uint64_t sequence, const MessageState& state);
  // Likewise, of a message that nobody took in time.
  void expire(WriteBatch& batch, std::uint64_t sequence, const MessageState& state);
  // Its state has changed.
  void change(WriteBatch& batch, std::uint64_t sequence, const MessageState& before,
              const MessageState& after);
  // Puts the count, if it has changed since the last seal. At a batch's end.
  void seal(WriteBatch& batch);

  // What a failed batch changed here is undone: remember() before, restore() after.
  struct Marks {
    std::uint64_t total = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t delayed = 0;
    Instant counted_through;
    ScheduleKey scan_from;              // nothing is scheduled before it
    std::uint64_t oldest = 0;           // no sequence number before it is there
    Instant expiry_due;                 // nothing expires before it
    std::optional<Instant> next_due;    // nothing becomes ready before it; nothing: not known
    std::uint64_t sealed = 0;           // the total that is stored
    std::optional<ScheduleKey> placed;  // the first place that was given since the last seal
    std::uint64_t expired = 0;          // messages that nobody took in time, since the start
  };
  const Marks& marks() const { return marks_; }
  void restore(const Marks& marks) { marks_ = marks; }
  // After a purge. What has expired is still counted.
  void reset(QueueRecord record, Instant now);
  // A scan from scan_from on has taken everything before `key`; what was placed meanwhile may lie before it.
  void scanned_to(const ScheduleKey& key);
  // A scan of the oldest has seen that nothing before `sequence` is there, and that nothing expires before `due`.
  void expired_to(std::uint64_t sequence, Instant due);
  void expire_again() { marks_.expiry_due = {}; }  // the retention has changed

  // When the next message becomes ready without anybody's doing; nothing if none will.
  Result<std::optional<Instant>> next_ready(KeyValueStore& store);
  // When the oldest message was sent; nothing if there is none. Between rounds: it moves the mark of the oldest, so that no two
  // looks pass over the same removed messages.
  Result<std::optional<Instant>> oldest_sent(KeyValueStore& store);

 private:
  void count(const MessageState& state, std::int64_t by);

  Marks marks_;
};

}  // namespace pawl::queue
