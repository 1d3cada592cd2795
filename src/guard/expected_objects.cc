#include "guard/expected_objects.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "archive/object_naming.h"
#include "base/assert.h"

namespace pawl::guard {
namespace {

// Between so many looks it is asked whether the reader is to leave.
constexpr std::size_t kLooksAtOnce = 200;

Expectation expectation_of(const std::deque<RenderedChange>& changes, const CheckRules& rules) {
  std::vector<NamedInstant> named;
  named.reserve(changes.size());
  for (const auto& change : changes) named.push_back({change.theirs, change.entry.instant});
  return expect(named, rules.deadline, rules.asks_again);
}

std::vector<const RenderedChange*> these(const std::deque<RenderedChange>& changes,
                                         const std::vector<std::size_t>& which) {
  std::vector<const RenderedChange*> some;
  some.reserve(which.size());
  for (const auto i : which) some.push_back(&changes[i]);
  return some;
}

// Offers what is asked again and has not come.
void ask_again(const AwaitingHooks& hooks, const std::deque<RenderedChange>& changes,
               const Expectation& expectation, Instant now) {
  if (!hooks.ask_again) return;
  // By deadline: what nobody has taken yet leaves the others their time.
  std::map<Instant, std::vector<std::size_t>> groups;
  for (const auto i : awaited(expectation)) {
    const auto& change = expectation.changes[i];
    if (change.asked) groups[expectation.give_until(change)].push_back(i);
  }
  for (const auto& [until, group] : groups) {
    if (until <= now) continue;  // what is given in time is still waited for
    const auto within =
        std::min(Duration{until.microseconds - now.microseconds}, expectation.deadline);
    hooks.ask_again(these(changes, group), within);
  }
}

// Of each of `open`, how many calls were begun with it by now.
std::vector<std::uint32_t> given_of(const AwaitingHooks& hooks,
                                    const std::deque<RenderedChange>& changes,
                                    const Expectation& expectation,
                                    const std::vector<std::size_t>& open) {
  std::vector<std::uint32_t> given(open.size());
  if (!hooks.given) return given;
  std::vector<std::size_t> asked;
  std::copy_if(open.begin(), open.end(), std::back_inserter(asked),
               [&](std::size_t i) { return expectation.changes[i].asked.has_value(); });
  if (asked.empty()) return given;
  const auto of_asked = hooks.given(these(changes, asked));
  PAWL_ASSERT(of_asked.size() == asked.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < open.size(); ++i)
    if (next < asked.size() && asked[next] == open[i]) given[i] = of_asked[next++];
  return given;
}

// What became of the expectation, into the change's entry.
void settle(RenderedChange& change, const Expected& expected, const CheckRules& rules) {
  auto& entry = change.entry;
  change.asked_again = expected.given > 0;
  if (expected.state == Expected::State::kFound) {
    entry.object = change.theirs;
    entry.size = expected.object.size;
    entry.sha256 = expected.object.digest;
    entry.foreign = true;
    entry.redelivered = change.asked_again;
    change.late = expected.late;
    change.written_at = expected.object.written_at;
  } else if (rules.writes) {
    change.name = archive::repaired_name(change.name);
    entry.repaired = rules.how;
    return;
  } else {
    entry.object = change.theirs;
    entry.size = 0;
    entry.sha256 = {};
    entry.missing = true;
  }
  change.to_put = false;
  change.body.clear();
  change.body.shrink_to_fit();
}

}  // namespace

void CheckCounts::count(const RenderedChange& change) {
  const auto& entry = change.entry;
  found += entry.foreign ? 1 : 0;
  late += change.late ? 1 : 0;
  missing += entry.foreign ? 0 : 1;
  removals += !entry.foreign && entry.kind == item::ChangeKind::kRemove ? 1 : 0;
  written += entry.repaired ? 1 : 0;
  asked += change.asked_again ? 1 : 0;
  redelivered += entry.redelivered ? 1 : 0;
}

Awaitable<bool> settle_expected(const CheckPorts& check, Clock& clock, Alarm& alarm,
                                std::deque<RenderedChange>& changes, AwaitingHooks hooks) {
  auto expectation = expectation_of(changes, check.rules);
  for (;;) {
    const auto open = awaited(expectation);
    if (open.empty()) break;
    while (clock.monotonic() < expectation.look_at) {
      hooks.before_wait();
      co_await alarm.wait_until(expectation.look_at);
      if (hooks.gives_up()) co_return false;
    }
    const auto given = given_of(hooks, changes, expectation, open);
    std::vector<Looked> looks;
    for (std::size_t done = 0; done < open.size(); done += kLooksAtOnce) {
      if (hooks.gives_up()) co_return false;
      std::vector<ObjectAsk> asks;
      for (auto i = done; i < std::min(done + kLooksAtOnce, open.size()); ++i)
        asks.push_back({changes[open[i]].theirs, counts_from(expectation.changes[open[i]])});
      auto more = co_await check.watch.look(asks);
      for (std::size_t i = 0; i < more.size(); ++i) {
        const bool taken = more[i].kind == ObjectSeen::Kind::kThere &&
                           check.taken.is_taken(asks[i].name, {more[i].digest, more[i].written_at});
        looks.push_back({std::move(more[i]), taken, given[done + i]});
      }
    }
    const auto unclear = std::find_if(looks.begin(), looks.end(), [](const Looked& one) {
      return one.seen.kind == ObjectSeen::Kind::kUnclear;
    });
    if (unclear != looks.end()) hooks.note(unclear->seen.why);
    take(expectation, open, looks, clock.monotonic());
    ask_again(hooks, changes, expectation, clock.now());
  }
  if (hooks.gives_up()) co_return false;
  for (std::size_t i = 0; i < changes.size(); ++i)
    settle(changes[i], expectation.changes[i], check.rules);
  co_return true;
}

void take_entered(ObjectsTaken& taken, const RenderedChange& change) {
  if (change.entry.foreign) taken.take(change.theirs, {change.entry.sha256, change.written_at});
}

// When the object was written the ledger does not say: before the page was, whose clock is a worker's.
void take_entered(ObjectsTaken& taken, const ledger::ShardPage& page) {
  const Instant until{page.instant.microseconds + kClockSlack.count()};
  for (const auto& entry : page.entries)
    if (entry.foreign) taken.take(entry.object, {entry.sha256, until});
}

}  // namespace pawl::guard
