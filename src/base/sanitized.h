// Whether AddressSanitizer or ThreadSanitizer is in this build: tests that visit millions of states visit fewer in one, where each
// takes ten times as long.
#pragma once

namespace pawl {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)  // clang
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace pawl
