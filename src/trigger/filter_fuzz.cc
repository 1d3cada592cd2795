// Any bytes as a pattern, and as a record that a pattern is held against: an error or an answer, within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trigger/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl::trigger;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  const std::string_view record =
      end == std::string_view::npos
          ? R"({"eventName":"INSERT","dynamodb":{"NewImage":{"a":{"S":"x"},"b":{"SS":["x","y"]}}}})"
          : input.substr(end + 1);
  const auto pattern = FilterPattern::parse(input.substr(0, end));
  if (!pattern.ok()) {
    if (pattern.error().message.empty()) std::abort();
    return 0;
  }
  const bool once = pattern->matches(record);
  if (pattern->matches(record) != once) std::abort();
  return 0;
}
