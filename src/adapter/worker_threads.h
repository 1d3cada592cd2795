// Threads for what may wait for a disk, so that who must not (an I/O thread of the server) doesn't.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pawl {

// Thread-safe. The queue is bounded by who uses it: one piece of work a connection.
class WorkerThreads {
 public:
  explicit WorkerThreads(unsigned threads);
  // Stops if stop() was not called.
  ~WorkerThreads();
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // Work is begun in the order in which it came. After stop() it is dropped.
  void run(std::function<void()> work);
  // Lets the work that has begun end, drops the rest, and joins. Not from a worker.
  void stop();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pawl
