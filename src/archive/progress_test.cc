// Explores every state of a small world around archive/progress.h: three changes, of which two want the same name, with
// every crash and fault at every effect, up to three of each. In each state the promises are checked, and that the world
// comes to its end from there if nothing more fails.
#include "archive/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>

namespace pawl::archive {
namespace {

constexpr int kChanges = 3;
constexpr int kCrashes = 3;
constexpr int kFaults = 3;

// Planted defects: the exploration must find each of them, or it proves nothing.
enum class Bug { kNone, kPagePastPut, kTrimPastPage, kBelieveCache };

int primary_name(int change) { return change == 2 ? 1 : change; }  // 2 wants the name of 1
int name_of(int change, std::uint32_t attempt) {
  return attempt == 0 ? primary_name(change) : 10 + change;
}

struct Object {
  int name;
  int content;  // the change whose body it is
  bool durable;
  bool operator==(const Object&) const = default;
};

struct World {
  int committed = 0;
  int floor = 0;     // the change log has forgotten through here
  int released = 0;  // it may forget through here
  std::vector<Object> objects;
  std::vector<int> ledger;    // object names of the changes 1, 2, … in durable pages
  std::vector<int> unsynced;  // and in pages after them that are not synced
  bool running = false;
  Progress progress;
  std::deque<ProgressEffect> effects;
  std::vector<PutOutcome> outcomes;  // of the put that is under way
  bool page_appended = false;        // of the page write that is under way
  int crashes = kCrashes;
  int faults = kFaults;

  const Object* find(int name) const {
    const auto found = std::find_if(objects.begin(), objects.end(),
                                    [&](const Object& o) { return o.name == name; });
    return found == objects.end() ? nullptr : &*found;
  }

  std::string key() const {
    std::string key;
    const auto add = [&](std::uint64_t value) { key += std::to_string(value) + ","; };
    add(static_cast<std::uint64_t>(committed)), add(static_cast<std::uint64_t>(floor));
    add(static_cast<std::uint64_t>(released)), add(running), add(page_appended);
    add(static_cast<std::uint64_t>(crashes)), add(static_cast<std::uint64_t>(faults));
    auto sorted = objects;
    std::sort(sorted.begin(), sorted.end(),
              [](const Object& a, const Object& b) { return a.name < b.name; });
    key += "|";
    for (const auto& o : sorted)
      key += std::to_string(o.name) + "=" + std::to_string(o.content) + (o.durable ? "d" : "v");
    key += "|";
    for (const int name : ledger) add(static_cast<std::uint64_t>(name));
    key += "+";
    for (const int name : unsynced) add(static_cast<std::uint64_t>(name));
    if (!running) return key;
    key += "|";
    add(progress.paged.value), add(progress.doubtful_through.value),
        add(static_cast<std::uint64_t>(progress.phase));
    for (const auto& change : progress.in_flight)
      add(static_cast<std::uint64_t>(change.state) * 32 + change.attempt);
    key += "|";
    for (const auto& effect : effects) {
      add(effect.index());
      if (const auto* put = std::get_if<Put>(&effect)) {
        for (const auto& target : put->targets) add(target.sequence.value * 32 + target.attempt);
      } else if (const auto* aside = std::get_if<SetAside>(&effect)) {
        for (const auto sequence : aside->changes) add(sequence.value);
      } else if (const auto* page = std::get_if<WritePage>(&effect)) {
        add(page->first.value), add(page->last.value);
      }
    }
    key += "|";
    for (const auto outcome : outcomes) add(static_cast<std::uint64_t>(outcome));
    return key;
  }
};

class Explorer {
 public:
  explicit Explorer(Bug bug) : bug_(bug) {}

  // Visits every state that can be reached; stops at the first that breaks a promise.
  void run() {
    visit(World{});
    while (!queue_.empty() && broken_.empty()) {
      const World world = std::move(queue_.front());
      queue_.pop_front();
      for (const auto& next : successors(world)) visit(next);
    }
  }
  std::size_t states() const { return seen_.size(); }
  const std::string& broken() const { return broken_; }

