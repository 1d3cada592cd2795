// The thread that runs the rounds of the queues in the server. While one round syncs, the commands of the next gather: that is
// the whole of group commit. The one file of this folder that knows a thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "queue/queue_engine.h"

namespace pawl::queue {

class QueueThread {
 public:
  // Starts at once. The engine must outlive it and be stepped by nobody else.
  explicit QueueThread(QueueEngine& engine);
  // Stops if stop() was not called.
  ~QueueThread();
  QueueThread(const QueueThread&) = delete;
  QueueThread& operator=(const QueueThread&) = delete;

  // Refuses new commands, does those that were submitted, answers those that wait, and joins.
  void stop();

 private:
  void run();
  void ring();

  QueueEngine& engine_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::queue
