// What a person sees: colour and one updating progress line on a terminal, plain text anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl::cli {

// Exit statuses of every command.
inline constexpr int kExitGood = 0;
inline constexpr int kExitFound = 1;     // it ran, and found something wrong
inline constexpr int kExitCouldNot = 2;  // it could not run

enum class Colour { kGreen, kYellow, kRed, kBold, kDim };

// Whether standard output (or error) is a terminal that may be coloured: NO_COLOR and TERM=dumb say no.
bool output_is_terminal();
bool errors_are_terminal();

// `text` in that colour if standard output may be coloured, else as it is.
std::string coloured(Colour colour, std::string_view text);

// `text` with a `?` for each control character. For what others chose (names in an archive, a server's texts): on its
// way to a terminal it must not move the cursor, change colours or give commands. UTF-8 stays as it is.
std::string printable(std::string_view text);

// Prints "pawl: message" and "hint: …" to standard error; returns kExitCouldNot.
int could_not(const Error& error);

// "1,234,567".
std::string grouped(std::uint64_t number);
// "1 item", "1,234 items".
std::string counted(std::uint64_t number, std::string_view noun);
// "1.2 MB": powers of 1,000.
std::string sized(std::uint64_t bytes);

// One line on standard error that is overwritten while something long goes on, at most ten times a second. Nothing if
// standard error is no terminal. Erased by the destructor.
class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `total` 0 = not known.
  void show(std::string_view what, std::uint64_t done, std::uint64_t total);
  void erase();

 private:
  std::chrono::steady_clock::time_point shown_;
  bool visible_ = false;
};

}  // namespace pawl::cli
