#include "server/config_section.h"

#include <charconv>

namespace pawl::server {
namespace {

// "250ms" or "2s"; and of what lasts, "30m" or "24h".
enum class Units : std::uint8_t { kShort, kAll };
std::optional<Duration> parse_duration(std::string_view text, Units units) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(stop, end);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  if (units == Units::kShort) return std::nullopt;
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  return std::nullopt;
}

}  // namespace

Status Section::read_path(std::string_view key, std::string& value) {
  PAWL_TRY(read(key, value));
  if (has(key) && value.empty()) return wrong(key, "must not be empty");
  if (value.find('\0') != std::string::npos) return wrong(key, "must not contain a NUL");
  return ok();
}

Status Section::read_duration(std::string_view key, Duration most, std::optional<Duration>& value) {
  std::string text;
  PAWL_TRY(read(key, text));
  if (!has(key)) return ok();
  const auto duration = parse_duration(text, Units::kShort);
  if (!duration || *duration > most) {
    return wrong(key, fmt::format("must be written as \"250ms\" or \"2s\", and be at most \"{}s\"",
                                  most / std::chrono::seconds(1)));
  }
  value = duration;
  return ok();
}

Status Section::read_long_duration(std::string_view key, Duration least, Duration most,
                                   std::string_view bounds, Duration& value) {
  std::string text;
  PAWL_TRY(read(key, text));
  if (!has(key)) return ok();
  const auto duration = parse_duration(text, Units::kAll);
  if (!duration || *duration < least || *duration > most) {
    return wrong(key,
                 fmt::format("must be written as \"24h\", \"30m\" or \"60s\", and be {}", bounds));
  }
  value = *duration;
  return ok();
}

Result<const toml::table*> Section::read_table(std::string_view key) {
  knows(key);
  if (!has(key)) return static_cast<const toml::table*>(nullptr);
  const auto* const table = table_[key].as_table();
  if (table == nullptr) return wrong(key, "has the wrong type");
  return table;
}

Status Section::check_unknown() const {
  for (const auto& [key, node] : table_) {
    if (known_.contains(key.str())) continue;
    return Error{ErrorCode::kInvalid,
                 fmt::format("line {}: {}{} is no setting of pawl", node.source().begin.line, name_,
                             key.str()),
                 "see docs/guide.md for the settings"};
  }
  return ok();
}

Error Section::wrong(std::string_view key, std::string_view why) const {
  const auto* const node = table_.get(key);
  const auto line = node == nullptr ? table_.source().begin.line : node->source().begin.line;
  return {ErrorCode::kInvalid, fmt::format("line {}: {}{} {}", line, name_, key, why), ""};
}

}  // namespace pawl::server
