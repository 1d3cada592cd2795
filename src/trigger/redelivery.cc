#include "trigger/redelivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "base/assert.h"
#include "trigger/batch_answer.h"
#include "trigger/event_form.h"
#include "trigger/filter.h"
#include "trigger/shard_task.h"

namespace pawl::trigger {
namespace {

using Outcome = InvocationResult::Outcome;

// A function that can't be called now is tried again after this.
constexpr Duration kTryAgain = std::chrono::milliseconds(250);

bool has_been_through(const MappingStatus& mapping, ShardId shard, SequenceNumber change) {
  return std::any_of(mapping.shards.begin(), mapping.shards.end(), [&](const auto& one) {
    return one.shard == shard.number && one.done >= change;
  });
}

}  // namespace

bool Redelivery::may_be_given(const MappingStatus& mapping, ShardId shard,
                              SequenceNumber change) const {
  if (!has_been_through(mapping, shard, change)) return false;
  const std::lock_guard lock(mutex_);
  const auto of_shard = offered_.find(shard);
  if (of_shard == offered_.end()) return true;
  const auto found = of_shard->second.find(change);
  if (found == of_shard->second.end()) return true;
  const auto& before = found->second.mappings;
  return std::find(before.begin(), before.end(), mapping.record.id) == before.end();
}

// Whether there was room for it.
bool Redelivery::remember(const MappingId& mapping, ShardId shard, SequenceNumber change) {
  const std::lock_guard lock(mutex_);
  if (remembered_ >= remembered_max_) return false;
  offered_[shard][change].mappings.push_back(mapping);
  ++remembered_;
  return true;
}

void Redelivery::forget(ShardId shard, SequenceNumber through) {
  const std::lock_guard lock(mutex_);
  const auto of_shard = offered_.find(shard);
  if (of_shard == offered_.end()) return;
  auto& changes = of_shard->second;
  const auto end = changes.upper_bound(through);
  for (auto one = changes.begin(); one != end; one = changes.erase(one))
    remembered_ -= one->second.mappings.size();
  if (changes.empty()) offered_.erase(of_shard);
}

// Records of those changes that the mapping has been through and lets through, and was not given before; nothing if there is none.
std::optional<Redelivery::Work> Redelivery::work_of(const MappingStatus& mapping, ShardId shard,
                                                    const std::vector<SequenceNumber>& changes,
                                                    std::vector<bool>& taken) {
  const auto& record = mapping.record;
  if (!record.config.enabled || mapping.state == MappingState::kDeleting ||
      record.source.incarnation != shard.incarnation)
    return std::nullopt;
  const auto filter = Filter::parse(record.config.filters);
  if (!filter.ok()) return std::nullopt;
  Work work{
      shard, record.config.function, record.config.batch_size, record.config.reports_items, {}, {}};
  const stream::RecordJson encoder(form_of(record.source, shard.number));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!may_be_given(mapping, shard, changes[i])) continue;
    std::string text;
    bool written = false;
    const auto read = ports_.streams.read(record.source, shard.number, {changes[i].value - 1}, 1,
                                          [&](SequenceNumber sequence, std::string_view encoded) {
                                            written = sequence == changes[i] &&
                                                      encoder.append(text, sequence, encoded).ok();
                                            return false;
                                          });
    if (!read.ok()) continue;  // it may be readable at the next look
    // Not written: it is of a stream that began after it, or is over and gone.
    const auto matches = written ? filter->matches(text) : Result<bool>(false);
    const bool wanted = matches.ok() && *matches;
    if (wanted && bytes_ + text.size() > kRedeliveryBytesMax) {
      count_failure("too much waits to be delivered again");
      break;
    }
    if (!remember(record.id, shard, changes[i])) {
      count_failure("too many changes are delivered again");
      break;
    }
    if (!wanted) continue;
    bytes_ += text.size();
    taken[i] = true;
    work.records.push_back({changes[i], std::move(text)});
  }
  if (work.records.empty()) return std::nullopt;
  return work;
}

std::vector<bool> Redelivery::begin(ShardId shard, const std::vector<SequenceNumber>& changes,
                                    Duration within) {
  std::vector<bool> taken(changes.size());
  if (stopping_) return taken;
  for (const auto& mapping : ports_.mappings.list()) {
    auto work = work_of(mapping, shard, changes, taken);
    if (!work) continue;
    work->until = ports_.clock.monotonic() + within;
    ++running_;
    boost::asio::co_spawn(executor_, give(std::make_shared<Work>(*std::move(work))),
                          [this](const std::exception_ptr& error) {
                            PAWL_ASSERT(error == nullptr);  // nothing of ours throws
                            --running_;
                          });
  }
  return taken;
}

