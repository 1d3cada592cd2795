#include "queue/queue_thread.h"

namespace pawl::queue {

QueueThread::QueueThread(QueueEngine& engine) : engine_(engine) {
  engine_.set_waker([this] { ring(); });
  thread_ = std::thread([this] { run(); });
}

QueueThread::~QueueThread() { stop(); }

void QueueThread::stop() {
  if (!thread_.joinable()) return;
  engine_.close();
  engine_.stop_waiting();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void QueueThread::ring() {
  {
    const std::lock_guard lock(mutex_);
    if (rung_) return;
    rung_ = true;
  }
  wake_.notify_one();
}

void QueueThread::run() {
  for (;;) {
    {
      // Forgotten before the round looks at the commands: what is submitted after that rings again.
      const std::lock_guard lock(mutex_);
      rung_ = false;
    }
    const QueueEngine::Round round = engine_.run_round();
    if (round == QueueEngine::Round::kEnded) return;
    if (round == QueueEngine::Round::kDone) continue;
    const Duration left = engine_.until_next_wake();
    std::unique_lock lock(mutex_);
    if (stopping_ && !engine_.has_commands()) return;
    wake_.wait_for(lock, left, [this] { return rung_ || stopping_; });
  }
}

}  // namespace pawl::queue
