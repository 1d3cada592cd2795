// The thread that makes the mappings' state durable: it writes and syncs all that waits as one batch. Checkpoints may wait a
// moment, so that those of many shards share a sync and do not stand in the way of the tables' commits. The one file of this
// folder that knows a thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "trigger/trigger_ports.h"

namespace pawl::trigger {

// How long a checkpoint waits for others: what a crash lets be delivered again, at most.
inline constexpr Duration kGatherTime = std::chrono::milliseconds(50);

class StateThread final : public StateSink {
 public:
  // Starts at once. The store must outlive it, and be written by nobody else. `on_unknown`: nobody knows whether a batch is
  // durable.
  StateThread(KeyValueStore& store, std::function<void(const std::string& why)> on_unknown);
  // Stops if stop() was not called.
  ~StateThread() override;
  StateThread(const StateThread&) = delete;
  StateThread& operator=(const StateThread&) = delete;

  // After stop() nothing is done, and `done` is called with false at once.
  void submit(WriteBatch batch, Urgency urgency, std::function<void(bool)> done) override;
  // Does what was submitted, and joins.
  void stop();

 private:
  struct Waiting {
    WriteBatch batch;
    std::function<void(bool)> done;
  };
  void run();
  std::vector<Waiting> take();
  bool write(const std::vector<Waiting>& all);

  KeyValueStore& store_;
  std::function<void(const std::string& why)> on_unknown_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;  // guarded by mutex_
  bool urgent_ = false;           // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::thread thread_;
};

}  // namespace pawl::trigger
