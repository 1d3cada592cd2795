// Visits every state of a small world around shard_step.h: four changes, of which the third does not match the filter; a
// function that answers, throws, answers for a part, or can't be begun; a store and a destination that fail; crashes and a
// change of settings at every effect. In each state the promises are checked, and that the world comes to its end from there
// if nothing more fails.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <unordered_set>

#include "trigger/shard_step.h"

namespace pawl::trigger {
namespace {

constexpr std::uint64_t kChanges = 4;
constexpr std::uint64_t kUnmatched = 3;
constexpr Instant kWall{1'000'000};
constexpr MonotonicInstant kNow{0};

// Planted defects of the world: the exploration must find each, or it proves nothing.
enum class Bug { kNone, kKeepsPosition, kForgetsDeadLetters, kSkipsTheFailed };

bool matches(std::uint64_t change) { return change != kUnmatched; }
std::uint32_t bit(std::uint64_t change) { return 1U << change; }

struct World {
  std::uint64_t written = 0;
  std::uint64_t checkpoint = 0;  // durable
  std::uint32_t answered = 0;    // the function answered for these
  std::uint32_t tried = 0;
  std::uint32_t dead = 0;  // with a durable dead letter
  std::uint32_t dropped = 0;
  bool running = false;
  ShardStep step;
  std::optional<StepEffect> under_way;
  std::optional<KeepCheckpoint> keeping;
  int crashes = 1;
  int faults = 3;
  int changes_of_settings = 1;

  std::string key() const {
    std::string key;
    const auto add = [&](auto value) { key += std::to_string(value) + ","; };
    add(written), add(checkpoint), add(answered), add(tried), add(dead), add(dropped), add(running);
    add(crashes), add(faults), add(changes_of_settings);
    if (!running) return key;
    add(step.kept.value), add(step.done.value), add(step.position.value), add(step.newest.value);
    for (const Taken& taken : step.buffer) add(taken.sequence.value);
    key += "|";
    for (const auto& piece : step.pieces) add(piece.count), add(piece.attempts);
    key += "|";
    if (step.condemned) {
      add(step.condemned->count), add(static_cast<int>(step.condemned->reason));
      add(step.condemned->deliveries), add(step.condemned->kept);
    }
    key += "|";
    add(static_cast<int>(step.phase)), add(step.full), add(step.ended),
        add(step.keeping_checkpoint);
    add(step.reread), add(step.settings.enabled), add(step.settings.batch_size);
    // Times matter as far as they lie ahead.
    add(step.retry_at > kNow), add(step.failures > 0), add(step.not_begun > 0);
    add(step.buffered_since > kNow);
    add(under_way ? under_way->index() + 1 : 0), add(keeping ? keeping->through.value : 99);
    return key;
  }
};

class Exploration {
 public:
  Exploration(StepSettings settings, Bug bug) : settings_(settings), bug_(bug) {}

  // What broke, or nothing.
  std::string run() {
    visit(World{});
    while (!todo_.empty() && broken_.empty()) {
      const World world = std::move(todo_.back());
      todo_.pop_back();
      check(world);
      check_ends(world);
      branch(world);
    }
    return broken_;
  }
  std::size_t states() const { return seen_.size(); }

 private:
  void visit(const World& world) {
    if (seen_.insert(world.key()).second) todo_.push_back(world);
  }
  void broken(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }
  bool is_aws() const { return settings_.profile == Profile::kAws; }

  void apply(World& world, const StepEvent& event) {
    auto buffer = world.step.buffer;
    if (const auto* read = std::get_if<ReadAnswered>(&event)) {
      buffer.insert(buffer.end(), read->records.begin(), read->records.end());
    }
    const auto effects = step(world.step, event, kWall, kNow);
    note_dropped(world, buffer);
    // Only what is ahead or not matters.
    for (MonotonicInstant* time : {&world.step.retry_at, &world.step.buffered_since}) {
      if (*time < kNow) *time = kNow;
    }
    world.step.counts = {};
    for (const StepEffect& effect : effects) {
      if (std::holds_alternative<KeepCheckpoint>(effect) && &effect != &effects.front()) {
        broken("a checkpoint waits for a call");
      }
      if (const auto* keep = std::get_if<KeepCheckpoint>(&effect)) {
        if (world.keeping) broken("two checkpoints at once");
        world.keeping = *keep;
        if (bug_ == Bug::kKeepsPosition) world.keeping->through = world.step.position;
        continue;
      }
      if (world.under_way) broken("two things at once");
      world.under_way = effect;
      if (const auto* invoke = std::get_if<Invoke>(&effect)) check_invoke(world, invoke->count);
      if (const auto* keep = std::get_if<KeepDeadLetters>(&effect)) check_tried(world, keep->count);
    }
  }

  // aws: what left the buffer without an answer was dropped.
  void note_dropped(World& world, const std::deque<Taken>& before) const {
    if (!is_aws()) return;
    for (const Taken& taken : before) {
      if (taken.sequence <= world.step.done) world.dropped |= bit(taken.sequence.value);
    }
  }

