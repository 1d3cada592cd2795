#include "trigger/shard_step.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::trigger {
namespace {

using Phase = ShardStep::Phase;

Duration backoff(Duration first, Duration last, std::uint32_t failures) {
  constexpr std::uint32_t kDoublingsMax = 20;
  const Duration wait = first * (std::int64_t{1} << std::min(failures, kDoublingsMax));
  return std::min(wait, last);
}

// One call of step(): the state, the time, and what comes of it.
class Turn {
 public:
  Turn(ShardStep& state, Instant wall, MonotonicInstant now) : s_(state), wall_(wall), now_(now) {}

  void on(const Woken& woken) { s_.newest = std::max(s_.newest, woken.newest); }
  void on(const Configured& configured) {
    s_.settings = configured.settings;
    s_.reread = true;
  }
  void on(const MovedTo& moved) {
    PAWL_ASSERT(!s_.is_busy() && s_.settings.profile == Profile::kAws);
    forget_read();
    s_.condemned.reset();
    const std::uint64_t passed = moved.position.value - std::min(moved.position, s_.done).value;
    s_.counts.expired += passed;
    s_.done = s_.position = std::max(s_.done, moved.position);
  }
  void on(const ReadAnswered& read);
  void on(const ReadFailed& failed);
  void on(const Invoked& invoked);
  void on(const DeadLettersKept& kept);
  void on(const Delivered& delivered);
  void on(const CheckpointKept& kept) {
    s_.keeping_checkpoint = false;
    s_.kept = std::max(s_.kept, kept.through);
  }
  void on(const Withdrawn&) {
    PAWL_ASSERT(s_.reread && (s_.phase == Phase::kReading || s_.phase == Phase::kInvoking));
    s_.phase = Phase::kOpen;
  }

  void proceed();
  std::vector<StepEffect> finish() { return std::move(effects_); }

 private:
  void end(Phase phase) {
    PAWL_ASSERT(s_.phase == phase);
    s_.phase = Phase::kOpen;
  }
  void forget_read();
  void wait() { s_.retry_at = now_ + backoff(kRetryFirst, kRetryLast, s_.failures++); }
  // Being throttled says nothing of how long a failure should wait, nor the other way round.
  void wait_for_room() { s_.retry_at = now_ + backoff(kBusyFirst, kBusyLast, s_.not_begun++); }
  void succeeded() { s_.failures = s_.not_begun = 0, s_.retry_at = now_; }
  bool older(const Taken& taken, Duration age) const {
    return wall_.microseconds - taken.instant.microseconds > age.count();
  }
  bool is_aws() const { return s_.settings.profile == Profile::kAws; }

  void complete(std::size_t count);
  void fail(ShardStep::Piece& piece);
  void split(ShardStep::Piece piece);
  void condemn(std::size_t count, Reason reason, std::uint32_t attempts);
  void condemned_done();
  void drop_expired();
  std::size_t too_old(std::size_t count) const;
  bool is_batch_ready() const;
  void form_batch();
  void reread_if_due();
  bool invoke_next();
  void read_next();

