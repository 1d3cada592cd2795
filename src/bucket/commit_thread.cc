#include "bucket/commit_thread.h"

namespace pawl::bucket {

CommitThread::CommitThread(BucketCommitter& committer) : committer_(committer) {
  committer_.set_waker([this] { ring(); });
  thread_ = std::thread([this] { run(); });
}

CommitThread::~CommitThread() { stop(); }

void CommitThread::stop() {
  if (!thread_.joinable()) return;
  committer_.close();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void CommitThread::ring() {
  {
    const std::lock_guard lock(mutex_);
    if (rung_) return;
    rung_ = true;
  }
  wake_.notify_one();
}

void CommitThread::run() {
  for (;;) {
    {
      // Forgotten before the round looks at the queue: what is submitted after that rings again.
      const std::lock_guard lock(mutex_);
      rung_ = false;
    }
    const BucketCommitter::Round round = committer_.run_round();
    if (round == BucketCommitter::Round::kEnded) return;
    if (round == BucketCommitter::Round::kDone) continue;
    std::unique_lock lock(mutex_);
    if (stopping_ && !committer_.has_commands()) return;
    wake_.wait_for(lock, kIdleWake, [this] { return rung_ || stopping_; });
  }
}

}  // namespace pawl::bucket
