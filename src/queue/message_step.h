// Every decision about one message, pure: the state before and an event in, the state after and what it means out. No
// clock, no store; the engine (queue_engine.h) loads the state, asks here, and writes what it is told.
//
// What holds, whatever the order of events (explored in message_step_exploration_test.cc):
// - a message is handed out only when it is ready, not expired, and was not removed;
// - handing it out hides it for the visibility that was asked, and counts: receives grows by one;
// - any receipt of it removes it: whoever asks for that has seen it, and it must not come back once it was answered, though
//   another may have it in hand by now (the service leaves open what an older receipt does);
// - only the newest receipt changes its visibility;
// - a message that was received as often as the redrive policy allows is moved instead, with its id, its age and its count.
#pragma once

#include "queue/queue_types.h"

namespace pawl::queue {

// A message as it is when it has been sent. `delay` as the message says, else its queue.
MessageState on_send(const MessageId& id, Instant now, seconds delay);

bool is_expired(const QueueAttributes& queue, const MessageState& state, Instant now);

enum class Offer : std::uint8_t {
  kDeliver,   // hand it out; `next` is its state from now on, to be stored before anyone gets it
  kNotReady,  // delayed or in flight
  kMove,      // its receives are used up; `next` is its state in the target queue, ready at once
  kExpired,   // remove it
};
struct Offered {
  Offer offer = Offer::kNotReady;
  MessageState next;
};
// Somebody asks for a message. `has_target`: the queue that the redrive policy names is there; without it a message is
// handed out however often it was received.
Offered on_offer(const QueueRecord& queue, const MessageState& state, Instant now,
                 seconds visibility, bool has_target);

enum class Removal : std::uint8_t { kRemove, kIgnore };
Removal on_delete(const MessageState& state, const Receipt& receipt);

enum class Visibility : std::uint8_t {
  kChanged,      // `next` is its state from now on
  kGone,         // the receipt is of another message, or not of the newest receive
  kNotInFlight,  // it is ready again already
  kTooLong,      // it would be hidden longer than kVisibilityMax after its receive
};
struct VisibilityChange {
  Visibility verdict = Visibility::kGone;
  MessageState next;
};
VisibilityChange on_change_visibility(const MessageState& state, const Receipt& receipt,
                                      Instant now, seconds visibility);

}  // namespace pawl::queue
