// The operating system's randomness: unpredictable, for ids and client-visible tokens.
#pragma once

#include "port/random.h"

namespace pawl {

// Thread-safe. About 0.3 µs a number.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace pawl