 private:
  void visit(const World& world) {
    if (!broken_.empty() || !seen_.insert(world.key()).second) return;
    broken_ = check(world);
    if (broken_.empty() && !ends_well(world)) broken_ = "never archives everything";
    if (!broken_.empty()) broken_ += " in " + world.key();
    queue_.push_back(world);
  }

  static std::string check(const World& world) {
    std::vector<int> pages = world.ledger;
    pages.insert(pages.end(), world.unsynced.begin(), world.unsynced.end());
    if (pages.size() > static_cast<std::size_t>(world.committed))
      return "P1: a page of what was never committed";
    for (std::size_t i = 0; i < pages.size(); ++i) {
      const Object* object = world.find(pages[i]);
      if (object == nullptr) return "P1: an entry without its object";
      if (object->content != static_cast<int>(i) + 1)
        return "P2/P4: an entry whose object is another's";
      if (!object->durable) return "P3: an entry whose object may not be on the disk";
    }
    if (world.floor > static_cast<int>(world.ledger.size()))
      return "P6: trimmed before the page was durable";
    if (world.released > static_cast<int>(world.ledger.size()))
      return "P6: released before the page was durable";
    return {};
  }

  // Without further faults everything comes into the ledger, in a bounded number of steps.
  bool ends_well(World world) const {
    world.crashes = 0, world.faults = 0, world.committed = kChanges;
    for (int steps = 0; steps < 200; ++steps) {
      if (world.ledger.size() == kChanges) return true;
      const auto next = machine_steps(world);
      if (next.empty()) return false;
      world = next.front();
    }
    return false;
  }

  std::vector<World> successors(const World& world) const {
    std::vector<World> next = machine_steps(world);
    if (world.committed < kChanges) {
      next.push_back(world);
      ++next.back().committed;
    }
    if (world.floor < world.released - 1) {  // the newest released change is kept
      next.push_back(world);
      ++next.back().floor;
    }
    if (world.crashes > 0 && world.running) crash(world, next);
    return next;
  }

  // What was not durable may be gone or not: each object by itself.
  static void crash(const World& world, std::vector<World>& next) {
    World after = world;
    --after.crashes;
    after.running = false;
    after.progress = {};
    after.effects.clear();
    after.outcomes.clear();
    after.page_appended = false;
    std::vector<int> at_risk;
    for (const auto& object : world.objects) {
      if (!object.durable) at_risk.push_back(object.name);
    }
    for (unsigned survivors = 0; survivors < 1U << at_risk.size(); ++survivors) {
      World one = after;
      std::erase_if(one.objects, [&](const Object& object) {
        const auto place = std::find(at_risk.begin(), at_risk.end(), object.name);
        return place != at_risk.end() && (survivors >> (place - at_risk.begin()) & 1U) == 0;
      });
      // A page that survives is synced before it is told of (port/ledger_store.h).
      World with_page = one;
      with_page.ledger.insert(with_page.ledger.end(), one.unsynced.begin(), one.unsynced.end());
      one.unsynced.clear();
      with_page.unsynced.clear();
      if (with_page.ledger != one.ledger) next.push_back(std::move(with_page));
      next.push_back(std::move(one));
    }
  }

  void step_world(World& world, const ProgressEvent& event) const {
    for (auto& effect : step(world.progress, event, {})) {
      if (auto* release = std::get_if<Release>(&effect);
          release != nullptr && bug_ == Bug::kTrimPastPage) {
        release->through = std::max(release->through.next(), world.progress.read());
      }
      world.effects.push_back(std::move(effect));
    }
    world.progress.failures = 0;  // waits are not part of this world
    world.progress.retry_at = {};
  }

