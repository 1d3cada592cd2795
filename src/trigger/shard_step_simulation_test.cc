// Thousands of histories of a shard and its mapping, each drawn from a seed: changes come, the function fails in all of its
// ways, some changes are poison, the process dies between any two things, the settings change, the source trims. Checkers, one a
// promise, look at every step and at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "trigger/shard_step.h"

namespace pawl::trigger {
namespace {

class Dice {  // SplitMix64
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool per_mille(unsigned chance) { return below(1000) < chance; }

 private:
  std::uint64_t state_;
};

constexpr std::uint64_t kChangesMax = 60;

class History {
 public:
  History(std::uint64_t seed, Profile profile) : dice_(seed) {
    changes_ = 10 + dice_.below(kChangesMax - 10);
    unmatched_every_ = 2 + dice_.below(6);
    flaky_ = dice_.per_mille(500) ? 150 : 0;
    crashes_ = dice_.per_mille(700) ? 20 : 0;
    for (std::uint64_t i = dice_.below(4); i > 0; --i) poison_.insert(1 + dice_.below(changes_));
    settings_ = draw(profile);
  }

  // What broke; nothing if all was well.
  std::string run() {
    start();
    constexpr int kTurnsMax = 20'000;
    for (int turn = 0; turn < kTurnsMax && broken_.empty(); ++turn) {
      if (is_over()) return broken_;
      act();
      // From some time on nothing goes wrong any more but what is poison; in the end that is mended, too.
      if (turn == kTurnsMax / 2) calm_ = true;
      if (turn == kTurnsMax * 3 / 4) poison_.clear();
    }
    if (broken_.empty()) broken("it does not come to its end");
    return broken_;
  }

  std::uint64_t trace() const { return trace_; }
  const std::set<std::uint64_t>& dead() const { return dead_; }
  std::uint64_t lost() const { return lost_; }
  std::size_t batches() const { return batches_; }

