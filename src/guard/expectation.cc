#include "guard/expectation.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/assert.h"

namespace pawl::guard {
namespace {

// A look is not repeated sooner, however near a deadline is.
constexpr Duration kLookAgainLeast = std::chrono::milliseconds(50);

Instant plus(Instant instant, Duration by) { return {instant.microseconds + by.count()}; }

// Whether what was seen is the object of this change: there, whole, written after it, and no other's.
bool is_object_of(const Expected& change, const Looked& look) {
  return look.seen.kind == ObjectSeen::Kind::kThere && !look.taken &&
         look.seen.written_at >= counts_from(change);
}

// When the last call was begun is not known, but that it was before this look, and in time.
void note_given(const Expectation& expectation, Expected& change, const Looked& look) {
  if (!change.asked || look.given <= change.given) return;
  change.given = look.given;
  change.given_at = std::min(look.seen.seen_at, expectation.give_until(change));
}

}  // namespace

Instant Expectation::first_due(const Expected& change) const {
  return plus(change.instant, kInstantStep + deadline);
}

Instant Expectation::give_until(const Expected& change) const {
  return change.asked ? plus(*change.asked, kInstantStep + deadline) : first_due(change);
}

Instant Expectation::due(const Expected& change) const {
  return change.given_at ? plus(*change.given_at, kInstantStep + deadline) : give_until(change);
}

Instant counts_from(const Expected& change) { return plus(change.instant, -kClockSlack); }

Expectation expect(std::span<const NamedInstant> changes, Duration deadline, bool asks_again) {
  Expectation expectation;
  expectation.deadline = deadline;
  expectation.asks_again = asks_again;
  expectation.changes.resize(changes.size());
  std::unordered_set<std::string_view> later;
  for (std::size_t i = changes.size(); i-- > 0;) {
    auto& expected = expectation.changes[i];
    expected.instant = changes[i].instant;
    if (!later.insert(changes[i].name).second) expected.state = Expected::State::kReplaced;
  }
  return expectation;
}

std::vector<std::size_t> awaited(const Expectation& expectation) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < expectation.changes.size(); ++i) {
    if (expectation.changes[i].state == Expected::State::kAwaited) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> take(Expectation& expectation, std::span<const std::size_t> changes,
                              std::span<const Looked> looks, MonotonicInstant now) {
  PAWL_ASSERT(changes.size() == looks.size());
  std::vector<std::size_t> asked;
  std::optional<Duration> next_due;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto& change = expectation.changes.at(changes[i]);
    PAWL_ASSERT(change.state == Expected::State::kAwaited);
    const auto& seen = looks[i].seen;
    if (seen.kind == ObjectSeen::Kind::kUnclear) continue;
    note_given(expectation, change, looks[i]);
    const Instant due = expectation.due(change);
    if (is_object_of(change, looks[i])) {
      change.state = Expected::State::kFound;
      change.object = seen;
      change.late = seen.written_at > expectation.first_due(change);
    } else if (seen.seen_at >= due && (change.asked || !expectation.asks_again)) {
      change.state = Expected::State::kOverdue;
    } else {
      if (seen.seen_at >= due) {
        change.asked = seen.seen_at;
        asked.push_back(changes[i]);
      }
      const Duration left{expectation.due(change).microseconds - seen.seen_at.microseconds};
      next_due = std::min(next_due.value_or(left), left);
    }
  }
  // What is asked again comes soon, if it does.
  if (!asked.empty()) expectation.pause = kLookAgainFirst;
  const Duration wait =
      std::max(std::min(expectation.pause, next_due.value_or(kLookAgainLast)), kLookAgainLeast);
  expectation.look_at = now + wait;
  expectation.pause = std::min(expectation.pause * 2, kLookAgainLast);
  return asked;
}

}  // namespace pawl::guard
