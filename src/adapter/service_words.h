// A service's own words about why it refused something.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl {

// Bounded, without control characters: for logs and terminals.
struct ServiceWords {
  static constexpr std::size_t kCodeMax = 64;
  static constexpr std::size_t kMessageMax = 300;
  std::string code;  // "NoSuchKey", "ThrottlingException"; "" = it gave none
  std::string message;

  // Both cut to those sizes, and control characters made blanks.
  static ServiceWords of(std::string_view code, std::string_view message);
};

}  // namespace pawl
