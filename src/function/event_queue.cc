#include "function/event_queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/coding.h"
#include "function/function_format.h"

namespace pawl::function {
namespace {

constexpr std::uint8_t kEventFormat = 1;
constexpr Duration kLongest = std::chrono::hours(1);

}  // namespace

EventQueue::EventQueue(EventPorts ports)
    : ports_(std::move(ports)), alarm_(ports_.clock.make_alarm()) {}

std::string EventQueue::key_of(std::string_view prefix, std::uint64_t number) {
  std::string key(prefix);
  append_u64_be(key, number);
  return key;
}

std::string EventQueue::encode(const Event& event) {
  std::string out;
  append_u8(out, kEventFormat);
  append_u64_be(out, static_cast<std::uint64_t>(event.state.accepted.microseconds));
  append_u64_be(out, static_cast<std::uint64_t>(event.state.due.microseconds));
  append_varint(out, event.state.attempts);
  append_varint(out, event.state.refusals);
  append_u64_be(out, event.function);
  append_bytes(out, event.name);
  append_bytes(out, event.request_id);
  append_bytes(out, event.trace_id);
  append_varint(out, event.bytes);
  return out;
}

Result<EventQueue::Event> EventQueue::decode(std::string_view bytes) {
  Reader in(bytes);
  Event event;
  const bool known = in.u8() == kEventFormat;
  event.state.accepted = {static_cast<std::int64_t>(in.u64_be())};
  event.state.due = {static_cast<std::int64_t>(in.u64_be())};
  event.state.attempts = static_cast<std::uint32_t>(in.varint());
  event.state.refusals = static_cast<std::uint32_t>(in.varint());
  event.function = in.u64_be();
  event.name = in.bytes();
  event.request_id = in.bytes();
  event.trace_id = in.bytes();
  event.bytes = in.varint();
  if (known && in.at_end()) return event;
  return Error{ErrorCode::kCorrupt, "a stored invocation is not what was written",
               "restore DATA/functions from a copy, or move it away to start with no functions"};
}

Result<std::unique_ptr<EventQueue>> EventQueue::open(EventPorts ports) {
  std::unique_ptr<EventQueue> queue(new EventQueue(std::move(ports)));
  PAWL_TRY(queue->load());
  return queue;
}

Status EventQueue::load() {
  const auto cursor = ports_.store.cursor(kEvents);
  for (cursor->seek(kEventPrefix); cursor->valid() && cursor->key().starts_with(kEventPrefix);
       cursor->next()) {
    Reader number(cursor->key().substr(kEventPrefix.size()));
    const std::uint64_t at = number.u64_be();
    PAWL_ASSIGN_OR_RETURN(Event event, decode(cursor->value()));
    lines_.add(at, event.function, event.bytes, event.state.due);
    events_.emplace(at, std::move(event));
    newest_ = std::max(newest_, at);
  }
  return cursor->status();
}

Status EventQueue::write(const WriteBatch& batch, Sync sync) {
  const WriteResult result = ports_.store.write(batch, sync);
  if (result.outcome == WriteOutcome::kDone) return ok();
  if (result.outcome == WriteOutcome::kNotDone) {
    return Error{ErrorCode::kUnavailable, "keeping an invocation: " + result.why, "try again"};
  }
  if (ports_.on_unknown) ports_.on_unknown("keeping an invocation: " + result.why);
  return Error{ErrorCode::kUnknown, "keeping an invocation: " + result.why, ""};
}

// With mutex_.
Error EventQueue::too_many(const FunctionRecord& function) const {
  const std::string why = lines_.why_of(function.id);
  return {ErrorCode::kExhausted,
          fmt::format("{} asynchronous invocations of function {} wait already, of {} in all",
                      lines_.size_of(function.id), function.name, lines_.size()),
          why.empty() ? "try again later" : "its last one was not done: " + why};
}

Status EventQueue::add(const FunctionRecord& function, std::string request_id, std::string trace_id,
                       std::string payload) {
  Event event;
  event.state.accepted = event.state.due = ports_.clock.now();
  event.function = function.id;
  event.name = function.name;
  event.request_id = std::move(request_id);
  event.trace_id = std::move(trace_id);
  event.bytes = payload.size();
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!lines_.has_room(function.id, event.bytes)) return too_many(function);
    const auto now = std::max<std::int64_t>(event.state.accepted.microseconds, 1);
    newest_ = std::max(newest_ + 1, static_cast<std::uint64_t>(now));
    number = newest_;
  }
  WriteBatch batch;
  batch.put(kEvents, key_of(kEventPrefix, number), encode(event));
  batch.put(kEvents, key_of(kPayloadPrefix, number), std::move(payload));
  PAWL_TRY(write(batch, Sync::kYes));
  {
    const std::lock_guard lock(mutex_);
    lines_.add(number, event.function, event.bytes, event.state.due);
    events_.emplace(number, std::move(event));
  }
  alarm_->ring();
  return ok();
}

