#include "adapter/system_random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace pawl {

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  ssize_t got = 0;
  do {
    got = ::getrandom(&value, sizeof(value), 0);
  } while (got < 0 && errno == EINTR);
  // Requests of up to 256 bytes are never cut short, and fail only on kernels older than 3.17.
  PAWL_ASSERT(got == static_cast<ssize_t>(sizeof(value)));
  return value;
}

}  // namespace pawl
