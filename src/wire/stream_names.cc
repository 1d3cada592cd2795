#include "wire/stream_names.h"

#include <fmt/format.h>

#include <charconv>

#include "table/table_stream.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_constraints.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kStream = "/stream/";
constexpr std::string_view kShardId = "shardId-";
constexpr std::size_t kLabelDigits = 20;
constexpr std::size_t kNumberDigits = 8;
constexpr std::size_t kSequenceDigits = 20;
constexpr char kFirstDigit = '1';

std::string label_digits(Instant label) { return fmt::format("{:020}", label.microseconds / 1000); }

template <typename Number>
bool parse_number(std::string_view text, int base, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<StreamName> parse_stream_arn(std::string_view arn) {
  const std::string_view rest = without_arn(arn);
  if (rest.size() == arn.size()) return std::nullopt;
  const std::size_t at = rest.find(kStream);
  if (at == std::string_view::npos) return std::nullopt;
  return StreamName{.table = rest.substr(0, at), .label = rest.substr(at + kStream.size())};
}

std::string stream_arn(std::string_view region, std::string_view table, Instant label) {
  return arn_of(region, table).append(kStream).append(table::label_text(label));
}

std::string shard_id(Instant label, std::uint32_t number) {
  return fmt::format("{}{}-{:08x}", kShardId, label_digits(label), number);
}

std::optional<std::uint32_t> parse_shard_id(std::string_view id, Instant label) {
  constexpr std::size_t kSize = kShardId.size() + kLabelDigits + 1 + kNumberDigits;
  if (id.size() != kSize) return std::nullopt;
  std::uint32_t number = 0;
  if (!parse_number(id.substr(kSize - kNumberDigits), 16, number)) return std::nullopt;
  // Upper-case digits, or another label.
  if (shard_id(label, number) != id) return std::nullopt;
  return number;
}

void append_sequence(std::string& out, SequenceNumber sequence) {
  char digits[kSequenceDigits];
  const char* const end = std::to_chars(digits, digits + sizeof digits, sequence.value).ptr;
  const auto size = static_cast<std::size_t>(end - digits);
  out.push_back(kFirstDigit);
  out.append(kSequenceDigits - size, '0').append(digits, size);
}

std::string sequence_text(SequenceNumber sequence) {
  std::string text;
  append_sequence(text, sequence);
  return text;
}

std::optional<SequenceNumber> parse_sequence(std::string_view text) {
  if (text.size() != 1 + kSequenceDigits || text[0] != kFirstDigit) return std::nullopt;
  SequenceNumber sequence;
  if (!parse_number(text.substr(1), 10, sequence.value)) return std::nullopt;
  return sequence;
}

}  // namespace pawl::wire
