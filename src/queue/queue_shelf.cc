#include "queue/queue_shelf.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::queue {
namespace {

Instant next_microsecond(Instant at) { return {at.microseconds + 1}; }

}  // namespace

QueueShelf::QueueShelf(QueueRecord of, Instant now) { reset(std::move(of), now); }

void QueueShelf::reset(QueueRecord of, Instant now) {
  record = std::move(of);
  const std::uint64_t expired = marks_.expired;
  marks_ = {};
  marks_.expired = expired;
  marks_.counted_through = now;
  marks_.scan_from.space = record.space;
}

Result<std::unique_ptr<QueueShelf>> QueueShelf::open(KeyValueStore& store, QueueRecord record,
                                                     Instant now) {
  auto shelf = std::make_unique<QueueShelf>(std::move(record), now);
  const std::uint64_t space = shelf->record.space;
  PAWL_ASSIGN_OR_RETURN(const auto stored, store.get(kQueues, count_key(space)));
  if (stored) {
    PAWL_ASSIGN_OR_RETURN(shelf->marks_.total, decode_count(*stored));
  }
  shelf->marks_.sealed = shelf->marks_.total;
  const auto cursor = store.cursor(kSchedule);
  for (cursor->seek(schedule_key({space, next_microsecond(now), 0})); cursor->valid();
       cursor->next()) {
    if (space_of(cursor->key()) != space) break;
    ++(is_received(cursor->value()) ? shelf->marks_.in_flight : shelf->marks_.delayed);
  }
  PAWL_TRY(cursor->status());
  if (shelf->marks_.in_flight + shelf->marks_.delayed > shelf->marks_.total) {
    return Error{ErrorCode::kCorrupt,
                 "the queue " + shelf->record.name + " has more messages than its count says",
                 "restore DATA/queues from a copy"};
  }
  return shelf;
}

Status QueueShelf::advance(KeyValueStore& store, Instant now) {
  if (now <= marks_.counted_through) return ok();
  Marks next = marks_;  // a walk that fails half-way has counted nothing
  const bool none = next.in_flight == 0 && next.delayed == 0;
  if (!none && (!next.next_due || *next.next_due <= now)) {
    const auto cursor = store.cursor(kSchedule);
    cursor->seek(schedule_key({record.space, next_microsecond(next.counted_through), 0}));
    for (; cursor->valid(); cursor->next()) {
      const auto key = parse_schedule_key(cursor->key());
      if (!key || key->space != record.space || key->ready > now) break;
      std::uint64_t& hidden = is_received(cursor->value()) ? next.in_flight : next.delayed;
      PAWL_ASSERT(hidden > 0);
      --hidden;
    }
    PAWL_TRY(cursor->status());
    next.next_due.reset();
  }
  next.counted_through = now;
  marks_ = next;
  return ok();
}

void QueueShelf::count(const MessageState& state, std::int64_t by) {
  marks_.total += static_cast<std::uint64_t>(by);
  if (state.ready <= marks_.counted_through) return;
  const bool received = state.receives > state.receives_before;
  (received ? marks_.in_flight : marks_.delayed) += static_cast<std::uint64_t>(by);
}

void QueueShelf::place(WriteBatch& batch, std::uint64_t sequence, const MessageState& state) {
  const ScheduleKey at{record.space, state.ready, sequence};
  batch.put(kStates, message_key(record.space, sequence), encode_state(state));
  batch.put(kSchedule, schedule_key(at), schedule_value(state));
  count(state, 1);
  marks_.scan_from = std::min(marks_.scan_from, at);
  marks_.placed = marks_.placed ? std::min(*marks_.placed, at) : at;
  marks_.oldest = std::min(marks_.oldest, sequence);
  const Instant expiry{state.sent.microseconds + Duration(record.attributes.retention).count()};
  marks_.expiry_due = std::min(marks_.expiry_due, expiry);
  if (marks_.next_due && state.ready > marks_.counted_through) {
    marks_.next_due = std::min(*marks_.next_due, state.ready);
  }
}

void QueueShelf::take(WriteBatch& batch, std::uint64_t sequence, const MessageState& state) {
  const std::string key = message_key(record.space, sequence);
  batch.erase(kMessages, key);
  batch.erase(kStates, key);
  batch.erase(kSchedule, schedule_key({record.space, state.ready, sequence}));
  PAWL_ASSERT(marks_.total > 0);
  count(state, -1);
}

void QueueShelf::expire(WriteBatch& batch, std::uint64_t sequence, const MessageState& state) {
  take(batch, sequence, state);
  ++marks_.expired;
}

void QueueShelf::change(WriteBatch& batch, std::uint64_t sequence, const MessageState& before,
                        const MessageState& after) {
  count(before, -1);
  batch.erase(kSchedule, schedule_key({record.space, before.ready, sequence}));
  place(batch, sequence, after);
}

void QueueShelf::scanned_to(const ScheduleKey& key) {
  marks_.scan_from = marks_.placed ? std::min(key, *marks_.placed) : key;
}

void QueueShelf::seal(WriteBatch& batch) {
  marks_.placed.reset();
  if (marks_.sealed == marks_.total) return;
  batch.put(kQueues, count_key(record.space), encode_count(marks_.total));
  marks_.sealed = marks_.total;
}

void QueueShelf::expired_to(std::uint64_t sequence, Instant due) {
  marks_.oldest = sequence;
  marks_.expiry_due = due;
}

Result<std::optional<Instant>> QueueShelf::next_ready(KeyValueStore& store) {
  if (marks_.in_flight == 0 && marks_.delayed == 0) return std::optional<Instant>();
  if (!marks_.next_due) {
    const auto cursor = store.cursor(kSchedule);
    cursor->seek(schedule_key({record.space, next_microsecond(marks_.counted_through), 0}));
    PAWL_TRY(cursor->status());
    const auto key = cursor->valid() ? parse_schedule_key(cursor->key()) : std::nullopt;
    // Counted, yet not to be found: looked for again at the next round.
    if (!key || key->space != record.space) return std::optional<Instant>();
    marks_.next_due = key->ready;
  }
  return marks_.next_due;
}

Result<std::optional<Instant>> QueueShelf::oldest_sent(KeyValueStore& store) {
  if (marks_.total == 0) return std::optional<Instant>();
  const auto cursor = store.cursor(kStates);
  cursor->seek(message_key(record.space, marks_.oldest));
  PAWL_TRY(cursor->status());
  const auto sequence = cursor->valid() ? sequence_of(cursor->key()) : std::nullopt;
  if (!sequence || space_of(cursor->key()) != record.space) return std::optional<Instant>();
  PAWL_ASSIGN_OR_RETURN(const MessageState state, decode_state(cursor->value()));
  marks_.oldest = *sequence;
  return std::optional<Instant>(state.sent);
}

}  // namespace pawl::queue
