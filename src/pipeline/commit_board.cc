#include "pipeline/commit_board.h"

#include <algorithm>

namespace pawl::pipeline {

void CommitBoard::committed(ShardId shard, SequenceNumber newest) {
  const std::lock_guard lock(mutex_);
  auto& known = newest_[shard];
  known = std::max(known, newest);
  committed_[shard] = known;
  if (alarm_ != nullptr) alarm_->ring();
}

void CommitBoard::heartbeat(Instant at) {
  const std::lock_guard lock(mutex_);
  heartbeat_ = std::max(heartbeat_.value_or(at), at);
}

void CommitBoard::set_alarm(Alarm* alarm) {
  const std::lock_guard lock(mutex_);
  alarm_ = alarm;
}

CommitBoard::News CommitBoard::take() {
  const std::lock_guard lock(mutex_);
  News news;
  news.committed.assign(committed_.begin(), committed_.end());
  news.heartbeat = heartbeat_;
  committed_.clear();
  heartbeat_.reset();
  return news;
}

SequenceNumber CommitBoard::newest(ShardId shard) const {
  const std::lock_guard lock(mutex_);
  const auto found = newest_.find(shard);
  return found == newest_.end() ? SequenceNumber{} : found->second;
}

void tell_backlog(const stream::ChangeLog& log, CommitBoard& board) {
  for (const ShardId shard : log.shards()) {
    const auto position = log.position(shard);
    if (position && position->newest.value > 0) board.committed(shard, position->newest);
  }
}

}  // namespace pawl::pipeline
