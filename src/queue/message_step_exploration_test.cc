// Every order of a few events on one message, against rules that are written down a second time here, over what was handed
// out and answered alone.
#include <gtest/gtest.h>

#include <vector>

#include "queue/message_step.h"

namespace pawl::queue {
namespace {

constexpr seconds kRetention{10};
constexpr std::uint32_t kReceives = 2;

// What an observer knows.
struct Seen {
  std::size_t before_move = 0;  // receipts
  Instant hidden_until;
  std::vector<Receipt> receipts;
};

class Exploration : public testing::Test {
 protected:
  Exploration() {
    queue_.name = "orders";
    queue_.attributes.retention = kRetention;
    queue_.attributes.redrive = RedrivePolicy{"dead", kReceives};
  }

  void offer(const MessageState& state, Instant now, Seen seen, int depth, seconds visibility,
             bool has_target) {
    const Offered offered = on_offer(queue_, state, now, visibility, has_target);
    const bool expired = now.microseconds - state.sent.microseconds >= Duration(kRetention).count();
    const bool hidden = now < seen.hidden_until;
    const bool used_up = has_target && seen.receipts.size() >= kReceives + seen.before_move;
    switch (offered.offer) {
      case Offer::kExpired:
        ASSERT_TRUE(expired);
        return;
      case Offer::kNotReady:
        ASSERT_TRUE(hidden && !expired);
        return explore(state, now, seen, depth);
      case Offer::kMove:
        ASSERT_TRUE(used_up && !hidden && !expired);
        ASSERT_EQ(offered.next.receives, seen.receipts.size());
        ASSERT_EQ(offered.next.sent, state.sent);
        ASSERT_EQ(offered.next.source, "orders");
        seen.before_move = seen.receipts.size();
        seen.hidden_until = now;
        return explore(offered.next, now, seen, depth);
      case Offer::kDeliver:
        ASSERT_TRUE(!expired && !hidden && !used_up);
        ASSERT_EQ(offered.next.receives, seen.receipts.size() + 1);
        ASSERT_EQ(offered.next.first_received, seen.receipts.empty() ? now : state.first_received);
        seen.hidden_until = {now.microseconds + Duration(visibility).count()};
        seen.receipts.push_back({1, 1, 1, offered.next.id, offered.next.receives});
        delivered_ = std::max(delivered_, seen.receipts.size());
        return explore(offered.next, now, seen, depth);
    }
  }

  static void remove(const MessageState& state, const Seen& seen) {
    for (const Receipt& receipt : seen.receipts) {
      ASSERT_EQ(on_delete(state, receipt), Removal::kRemove);
    }
    const Receipt foreign = {1, 1, 1, {9}, state.receives};
    ASSERT_EQ(on_delete(state, foreign), Removal::kIgnore);
  }

  void change(const MessageState& state, Instant now, const Seen& seen, int depth,
              seconds visibility) {
    for (const Receipt& receipt : seen.receipts) {
      const auto changed = on_change_visibility(state, receipt, now, visibility);
      if (receipt != seen.receipts.back()) {
        ASSERT_EQ(changed.verdict, Visibility::kGone);
        continue;
      }
      if (now >= seen.hidden_until) {
        ASSERT_EQ(changed.verdict, Visibility::kNotInFlight);
        continue;
      }
      const Instant until{now.microseconds + Duration(visibility).count()};
      const Instant last{state.last_received.microseconds + Duration(kVisibilityMax).count()};
      if (until > last) {
        ASSERT_EQ(changed.verdict, Visibility::kTooLong);
        continue;
      }
      ASSERT_EQ(changed.verdict, Visibility::kChanged);
      ASSERT_EQ(changed.next.receives, state.receives);
      Seen then = seen;
      then.hidden_until = until;
      explore(changed.next, now, then, depth);
    }
  }

  void explore(const MessageState& state, Instant now, const Seen& seen, int depth) {
    ++visited_;
    if (depth == 0 || HasFatalFailure()) return;
    for (const bool has_target : {true, false}) {
      for (const seconds visibility : {seconds(0), seconds(3)}) {
        offer(state, now, seen, depth - 1, visibility, has_target);
      }
    }
    remove(state, seen);
    for (const seconds visibility : {seconds(0), seconds(1), kVisibilityMax}) {
      change(state, now, seen, depth - 1, visibility);
    }
    for (const int step : {1, 4}) {
      explore(state, {now.microseconds + Duration(seconds(step)).count()}, seen, depth - 1);
    }
  }

  QueueRecord queue_;
  std::size_t visited_ = 0;
  std::size_t delivered_ = 0;
};

TEST_F(Exploration, HandsOutWhatIsReadyAndNothingElse) {
  const Instant start{1'000'000'000};
  for (const seconds delay : {seconds(0), seconds(2)}) {
    Seen seen;
    seen.hidden_until = {start.microseconds + Duration(delay).count()};
    const MessageState state = on_send({7}, start, delay);
    ASSERT_EQ(state.ready, seen.hidden_until);
    explore(state, start, seen, 7);
  }
  EXPECT_GT(visited_, 100'000U);
  EXPECT_GE(delivered_, 5U);
}

}  // namespace
}  // namespace pawl::queue
