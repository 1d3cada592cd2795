// The step of `guard check` and of supervised functions: every order of events in a small world of one reader after the other, a
// store and a function that writes when it likes, or not at all; and where it is asked again: a call that is begun some time later,
// or never, and writes some time after that, or never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "base/sanitized.h"
#include "guard/expectation.h"

namespace pawl::guard {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ObjectSeen::Kind;
using State = Expected::State;

constexpr std::int64_t kSecond = 1'000'000;

Instant at(std::int64_t seconds) { return {seconds * kSecond}; }

constexpr int kChanges = 2;
constexpr std::int64_t kDeadline = 2;
constexpr std::int64_t kLast = 6;  // seconds

struct Object {
  int of = -1;  // the change whose content it holds; -1: of an earlier life
  std::int64_t written_at = 0;
  bool operator==(const Object&) const = default;
};

// What is between a look and its being taken; and where a reader stands.
struct Reader {
  Expectation expectation;
  std::optional<std::array<ObjectSeen, kChanges>> answer;  // of the changes that are awaited
  std::array<int, kChanges> given{};                       // calls begun, as the look began
  std::array<bool, kChanges> put{};                        // Pawl's own, by this reader
  std::array<int, kChanges> asked{};                       // again, by this reader
  std::array<std::int64_t, kChanges> asked_at{};
};

struct World {
  bool one_name = false;
  std::int64_t lie = 0;   // added to the time of each look: a planted defect
  bool forgets = false;   // which objects were entered before: another
  bool asks = false;      // the rules ask again
  int mappings = 1;       // that a change can be given to again
  bool lives_on = false;  // what was given is remembered when a reader ends
  std::int64_t deadline = kDeadline;
  bool gives_up = false;   // without having asked: another
  bool nags = false;       // asks at every look: another
  bool claims = false;     // says of what is asked that it is given: another
  bool hurries = false;    // gives a call no deadline of its own: another
  bool stretches = false;  // or a new one at every look: another
  std::int64_t now = 0;
  std::array<std::optional<Object>, kChanges> theirs;      // under each change's name
  std::array<bool, kChanges> called{};                     // the function was, for this change
  std::array<std::optional<std::int64_t>, kChanges> came;  // when it put, or nothing
  std::array<int, kChanges> begun{};                       // calls with it once more
  std::array<std::int64_t, kChanges> begun_at{};           // the last of them
  std::array<bool, kChanges> owes{};                       // one of them may still put
  std::array<bool, kChanges> repaired{};                   // Pawl's objects
  std::array<bool, kChanges> under_way{};                  // puts of a reader that died
  Reader reader;
  int crashes = 0;

  std::size_t place(int change) const { return one_name ? 0 : static_cast<std::size_t>(change); }
  std::string key() const {
    std::string out;
    const auto add = [&out](std::int64_t value) { out.push_back(static_cast<char>(value)); };
    const auto add_time = [&add](Instant instant) { add(instant.microseconds / kSecond); };
    add(now), add(crashes);
    for (std::size_t i = 0; i < kChanges; ++i) {
      add(theirs[i] ? theirs[i]->of : 9), add(theirs[i] ? theirs[i]->written_at : 9);
      add(called[i]), add(came[i].value_or(9)), add(repaired[i]), add(under_way[i]);
      add(static_cast<int>(reader.expectation.changes[i].state)), add(reader.put[i]);
      add(reader.asked[i]), add(reader.asked_at[i]);
      add(begun[i]), add(begun_at[i]), add(owes[i]);
      const auto& change = reader.expectation.changes[i];
      add(change.given), add_time(change.given_at.value_or(at(99)));
      const auto& found = change.object;
      add_time(found.written_at), add(static_cast<std::int64_t>(found.size));
      if (!reader.answer) continue;
      const auto& seen = (*reader.answer)[i];
      add(static_cast<int>(seen.kind)), add_time(seen.seen_at), add_time(seen.written_at);
      add(static_cast<std::int64_t>(seen.size)), add(reader.given[i]);
    }
    return out;
  }
};

class Exploration {
 public:
  // Of an earlier life of the items: nothing, or objects of long ago, or of the very second of the changes.
  enum class Earlier : std::uint8_t { kNone, kLongAgo, kThisSecond };

