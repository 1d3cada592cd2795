// What a shard's step asks for, done: reads, calls of the function, dead letters, failures told, checkpoints.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "base/assert.h"
#include "item/utf8.h"
#include "trigger/batch_answer.h"
#include "trigger/event_form.h"
#include "trigger/failure_notice.h"
#include "trigger/mapping_format.h"
#include "trigger/shard_task.h"

namespace pawl::trigger {
namespace {

namespace asio = boost::asio;
using Outcome = InvocationResult::Outcome;

std::string why_of(const InvocationResult& result) {
  std::string why = result.why.empty() ? result.payload : result.why;
  if (!result.why.empty() && !result.payload.empty()) why += ": " + result.payload;
  if (why.size() > kDeadLetterWhyMax) {
    // Not in the middle of a character.
    std::size_t end = kDeadLetterWhyMax;
    while (end > 0 && (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80) --end;
    why.resize(end);
  }
  // It goes into documents, and a process may have said anything.
  if (!item::is_utf8(why)) {
    for (char& c : why) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return why;
}

}  // namespace

void ShardTask::perform(const StepEffect& effect) {
  const auto* const reading = std::get_if<Read>(&effect);
  const auto* const invoking = std::get_if<Invoke>(&effect);
  if (state_.reread && (reading != nullptr || invoking != nullptr)) return apply(Withdrawn{});
  if (reading != nullptr) {
    read(*reading);
  } else if (invoking != nullptr) {
    begin_call(invoking->count);
  } else if (const auto* keeping = std::get_if<KeepDeadLetters>(&effect)) {
    keep_dead_letters(*keeping);
  } else if (const auto* delivering = std::get_if<Deliver>(&effect)) {
    deliver(*delivering);
  } else {
    keep_checkpoint(std::get<KeepCheckpoint>(effect));
  }
}

void ShardTask::read(const Read& effect) {
  Reading reading{.effect = effect, .answer = {.through = effect.after}};
  ReadAnswered& answer = reading.answer;
  read_trouble_.clear();
  const bool all_pass = mapping_->filter.passes_all();
  const std::size_t looked_at = all_pass ? effect.count_max : kScannedMax;
  const Status status =
      ports_.streams.read(mapping_->record.source, shard_, effect.after, looked_at,
                          [&](SequenceNumber sequence, std::string_view encoded) {
                            return take(sequence, encoded, reading);
                          });
  const auto extent = ports_.streams.extent(mapping_->record.source, shard_);
  // What came before any trouble is good.
  if (answer.through == effect.after) {
    if (!status.ok() && status.error().code == ErrorCode::kExhausted && extent) {
      if (is_new_ && begin_anew_at(extent->horizon)) return;
      return apply(ReadFailed{extent->horizon});
    }
    if (!status.ok() || !read_trouble_.empty()) {
      why_ = !status.ok() ? status.error().to_string() : read_trouble_;
      last_result_ = "PROBLEM: The stream can't be read";
      return apply(ReadFailed{});
    }
  }
  is_new_ = false;
  answer.ended = extent && extent->ended && answer.through >= extent->newest;
  apply(answer);
}

// Whether to go on reading.
bool ShardTask::take(SequenceNumber sequence, std::string_view encoded, Reading& reading) {
  ReadAnswered& answer = reading.answer;
  if (answer.records.size() >= reading.effect.count_max) return false;
  // A filter that lets few through must not keep the executor.
  if (reading.scanned >= kScannedBytesMax && !mapping_->filter.passes_all()) return false;
  reading.scanned += encoded.size();
  scratch_.clear();
  const auto written = encoder_.append(scratch_, sequence, encoded);
  if (!written.ok()) {
    read_trouble_ = written.error().to_string();
    return false;
  }
  const auto matches = mapping_->filter.matches(scratch_);
  if (!matches.ok()) {
    read_trouble_ = matches.error().to_string();
    return false;
  }
  if (*matches) {
    const bool is_first = encoded_.empty();
    std::size_t bytes_max = reading.effect.bytes_max;
    if (buffered_bytes_ > kBufferedBytesMax) bytes_max = std::min(bytes_max, kShortReadBytes);
    const std::size_t bytes = scratch_.size() + 1;
    if (!is_first && reading.bytes + bytes > bytes_max) {
      answer.full = true;
      return false;
    }
    reading.bytes += bytes;
    answer.records.push_back({sequence, written->instant, bytes});
    buffered_bytes_ += scratch_.size();
    encoded_.push_back({sequence, scratch_});
  }
  answer.through = sequence;
  return true;
}

// TRIM_HORIZON means the oldest that is left: what went between the mapping's creation and its first hold was not promised.
bool ShardTask::begin_anew_at(SequenceNumber horizon) {
  const bool from_horizon = mapping_->record.config.start == StartingPosition::kTrimHorizon;
  if (!from_horizon || state_.kept != state_.done || !state_.buffer.empty()) return false;
  const StepCounts counts = state_.counts;
  const SequenceNumber kept = state_.kept;
  state_ = ShardStep::from(horizon, settings());
  state_.kept = kept;
  state_.counts = counts;
  is_new_ = false;
  wake_up();
  return true;
}

void ShardTask::begin_call(std::size_t count) {
  PAWL_ASSERT(!call_ && count > 0 && count <= encoded_.size());
  call_ = Call{.mapping = mapping_, .count = count, .begun = ports_.clock.monotonic()};
  publish();
  // run() ends only when it has: it outlives this.
  asio::co_spawn(executor_, call(), [](const std::exception_ptr& error) {
    PAWL_ASSERT(error == nullptr);  // nothing of ours throws
  });
}

Awaitable<void> ShardTask::call() {
  const std::size_t count = call_->count;
  std::string payload(kEventBegin);
  std::size_t size = payload.size() + kEventEnd.size();
  for (std::size_t i = 0; i < count; ++i) size += encoded_[i].record.size() + 1;
  payload.reserve(size);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) payload.push_back(',');
    payload += encoded_[i].record;
  }
  payload += kEventEnd;
  const Invocation invocation{
      .function = call_->mapping->record.config.function, .payload = payload, .trace_id = {}};
  InvocationResult result = co_await ports_.functions.invoke(invocation);
  call_->result = std::move(result);
  inbox_->alarm->ring();
}

Invoked ShardTask::judge(const Call& call) {
  const InvocationResult& result = *call.result;
  const std::size_t count = call.count;
  const auto failed = [&](Invoked::Outcome outcome, std::string_view words) {
    last_result_ = words;
    why_ = why_of(result);
    request_id_ = result.request_id;
    return Invoked{outcome, {}};
  };
  switch (result.outcome) {
    case Outcome::kReturned:
      break;
    case Outcome::kThrottled:
      return failed(Invoked::Outcome::kNotBegun, "PROBLEM: Function call was throttled");
    case Outcome::kNotRun:
      return failed(Invoked::Outcome::kNotBegun, "PROBLEM: Function could not be called");
    default:
      return failed(Invoked::Outcome::kFailed, "PROBLEM: Function call failed");
  }
  const auto is_of_batch = [this, count](SequenceNumber sequence) {
    const auto end = encoded_.begin() + static_cast<std::ptrdiff_t>(count);
    const auto at = std::lower_bound(
        encoded_.begin(), end, sequence,
        [](const Encoded& one, SequenceNumber wanted) { return one.sequence < wanted; });
    return at != end && at->sequence == sequence;
  };
  Invoked invoked =
      read_batch_answer(result.payload, call.mapping->record.config.reports_items, is_of_batch);
  if (invoked.outcome == Invoked::Outcome::kFailed) {
    return failed(Invoked::Outcome::kFailed, "PROBLEM: Function's answer is no batch response");
  }
  if (invoked.outcome == Invoked::Outcome::kPartly) {
    failed(Invoked::Outcome::kPartly, "PROBLEM: Function reported failed items");
    return invoked;
  }
  last_result_ = "OK";
  why_.clear();
  return invoked;
}

void ShardTask::keep_dead_letters(const KeepDeadLetters& effect) {
  const MappingId& id = mapping_->record.id;
  const Instant now = ports_.clock.now();
  being_kept_.clear();
  WriteBatch batch;
  const auto add = [&](DeadLetter letter) {
    batch.put(kDeadLetters, dead_letter_key(id, shard_, letter.first), encode_dead_letter(letter));
    letter.record.clear();
    being_kept_.push_back(std::move(letter));
  };
  if (effect.reason == Reason::kTrimmed) {
    add({.first = state_.done.next(),
         .last = effect.gone_through,
         .reason = effect.reason,
         .at = now,
         .key = {},
         .why = "these changes were trimmed before they were delivered",
         .record = {}});
  }
  for (std::size_t i = 0; i < effect.count; ++i) {
    const Encoded& one = encoded_[i];
    add({.first = one.sequence,
         .last = one.sequence,
         .reason = effect.reason,
         .attempts = effect.attempts,
         .at = now,
         .key = key_of_record(one.record),
         .why = effect.reason == Reason::kTooLarge ? "larger than a payload may be" : why_,
         .record = one.record});
  }
  ports_.state.submit(std::move(batch), StateSink::Urgency::kNow,
                      [inbox = inbox_](bool durable) { inbox->put(DeadLettersKept{durable}); });
}

void ShardTask::deliver(const Deliver& effect) {
  PAWL_ASSERT(effect.count > 0 && effect.count <= encoded_.size());
  std::string payload(kEventBegin);
  for (std::size_t i = 0; i < effect.count; ++i) {
    if (i > 0) payload.push_back(',');
    payload += encoded_[i].record;
  }
  payload += kEventEnd;
  const Taken& first = state_.buffer.front();
  const Taken& last = state_.buffer[effect.count - 1];
  const std::string shard_name = ports_.streams.shard_name(mapping_->record.source, shard_);
  FailureNotice notice = notice_of({.mapping = mapping_->record,
                                    .shard_name = shard_name,
                                    .reason = effect.reason,
                                    .attempts = effect.attempts,
                                    .first = first.sequence,
                                    .last = last.sequence,
                                    .first_instant = first.instant,
                                    .last_instant = last.instant,
                                    .count = effect.count,
                                    .request_id = request_id_,
                                    .payload = payload,
                                    .now = ports_.clock.now(),
                                    .unique = ports_.random.next()});
  ports_.destinations.deliver(std::move(notice), [inbox = inbox_](const Status& delivered) {
    inbox->put(Delivered{delivered.ok()});
  });
}

void ShardTask::keep_checkpoint(const KeepCheckpoint& effect) {
  if (forgets_) return;  // nothing of it must come behind the deletion
  WriteBatch batch;
  batch.put(kCheckpoints, checkpoint_key(mapping_->record.id, shard_),
            encode_checkpoint(effect.through));
  ports_.state.submit(std::move(batch), StateSink::Urgency::kSoon,
                      [inbox = inbox_, through = effect.through](bool durable) {
                        inbox->put(CheckpointKept{durable ? through : SequenceNumber{}});
                      });
}

}  // namespace pawl::trigger
