// Numbers that look random and are formulas: the same seed tells the same story.
#pragma once

#include <cstdint>
#include <string_view>

namespace scripted {

// splitmix64's last step: a bijection of 64 bits (Steele, Lea and Flood, 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return mix(hash);
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed = 0) : state_(seed) {}
  std::uint64_t next() { return mix(state_++); }
  // True once in 1/probability draws.
  bool happens(double probability) {
    if (probability >= 1) return true;
    if (probability <= 0) return false;
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

}  // namespace scripted
