// pawl_scripted_aws [--port N] [--threads N] [--seed N]: see README.md.
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string_view>

#include "dispatcher.h"
#include "http_front.h"
#include "text.h"
#include "world.h"

namespace {

struct Options {
  std::uint64_t port = 0;
  std::uint64_t threads = 1;
  std::uint64_t seed = 1;
};

std::optional<Options> read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name(words[i]);
    const auto value = i + 1 < count ? scripted::parse_number(words[i + 1]) : std::nullopt;
    if (!value) return std::nullopt;
    if (name == "--port" && *value <= 65535)
      options.port = *value;
    else if (name == "--threads" && *value >= 1 && *value <= 64)
      options.threads = *value;
    else if (name == "--seed")
      options.seed = *value;
    else
      return std::nullopt;
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  const auto options = read_options(count, words);
  if (!options) {
    fmt::print(stderr, "usage: pawl_scripted_aws [--port N] [--threads 1..64] [--seed N]\n");
    return 2;
  }
  try {
    scripted::World world(options->seed);
    scripted::Dispatcher dispatcher(world);
    scripted::serve(dispatcher, static_cast<std::uint16_t>(options->port),
                    static_cast<unsigned>(options->threads));
  } catch (const std::exception& error) {
    fmt::print(stderr, "pawl_scripted_aws: {}\n", error.what());
    return 1;
  }
  return 0;
}
