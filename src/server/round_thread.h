// The thread that runs the rounds of one writer in the server: the tables' committer, the buckets', the queues' engine. While one
// round syncs, the commands of the next gather: that is the whole of group commit. Stages know no thread: tests and the drill
// step run_round() themselves.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/instant.h"

namespace pawl::server {

// `Writer` has set_waker, run_round (to its enum Round: kIdle, kDone, kEnded), close and has_commands; and until_next_wake, if it has
// things to do at instants of its own.
template <typename Writer>
class RoundThread {
 public:
  // Starts at once. The writer must outlive it and be stepped by nobody else.
  explicit RoundThread(Writer& writer) : writer_(writer) {
    writer_.set_waker([this] { ring(); });
    thread_ = std::thread([this] { run(); });
  }
  // Stops if stop() was not called.
  ~RoundThread() { stop(); }
  RoundThread(const RoundThread&) = delete;
  RoundThread& operator=(const RoundThread&) = delete;

  // Refuses new commands, does those that wait, and joins.
  void stop() {
    if (!thread_.joinable()) return;
    writer_.close();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  // How long it sleeps when nobody rings: trims and the room are looked at this often in an idle server.
  Duration idle() {
    if constexpr (requires { writer_.until_next_wake(); }) {
      return writer_.until_next_wake();
    } else {
      return std::chrono::seconds(1);
    }
  }

  void ring() {
    {
      const std::lock_guard lock(mutex_);
      if (rung_) return;
      rung_ = true;
    }
    wake_.notify_one();
  }

  void run() {
    for (;;) {
      {
        // Forgotten before the round looks at the commands: what is submitted after that rings again.
        const std::lock_guard lock(mutex_);
        rung_ = false;
      }
      const auto round = writer_.run_round();
      if (round == Writer::Round::kEnded) return;
      if (round == Writer::Round::kDone) continue;
      const Duration left = idle();
      std::unique_lock lock(mutex_);
      if (stopping_ && !writer_.has_commands()) return;
      wake_.wait_for(lock, left, [this] { return rung_ || stopping_; });
    }
  }

  Writer& writer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::server