std::map<std::uint64_t, std::uint64_t> EventQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return lines_.sizes();
}

std::size_t EventQueue::size() const {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

void EventQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  alarm_->ring();
}

std::vector<std::pair<std::uint64_t, EventQueue::Event>> EventQueue::take_due(
    MonotonicInstant& wake) {
  const Instant now = ports_.clock.now();
  std::vector<std::pair<std::uint64_t, Event>> due;
  const std::lock_guard lock(mutex_);
  if (stopping_) return due;
  for (const std::uint64_t number : lines_.take_due(now)) {
    due.emplace_back(number, events_.at(number));
  }
  if (const auto next = lines_.next()) {
    const Duration left{next->microseconds - now.microseconds};
    wake = std::min(wake, ports_.clock.monotonic() + left);
  }
  return due;
}

void EventQueue::forget(std::uint64_t number) {
  WriteBatch batch;
  batch.erase(kEvents, key_of(kEventPrefix, number));
  batch.erase(kEvents, key_of(kPayloadPrefix, number));
  // Not synced: after a power cut it may be done once more, as at any crash.
  static_cast<void>(write(batch, Sync::kNo).ok());
  const std::lock_guard lock(mutex_);
  lines_.remove(number);
  events_.erase(number);
}

void EventQueue::begin(std::uint64_t number, const Event& event) {
  ports_.elsewhere([this, number, event] {
    const FunctionPtr function = ports_.find(event.name);
    if (!function || function->id != event.function) return forget(number);  // it was deleted
    auto payload = ports_.store.get(kEvents, key_of(kPayloadPrefix, number));
    if (!payload.ok()) return;  // the disk's affair: begun again by the next server
    if (!*payload) return forget(number);
    FunctionCall call;
    call.function = event.name;
    call.payload = **std::move(payload);
    call.trace_id = event.trace_id;
    call.request_id = event.request_id;
    call.done = [this, number](const InvocationResult& result) { ended(number, result); };
    ports_.submit(std::move(call));
  });
}

// On the executor of the runner, which is that of run().
void EventQueue::ended(std::uint64_t number, const InvocationResult& result) {
  using Outcome = InvocationResult::Outcome;
  const bool was_done = result.outcome == Outcome::kReturned ||
                        result.outcome == Outcome::kFailed || result.outcome == Outcome::kTimedOut;
  Event event;
  EventDecision decision;
  {
    const std::lock_guard lock(mutex_);
    const auto found = events_.find(number);
    // What the server's end has killed is begun again by the next one, and does not count.
    if (found == events_.end() || (stopping_ && !was_done)) return;
    event = found->second;
    decision = lines_.after(number, event.state, result, ports_.clock.now());
  }
  if (decision.verdict != EventVerdict::kAgain) {
    if (decision.verdict == EventVerdict::kDiscarded) {
      ports_.log.write(event.name,
                       {ports_.clock.now(), "platform", event.request_id,
                        fmt::format("DISCARDED RequestId: {} after {} attempts: {}",
                                    event.request_id, decision.next.attempts, result.why)});
      ports_.on_discarded(event.function);
    }
    return ports_.elsewhere([this, number] {
      forget(number);
      alarm_->ring();
    });
  }
  event.state = decision.next;
  ports_.elsewhere([this, number, event] {
    WriteBatch batch;
    batch.put(kEvents, key_of(kEventPrefix, number), encode(event));
    static_cast<void>(write(batch, Sync::kNo).ok());
    {
      const std::lock_guard lock(mutex_);
      events_[number] = event;
      lines_.put_back(number, event.state.due);
    }
    alarm_->ring();
  });
}

Awaitable<void> EventQueue::run() {
  for (;;) {
    MonotonicInstant wake = ports_.clock.monotonic() + kLongest;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) co_return;
    }
    for (const auto& [number, event] : take_due(wake)) begin(number, event);
    const auto woken = co_await alarm_->wait_until(wake);
    static_cast<void>(woken);
  }
}

}  // namespace pawl::function