  explicit Exploration(World world, Earlier earlier = Earlier::kNone) {
    if (earlier != Earlier::kNone)
      world.theirs.fill(Object{-1, earlier == Earlier::kLongAgo ? -10 : 0});
    begin_reader(world);
    visit(world);
  }
  std::set<std::string> broken;
  std::size_t states = 0;
  std::size_t ends = 0;  // pages written

 private:
  static void begin_reader(World& world) {
    world.reader = {};
    if (!world.lives_on) world.begun = {};
    const std::array<NamedInstant, kChanges> named{
        {{"a", at(0)}, {world.one_name ? "a" : "b", at(0)}}};
    world.reader.expectation = expect(named, Duration{world.deadline * kSecond}, world.asks);
  }

  void visit(const World& world) {
    if (!seen_.insert(world.key()).second) return;
    ++states;
    if (world.now < kLast) {
      auto next = world;
      ++next.now;
      visit(next);
    }
    for (int change = 0; change < kChanges; ++change) function_acts(world, change);
    for (std::size_t i = 0; i < kChanges; ++i) is_given(world, i);
    for (std::size_t i = 0; i < kChanges; ++i) {
      if (!world.under_way[i]) continue;
      auto next = world;
      next.under_way[i] = false;
      next.repaired[i] = true;
      visit(next);
    }
    if (world.crashes == 0) {
      auto next = world;
      ++next.crashes;
      begin_reader(next);
      visit(next);
    }
    reader_acts(world);
  }

  // It puts, once or a second time, or lets it be. In the order of the changes, as functions of a stream do.
  void function_acts(const World& world, int change) {
    const auto i = static_cast<std::size_t>(change);
    if (!world.called[i] && change > 0 && !world.called[i - 1]) return;
    if (world.called[i] && (!world.came[i] || world.called.back())) return;
    auto next = world;
    next.called[i] = true;
    if (!world.called[i]) visit(next);
    next.theirs[next.place(change)] = Object{change, next.now};
    if (!next.came[i]) next.came[i] = next.now;
    visit(next);
  }

  // A call is begun with what is asked again, in its time; and puts, or lets it be. Of two names one is enough: nothing ties the
  // calls of one to those of the other.
  void is_given(const World& world, std::size_t i) {
    if (!world.one_name && i > 0) return;
    const bool is_open = world.reader.expectation.changes[i].state == State::kAwaited &&
                         world.reader.asked[i] > 0 &&
                         world.now < world.reader.asked_at[i] + world.deadline + 1;
    if (is_open && world.begun[i] < world.mappings) {
      auto next = world;
      ++next.begun[i];
      next.begun_at[i] = next.now;
      next.owes[i] = true;
      visit(next);
    }
    if (!world.owes[i]) return;
    auto next = world;
    next.owes[i] = false;
    next.theirs[next.place(static_cast<int>(i))] = Object{static_cast<int>(i), next.now};
    next.called[i] = true;
    if (!next.came[i]) next.came[i] = next.now;
    visit(next);
  }

  void reader_acts(const World& world) {
    const auto open = awaited(world.reader.expectation);
    if (world.reader.answer) {
      auto next = world;
      std::vector<Looked> looks;
      for (const auto i : open) {
        const auto& seen = (*world.reader.answer)[i];
        const int given = world.claims ? world.reader.asked[i] : world.reader.given[i];
        looks.push_back({seen, !world.forgets && seen.kind == Kind::kThere && seen.size == 0,
                         static_cast<std::uint32_t>(given)});
        plant(next, i);
      }
      ask(next, take(next.reader.expectation, open, looks, {}));
      for (const auto i : open) check_wait(next, i);
      next.reader.answer.reset();
      visit(next);
    } else if (!open.empty()) {
      look(world, false);
      look(world, true);
    } else {
      put_or_page(world);
    }
  }

