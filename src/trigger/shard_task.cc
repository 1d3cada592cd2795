#include "trigger/shard_task.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/assert.h"
#include "trigger/failure_notice.h"

namespace pawl::trigger {
namespace {

namespace asio = boost::asio;
// A look at the stream without any news: nothing depends on it.
constexpr Duration kIdleLook = std::chrono::seconds(10);

stream::RecordForm form_of(const MappingSource& source, std::uint32_t shard) {
  return {.region = source.region(),
          .view = source.view,
          .shows_new = source.shows_new(),
          .shows_old = source.shows_old(),
          .shard = source.shard(shard),
          .source_arn = source.arn};
}

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
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  wake_up();
  while (!stopping_) {
    if (!effects_.empty()) {
      const StepEffect effect = effects_.front();
      effects_.pop_front();
      co_await perform(effect);
      // Others have their turn: a long backlog must not keep the executor.
      if (std::holds_alternative<Read>(effect)) co_await asio::post(executor, asio::use_awaitable);
      continue;
    }
    std::vector<StepEvent> events;
    {
      const std::lock_guard lock(inbox_->mutex);
      events.swap(inbox_->events);
    }
    for (const StepEvent& event : events) take_event(event);
    if (!events.empty()) continue;
    publish();
    co_await inbox_->alarm->wait_until(deadline());
    wake_up();
  }
  // What the function has answered last is worth a checkpoint.
  if (!forgets_ && state_.done > state_.kept) keep_checkpoint({state_.done});
  publish();
}

void ShardTask::take_event(const StepEvent& event) {
  const auto* const kept = std::get_if<DeadLettersKept>(&event);
  if (kept != nullptr && kept->durable) told_(shard_, std::exchange(being_kept_, {}));
  if (std::holds_alternative<Configured>(event)) skip();
  apply(event);
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
  if (is_pawl() && extent && extent->ended && state_.kept >= extent->newest) {
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
  for (StepEffect& effect : step(state_, event, ports_.clock.now(), ports_.clock.monotonic())) {
    effects_.push_back(std::move(effect));
  }
  forget_done();
  if (is_pawl() && state_.kept > kept) {
    ports_.streams.hold(mapping_->record.id, mapping_->record.source.shard(shard_), state_.kept);
  }
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
  now.at_rest = !state_.settings.enabled && !state_.is_busy();
  if (const Taken* blocking = state_.blocking(); blocking != nullptr && !encoded_.empty()) {
    now.blocked_at = blocking->sequence;
    now.blocked_key = key_of_record(encoded_.front().record);
    now.attempts = state_.pieces.front().attempts;
  }
  now.last_result = last_result_;
  now.why = why_;
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(now);
}

ShardTaskStatus ShardTask::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace pawl::trigger