  void check_invoke(const World& world, std::size_t count) {
    if (count == 0 || count > world.step.buffer.size()) return broken("a batch of nothing");
    if (count > settings_.batch_size) broken("a batch too large");
    const auto first = world.step.buffer.front().sequence.value;
    for (std::uint64_t change = 1; change < first; ++change) {
      if (matches(change) && ((world.answered | world.dead | world.dropped) & bit(change)) == 0) {
        broken("change " + std::to_string(first) + " before " + std::to_string(change));
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0 && world.step.buffer[i].sequence <= world.step.buffer[i - 1].sequence) {
        broken("a batch out of order");
      }
    }
  }
  // Not when it is asked for: it may be withdrawn.
  static void note_tried(World& world, const StepEffect& effect) {
    const auto* const invoke = std::get_if<Invoke>(&effect);
    if (invoke == nullptr) return;
    for (std::size_t i = 0; i < invoke->count; ++i) {
      world.tried |= bit(world.step.buffer[i].sequence.value);
    }
  }
  void check_tried(const World& world, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if ((world.tried & bit(world.step.buffer[i].sequence.value)) == 0) {
        broken("a dead letter of what was never tried");
      }
    }
  }
  void check(const World& world) {
    for (std::uint64_t change = 1; change <= world.checkpoint; ++change) {
      if (matches(change) && ((world.answered | world.dead | world.dropped) & bit(change)) == 0) {
        broken("the checkpoint " + std::to_string(world.checkpoint) + " passed change " +
               std::to_string(change));
      }
    }
  }

  // The same world in which everything goes well from now on.
  void check_ends(World world) {
    for (int turn = 0; turn < 200 && broken_.empty(); ++turn) {
      if (!world.running) {
        start(world);
      } else if (world.written < kChanges) {
        write(world);
      } else if (world.under_way) {
        answer_well(world);
      } else if (world.keeping) {
        keep(world);
      } else if (!world.step.settings.enabled) {
        apply(world, Configured{settings_});
      } else if (next_wake(world.step)) {
        pass_time(world);
      } else {
        break;
      }
      check(world);
    }
    if (world.checkpoint != kChanges) {
      broken("it ends at checkpoint " + std::to_string(world.checkpoint) + " from " + world.key());
    }
  }

  void start(World& world) {
    world.running = true;
    world.step = ShardStep::from({world.checkpoint}, settings_);
    world.under_way.reset();
    world.keeping.reset();
    apply(world, Woken{{world.written}});
  }
  void write(World& world) {
    ++world.written;
    apply(world, Woken{{world.written}});
  }
  void pass_time(World& world) {
    world.step.retry_at = kNow;
    if (world.step.pieces.empty()) world.step.buffered_since = {-settings_.window.count()};
    apply(world, Woken{{world.written}});
  }
  static StepEvent read(const World& world, const Read& effect) {
    ReadAnswered answer{.through = effect.after};
    for (std::uint64_t change = effect.after.value + 1; change <= world.written; ++change) {
      if (answer.records.size() == effect.count_max) break;
      answer.through = {change};
      if (matches(change)) answer.records.push_back({{change}, Instant{}, 10});
    }
    return answer;
  }
  void keep(World& world) {
    const auto through = world.keeping->through;
    world.keeping.reset();
    world.checkpoint = std::max(world.checkpoint, through.value);
    apply(world, CheckpointKept{through});
  }
  void keep_dead_letters(World& world, std::size_t count) const {
    if (bug_ == Bug::kForgetsDeadLetters) return;
    for (std::size_t i = 0; i < count; ++i) world.dead |= bit(world.step.buffer[i].sequence.value);
  }
  // The first `count` of the buffer.
  static void answer_for(World& world, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      world.answered |= bit(world.step.buffer[i].sequence.value);
    }
  }

  void answer_well(World& world) {
    const StepEffect effect = *world.under_way;
    world.under_way.reset();
    note_tried(world, effect);
    if (const auto* r = std::get_if<Read>(&effect)) {
      apply(world, read(world, *r));
    } else if (const auto* invoke = std::get_if<Invoke>(&effect)) {
      answer_for(world, invoke->count);
      apply(world, Invoked{Invoked::Outcome::kDone, {}});
    } else if (const auto* dead = std::get_if<KeepDeadLetters>(&effect)) {
      keep_dead_letters(world, dead->count);
      apply(world, DeadLettersKept{true});
    } else {
      apply(world, Delivered{true});
    }
  }

