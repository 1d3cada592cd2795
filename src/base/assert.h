// Assertions: for programmer errors only, and on in release. Input never reaches one.
#pragma once

namespace pawl {

// Prints the condition and the place to standard error, and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace pawl

#define PAWL_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::pawl::assertion_failed(#condition, __FILE__, __LINE__))
