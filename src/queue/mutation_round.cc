#include "queue/mutation_round.h"

#include <algorithm>

namespace pawl::queue {
namespace {

EntryAnswer refused(Refusal refusal, std::string message = {}) {
  EntryAnswer answer;
  answer.failure = {refusal, std::move(message)};
  return answer;
}

}  // namespace

Result<QueueShelf*> MutationRound::shelf_of(const std::string& name) {
  QueueShelf* shelf = catalog_.find(name);
  if (shelf == nullptr) return shelf;
  const auto known = [&](const auto& one) { return one.first == shelf; };
  if (std::none_of(before_.begin(), before_.end(), known)) {
    PAWL_TRY(shelf->advance(store_, now_));
    before_.emplace_back(shelf, shelf->marks());
  }
  return shelf;
}

void MutationRound::undo() {
  for (const auto& [shelf, marks] : before_) shelf->restore(marks);
}

WriteBatch& MutationRound::finish() {
  for (const auto& [shelf, marks] : before_) shelf->seal(batch_);
  return batch_;
}

// A random UUID (RFC 9562, version 4).
MessageId MutationRound::new_id() {
  MessageId id{};
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = random_.next();
    for (std::size_t i = 0; i < 8; ++i, bits >>= 8) {
      id[half * 8 + i] = static_cast<std::uint8_t>(bits & 0xff);
    }
  }
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

EntryAnswer MutationRound::send(QueueShelf& shelf, const Send::Entry& entry) {
  const QueueAttributes& queue = shelf.record.attributes;
  if (entry.bytes > queue.message_bytes_max) {
    return refused(Refusal::kTooLarge, std::to_string(queue.message_bytes_max));
  }
  EntryAnswer answer;
  answer.id = new_id();
  const std::uint64_t sequence = catalog_.next_number(now_);
  const MessageState state = on_send(answer.id, now_, entry.delay.value_or(queue.delay));
  batch_.put(kMessages, message_key(shelf.record.space, sequence), encode_message(entry.message));
  shelf.place(batch_, sequence, state);
  must_sync_ = true;
  return answer;
}

Result<std::optional<MessageState>> MutationRound::state_of(const Receipt& receipt) {
  const auto changed = changed_.find({receipt.space, receipt.sequence});
  if (changed != changed_.end()) return changed->second;
  PAWL_ASSIGN_OR_RETURN(const auto stored,
                        store_.get(kStates, message_key(receipt.space, receipt.sequence)));
  if (!stored) return std::optional<MessageState>();
  PAWL_ASSIGN_OR_RETURN(MessageState state, decode_state(*stored));
  return std::optional(std::move(state));
}

Result<EntryAnswer> MutationRound::remove(QueueShelf& shelf, const Receipt& receipt) {
  if (receipt.queue != shelf.record.id) return refused(Refusal::kBadReceipt);
  // Another space: purged since. Not there: deleted before, expired, or a dead letter. All of it is success, as in the service.
  if (receipt.space != shelf.record.space) return EntryAnswer{};
  PAWL_ASSIGN_OR_RETURN(const auto state, state_of(receipt));
  if (!state || on_delete(*state, receipt) == Removal::kIgnore) return EntryAnswer{};
  shelf.take(batch_, receipt.sequence, *state);
  changed_[{receipt.space, receipt.sequence}] = std::nullopt;
  must_sync_ = true;
  return EntryAnswer{};
}

Result<EntryAnswer> MutationRound::change(QueueShelf& shelf, const ChangeVisibility::Entry& entry) {
  const Receipt& receipt = entry.receipt;
  if (receipt.queue != shelf.record.id) return refused(Refusal::kBadReceipt);
  if (receipt.space != shelf.record.space) return refused(Refusal::kGone);
  PAWL_ASSIGN_OR_RETURN(const auto state, state_of(receipt));
  if (!state) return refused(Refusal::kGone);
  VisibilityChange changed = on_change_visibility(*state, receipt, now_, entry.visibility);
  switch (changed.verdict) {
    case Visibility::kGone:
      return refused(Refusal::kGone);
    case Visibility::kNotInFlight:
      return refused(Refusal::kNotInFlight);
    case Visibility::kTooLong:
      return refused(Refusal::kHiddenTooLong);
    case Visibility::kChanged:
      break;
  }
  shelf.change(batch_, receipt.sequence, *state, changed.next);
  changed_[{receipt.space, receipt.sequence}] = std::move(changed.next);
  return EntryAnswer{};
}

Result<Answer> MutationRound::plan(const Command& command, const std::optional<Failure>& no_room) {
  PAWL_ASSIGN_OR_RETURN(QueueShelf* const shelf, shelf_of(command.queue));
  if (shelf == nullptr) return failed(Refusal::kNoSuchQueue);
  Answer answer;
  if (const auto* sends = std::get_if<Send>(&command.action)) {
    if (no_room) {
      answer.failure = no_room;
      return answer;
    }
    for (const Send::Entry& entry : sends->entries) answer.entries.push_back(send(*shelf, entry));
  } else if (const auto* removals = std::get_if<Remove>(&command.action)) {
    for (const Receipt& receipt : removals->receipts) {
      PAWL_ASSIGN_OR_RETURN(EntryAnswer one, remove(*shelf, receipt));
      answer.entries.push_back(std::move(one));
    }
  } else {
    for (const auto& entry : std::get<ChangeVisibility>(command.action).entries) {
      PAWL_ASSIGN_OR_RETURN(EntryAnswer one, change(*shelf, entry));
      answer.entries.push_back(std::move(one));
    }
  }
  return answer;
}

}  // namespace pawl::queue
