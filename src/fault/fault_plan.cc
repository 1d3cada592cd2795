#include "fault/fault_plan.h"

#include "base/assert.h"

namespace pawl {
namespace {

constexpr std::array<std::string_view, kFaultPoints> kNames = {
    "store-write",  "store-crash",  "store-removal", "object-put",  "object-sync", "object-get",
    "object-crash", "object-delay", "ledger-append", "ledger-sync", "ledger-tip",  "ledger-crash",
    "ledger-delay", "lease-write",  "lease-read",    "lease-delay"};

std::size_t index_of(FaultPoint point) { return static_cast<std::size_t>(point); }

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

std::string_view name_of(FaultPoint point) { return kNames[index_of(point)]; }

std::uint64_t SeededRandom::next() { return splitmix64(state_); }

SeededFaultPlan::SeededFaultPlan(std::uint64_t seed) : state_(seed) {}

SeededFaultPlan& SeededFaultPlan::set(FaultPoint point, unsigned per_mille) {
  PAWL_ASSERT(per_mille <= 1000);
  per_mille_[index_of(point)] = per_mille;
  return *this;
}

std::size_t SeededFaultPlan::choose(FaultPoint point, std::size_t choices) {
  PAWL_ASSERT(choices >= 1);
  const std::uint64_t whether = splitmix64(state_);
  const std::uint64_t which = splitmix64(state_);
  if (choices == 1 || !enabled_ || whether % 1000 >= per_mille_[index_of(point)]) return 0;
  ++given_[index_of(point)];
  return 1 + static_cast<std::size_t>(which % (choices - 1));
}

std::uint64_t SeededFaultPlan::given(FaultPoint point) const { return given_[index_of(point)]; }

ScriptedFaultPlan& ScriptedFaultPlan::then(FaultPoint point, std::vector<std::size_t> choices) {
  auto& queue = queued_[index_of(point)];
  queue.insert(queue.end(), choices.begin(), choices.end());
  return *this;
}

bool ScriptedFaultPlan::used_up() const {
  for (std::size_t i = 0; i < kFaultPoints; ++i) {
    if (asked_[i] < queued_[i].size()) return false;
  }
  return true;
}

std::size_t ScriptedFaultPlan::choose(FaultPoint point, std::size_t choices) {
  const std::size_t i = index_of(point);
  if (asked_[i] >= queued_[i].size()) return 0;
  const std::size_t chosen = queued_[i][asked_[i]++];
  PAWL_ASSERT(chosen < choices);
  return chosen;
}

std::size_t ExhaustiveFaultPlan::choose(FaultPoint, std::size_t choices) {
  return choose_for_test(choices);
}

std::size_t ExhaustiveFaultPlan::choose_for_test(std::size_t choices) {
  PAWL_ASSERT(choices >= 1);
  if (position_ == steps_.size()) steps_.push_back({0, choices});
  Step& step = steps_[position_++];
  // Else the run isn't a function of the plan.
  PAWL_ASSERT(step.choices == choices);
  if (step.chosen != 0) ++faults_;
  return step.chosen;
}

bool ExhaustiveFaultPlan::next_run() {
  // Steps that this run didn't reach belong to no run with this prefix.
  steps_.resize(position_);
  while (!steps_.empty()) {
    Step& last = steps_.back();
    if (last.chosen != 0) --faults_;
    if (last.chosen + 1 < last.choices && faults_ < faults_max_) {
      ++last.chosen;
      position_ = 0;
      faults_ = 0;
      return true;
    }
    steps_.pop_back();
  }
  position_ = 0;
  faults_ = 0;
  return false;
}

std::string ExhaustiveFaultPlan::trace() const {
  std::string text;
  for (const Step& step : steps_) {
    if (!text.empty()) text += ' ';
    text += std::to_string(step.chosen);
  }
  return text;
}

}  // namespace pawl
