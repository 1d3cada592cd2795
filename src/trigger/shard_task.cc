#include "trigger/shard_task.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/assert.h"
#include "trigger/event_form.h"
#include "trigger/failure_notice.h"

namespace pawl::trigger {
namespace {

namespace asio = boost::asio;
// A look at the stream without any news: nothing depends on it.
constexpr Duration kIdleLook = std::chrono::seconds(10);

Duration scaled(Duration time, std::uint32_t scale) { return time / std::max(scale, 1U); }

}  // namespace

void ShardTask::Inbox::put(StepEvent event) {
  {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
  }
  alarm->ring();
}

ShardTask::ShardTask(TriggerPorts ports, TriggerOptions options,
                     std::shared_ptr<const MappingView> mapping, std::uint32_t shard,
                     SequenceNumber checkpoint, DeadLettersTold told,
                     std::atomic<std::size_t>& buffered_bytes)
    : ports_(ports),
      options_(options),
      mapping_(std::move(mapping)),
      shard_(shard),
      told_(std::move(told)),
      buffered_bytes_(buffered_bytes),
      inbox_(std::make_shared<Inbox>()),
      encoder_(form_of(mapping_->record.source, shard)),
      state_(ShardStep::from(checkpoint, settings())) {
  inbox_->alarm = ports_.clock.make_alarm();
  status_.shard = shard;
  publish();
}

ShardTask::~ShardTask() {
  for (const Encoded& one : encoded_) buffered_bytes_ -= one.record.size();
}

StepSettings ShardTask::settings() const {
  const MappingConfig& config = mapping_->record.config;
  StepSettings settings;
  settings.profile = options_.profile;
  settings.enabled = config.enabled && !rests_;
  settings.batch_size = config.batch_size;
  settings.bytes_max = FunctionHost::kPayloadMax - kFrameBytes;
  settings.window = config.window;
  settings.retries_max = config.retries_max;
  if (config.age_max) {
    settings.age_max =
        is_pawl() ? Duration(*config.age_max) : scaled(*config.age_max, options_.time_scale);
  }
  if (!is_pawl()) settings.retention = scaled(options_.retention, options_.time_scale);
  settings.bisect = config.bisect;
  settings.has_destination = !config.on_failure.empty();
  return settings;
}

void ShardTask::configure(std::shared_ptr<const MappingView> mapping) {
  mapping_ = std::move(mapping);
  ++unsettled_;
  {
    const std::lock_guard lock(status_mutex_);
    status_.at_rest = false;  // as far as anybody knows
  }
  inbox_->put(Configured{settings()});
}

void ShardTask::tell_news() {
  if (is_pawl()) inbox_->alarm->ring();
}

void ShardTask::stop() {
  stopping_ = true;
  inbox_->alarm->ring();
}

Awaitable<void> ShardTask::run() {
  executor_ = co_await asio::this_coro::executor;
  wake_up();
  while (!stopping_) {
    // Before each effect: however long a backlog is, what comes from elsewhere is heeded.
    take_events();
    if (effects_.empty()) {
      co_await inbox_->alarm->wait_until(deadline());
      take_answer();
      wake_up();
      continue;
    }
    const StepEffect effect = effects_.front();
    effects_.pop_front();
    perform(effect);
    // Others have their turn: a long backlog must not keep the executor.
    if (std::holds_alternative<Read>(effect)) co_await asio::post(executor_, asio::use_awaitable);
  }
  while (call_ && !call_->result) {
    co_await inbox_->alarm->wait_until(ports_.clock.monotonic() + kIdleLook);
  }
  take_answer();
  // What the function has answered last is worth a checkpoint.
  if (!forgets_ && state_.done > state_.kept) keep_checkpoint({state_.done});
}

void ShardTask::take_events() {
  std::vector<StepEvent> events;
  {
    const std::lock_guard lock(inbox_->mutex);
    events.swap(inbox_->events);
  }
  for (const StepEvent& event : events) take_event(event);
}

void ShardTask::take_event(const StepEvent& event) {
  const auto* const kept = std::get_if<DeadLettersKept>(&event);
  if (kept != nullptr && kept->durable) told_(shard_, std::exchange(being_kept_, {}));
  if (std::holds_alternative<Configured>(event)) {
    PAWL_ASSERT(unsettled_ > 0);
    --unsettled_;
    skip();
  }
  apply(event);
}

void ShardTask::take_answer() {
  if (!call_ || !call_->result) return;
  const Call call = *std::exchange(call_, std::nullopt);
  {
    const std::lock_guard lock(status_mutex_);
    longest_call_ = std::max(longest_call_, ports_.clock.monotonic() - call.begun);
  }
  // Stopped from outside: what was killed then has not failed, and is delivered again.
  if (stopping_ && call.result->outcome != InvocationResult::Outcome::kReturned) return;
  apply(judge(call));
}

void ShardTask::skip() {
  if (!skips_ || state_.is_busy()) return;
  const auto extent = ports_.streams.extent(mapping_->record.source, shard_);
  if (!extent) return;
  skips_ = false;
  apply(MovedTo{extent->newest});
}

void ShardTask::wake_up() {
  skip();
  const auto extent = ports_.streams.extent(mapping_->record.source, shard_);
  apply(Woken{extent ? extent->newest : state_.newest});
  // Nothing will ever come behind: its table need not wait for this mapping.
  const bool is_over = !extent || (extent->ended && state_.kept >= extent->newest);
  if (is_pawl() && is_over) {
    ports_.streams.lift(mapping_->record.id, mapping_->record.source.shard(shard_));
  }
}

MonotonicInstant ShardTask::deadline() const {
  const MonotonicInstant now = ports_.clock.monotonic();
  MonotonicInstant until = now + (is_pawl() ? kIdleLook : kPollInterval);
  if (const auto wake = next_wake(state_)) until = std::min(until, *wake);
  return until;
}

void ShardTask::apply(const StepEvent& event) {
  const SequenceNumber kept = state_.kept;
  for (const StepEffect& effect :
       step(state_, event, ports_.clock.now(), ports_.clock.monotonic())) {
    const auto* const keeping = std::get_if<KeepCheckpoint>(&effect);
    if (keeping != nullptr) {
      keep_checkpoint(*keeping);
    } else {
      effects_.push_back(effect);
    }
  }
  forget_done();
  if (is_pawl() && state_.kept > kept) {
    ports_.streams.hold(mapping_->record.id, mapping_->record.source.shard(shard_), state_.kept);
  }
  publish();
}

// The step's buffer tells which records are still needed.
void ShardTask::forget_done() {
  const auto forget_front = [this] {
    buffered_bytes_ -= encoded_.front().record.size();
    encoded_.pop_front();
  };
  if (state_.buffer.empty()) {
    while (!encoded_.empty()) forget_front();
    return;
  }
  while (!encoded_.empty() && encoded_.front().sequence < state_.buffer.front().sequence) {
    forget_front();
  }
  PAWL_ASSERT(encoded_.size() == state_.buffer.size());
}

void ShardTask::publish() {
  ShardTaskStatus now;
  now.shard = shard_;
  now.newest = state_.newest;
  now.done = state_.done;
  now.kept = state_.kept;
  now.counts = state_.counts;
  now.at_rest = !state_.settings.enabled && !state_.is_busy() && unsettled_ == 0;
  now.last_result = last_result_;
  now.why = why_;
  const MonotonicInstant instant = ports_.clock.monotonic();
  const std::lock_guard lock(status_mutex_);
  if (!state_.settings.enabled || now.done >= now.newest) {
    due_since_.reset();
  } else if (!due_since_ || now.done != status_.done) {
    due_since_ = instant;
  }
  calling_since_ = call_ ? std::optional(call_->begun) : std::nullopt;
  window_ = state_.settings.window;
  if (const Taken* blocking = state_.blocking(); blocking != nullptr && !encoded_.empty()) {
    now.blocked_at = blocking->sequence;
    now.attempts = state_.pieces.front().attempts;
    // Looked for once: it is called after every event.
    now.blocked_key = status_.blocked_at == now.blocked_at ? std::move(status_.blocked_key)
                                                           : key_of_record(encoded_.front().record);
  }
  status_ = std::move(now);
}

ShardTaskStatus ShardTask::status() const {
  const MonotonicInstant instant = ports_.clock.monotonic();
  const std::lock_guard lock(status_mutex_);
  ShardTaskStatus now = status_;
  if (due_since_) {
    const Duration call = calling_since_ ? instant - *calling_since_ : Duration{0};
    const Duration still = instant - *due_since_;
    if (still > kStalledAfter + window_ + std::max(call, longest_call_)) now.stalled_for = still;
  }
  return now;
}

}  // namespace pawl::trigger
