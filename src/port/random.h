// Randomness, as stages see it: the operating system's in the server, a seed's in the drill.
#pragma once

#include <cstdint>

namespace pawl {

// Thread-safe in the server; in the drill there is one thread.
class Random {
 public:
  virtual ~Random() = default;
  // Uniform over all values; unpredictable to others in the server.
  virtual std::uint64_t next() = 0;
};

}  // namespace pawl
