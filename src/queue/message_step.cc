#include "queue/message_step.h"

#include "base/assert.h"

namespace pawl::queue {
namespace {

Instant after(Instant at, seconds by) { return {at.microseconds + Duration(by).count()}; }

}  // namespace

MessageState on_send(const MessageId& id, Instant now, seconds delay) {
  MessageState state;
  state.id = id;
  state.sent = now;
  state.ready = after(now, delay);
  return state;
}

bool is_expired(const QueueAttributes& queue, const MessageState& state, Instant now) {
  return now >= after(state.sent, queue.retention);
}

Offered on_offer(const QueueRecord& queue, const MessageState& state, Instant now,
                 seconds visibility, bool has_target) {
  if (is_expired(queue.attributes, state, now)) return {Offer::kExpired, state};
  if (state.ready > now) return {Offer::kNotReady, state};
  PAWL_ASSERT(state.receives >= state.receives_before);
  MessageState next = state;
  const auto& redrive = queue.attributes.redrive;
  if (redrive && has_target && state.receives - state.receives_before >= redrive->receives_max) {
    next.ready = now;
    next.receives_before = state.receives;
    next.source = queue.name;
    return {Offer::kMove, next};
  }
  ++next.receives;
  next.last_received = now;
  if (next.first_received == Instant{}) next.first_received = now;
  next.ready = after(now, visibility);
  return {Offer::kDeliver, next};
}

Removal on_delete(const MessageState& state, const Receipt& receipt) {
  return receipt.id == state.id ? Removal::kRemove : Removal::kIgnore;
}

VisibilityChange on_change_visibility(const MessageState& state, const Receipt& receipt,
                                      Instant now, seconds visibility) {
  // A receipt may count more than is known: a power cut has taken back the receive that it is of.
  if (receipt.id != state.id || receipt.receives < state.receives)
    return {Visibility::kGone, state};
  if (state.ready <= now) return {Visibility::kNotInFlight, state};
  MessageState next = state;
  next.ready = after(now, visibility);
  if (next.ready > after(state.last_received, kVisibilityMax)) return {Visibility::kTooLong, state};
  return {Visibility::kChanged, next};
}

}  // namespace pawl::queue