  // What the recorder does next: one successor if nothing can fail, more for each fault. The first is without fault.
  std::vector<World> machine_steps(const World& world) const {
    std::vector<World> next;
    if (!world.running) {
      next.push_back(world);
      World& started = next.back();
      started.running = true;
      started.progress = Progress::after_start({world.ledger.size()}, kChanges);
      if (bug_ == Bug::kBelieveCache) started.progress.doubtful_through = {};
      return next;
    }
    if (world.effects.empty()) {
      const auto read = world.progress.read().value;
      const auto more = static_cast<std::size_t>(world.committed) -
                        std::min<std::size_t>(read, static_cast<std::size_t>(world.committed));
      for (std::size_t count = std::min(more, world.progress.room());; --count) {
        if (count > 0 || !world.progress.in_flight.empty()) {
          next.push_back(world);
          step_world(next.back(), Taken{count});
        }
        if (count == 0) break;
      }
      return next;
    }
    World rest = world;
    const ProgressEffect effect = rest.effects.front();
    if (const auto* aside = std::get_if<SetAside>(&effect)) {
      do_set_aside(rest, *aside, next);
    } else if (const auto* put = std::get_if<Put>(&effect)) {
      do_put(rest, *put, next);
    } else if (const auto* page = std::get_if<WritePage>(&effect)) {
      do_page(rest, *page, next);
    } else if (const auto* release = std::get_if<Release>(&effect)) {
      rest.effects.pop_front();
      rest.released = static_cast<int>(release->through.value);
      next.push_back(std::move(rest));
    } else {
      rest.effects.pop_front();
      World reopened = rest;
      reopened.unsynced.clear();
      step_world(reopened, LedgerReopened{true});
      next.push_back(std::move(reopened));
      if (rest.faults > 0) {
        --rest.faults;
        step_world(rest, LedgerReopened{false});
        next.push_back(std::move(rest));
      }
    }
    return next;
  }

  void do_set_aside(World world, const SetAside& aside, std::vector<World>& next) const {
    world.effects.pop_front();
    World done = world;
    for (const auto sequence : aside.changes) {
      const int change = static_cast<int>(sequence.value);
      std::erase_if(done.objects, [&](const Object& object) { return object.content == change; });
    }
    World lost = done;
    step_world(done, SetAsideAnswered{true});
    next.push_back(std::move(done));
    if (world.faults == 0) return;
    --world.faults, --lost.faults;
    step_world(world, SetAsideAnswered{false});
    step_world(lost, SetAsideAnswered{false});
    next.push_back(std::move(world));
    next.push_back(std::move(lost));
  }

  // One target at a time, so that crashes fall between; then the sync of the batch.
  void do_put(World world, const Put& put, std::vector<World>& next) const {
    if (world.outcomes.size() == put.targets.size()) {
      finish_put(std::move(world), put, next);
      return;
    }
    const auto& target = put.targets[world.outcomes.size()];
    const int change = static_cast<int>(target.sequence.value);
    const int name = name_of(change, target.attempt);
    World normal = world;
    if (const Object* there = world.find(name)) {
      // The world is malign: equal content may be in a cache only, and stays there.
      normal.outcomes.push_back(there->content == change ? PutOutcome::kAlreadyEqual
                                                         : PutOutcome::kAlreadyDifferent);
    } else {
      normal.objects.push_back({name, change, false});
      normal.outcomes.push_back(PutOutcome::kStored);
    }
    World unknown = normal;
    next.push_back(std::move(normal));
    if (world.faults == 0) return;
    --unknown.faults;
    unknown.outcomes.back() = PutOutcome::kUnknown;
    next.push_back(std::move(unknown));
    --world.faults;
    world.outcomes.push_back(bug_ == Bug::kPagePastPut ? PutOutcome::kStored
                                                       : PutOutcome::kRefused);
    next.push_back(std::move(world));
  }