 private:
  StepSettings draw(Profile profile) {
    StepSettings settings;
    settings.profile = profile;
    settings.batch_size = 1 + dice_.below(20);
    settings.bytes_max = 500 + dice_.below(2000);
    if (dice_.per_mille(400)) settings.window = std::chrono::milliseconds(dice_.below(3000));
    if (dice_.per_mille(700)) settings.retries_max = static_cast<std::uint32_t>(dice_.below(5));
    if (dice_.per_mille(300)) settings.age_max = std::chrono::milliseconds(dice_.below(20'000));
    if (profile == Profile::kAws) settings.retention = std::chrono::seconds(30);
    settings.bisect = dice_.per_mille(400);
    settings.has_destination = dice_.per_mille(400);
    return settings;
  }
  void broken(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }
  bool is_aws() const { return settings_.profile == Profile::kAws; }
  bool matches(std::uint64_t change) const { return change % unmatched_every_ != 0; }
  bool is_settled(std::uint64_t change) const {
    return !matches(change) || answered_.contains(change) || dead_.contains(change);
  }
  Instant wall() const { return {1'000'000'000 + now_.microseconds}; }

  bool is_over() {
    if (written_ < changes_ || !running_ || under_way_ || checkpoint_ < changes_) return false;
    for (std::uint64_t change = 1; change <= changes_; ++change) {
      if (is_settled(change)) continue;
      ++lost_;
      if (!is_aws()) broken("change " + std::to_string(change) + " is lost");
    }
    return true;
  }

  void start() {
    running_ = true;
    step_ = ShardStep::from({checkpoint_}, settings_);
    under_way_.reset();
    keeping_.reset();
    apply(Woken{{written_}});
  }
  void crash() {
    note(1);
    if (keeping_ && dice_.per_mille(500)) keep();
    if (under_way_) {
      if (const auto* dead = std::get_if<KeepDeadLetters>(&*under_way_)) {
        if (dice_.per_mille(500)) bury(dead->count);
      }
    }
    running_ = false;
  }

  void act() {
    if (!running_) return start();
    if (!calm_ && dice_.per_mille(crashes_)) return crash();
    if (!calm_ && dice_.per_mille(10)) return reconfigure();
    if (!step_.settings.enabled && dice_.per_mille(100)) return apply(Configured{settings_});
    if (written_ < changes_ && dice_.per_mille(200)) return write();
    if (keeping_ && dice_.per_mille(300)) {
      keep();
      return apply(CheckpointKept{{checkpoint_}});
    }
    if (under_way_ && dice_.per_mille(600)) return answer();
    now_ = now_ + std::chrono::milliseconds(dice_.below(200));
    if (is_aws() && dice_.per_mille(100)) trim();
    apply(Woken{{written_}});
  }
  void write() {
    instants_.push_back(wall());
    apply(Woken{{++written_}});
  }
  // The source forgets a part of what is older than its retention.
  void trim() {
    while (floor_ < written_ &&
           wall().microseconds - instants_[floor_].microseconds > settings_.retention->count()) {
      ++floor_;
    }
  }
  void reconfigure() {
    StepSettings other = draw(settings_.profile);
    other.enabled = !dice_.per_mille(300);
    other.bytes_max = settings_.bytes_max;
    apply(Configured{other});
    settings_ = other;
    settings_.enabled = true;
    // Whether the shell had begun it already.
    const bool may_be_withdrawn =
        under_way_ && step_.reread &&
        (std::holds_alternative<Read>(*under_way_) || std::holds_alternative<Invoke>(*under_way_));
    if (may_be_withdrawn && dice_.per_mille(500)) {
      under_way_.reset();
      apply(Withdrawn{});
    }
  }
  void keep() {
    checkpoint_ = std::max(checkpoint_, keeping_->through.value);
    keeping_.reset();
    for (std::uint64_t change = 1; change <= checkpoint_; ++change) {
      if (!is_aws() && !is_settled(change)) {
        broken("checkpoint " + std::to_string(checkpoint_) + " passed " + std::to_string(change));
      }
    }
    if (!is_aws()) floor_ = dice_.below(checkpoint_ + 1);
  }
  void bury(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto change = step_.buffer[i].sequence.value;
      dead_.insert(change);
      if (!tried_.contains(change) && step_.buffer[i].bytes <= step_.settings.bytes_max) {
        broken("change " + std::to_string(change) + " is dead, and was never tried");
      }
      if (flaky_ == 0 && !was_poison_.contains(change) &&
          step_.buffer[i].bytes <= step_.settings.bytes_max) {
        broken("change " + std::to_string(change) + " is condemned for its neighbour's sake");
      }
    }
  }

  void answer() {
    const StepEffect effect = *under_way_;
    under_way_.reset();
    const bool fails = !calm_ && dice_.per_mille(50);
    if (const auto* read = std::get_if<Read>(&effect)) {
      if (fails) return apply(ReadFailed{});
      return answer_read(*read);
    }
    if (const auto* invoke = std::get_if<Invoke>(&effect)) return answer_invoke(invoke->count);
    if (const auto* dead = std::get_if<KeepDeadLetters>(&effect)) {
      if (fails) return apply(DeadLettersKept{false});
      bury(dead->count);
      return apply(DeadLettersKept{true});
    }
    apply(Delivered{!fails});
  }
  void answer_read(const Read& read) {
    if (read.after.value < floor_) {
      if (!is_aws()) broken("what the mapping needs was trimmed");
      return apply(ReadFailed{SequenceNumber{floor_}});
    }
    ReadAnswered answer{.through = read.after};
    std::size_t bytes = 0;
    for (std::uint64_t change = read.after.value + 1; change <= written_; ++change) {
      if (answer.records.size() == read.count_max) break;
      if (matches(change)) {
        const std::size_t size = 10 + (change * 7919) % 700;
        const bool is_first = step_.buffer.empty() && answer.records.empty();
        if (!is_first && bytes + size > read.bytes_max) {
          answer.full = true;
          break;
        }
        bytes += size;
        answer.records.push_back({{change}, instants_[change - 1], size});
      }
      answer.through = {change};
    }
    apply(answer);
  }
  void answer_invoke(std::size_t count) {
    was_poison_.insert(poison_.begin(), poison_.end());
    for (std::size_t i = 0; i < count; ++i) tried_.insert(step_.buffer[i].sequence.value);
    const auto poisoned = std::find_if(
        step_.buffer.begin(), step_.buffer.begin() + static_cast<std::ptrdiff_t>(count),
        [this](const Taken& taken) { return poison_.contains(taken.sequence.value); });
    const auto good = static_cast<std::size_t>(poisoned - step_.buffer.begin());
    if (!calm_ && dice_.per_mille(100)) return apply(Invoked{Invoked::Outcome::kNotBegun, {}});
    if (!calm_ && dice_.per_mille(flaky_)) return apply(Invoked{Invoked::Outcome::kFailed, {}});
    if (good == count) {
      settle(count);
      return apply(Invoked{Invoked::Outcome::kDone, {}});
    }
    if (dice_.per_mille(500)) return apply(Invoked{Invoked::Outcome::kFailed, {}});
    settle(good);
    apply(Invoked{Invoked::Outcome::kPartly, poisoned->sequence});
  }
  void settle(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) answered_.insert(step_.buffer[i].sequence.value);
  }

  void check_invoke(std::size_t count) {
    ++batches_;
    if (count == 0 || count > step_.buffer.size()) return broken("a batch of nothing");
    if (count > step_.settings.batch_size) broken("a batch too large");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Taken& taken = step_.buffer[i];
      bytes += taken.bytes;
      if (i > 0 && taken.sequence <= step_.buffer[i - 1].sequence) broken("out of order");
      if (!matches(taken.sequence.value)) broken("what does not match the filter");
    }
    if (bytes > step_.settings.bytes_max) broken("a payload too large");
    const auto first = step_.buffer.front().sequence.value;
    for (std::uint64_t change = 1; change < first && !is_aws(); ++change) {
      if (!is_settled(change)) broken(std::to_string(first) + " before " + std::to_string(change));
    }
    // aws: whatever it loses, it never goes back behind what it has passed in this life.
    if (first <= passed_ && passed_ != 0) broken("an older change after a newer one was done");
  }

  void apply(const StepEvent& event) {
    note(event.index());
    const auto effects = step(step_, event, wall(), now_);
    passed_ = step_.done.value;
    for (const StepEffect& effect : effects) {
      note(100 + effect.index());
      if (const auto* keep = std::get_if<KeepCheckpoint>(&effect)) {
        if (keeping_) broken("two checkpoints at once");
        if (keep->through > step_.done) broken("a checkpoint of what is not done");
        keeping_ = *keep;
        continue;
      }
      if (under_way_) broken("two things at once");
      under_way_ = effect;
      if (const auto* invoke = std::get_if<Invoke>(&effect)) check_invoke(invoke->count);
      if (!step_.settings.enabled) broken("work while it is paused");
    }
  }
  void note(std::uint64_t value) {
    trace_ = (trace_ ^ (value + step_.done.value * 131 + step_.position.value)) * 0x100000001B3ULL;
    trace_ ^= trace_ >> 31;
  }

  Dice dice_;
  std::uint64_t changes_ = 0;
  std::uint64_t unmatched_every_ = 2;
  unsigned flaky_ = 0;
  unsigned crashes_ = 0;
  std::set<std::uint64_t> poison_;
  std::set<std::uint64_t> was_poison_;
  StepSettings settings_;

  MonotonicInstant now_{0};
  std::uint64_t written_ = 0;
  std::vector<Instant> instants_;
  std::uint64_t floor_ = 0;
  std::uint64_t checkpoint_ = 0;
  std::uint64_t passed_ = 0;
  std::set<std::uint64_t> answered_, dead_, tried_;
  bool running_ = false;
  bool calm_ = false;
  ShardStep step_;
  std::optional<StepEffect> under_way_;
  std::optional<KeepCheckpoint> keeping_;
  std::string broken_;
  std::uint64_t lost_ = 0;
  std::size_t batches_ = 0;
  std::uint64_t trace_ = 0xCBF29CE484222325ULL;
};

TEST(ShardStepSimulation, PawlLosesNothing) {
  std::size_t dead = 0;
  std::size_t batches = 0;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    History history(seed, Profile::kPawl);
    ASSERT_EQ(history.run(), "") << "seed " << seed;
    dead += history.dead().size();
    batches += history.batches();
  }
  std::printf("%zu batches, %zu dead letters\n", batches, dead);
  EXPECT_GT(dead, 500U);
}

TEST(ShardStepSimulation, AwsLosesAsTheServiceDoesAndComesToItsEnd) {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    History history(seed, Profile::kAws);
    ASSERT_EQ(history.run(), "") << "seed " << seed;
    lost += history.lost();
  }
  std::printf("%llu changes lost\n", static_cast<unsigned long long>(lost));
  EXPECT_GT(lost, 500U);
}

TEST(ShardStepSimulation, ASeedIsItsHistory) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    History first(seed, Profile::kPawl);
    History second(seed, Profile::kPawl);
    first.run(), second.run();
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pawl::trigger
