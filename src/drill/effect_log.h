// Every effect of a simulated process on the world, one after another: where it may die, and what a run's trace is made of.
//
// A process dies at a tick. There is one before and one after each effect on a store, and one between any two handlers
// of the executor, so that a seed can place a crash anywhere. At an effect it dies by an exception, which nothing in the
// product catches: no line after it runs, destructors do.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl::drill {

// Thrown out of a store's call when the process that made it is dead.
struct ProcessDied {};

// One thread. Outlives the processes.
class EffectLog {
 public:
  // The process dies at the `ticks`-th tick from now (>= 1); nothing: it lives on. Makes a new process alive.
  void start_process(std::optional<std::uint64_t> dies_after_ticks);
  bool died() const { return died_; }
  // Whatever was planned, it goes on living.
  void disarm() { left_.reset(); }

  // Around each effect. Throws ProcessDied if the process is dead, or dies here.
  void effect(std::string_view what);
  // Between handlers. True if the process dies here.
  bool tick();

  // Any further fact that two runs of one seed must agree on.
  void note(std::string_view fact);
  void note(std::uint64_t number);
  std::uint64_t digest() const { return digest_; }
  std::uint64_t effects() const { return effects_; }

 private:
  std::optional<std::uint64_t> left_;
  bool died_ = false;
  std::uint64_t digest_ = 0xCBF29CE484222325ULL;
  std::uint64_t effects_ = 0;
};

}  // namespace pawl::drill
