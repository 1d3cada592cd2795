#include "stream/sequence_text.h"

#include <charconv>

namespace pawl::stream {
namespace {

constexpr std::size_t kDigits = 20;
constexpr char kFirstDigit = '1';

}  // namespace

void append_sequence(std::string& out, SequenceNumber sequence) {
  char digits[kDigits];
  const char* const end = std::to_chars(digits, digits + sizeof digits, sequence.value).ptr;
  const auto size = static_cast<std::size_t>(end - digits);
  out.push_back(kFirstDigit);
  out.append(kDigits - size, '0').append(digits, size);
}

std::string sequence_text(SequenceNumber sequence) {
  std::string text;
  append_sequence(text, sequence);
  return text;
}

std::optional<SequenceNumber> parse_sequence(std::string_view text) {
  if (text.size() != 1 + kDigits || text[0] != kFirstDigit) return std::nullopt;
  SequenceNumber sequence;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, sequence.value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return sequence;
}

}  // namespace pawl::stream