std::vector<std::uint32_t> Redelivery::begun(ShardId shard,
                                             const std::vector<SequenceNumber>& changes) const {
  std::vector<std::uint32_t> counts(changes.size());
  const std::lock_guard lock(mutex_);
  const auto of_shard = offered_.find(shard);
  if (of_shard == offered_.end()) return counts;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto found = of_shard->second.find(changes[i]);
    if (found != of_shard->second.end()) counts[i] = found->second.begun;
  }
  return counts;
}

// From whatever thread the function runs on. What is forgotten meanwhile nobody asks for.
void Redelivery::count_begun(const Work& work, Piece piece) {
  const std::lock_guard lock(mutex_);
  ++status_.calls;
  const auto of_shard = offered_.find(work.shard);
  if (of_shard == offered_.end()) return;
  for (std::size_t i = piece.begin; i < piece.end; ++i) {
    const auto found = of_shard->second.find(work.records[i].sequence);
    if (found != of_shard->second.end()) ++found->second.begun;
  }
}

// As large as the mapping's batches may be, the last first.
std::vector<Redelivery::Piece> Redelivery::pieces_of(const Work& work) {
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < work.records.size(); ++i) {
    const std::size_t size = work.records[i].text.size() + 1;
    const bool fits = !pieces.empty() &&
                      i - pieces.back().begin < std::max<std::size_t>(work.batch_size, 1) &&
                      bytes + size <= FunctionHost::kPayloadMax - kFrameBytes;
    if (!fits) {
      pieces.push_back({i, i});
      bytes = 0;
    }
    pieces.back().end = i + 1;
    bytes += size;
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Awaitable<void> Redelivery::give(std::shared_ptr<Work> work) {
  const auto alarm = ports_.clock.make_alarm();
  auto left = pieces_of(*work);
  while (!left.empty() && !stopping_ && ports_.clock.monotonic() < work->until) {
    const Piece piece = left.back();
    left.pop_back();
    const bool begun = co_await call(*work, piece, left);
    if (!begun) co_await alarm->wait_until(ports_.clock.monotonic() + kTryAgain);
  }
  std::uint64_t not_given = 0;
  for (const Piece& piece : left) not_given += piece.end - piece.begin;
  if (not_given > 0 && !stopping_) {
    const auto why = status().why;
    count_failure(fmt::format("{} changes were not delivered to function {} again in time{}{}",
                              not_given, work->function, why.empty() ? "" : ": ", why),
                  not_given);
  }
  for (const Record& record : work->records) bytes_ -= record.text.size();
}

// Whether the function could be called. What is to be given again stands in `left`.
Awaitable<bool> Redelivery::call(const Work& work, Piece piece, std::vector<Piece>& left) {
  std::string payload(kEventBegin);
  for (std::size_t i = piece.begin; i < piece.end; ++i) {
    if (i > piece.begin) payload.push_back(',');
    payload += work.records[i].text;
  }
  payload += kEventEnd;
  const Invocation invocation{
      .function = work.function, .payload = payload, .trace_id = {}, .begun = [this, &work, piece] {
        count_begun(work, piece);
      }};
  const auto result = co_await ports_.functions.invoke(invocation);
  const auto why =
      fmt::format("function {}: {}", work.function, result.why.empty() ? "it failed" : result.why);
  if (result.outcome == Outcome::kThrottled || result.outcome == Outcome::kNotRun) {
    left.push_back(piece);
    const std::lock_guard lock(mutex_);
    status_.why = why;
    co_return false;
  }
  Invoked invoked{Invoked::Outcome::kFailed, {}};
  if (result.outcome == Outcome::kReturned) {
    const auto first = work.records.begin() + static_cast<std::ptrdiff_t>(piece.begin);
    const auto last = work.records.begin() + static_cast<std::ptrdiff_t>(piece.end);
    invoked = read_batch_answer(result.payload, work.reports_items, [&](SequenceNumber sequence) {
      return std::any_of(first, last, [&](const Record& one) { return one.sequence == sequence; });
    });
  }
  if (invoked.outcome == Invoked::Outcome::kDone) {
    const std::lock_guard lock(mutex_);
    status_.why.clear();
    co_return true;
  }
  count_failure(why);
  std::size_t from = piece.begin;
  if (invoked.outcome == Invoked::Outcome::kPartly) {
    // What came before it is done; it has failed itself; what is behind it has not been looked at.
    while (from < piece.end && work.records[from].sequence < invoked.failed_from) ++from;
    if (from + 1 < piece.end) left.push_back({from + 1, piece.end});
  } else if (piece.end - piece.begin > 1) {
    const std::size_t middle = piece.begin + (piece.end - piece.begin) / 2;
    left.push_back({middle, piece.end});
    left.push_back({piece.begin, middle});
  }
  co_return true;
}

void Redelivery::count_failure(std::string why, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  status_.failures += count;
  status_.why = std::move(why);
}

RedeliveryStatus Redelivery::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace pawl::trigger
