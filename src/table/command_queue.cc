#include "table/command_queue.h"

#include <algorithm>
#include <iterator>

namespace pawl::table {

CommandQueue::Pushed CommandQueue::push(Command& command) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Pushed::kClosed;
  if (waiting_.size() >= commands_max_) return Pushed::kFull;
  // One command may always wait, however large.
  if (!waiting_.empty() && bytes_ + command.bytes > bytes_max_) return Pushed::kFull;
  bytes_ += command.bytes;
  waiting_.push_back({.command = std::move(command), .parts = {}, .guards = {}, .answer = {}});
  return Pushed::kTaken;
}

void CommandQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void CommandQueue::put_back(std::vector<Pending> pending) {
  const std::lock_guard lock(mutex_);
  for (const Pending& one : pending) bytes_ += one.command.bytes;
  waiting_.insert(waiting_.begin(), std::make_move_iterator(pending.begin()),
                  std::make_move_iterator(pending.end()));
}

std::vector<Pending> CommandQueue::take(std::size_t commands_max, std::size_t bytes_max) {
  std::vector<Pending> taken;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  taken.reserve(std::min(waiting_.size(), commands_max));
  while (!waiting_.empty() && taken.size() < commands_max) {
    Pending& next = waiting_.front();
    const bool on_tables = mutations_of(next.command) == nullptr;
    if (!taken.empty() && (on_tables || bytes + next.command.bytes > bytes_max)) break;
    bytes += next.command.bytes;
    taken.push_back(std::move(next));
    waiting_.pop_front();
    if (on_tables) break;
  }
  bytes_ -= bytes;
  return taken;
}

std::vector<Pending> CommandQueue::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<Pending> taken(std::make_move_iterator(waiting_.begin()),
                             std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  bytes_ = 0;
  return taken;
}

bool CommandQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

}  // namespace pawl::table