  static void plant(World& next, std::size_t i) {
    auto& change = next.reader.expectation.changes[i];
    if (next.hurries) change.given_at.reset();
    if (next.stretches && change.given_at) change.given_at = (*next.reader.answer)[i].seen_at;
  }

  void check_wait(const World& world, std::size_t i) {
    const auto& seen = (*world.reader.answer)[i];
    const auto longest = at(world.reader.asked_at[i] + 2 * (world.deadline + 1));
    if (world.reader.expectation.changes[i].state == State::kAwaited && world.reader.asked[i] > 0 &&
        seen.kind != Kind::kUnclear && seen.seen_at >= longest)
      broken.insert("a change is waited for without end");
  }

  // The changes are offered, from now on.
  void ask(World& next, const std::vector<std::size_t>& asked) {
    if (!asked.empty() && !next.asks) broken.insert("nobody may be asked again, and was");
    for (const auto i : asked) {
      auto& change = next.reader.expectation.changes[i];
      ++next.reader.asked[i];
      // By the look, whatever the step made of it.
      next.reader.asked_at[i] = (*next.reader.answer)[i].seen_at.microseconds / kSecond;
      if (next.gives_up) change.state = State::kOverdue;
      if (next.nags && next.reader.asked[i] == 1) change.asked.reset();
    }
  }

  void look(const World& world, bool fails) {
    auto next = world;
    next.reader.given = next.begun;
    auto& answer = next.reader.answer.emplace();
    for (int change = 0; change < kChanges; ++change) {
      const auto& object = world.theirs[world.place(change)];
      auto& seen = answer[static_cast<std::size_t>(change)];
      seen.seen_at = at(world.now + world.lie);
      if (fails) continue;
      seen.kind = object ? Kind::kThere : Kind::kAbsent;
      if (object) seen.written_at = at(object->written_at);
      if (object) seen.size = static_cast<std::uint64_t>(object->of + 1);
    }
    visit(next);
  }

  void put_or_page(const World& world) {
    for (std::size_t i = 0; i < kChanges; ++i) {
      if (world.reader.expectation.changes[i].state == State::kFound || world.reader.put[i])
        continue;
      auto next = world;
      next.reader.put[i] = next.repaired[i] = true;
      visit(next);
      if (world.crashes == 0) {  // it dies as the put is under way
        next = world;
        next.under_way[i] = true;
        ++next.crashes;
        begin_reader(next);
        visit(next);
      }
      return;
    }
    ++ends;
    for (int change = 0; change < kChanges; ++change) check(world, change);
  }

  void check(const World& world, int change) {
    const auto i = static_cast<std::size_t>(change);
    const auto& entry = world.reader.expectation.changes[i];
    if (world.reader.asked[i] > 1) broken.insert("a change was asked again twice");
    if (entry.given > static_cast<std::uint32_t>(world.begun[i]))
      broken.insert("a change was said to be given that no call was begun with");
    if (entry.state == State::kFound) {
      if (entry.object.size == 0)
        broken.insert("an earlier life's object was taken for this one's");
      if (!world.one_name && entry.object.size != i + 1)
        broken.insert("another change's object was entered");
      return;
    }
    if (!world.repaired[i]) broken.insert("an entry names an object that is not there");
    if (entry.state == State::kReplaced) {
      if (!world.one_name || change + 1 == kChanges)
        broken.insert("a change was given up for no other");
      return;
    }
    if (world.came[i] && *world.came[i] < world.deadline + 1)
      broken.insert("an object that came before its deadline was passed over");
    if (!world.asks) return;
    if (world.reader.asked[i] == 0) broken.insert("a change was given up that nobody asked again");
    if (world.now < world.reader.asked_at[i] + world.deadline + 1)
      broken.insert("a change was given up before its second deadline");
    if (world.came[i] && *world.came[i] < world.reader.asked_at[i] + world.deadline + 1)
      broken.insert("an object that came before its second deadline was passed over");
    if (world.begun[i] == 0) return;
    if (world.now < world.begun_at[i] + world.deadline + 1)
      broken.insert("a change was given up before the deadline of its last call");
    if (world.came[i] && *world.came[i] < world.begun_at[i] + world.deadline + 1)
      broken.insert("an object that came before the deadline of its last call was passed over");
  }

