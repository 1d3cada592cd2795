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

std::string label_digits(Instant label) { return fmt::format("{:020}", label.microseconds / 1000); }

bool parse_hex(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
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
  if (!parse_hex(id.substr(kSize - kNumberDigits), number)) return std::nullopt;
  // Upper-case digits, or another label.
  if (shard_id(label, number) != id) return std::nullopt;
  return number;
}

}  // namespace pawl::wire
