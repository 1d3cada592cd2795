// Where faults bite, and who decides that they do.
//
// The memory stores of this folder ask a FaultPlan at every place where the world could answer in
// more than one way: which outcome a write has, what a crash leaves, how long a put takes. Each
// question has a point and a number of choices; 0 is always the answer of a world without faults.
// So one run of a system is a function of its plan, and a plan can be
//   - seeded:     probabilities a point, for many long runs       (SeededFaultPlan)
//   - scripted:   the choices of one run, for one exact scenario  (ScriptedFaultPlan)
//   - exhaustive: every run of a small scope, one after another   (ExhaustiveFaultPlan)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "port/random.h"

namespace pawl {

// The places. The choices beyond 0 are the enums beside the store that asks.
enum class FaultPoint : std::uint8_t {
  kStoreWrite = 0,  // MemoryKeyValueStore::write        StoreWriteFault
  kStoreCrash,      // how many unsynced writes survive a crash (0: none)
  kStoreRemoval,    // how much of the first lost remove_range survives: 0 none, 1 every second key
  kObjectPut,       // one object of a put_if_absent     ObjectPutFault
  kObjectSync,      // the sync of a batch               ObjectSyncFault
  kObjectGet,       // MemoryObjectStore::get            1: unavailable
  kObjectCrash,     // one unsynced object at a crash: 0 gone, 1 stays
  kObjectDelay,     // before a batch, and before its sync: n units of InjectedDelay
  kLedgerAppend,    // one append call                   LedgerAppendFault
  kLedgerSync,      // LedgerStore::sync                 1: failed
  kLedgerTip,       // LedgerStore::put_tip              LedgerTipFault
  kLedgerCrash,     // the unsynced end of one chain     LedgerCrashFault
  kLedgerDelay,     // before an append, and before a sync: n units of InjectedDelay
  kLeaseWrite,      // one put or erase of a lease       LeaseWriteFault
  kLeaseRead,       // MemoryLeaseStore's other calls    1: unavailable
  kLeaseDelay,      // before a call's effect, and after it: n units of InjectedDelay
};
inline constexpr std::size_t kFaultPoints = 16;

std::string_view name_of(FaultPoint point);

// One thread at a time.
class FaultPlan {
 public:
  virtual ~FaultPlan() = default;
  // A number below `choices` (>= 1). Asked once each time the question arises, in the order of the
  // run.
  virtual std::size_t choose(FaultPoint point, std::size_t choices) = 0;
};

// How often a point answers with a fault, in parts per thousand; which one is then drawn evenly.
class SeededFaultPlan final : public FaultPlan {
 public:
  explicit SeededFaultPlan(std::uint64_t seed);

  // 0 to 1,000; 0 at the start for every point.
  SeededFaultPlan& set(FaultPoint point, unsigned per_mille);
  // No fault until it is switched on again; the draws go on, so that a run's random numbers don't
  // shift.
  void set_enabled(bool enabled) { enabled_ = enabled; }

  std::size_t choose(FaultPoint point, std::size_t choices) override;
  // How many faults this plan has given, for tests that must see some.
  std::uint64_t given(FaultPoint point) const;

 private:
  std::uint64_t state_;
  bool enabled_ = true;
  std::array<unsigned, kFaultPoints> per_mille_{};
  std::array<std::uint64_t, kFaultPoints> given_{};
};

// Exact answers: for each point a queue; 0 when it is empty.
class ScriptedFaultPlan final : public FaultPlan {
 public:
  // The next answers of `point`, after those that are queued already.
  ScriptedFaultPlan& then(FaultPoint point, std::vector<std::size_t> choices);
  // All queued answers were asked for: a script that didn't happen is a test that tested nothing.
  bool used_up() const;

  std::size_t choose(FaultPoint point, std::size_t choices) override;

 private:
  std::array<std::vector<std::size_t>, kFaultPoints> queued_;
  std::array<std::size_t, kFaultPoints> asked_{};
};

// Every run with at most `faults_max` answers other than 0, by depth-first search:
//   ExhaustiveFaultPlan plan(3);
//   do { run_everything_from_the_start(plan); } while (plan.next_run());
// The run must be a function of the plan. Use the same plan for further choices of the test itself
// (a crash here?) through choose_for_test().
class ExhaustiveFaultPlan final : public FaultPlan {
 public:
  explicit ExhaustiveFaultPlan(std::size_t faults_max) : faults_max_(faults_max) {}

  std::size_t choose(FaultPoint point, std::size_t choices) override;
  std::size_t choose_for_test(std::size_t choices);
  // Goes to the next run; false when all have been run.
  bool next_run();
  // The choices of this run, "0 2 0 1": to reproduce a failure by hand.
  std::string trace() const;

 private:
  struct Step {
    std::size_t chosen;
    std::size_t choices;
  };
  std::vector<Step> steps_;
  std::size_t position_ = 0;
  std::size_t faults_ = 0;  // among steps_[0, position_)
  std::size_t faults_max_;
};

// A small, fast generator (splitmix64): the same numbers for the same seed on every machine.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;
  // Evenly below `bound` (>= 1), near enough for tests.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace pawl
