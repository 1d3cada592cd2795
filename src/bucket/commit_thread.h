// The thread that runs commit rounds in the server. While one round syncs, the commands of the next
// queue up: that is the whole of group commit. The one file of this folder that knows a thread; the
// simulation steps BucketCommitter::run_round() itself.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "bucket/bucket_committer.h"

namespace pawl::bucket {

class CommitThread {
 public:
  // Starts at once. The committer must outlive it and be stepped by nobody else.
  explicit CommitThread(BucketCommitter& committer);
  // Stops if stop() was not called.
  ~CommitThread();
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Refuses new commands, does those that wait, and joins.
  void stop();

 private:
  // How long it sleeps when nobody rings: trims and the room are looked at this often in an idle
  // server.
  static constexpr std::chrono::seconds kIdleWake{1};

  void run();
  void ring();

  BucketCommitter& committer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::bucket
