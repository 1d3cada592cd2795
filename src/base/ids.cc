#include "base/ids.h"

#include <fmt/format.h>

#include "base/hex.h"

namespace pawl {

std::string Incarnation::to_string() const { return fmt::format("{:016x}", value); }

std::optional<Incarnation> Incarnation::parse(std::string_view text) {
  const auto value = parse_hex_number(text, 16);
  if (!value || *value == 0) return std::nullopt;
  return Incarnation{*value};
}

std::string ShardId::to_string() const {
  return fmt::format("{:016x}-{:04x}", incarnation.value, number);
}

std::optional<ShardId> ShardId::parse(std::string_view text) {
  if (text.size() < 21 || text.size() > kShardIdTextMax || text[16] != '-') return std::nullopt;
  const auto digits = text.substr(17);
  if (digits.size() > 4 && digits[0] == '0') return std::nullopt;
  const auto incarnation = Incarnation::parse(text.substr(0, 16));
  const auto number = parse_hex_number(digits, digits.size());
  if (!incarnation || !number) return std::nullopt;
  return ShardId{*incarnation, static_cast<std::uint32_t>(*number)};
}

}  // namespace pawl
