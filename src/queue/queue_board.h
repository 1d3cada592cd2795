// Figures of all queues, for `pawl status` and the metrics: taken by the queue thread between rounds, about once a second, and read
// by any thread without waiting for that one. So a disk that stands still makes them old, and holds nobody up.
//
// Cost: counts are in memory. Of the first kListedMax queues by name, what has become ready is counted, too, and the oldest
// message looked for, from where the last look found one: a few reads of the store each, in proportion to what was removed
// meanwhile. Of the others there is only what their counters say.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "queue/queue_catalog.h"

namespace pawl::queue {

inline constexpr std::size_t kListedMax = 100;

struct QueueLine {
  std::string name;
  std::uint64_t visible = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t delayed = 0;
  std::uint64_t expired = 0;  // nobody took them in time; since the start
  std::optional<Instant>
      oldest;  // when it was sent, also of a dead letter; nothing: no message, or the store did not say
  seconds retention{};
  bool holds_dead_letters = false;  // a redrive policy names it
};

struct QueuesFigures {
  std::vector<QueueLine> listed;  // the first kListedMax by name
  struct Others {
    std::uint64_t queues = 0;
    std::uint64_t messages = 0;
    std::uint64_t expired = 0;
  };
  Others others;
};

// On the queue thread, between rounds. Never fails: what the store does not say is left as it was, or out.
QueuesFigures figures_of(KeyValueStore& store, const QueueCatalog& catalog, Instant now);

// Thread-safe.
class QueueBoard {
 public:
  void put(QueuesFigures figures);
  // The newest; empty before the first.
  std::shared_ptr<const QueuesFigures> newest() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const QueuesFigures> newest_ = std::make_shared<const QueuesFigures>();
};

}  // namespace pawl::queue