  void finish_put(World world, const Put& put, std::vector<World>& next) const {
    world.effects.pop_front();
    const auto outcomes = std::exchange(world.outcomes, {});
    World failed = world;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i] != PutOutcome::kStored) continue;
      const int change = static_cast<int>(put.targets[i].sequence.value);
      for (auto& object : world.objects) {
        if (object.name == name_of(change, put.targets[i].attempt) && object.content == change)
          object.durable = true;
      }
    }
    step_world(world, PutAnswered{outcomes});
    next.push_back(std::move(world));
    if (failed.faults == 0) return;
    --failed.faults;
    auto unknown = outcomes;
    std::replace(unknown.begin(), unknown.end(), PutOutcome::kStored, PutOutcome::kUnknown);
    step_world(failed, PutAnswered{unknown});
    next.push_back(std::move(failed));
  }

  void do_page(World world, const WritePage& page, std::vector<World>& next) const {
    if (!world.page_appended) {
      for (auto sequence = page.first; sequence <= page.last; sequence = sequence.next()) {
        const auto& change =
            world.progress.in_flight[sequence.value - world.progress.paged.value - 1];
        world.unsynced.push_back(name_of(static_cast<int>(sequence.value), change.attempt));
      }
      world.page_appended = true;
      next.push_back(std::move(world));
      return;
    }
    world.page_appended = false;
    world.effects.pop_front();
    World synced = world;
    synced.ledger.insert(synced.ledger.end(), synced.unsynced.begin(), synced.unsynced.end());
    synced.unsynced.clear();
    step_world(synced, PageAnswered{true});
    next.push_back(std::move(synced));
    if (world.faults == 0) return;
    --world.faults;
    step_world(world, PageAnswered{false});
    next.push_back(std::move(world));
  }

  Bug bug_;
  std::unordered_set<std::string> seen_;
  std::deque<World> queue_;
  std::string broken_;
};

TEST(ProgressExploration, EveryStateOfASmallWorldKeepsThePromises) {
  Explorer explorer(Bug::kNone);
  explorer.run();
  std::printf("explored %zu states (%d changes, %d crashes, %d faults)\n", explorer.states(),
              kChanges, kCrashes, kFaults);
  EXPECT_EQ(explorer.broken(), "");
  EXPECT_GE(explorer.states(), 20'000U);
}

TEST(ProgressExploration, FindsAPagePastAnUnfinishedPut) {
  Explorer explorer(Bug::kPagePastPut);
  explorer.run();
  EXPECT_NE(explorer.broken().find("P1"), std::string::npos) << explorer.broken();
}

TEST(ProgressExploration, FindsATrimPastThePage) {
  Explorer explorer(Bug::kTrimPastPage);
  explorer.run();
  EXPECT_NE(explorer.broken().find("P6"), std::string::npos) << explorer.broken();
}

TEST(ProgressExploration, FindsBeliefInACache) {
  Explorer explorer(Bug::kBelieveCache);
  explorer.run();
  EXPECT_NE(explorer.broken().find("P3"), std::string::npos) << explorer.broken();
}

TEST(Progress, WaitsLongerAfterEachFailureAndNoLongerAfterASuccess) {
  Progress progress = Progress::of_new_shard();
  MonotonicInstant now{1000};
  Duration previous{0};
  for (int failure = 0; failure < 12; ++failure) {
    ASSERT_EQ(step(progress, Taken{failure == 0 ? 1U : 0U}, now).size(), 1U);
    EXPECT_TRUE(step(progress, PutAnswered{{PutOutcome::kRefused}}, now).empty());
    const auto wait = progress.retry_at - now;
    EXPECT_GE(wait, previous);
    EXPECT_LE(wait, kBackoffLast);
    previous = wait;
    now = progress.retry_at;
  }
  EXPECT_EQ(previous, kBackoffLast);
  step(progress, Taken{0}, now);
  EXPECT_EQ(step(progress, PutAnswered{{PutOutcome::kStored}}, now),
            std::vector<ProgressEffect>{(WritePage{{1}, {1}})});
  EXPECT_EQ(step(progress, PageAnswered{true}, now), std::vector<ProgressEffect>{Release{{1}}});
  EXPECT_EQ(progress.failures, 0U);
}

}  // namespace
}  // namespace pawl::archive