  ShardStep& s_;
  Instant wall_;
  MonotonicInstant now_;
  std::vector<StepEffect> effects_;
};

void Turn::forget_read() {
  s_.buffer.clear();
  s_.buffer_bytes = 0;
  s_.pieces.clear();
  s_.full = s_.ended = false;
  s_.position = s_.done;
}

void Turn::on(const ReadAnswered& read) {
  end(Phase::kReading);
  PAWL_ASSERT(read.through >= s_.position);
  if (s_.buffer.empty()) s_.buffered_since = now_;
  for (const Taken& taken : read.records) {
    PAWL_ASSERT(taken.sequence > s_.position && taken.sequence <= read.through);
    s_.position = taken.sequence;
    s_.buffer_bytes += taken.bytes;
    s_.buffer.push_back(taken);
  }
  s_.position = read.through;
  s_.newest = std::max(s_.newest, read.through);
  s_.full = read.full;
  s_.ended = read.ended;
  succeeded();
  if (s_.buffer.empty()) s_.done = s_.position;
}

void Turn::on(const ReadFailed& failed) {
  end(Phase::kReading);
  if (!failed.gone_through || *failed.gone_through <= s_.position) return wait();
  if (is_aws()) {
    // The service goes on at the oldest that is left, and says nothing.
    s_.counts.expired += failed.gone_through->value - s_.position.value;
    s_.position = *failed.gone_through;
    if (s_.buffer.empty()) s_.done = s_.position;
    return;
  }
  // What is buffered comes first.
  if (s_.buffer.empty()) {
    s_.condemned =
        ShardStep::Condemned{.reason = Reason::kTrimmed, .gone_through = *failed.gone_through};
  } else {
    s_.full = true;
  }
}

// The first `count` of the buffer are.
void Turn::complete(std::size_t count) {
  PAWL_ASSERT(count <= s_.buffer.size());
  for (std::size_t i = 0; i < count; ++i) {
    s_.buffer_bytes -= s_.buffer.front().bytes;
    s_.buffer.pop_front();
  }
  if (!s_.pieces.empty()) {
    ShardStep::Piece& first = s_.pieces.front();
    PAWL_ASSERT(count <= first.count);
    first.count -= count;
    if (first.count == 0) s_.pieces.erase(s_.pieces.begin());
  }
  if (count > 0) s_.full = false;
  // What lies between does not match the filter.
  s_.done = s_.buffer.empty() ? s_.position : SequenceNumber{s_.buffer.front().sequence.value - 1};
  if (s_.pieces.empty()) s_.buffered_since = now_;
}

void Turn::on(const Invoked& invoked) {
  end(Phase::kInvoking);
  PAWL_ASSERT(!s_.pieces.empty());
  const std::size_t count = s_.pieces.front().count;
  if (invoked.outcome != Invoked::Outcome::kNotBegun) s_.not_begun = 0;
  switch (invoked.outcome) {
    case Invoked::Outcome::kDone:
      s_.counts.delivered += count;
      complete(count);
      return succeeded();
    case Invoked::Outcome::kNotBegun:
      ++s_.counts.not_begun;
      return wait_for_room();
    case Invoked::Outcome::kPartly: {
      ++s_.counts.failures;
      const auto end = s_.buffer.begin() + static_cast<std::ptrdiff_t>(count);
      const auto failed = std::find_if(s_.buffer.begin(), end, [&](const Taken& taken) {
        return taken.sequence >= invoked.failed_from;
      });
      PAWL_ASSERT(failed != end);
      const auto good = static_cast<std::size_t>(failed - s_.buffer.begin());
      if (good == 0) return fail(s_.pieces.front());
      s_.counts.delivered += good;
      complete(good);
      // The rest is another batch, which has failed once.
      succeeded();
      s_.pieces.front().attempts = 0;
      if (s_.settings.bisect) return wait();
      return fail(s_.pieces.front());
    }
    case Invoked::Outcome::kFailed:
      ++s_.counts.failures;
      return fail(s_.pieces.front());
  }
}

void Turn::fail(ShardStep::Piece& piece) {
  // Splitting does not count as an attempt.
  if (s_.settings.bisect && piece.count > 1) return split(piece);
  ++piece.attempts;
  const bool out_of_retries = s_.settings.retries_max && piece.attempts > *s_.settings.retries_max;
  const bool is_too_old = s_.settings.age_max && older(s_.buffer.front(), *s_.settings.age_max);
  const bool for_good = out_of_retries || is_too_old;
  if (!is_aws() && piece.count > 1 && (for_good || piece.attempts >= kSplitAfter)) {
    --piece.attempts;
    return split(piece);
  }
  if (!for_good) return wait();
  condemn(piece.count, out_of_retries ? Reason::kRetriesExhausted : Reason::kTooOld,
          piece.attempts);
}

void Turn::split(ShardStep::Piece piece) {
  const std::size_t left = piece.count / 2;
  s_.pieces.front().count = left;
  s_.pieces.front().attempts = piece.attempts;
  s_.pieces.insert(s_.pieces.begin() + 1, {piece.count - left, piece.attempts});
  s_.retry_at = now_;
}

void Turn::condemn(std::size_t count, Reason reason, std::uint32_t attempts) {
  s_.condemned = ShardStep::Condemned{.count = count, .reason = reason, .attempts = attempts};
  succeeded();
}

void Turn::on(const DeadLettersKept& kept) {
  end(Phase::kKeeping);
  PAWL_ASSERT(s_.condemned.has_value());
  if (!kept.durable) return wait();
  s_.condemned->kept = true;
  if (!s_.settings.has_destination || s_.condemned->reason == Reason::kTrimmed) condemned_done();
}

void Turn::on(const Delivered& delivered) {
  end(Phase::kDelivering);
  PAWL_ASSERT(s_.condemned.has_value());
  if (!delivered.done) {
    if (++s_.condemned->deliveries < kDeliveriesMax) return wait();
    ++s_.counts.failed_deliveries;
  }
  condemned_done();
}

void Turn::condemned_done() {
  const ShardStep::Condemned condemned = *s_.condemned;
  s_.condemned.reset();
  if (condemned.reason == Reason::kTrimmed) {
    s_.done = s_.position = std::max(s_.position, condemned.gone_through);
    ++s_.counts.dead_letters;
  } else {
    (is_aws() ? s_.counts.dropped : s_.counts.dead_letters) += condemned.count;
    complete(condemned.count);
  }
  succeeded();
}

// aws: what the source has forgotten is gone, tried or not.
void Turn::drop_expired() {
  if (!is_aws() || !s_.settings.retention || s_.condemned) return;
  std::size_t count = 0;
  while (count < s_.buffer.size() && older(s_.buffer[count], *s_.settings.retention)) ++count;
  s_.counts.expired += count;
  while (count > 0) {
    const std::size_t part = s_.pieces.empty() ? count : std::min(count, s_.pieces.front().count);
    complete(part);
    count -= part;
  }
}

// How many of the first `count` are too old to be given to the function at all.
std::size_t Turn::too_old(std::size_t count) const {
  if (!is_aws() || !s_.settings.age_max) return 0;
  std::size_t old = 0;
  while (old < count && older(s_.buffer[old], *s_.settings.age_max)) ++old;
  return old;
}

bool Turn::is_batch_ready() const {
  if (s_.buffer.empty()) return false;
  return s_.full || s_.ended || s_.buffer.size() >= s_.settings.batch_size ||
         s_.buffer_bytes >= s_.settings.bytes_max || now_ >= s_.buffered_since + s_.settings.window;
}

void Turn::form_batch() {
  ShardStep::Piece piece;
  std::size_t bytes = 0;
  for (const Taken& taken : s_.buffer) {
    if (piece.count == s_.settings.batch_size) break;
    if (piece.count > 0 && bytes + taken.bytes > s_.settings.bytes_max) break;
    bytes += taken.bytes;
    ++piece.count;
  }
  s_.pieces.push_back(piece);
}

// Whether something is under way, or waits for its time.
bool Turn::invoke_next() {
  if (s_.pieces.empty() && is_batch_ready()) form_batch();
  if (s_.pieces.empty()) return false;
  if (now_ < s_.retry_at) return true;
  const ShardStep::Piece& first = s_.pieces.front();
  if (const std::size_t old = too_old(first.count); old > 0) {
    condemn(old, Reason::kTooOld, first.attempts);
    return true;
  }
  if (first.count == 1 && s_.buffer.front().bytes > s_.settings.bytes_max) {
    condemn(1, Reason::kTooLarge, 0);
    return true;
  }
  s_.phase = Phase::kInvoking;
  effects_.emplace_back(Invoke{first.count});
  return true;
}

void Turn::read_next() {
  if (s_.position >= s_.newest || s_.ended || s_.full || now_ < s_.retry_at) return;
  if (s_.buffer.size() >= s_.settings.batch_size || s_.buffer_bytes >= s_.settings.bytes_max)
    return;
  s_.phase = Phase::kReading;
  effects_.emplace_back(Read{s_.position, s_.settings.batch_size - s_.buffer.size(),
                             s_.settings.bytes_max - s_.buffer_bytes});
}

// What is condemned has been decided; another setting does not bring it back.
void Turn::reread_if_due() {
  if (s_.phase != Phase::kOpen || !s_.reread || s_.condemned) return;
  s_.reread = false;
  forget_read();
  succeeded();
}

void Turn::proceed() {
  reread_if_due();
  if (s_.phase == Phase::kOpen && s_.settings.enabled) {
    drop_expired();
    // aws without a destination: what is condemned is gone at once, and the next follows.
    while (s_.phase == Phase::kOpen) {
      reread_if_due();
      if (!s_.condemned) {
        const bool invoking = invoke_next();
        if (!s_.condemned) {
          if (!invoking) read_next();
          break;
        }
      }
      if (now_ < s_.retry_at) break;
      const ShardStep::Condemned& it = *s_.condemned;
      if (!is_aws() && !it.kept) {
        s_.phase = Phase::kKeeping;
        effects_.emplace_back(KeepDeadLetters{it.count, it.reason, it.attempts, it.gone_through});
      } else if (s_.settings.has_destination && it.reason != Reason::kTrimmed) {
        s_.phase = Phase::kDelivering;
        effects_.emplace_back(Deliver{it.count, it.reason, it.attempts});
      } else {
        condemned_done();
      }
    }
  }
  if (!s_.keeping_checkpoint && s_.kept < s_.done) {
    s_.keeping_checkpoint = true;
    // First: a call may take its fifteen minutes.
    effects_.insert(effects_.begin(), KeepCheckpoint{s_.done});
  }
}

}  // namespace

ShardStep ShardStep::from(SequenceNumber checkpoint, const StepSettings& settings) {
  ShardStep state;
  state.settings = settings;
  state.kept = state.done = state.position = state.newest = checkpoint;
  return state;
}

const Taken* ShardStep::blocking() const {
  const bool alone = !pieces.empty() && pieces.front().count == 1 && pieces.front().attempts > 0;
  return alone ? &buffer.front() : nullptr;
}

std::vector<StepEffect> step(ShardStep& state, const StepEvent& event, Instant wall,
                             MonotonicInstant now) {
  Turn turn(state, wall, now);
  std::visit([&turn](const auto& happened) { turn.on(happened); }, event);
  turn.proceed();
  return turn.finish();
}

std::optional<MonotonicInstant> next_wake(const ShardStep& state) {
  if (state.is_busy() || !state.settings.enabled) return std::nullopt;
  if (state.condemned || !state.pieces.empty()) return state.retry_at;
  if (!state.buffer.empty()) return state.buffered_since + state.settings.window;
  if (state.position < state.newest && !state.ended) return state.retry_at;
  return std::nullopt;
}

}  // namespace pawl::trigger
