// Where commands wait for the commit thread. Thread-safe; never blocks, but bounded by count and
// bytes.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "table/commit_round.h"

namespace pawl::table {

class CommandQueue {
 public:
  CommandQueue(std::size_t commands_max, std::size_t bytes_max)
      : commands_max_(commands_max), bytes_max_(bytes_max) {}

  enum class Pushed { kTaken, kFull, kClosed };
  // Leaves the command untouched where it did not take it.
  Pushed push(Command& command);
  // Takes nothing more.
  void close();
  // Puts commands that did not fit into a round back to the front, in their order; always succeeds.
  void put_back(std::vector<Pending> pending);
  // The commands of one round: those on items up to the bounds, or one on tables, which has a round
  // of its own.
  std::vector<Pending> take(std::size_t commands_max, std::size_t bytes_max);
  std::vector<Pending> take_all();
  bool empty() const;

 private:
  const std::size_t commands_max_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<Pending> waiting_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace pawl::table
