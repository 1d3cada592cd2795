#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace pawl::cli {
namespace {

bool is_colour_terminal(int fd) {
  const char* const term = std::getenv("TERM");
  const char* const no_color = std::getenv("NO_COLOR");
  return ::isatty(fd) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kDim:
      return "\x1b[2m";
  }
  return "";
}

}  // namespace

bool output_is_terminal() { return is_colour_terminal(STDOUT_FILENO); }
bool errors_are_terminal() { return is_colour_terminal(STDERR_FILENO); }

std::string coloured(Colour colour, std::string_view text) {
  return output_is_terminal() ? fmt::format("{}{}\x1b[0m", code_of(colour), text)
                              : std::string(text);
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F, two bytes each in UTF-8, are controls, too: U+009B begins what ESC [ begins.
    const bool is_c1 = byte == 0xc2 && at + 1 < text.size() &&
                       (static_cast<unsigned char>(text[at + 1]) & 0xe0) == 0x80;
    const bool is_control = byte < 0x20 || byte == 0x7f || is_c1;
    result.push_back(is_control ? '?' : text[at]);
    if (is_c1) ++at;
  }
  return result;
}

int could_not(const Error& error) {
  fmt::print(stderr, "pawl: {}\n", printable(error.message));
  if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", printable(error.hint));
  return kExitCouldNot;
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string sized(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits{"bytes", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

ProgressLine::~ProgressLine() { erase(); }

void ProgressLine::show(std::string_view what, std::uint64_t done, std::uint64_t total) {
  static constexpr int kBarWidth = 24;
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  if (!errors_are_terminal()) return;
  visible_ = true;
  std::string line = fmt::format("\r\x1b[K{:<24}", what);
  if (total > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(part * kBarWidth);
    line +=
        fmt::format(" [{:#<{}}{:.<{}}] {:3.0f} %", "", filled, "", kBarWidth - filled, part * 100);
  } else {
    line += " " + grouped(done);
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void ProgressLine::erase() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace pawl::cli
