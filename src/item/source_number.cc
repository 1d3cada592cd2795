#include "item/source_number.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::item {

bool is_source_number(std::string_view text) {
  if (text.empty() || text.size() > kSourceDigitsMax) return false;
  if (text.size() > 1 && text[0] == '0') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool source_before(std::string_view one, std::string_view other) {
  return one.size() != other.size() ? one.size() < other.size() : one < other;
}

std::string source_of(std::string_view sequence) {
  if (sequence.empty()) return {};
  sequence.remove_prefix(std::min(sequence.find_first_not_of('0'), sequence.size() - 1));
  return std::string(sequence);
}

std::string sequence_of(std::string_view source) {
  constexpr std::size_t kSequenceDigitsMin = 21;
  if (source.size() >= kSequenceDigitsMin) return std::string(source);
  return std::string(kSequenceDigitsMin - source.size(), '0').append(source);
}

std::string padded_source(std::string_view source) {
  PAWL_ASSERT(is_source_number(source));
  return std::string(kSourceDigitsMax - source.size(), '0').append(source);
}

}  // namespace pawl::item
