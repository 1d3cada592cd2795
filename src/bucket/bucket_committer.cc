#include "bucket/bucket_committer.h"

#include <algorithm>

namespace pawl::bucket {
namespace {

// Between two rounds, so that who deletes an object in ten thousand parts does not hold up the others.
constexpr std::size_t kFilesRemovedMax = 256;

bool is_pawls(const Action& action) {
  if (const auto* put = std::get_if<PutObject>(&action)) return put->by_pawl;
  if (const auto* creation = std::get_if<CreateBucket>(&action)) return creation->by_pawl;
  if (const auto* together = std::get_if<PutTogether>(&action)) {
    return std::all_of(together->objects.begin(), together->objects.end(),
                       [](const PutObject& one) { return one.by_pawl; });
  }
  return std::holds_alternative<Supervise>(action);
}

Outcome refused(Refusal refusal, std::string why) {
  Outcome outcome;
  outcome.refusal = refusal;
  outcome.why = std::move(why);
  return outcome;
}

}  // namespace

Refusal BucketCommitter::push(BucketCommand& command) {
  const std::size_t bytes = bytes_of(command.action);
  const std::lock_guard lock(mutex_);
  if (closed_) return Refusal::kStopping;
  if (waiting_.size() >= options_.queue_commands_max) return Refusal::kBusy;
  // One command may always wait, however large.
  if (!waiting_.empty() && waiting_bytes_ + bytes > options_.queue_bytes_max) return Refusal::kBusy;
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(command));
  return Refusal::kNone;
}

void BucketCommitter::submit(BucketCommand command) {
  const Refusal refusal = push(command);
  if (refusal == Refusal::kNone) {
    if (waker_) waker_();
    return;
  }
  // The caller may be a thread that must not wait for the disk: the commit thread removes the files.
  watch_->retire(new_files_of(command.action));
  command.done(refused(refusal, refusal == Refusal::kBusy
                                    ? "Too many writes are waiting for the disk"
                                    : "The server is stopping"));
}

void BucketCommitter::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool BucketCommitter::has_commands() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

std::vector<BucketCommand> BucketCommitter::take() {
  std::vector<BucketCommand> taken;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && taken.size() < options_.round_commands_max) {
    const std::size_t next = bytes_of(waiting_.front().action);
    if (!taken.empty() && bytes + next > options_.round_bytes_max) break;
    bytes += next;
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  return taken;
}

void BucketCommitter::put_back(std::vector<BucketCommand>::iterator first,
                               std::vector<BucketCommand>::iterator last) {
  const std::lock_guard lock(mutex_);
  for (auto one = last; one != first;) {
    --one;
    waiting_bytes_ += bytes_of(one->action);
    waiting_.push_front(std::move(*one));
  }
}

void BucketCommitter::look_for_room() {
  const auto now = ports_.clock.monotonic();
  room_.check(ports_.store, now);
  own_room_.check(ports_.store, now);
  enough_room_.store(room_.enough(), std::memory_order_relaxed);
}

// What frees room is done without it. A deletion does not where what is deleted is kept: it only writes.
Result<const table::RoomGate*> BucketCommitter::lacks_room(const Action& action,
                                                           BucketRound& round) const {
  const table::RoomGate* const none = nullptr;
  if (std::holds_alternative<DeleteBucket>(action) || std::holds_alternative<AbortUpload>(action))
    return none;
  const auto& gate = is_pawls(action) ? own_room_ : room_;
  if (gate.enough()) return none;
  if (const auto* deletion = std::get_if<DeleteObjects>(&action)) {
    PAWL_ASSIGN_OR_RETURN(const bool keeps, round.is_supervised(deletion->bucket));
    if (!keeps) return none;
  }
  return &gate;
}

Result<Outcome> BucketCommitter::decide_one(const Action& action, BucketRound& round) const {
  PAWL_ASSIGN_OR_RETURN(const auto* const lacks, lacks_room(action, round));
  if (lacks != nullptr)
    return refused(Refusal::kNoRoom, "There is no room for writes: " + lacks->why());
  return round.apply(action);
}

std::vector<BucketCommitter::Decided> BucketCommitter::decide(std::vector<BucketCommand> commands,
                                                              BucketRound& round) {
  look_for_room();
  std::vector<Decided> decided;
  decided.reserve(commands.size());
  for (auto command = commands.begin(); command != commands.end(); ++command) {
    if (round.bytes() >= options_.round_bytes_max) {
      put_back(command, commands.end());
      break;
    }
    auto applied = decide_one(command->action, round);
    // What can't be read now is not known to be right for the commands behind it either: none of the round is written.
    Outcome outcome = applied.ok() ? std::move(applied).value()
                                   : refused(Refusal::kNotDone, applied.error().to_string());
    decided.push_back({std::move(*command), std::move(outcome)});
  }
  return decided;
}

BucketCommitter::Round BucketCommitter::run_round() {
  if (ended_) return Round::kEnded;
  std::vector<BucketCommand> commands = take();
  if (commands.empty()) {
    look_for_room();
    return remove_free_files() ? Round::kDone : Round::kIdle;
  }
  BucketRound round(ports_.store, ports_.clock.now());
  std::vector<Decided> decided = decide(std::move(commands), round);
  for (const Decided& one : decided) {
    if (one.outcome.refusal != Refusal::kNotDone) continue;
    const std::string why = one.outcome.why;
    answer_all(std::move(decided), Refusal::kNotDone, why);
    return Round::kDone;
  }
  if (!round.empty()) {
    const WriteResult written = ports_.store.write(round.batch(), Sync::kYes);
    if (written.outcome == WriteOutcome::kUnknown) {
      ended_ = true;
      ports_.on_unknown(written.why);
      return Round::kEnded;
    }
    if (written.outcome == WriteOutcome::kNotDone) {
      answer_all(std::move(decided), Refusal::kNotDone, written.why);
      return Round::kDone;
    }
    watch_->retire(round.dead_files());
  }
  answer(std::move(decided));
  remove_free_files();
  return Round::kDone;
}

void BucketCommitter::answer_all(std::vector<Decided> decided, Refusal refusal,
                                 const std::string& why) {
  for (Decided& one : decided) one.outcome = refused(refusal, why);
  answer(std::move(decided));
}

void BucketCommitter::answer(std::vector<Decided> decided) {
  for (Decided& one : decided) {
    if (one.outcome.refusal != Refusal::kNone) watch_->retire(new_files_of(one.command.action));
    one.command.done(std::move(one.outcome));
  }
}

bool BucketCommitter::remove_free_files() {
  const auto free = watch_->take_free(kFilesRemovedMax);
  // What can't be removed now is removed at the next start: no record names it.
  for (const BodyNumber number : free) static_cast<void>(ports_.files.remove(number).ok());
  return free.size() == kFilesRemovedMax;
}

}  // namespace pawl::bucket
