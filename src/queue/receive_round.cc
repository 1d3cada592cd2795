#include "queue/receive_round.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::queue {
namespace {

Instant after(Instant at, seconds by) { return {at.microseconds + Duration(by).count()}; }

Error lost(const QueueShelf& shelf, std::string_view what) {
  return {ErrorCode::kCorrupt,
          "the queue " + shelf.record.name + " has a message without its " + std::string(what),
          "restore DATA/queues from a copy"};
}

}  // namespace

void ReceiveRound::remember(QueueShelf& shelf) {
  const auto known = [&](const auto& one) { return one.first == &shelf; };
  if (std::none_of(before_.begin(), before_.end(), known)) {
    before_.emplace_back(&shelf, shelf.marks());
  }
}

void ReceiveRound::undo() {
  for (const auto& [shelf, marks] : before_) shelf->restore(marks);
}

WriteBatch& ReceiveRound::finish() {
  for (const auto& [shelf, marks] : before_) shelf->seal(batch_);
  return batch_;
}

Status ReceiveRound::expire(QueueShelf& shelf) {
  if (now_ < shelf.marks().expiry_due || full()) return ok();
  remember(shelf);
  const std::uint64_t space = shelf.record.space;
  const seconds retention = shelf.record.attributes.retention;
  std::uint64_t oldest = shelf.marks().oldest;
  Instant due = after(now_, retention);
  const auto cursor = store_.cursor(kStates);
  for (cursor->seek(message_key(space, oldest)); cursor->valid(); cursor->next()) {
    const auto sequence = sequence_of(cursor->key());
    if (!sequence || space_of(cursor->key()) != space) break;
    PAWL_ASSIGN_OR_RETURN(const MessageState state, decode_state(cursor->value()));
    if (full() || !is_expired(shelf.record.attributes, state, now_)) {
      oldest = *sequence;
      due = full() ? now_ : after(state.sent, retention);
      break;
    }
    shelf.expire(batch_, *sequence, state);
    oldest = *sequence + 1;
    ++handled_;
  }
  PAWL_TRY(cursor->status());
  shelf.expired_to(oldest, due);
  return ok();
}

// What one receive gets, and what is to be moved or removed on the way. Leaves the cursor behind the last that was looked at.
Result<std::vector<ReceiveRound::Picked>> ReceiveRound::pick(QueueShelf& shelf, Cursor& cursor,
                                                             const Command& command) {
  const auto& receive = std::get<Receive>(command.action);
  const seconds visibility = receive.visibility.value_or(shelf.record.attributes.visibility);
  const bool has_target = catalog_.target_of(shelf) != nullptr;
  std::vector<Picked> picked;
  std::size_t delivered = 0;
  for (; cursor.valid() && delivered < receive.count_max && !full(); cursor.next()) {
    const auto key = parse_schedule_key(cursor.key());
    if (!key || key->space != shelf.record.space || key->ready > now_) break;
    if (delivered + shelf.in_flight() >= kInFlightMax) break;
    PAWL_ASSIGN_OR_RETURN(const auto stored,
                          store_.get(kStates, message_key(key->space, key->sequence)));
    // Removed earlier in this round, by expire(): its keys are in the batch, not yet out of the store.
    if (key->sequence < shelf.marks().oldest) continue;
    if (!stored) return lost(shelf, "state");
    PAWL_ASSIGN_OR_RETURN(const MessageState state, decode_state(*stored));
    Picked one{key->sequence, state, on_offer(shelf.record, state, now_, visibility, has_target)};
    if (one.offered.offer == Offer::kNotReady) return lost(shelf, "place in the schedule");
    if (one.offered.offer == Offer::kDeliver) ++delivered;
    ++handled_;
    picked.push_back(std::move(one));
  }
  PAWL_TRY(cursor.status());
  return picked;
}

Status ReceiveRound::move(QueueShelf& shelf, const Picked& picked) {
  QueueShelf* target = catalog_.target_of(shelf);
  PAWL_ASSERT(target != nullptr);
  remember(*target);
  PAWL_TRY(target->advance(store_, now_));
  PAWL_ASSIGN_OR_RETURN(auto message,
                        store_.get(kMessages, message_key(shelf.record.space, picked.sequence)));
  if (!message) return lost(shelf, "body");
  bytes_ += message->size();
  shelf.take(batch_, picked.sequence, picked.before);
  batch_.put(kMessages, message_key(target->record.space, picked.sequence), std::move(*message));
  moved_ = true;
  target->place(batch_, picked.sequence, picked.offered.next);
  return ok();
}

Result<Answer> ReceiveRound::hand_out(QueueShelf& shelf, const std::vector<Picked>& picked) {
  Answer answer;
  for (const Picked& one : picked) {
    if (one.offered.offer == Offer::kExpired) {
      shelf.expire(batch_, one.sequence, one.before);
      continue;
    }
    if (one.offered.offer == Offer::kMove) {
      PAWL_TRY(move(shelf, one));
      continue;
    }
    PAWL_ASSIGN_OR_RETURN(const auto stored,
                          store_.get(kMessages, message_key(shelf.record.space, one.sequence)));
    if (!stored) return lost(shelf, "body");
    bytes_ += stored->size();
    PAWL_ASSIGN_OR_RETURN(Message message, decode_message(*stored));
    const MessageState& next = one.offered.next;
    shelf.change(batch_, one.sequence, one.before, next);
    const Receipt receipt{shelf.record.id, shelf.record.space, one.sequence, next.id,
                          next.receives};
    answer.messages.push_back({std::move(message), next, receipt});
  }
  return answer;
}

void ReceiveRound::send_away(QueueShelf& shelf, MonotonicInstant tick) {
  std::deque<Waiter> staying;
  for (Waiter& waiter : shelf.waiters) {
    if (waiter.deadline > tick) {
      staying.push_back(std::move(waiter));
      continue;
    }
    // As the service says it to whoever does not wait.
    const bool over_limit = shelf.in_flight() >= kInFlightMax && waiter.polls_once;
    served_.push_back(
        {std::move(waiter.command), over_limit ? failed(Refusal::kOverLimit) : Answer{}});
  }
  shelf.waiters = std::move(staying);
}

Status ReceiveRound::serve(QueueShelf& shelf, MonotonicInstant tick) {
  if (full()) return ok();
  remember(shelf);
  std::unique_ptr<Cursor> cursor;
  if (shelf.visible() > 0) {
    cursor = store_.cursor(kSchedule);
    cursor->seek(schedule_key(shelf.marks().scan_from));
  }
  while (cursor && !shelf.waiters.empty() && !full()) {
    Waiter& waiter = shelf.waiters.front();
    PAWL_ASSIGN_OR_RETURN(const auto picked, pick(shelf, *cursor, waiter.command));
    if (picked.empty()) break;
    const Picked& last = picked.back();
    shelf.scanned_to({shelf.record.space, last.before.ready, last.sequence + 1});
    PAWL_ASSIGN_OR_RETURN(Answer answer, hand_out(shelf, picked));
    if (answer.messages.empty()) continue;  // all of it expired or moved
    served_.push_back({std::move(waiter.command), std::move(answer)});
    shelf.waiters.pop_front();
  }
  if (!full()) send_away(shelf, tick);
  return ok();
}

}  // namespace pawl::queue