  void answer_badly(const World& before) {
    const StepEffect effect = *before.under_way;
    World world = before;
    world.under_way.reset();
    note_tried(world, effect);
    --world.faults;
    if (std::holds_alternative<Read>(effect)) {
      apply(world, ReadFailed{});
      return visit(world);
    }
    if (std::holds_alternative<KeepDeadLetters>(effect)) {
      apply(world, DeadLettersKept{false});
      return visit(world);
    }
    if (std::holds_alternative<Deliver>(effect)) {
      apply(world, Delivered{false});
      return visit(world);
    }
    const std::size_t count = std::get<Invoke>(effect).count;
    for (const auto outcome : {Invoked::Outcome::kFailed, Invoked::Outcome::kNotBegun}) {
      World next = world;
      apply(next, Invoked{bug_ == Bug::kSkipsTheFailed ? Invoked::Outcome::kDone : outcome, {}});
      visit(next);
    }
    for (std::size_t good = 0; good < count; ++good) {
      World next = world;
      const SequenceNumber failed = world.step.buffer[good].sequence;
      answer_for(next, good);
      apply(next, Invoked{Invoked::Outcome::kPartly, failed});
      visit(next);
    }
  }

  // Each half of what is under way may have happened.
  void crash(const World& before) {
    World world = before;
    --world.crashes;
    world.running = false;
    const auto* dead =
        before.under_way ? std::get_if<KeepDeadLetters>(&*before.under_way) : nullptr;
    for (const bool checkpoint_kept : {false, true}) {
      for (const bool dead_kept : {false, true}) {
        World next = world;
        if (checkpoint_kept && before.keeping) {
          next.checkpoint = std::max(next.checkpoint, before.keeping->through.value);
        }
        if (dead_kept && dead != nullptr) keep_dead_letters(next, dead->count);
        check(next);
        visit(next);
      }
    }
  }

  void branch(const World& world) {
    if (!world.running) {
      World next = world;
      start(next);
      return visit(next);
    }
    if (world.written < kChanges) {
      World next = world;
      write(next);
      visit(next);
    }
    if (world.crashes > 0) crash(world);
    if (world.changes_of_settings > 0 || !world.step.settings.enabled) {
      World next = world;
      StepSettings other = settings_;
      other.enabled = !world.step.settings.enabled;
      next.changes_of_settings -= other.enabled ? 0 : 1;
      apply(next, Configured{other});
      visit(next);
    }
    if (world.keeping) {
      World next = world;
      keep(next);
      visit(next);
    }
    const bool may_be_withdrawn = world.under_way && world.step.reread &&
                                  (std::holds_alternative<Read>(*world.under_way) ||
                                   std::holds_alternative<Invoke>(*world.under_way));
    if (may_be_withdrawn) {
      World next = world;
      next.under_way.reset();
      apply(next, Withdrawn{});
      visit(next);
    }
    if (world.under_way) {
      World next = world;
      answer_well(next);
      visit(next);
      if (world.faults > 0) answer_badly(world);
    } else if (next_wake(world.step)) {
      World next = world;
      pass_time(next);
      visit(next);
    }
  }

  const StepSettings settings_;
  const Bug bug_;
  std::unordered_set<std::string> seen_;
  std::vector<World> todo_;
  std::string broken_;
};

std::vector<StepSettings> all_settings(Profile profile) {
  std::vector<StepSettings> all;
  for (const std::size_t batch : {1U, 2U, 4U}) {
    for (const std::optional<std::uint32_t> retries :
         {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(0),
          std::optional<std::uint32_t>(1)}) {
      for (const bool bisect : {false, true}) {
        for (const bool old : {false, true}) {
          StepSettings settings;
          settings.profile = profile;
          settings.batch_size = batch;
          settings.bytes_max = 35;
          settings.retries_max = retries;
          settings.bisect = bisect;
          settings.has_destination = bisect != old;
          if (old) settings.age_max = Duration{0};
          if (batch == 2) settings.window = std::chrono::seconds(1);
          all.push_back(settings);
        }
      }
    }
  }
  return all;
}

void explore(Profile profile) {
  std::size_t states = 0;
  for (const StepSettings& settings : all_settings(profile)) {
    Exploration exploration(settings, Bug::kNone);
    EXPECT_EQ(exploration.run(), "")
        << "batch " << settings.batch_size << " bisect " << settings.bisect;
    states += exploration.states();
  }
  std::printf("%zu states\n", states);
  EXPECT_GT(states, 10'000U);
}

TEST(ShardStepExploration, PawlLosesNothing) { explore(Profile::kPawl); }
TEST(ShardStepExploration, AwsKeepsTheOrderAndComesToItsEnd) { explore(Profile::kAws); }

TEST(ShardStepExploration, FindsPlantedDefects) {
  for (const Bug bug : {Bug::kKeepsPosition, Bug::kForgetsDeadLetters, Bug::kSkipsTheFailed}) {
    bool found = false;
    for (const StepSettings& settings : all_settings(Profile::kPawl)) {
      if (found) break;
      Exploration exploration(settings, bug);
      found = !exploration.run().empty();
    }
    EXPECT_TRUE(found) << static_cast<int>(bug);
  }
}

}  // namespace
}  // namespace pawl::trigger
