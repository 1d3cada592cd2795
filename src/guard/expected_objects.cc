#include "guard/expected_objects.h"

#include <algorithm>
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

// What is asked again and was not given to anybody yet, nor has come by itself.
void keep_awaited(std::vector<std::size_t>& asked, const Expectation& expectation) {
  std::erase_if(asked, [&](std::size_t i) {
    return expectation.changes[i].state != Expected::State::kAwaited;
  });
  std::sort(asked.begin(), asked.end());
}

// Offers these; what is given is given once, and leaves the list.
void ask_again(const AwaitingHooks& hooks, std::deque<RenderedChange>& changes,
               const Expectation& expectation, std::vector<std::size_t>& asked, Instant now) {
  keep_awaited(asked, expectation);
  if (asked.empty() || !hooks.ask_again) return;
  // By deadline: what nobody has taken yet leaves the others their time.
  std::map<Instant, std::vector<std::size_t>> groups;
  for (const auto i : asked) groups[expectation.due(expectation.changes[i])].push_back(i);
  std::vector<std::size_t> left;
  for (const auto& [due, group] : groups) {
    std::vector<const RenderedChange*> offered;
    offered.reserve(group.size());
    for (const auto i : group) offered.push_back(&changes[i]);
    const auto within = std::clamp(Duration{due.microseconds - now.microseconds}, Duration{0},
                                   expectation.deadline);
    const auto given = hooks.ask_again(offered, within);
    PAWL_ASSERT(given.size() == group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
      changes[group[i]].asked_again = given[i];
      if (!given[i]) left.push_back(group[i]);
    }
  }
  asked = std::move(left);
}

// What became of the expectation, into the change's entry.
void settle(RenderedChange& change, const Expected& expected, const CheckRules& rules) {
  auto& entry = change.entry;
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
  std::vector<std::size_t> asked;  // and not given to anybody yet
  for (;;) {
    const auto open = awaited(expectation);
    if (open.empty()) break;
    while (clock.monotonic() < expectation.look_at) {
      hooks.before_wait();
      co_await alarm.wait_until(expectation.look_at);
      if (hooks.gives_up()) co_return false;
    }
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
        looks.push_back({std::move(more[i]), taken});
      }
    }
    const auto unclear = std::find_if(looks.begin(), looks.end(), [](const Looked& one) {
      return one.seen.kind == ObjectSeen::Kind::kUnclear;
    });
    if (unclear != looks.end()) hooks.note(unclear->seen.why);
    const auto more = take(expectation, open, looks, clock.monotonic());
    asked.insert(asked.end(), more.begin(), more.end());
    ask_again(hooks, changes, expectation, asked, clock.now());
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