  std::unordered_set<std::string> seen_;
};

TEST(ExpectationExploration, EveryOrderOfLooksPutsAndDeathsKeepsThePromises) {
  for (const bool one_name : {false, true}) {
    for (const auto earlier : {Exploration::Earlier::kNone, Exploration::Earlier::kLongAgo,
                               Exploration::Earlier::kThisSecond}) {
      World world;
      world.one_name = one_name;
      const Exploration exploration(world, earlier);
      EXPECT_THAT(exploration.broken, IsEmpty());
      EXPECT_GT(exploration.states, 1000U);
      EXPECT_GT(exploration.ends, 50U);
    }
  }
}

TEST(ExpectationExploration, AskingAgainKeepsThePromisesToo) {
  for (const bool one_name : {false, true}) {
    for (const auto earlier : {Exploration::Earlier::kNone, Exploration::Earlier::kThisSecond}) {
      if (kSanitized && (one_name || earlier != Exploration::Earlier::kNone)) continue;
      World world;
      world.one_name = one_name;
      world.asks = true;
      world.deadline = 1;
      const Exploration exploration(world, earlier);
      EXPECT_THAT(exploration.broken, IsEmpty());
      EXPECT_GT(exploration.states, 1000U);
      EXPECT_GT(exploration.ends, 50U);
    }
  }
}

// Two mappings are given a change at different times; and what was given is known to the next reader.
TEST(ExpectationExploration, SoDoesAskingTwoMappings) {
  if (kSanitized) GTEST_SKIP() << "takes long";
  World world;
  world.asks = world.one_name = world.lives_on = true;
  world.mappings = 2;
  world.deadline = 1;
  const Exploration exploration(world);
  EXPECT_THAT(exploration.broken, IsEmpty());
  EXPECT_GT(exploration.states, 1000U);
}

TEST(ExpectationExploration, FindsACallThatIsNotOneAndOneWithoutADeadline) {
  if (kSanitized) GTEST_SKIP() << "takes long";
  World world;
  world.asks = world.one_name = true;
  world.deadline = 1;
  world.claims = true;
  EXPECT_THAT(Exploration(world).broken,
              Contains("a change was said to be given that no call was begun with"));
  world.claims = false;
  world.hurries = true;
  EXPECT_THAT(Exploration(world).broken,
              Contains("a change was given up before the deadline of its last call"));
  world.hurries = false;
  world.stretches = true;
  EXPECT_THAT(Exploration(world).broken, Contains("a change is waited for without end"));
}

TEST(ExpectationExploration, FindsWhatIsGivenUpTooSoonOrAskedTooOften) {
  World world;
  world.asks = world.one_name = world.gives_up = true;
  world.deadline = 1;
  EXPECT_THAT(Exploration(world).broken,
              Contains("a change was given up before its second deadline"));
  world.gives_up = false;
  world.nags = true;
  EXPECT_THAT(Exploration(world).broken, Contains("a change was asked again twice"));
}

// The store's clock is what the deadline is measured by: with one that is ahead the checkers must cry.
TEST(ExpectationExploration, FindsADeadlineThatIsNotTheStores) {
  World world;
  world.lie = 2;
  const Exploration exploration(world);
  EXPECT_THAT(exploration.broken,
              ElementsAre("an object that came before its deadline was passed over"));
}

// Time alone can't tell what was written in the second of the change.
TEST(ExpectationExploration, FindsAnObjectThatIsTakenTwice) {
  World world;
  world.forgets = true;
  const Exploration exploration(world, Exploration::Earlier::kThisSecond);
  EXPECT_THAT(exploration.broken, Contains("an earlier life's object was taken for this one's"));
}

}  // namespace
}  // namespace pawl::guard
