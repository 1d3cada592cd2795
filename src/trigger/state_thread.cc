#include "trigger/state_thread.h"

namespace pawl::trigger {

StateThread::StateThread(KeyValueStore& store,
                         std::function<void(const std::string& why)> on_unknown)
    : store_(store), on_unknown_(std::move(on_unknown)), thread_([this] { run(); }) {}

StateThread::~StateThread() { stop(); }

void StateThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StateThread::submit(WriteBatch batch, Urgency urgency, std::function<void(bool)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.push_back({std::move(batch), std::move(done)});
      urgent_ = urgent_ || urgency == Urgency::kNow;
      wake_.notify_one();
      return;
    }
  }
  done(false);
}

// What is to be done next; nothing when all is done and no more comes.
std::vector<StateThread::Waiting> StateThread::take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
  wake_.wait_for(lock, kGatherTime, [this] { return urgent_ || stopping_; });
  urgent_ = false;
  return std::exchange(waiting_, {});
}

bool StateThread::write(const std::vector<Waiting>& all) {
  WriteBatch batch;
  for (const Waiting& one : all) {
    for (const WriteBatch::Entry& entry : one.batch.entries()) {
      if (entry.kind == WriteBatch::Kind::kPut) {
        batch.put(entry.space, entry.key, entry.value);
      } else {
        batch.erase(entry.space, entry.key);
      }
    }
  }
  const WriteResult result = store_.write(batch, Sync::kYes);
  if (result.outcome == WriteOutcome::kUnknown) {
    on_unknown_("writing the state of mappings: " + result.why);
    return false;
  }
  for (const Waiting& one : all) one.done(result.outcome == WriteOutcome::kDone);
  return true;
}

void StateThread::run() {
  for (;;) {
    const auto all = take();
    if (all.empty()) return;
    if (!write(all)) return;
  }
}

}  // namespace pawl::trigger
