// Virtual time and chance for guard_simulation_test.cc: what happens is a function of the seed alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"

namespace pawl::guard::simulation {

// The world's own time, in microseconds from its start. Workers never see it: each has a clock of its own.
using Time = std::int64_t;
constexpr Time kMillisecond = 1000;
constexpr Time kSecond = 1'000'000;

class Dice {  // SplitMix64
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // 0 to n-1.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  Time between(Time least, Time most) {
    return least + static_cast<Time>(below(static_cast<std::uint64_t>(most - least + 1)));
  }
  bool per_mille(unsigned chance) { return below(1000) < chance; }

 private:
  std::uint64_t state_;
};

// What is to happen, in order; of the same moment in the order in which it was said.
class Agenda {
 public:
  void at(Time when, std::function<void()> what) {
    events_.push_back({std::max(when, now_), next_++, std::move(what)});
    std::push_heap(events_.begin(), events_.end(), later);
  }
  // The next thing, if there is one not after `end`; else time goes to `end`.
  bool run_one(Time end) {
    if (events_.empty() || events_.front().when > end) {
      now_ = std::max(now_, end);
      return false;
    }
    std::pop_heap(events_.begin(), events_.end(), later);
    auto event = std::move(events_.back());
    events_.pop_back();
    now_ = event.when;
    ++done_;
    event.what();
    return true;
  }
  Time now() const { return now_; }
  std::uint64_t done() const { return done_; }

 private:
  struct Event {
    Time when = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
  };
  static bool later(const Event& a, const Event& b) {
    return std::pair(a.when, a.order) > std::pair(b.when, b.order);
  }
  std::vector<Event> events_;
  Time now_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t done_ = 0;
};

// A hash of all that was seen to happen, to compare two runs of one seed.
class Trace {
 public:
  void add(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x100000001B3ULL, hash_ ^= hash_ >> 31;
  }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace pawl::guard::simulation
