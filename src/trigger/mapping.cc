#include "trigger/mapping.h"

#include <algorithm>

#include "base/hex.h"

namespace pawl::trigger {
namespace {

// Where the hyphens of a UUID stand.
constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
constexpr std::size_t kUuidSize = 36;

}  // namespace

std::string id_text(const MappingId& id) {
  std::string text = to_hex({reinterpret_cast<const char*>(id.data()), id.size()});
  for (const std::size_t at : kHyphens) text.insert(at, 1, '-');
  return text;
}

std::optional<MappingId> parse_id(std::string_view text) {
  if (text.size() != kUuidSize) return std::nullopt;
  std::string digits(text);
  for (std::size_t i = kHyphens.size(); i-- > 0;) {
    if (digits[kHyphens[i]] != '-') return std::nullopt;
    digits.erase(kHyphens[i], 1);
  }
  const auto bytes = from_hex(digits);
  if (!bytes) return std::nullopt;
  MappingId id;
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

MappingConfig changed(MappingConfig config, const MappingChanges& changes) {
  const auto take = [](auto& value, const auto& change) {
    if (change) value = *change;
  };
  take(config.function, changes.function);
  take(config.enabled, changes.enabled);
  take(config.batch_size, changes.batch_size);
  take(config.window, changes.window);
  take(config.retries_max, changes.retries_max);
  take(config.age_max, changes.age_max);
  take(config.bisect, changes.bisect);
  take(config.reports_items, changes.reports_items);
  take(config.filters, changes.filters);
  take(config.on_failure, changes.on_failure);
  return config;
}

// arn:aws:dynamodb:REGION:…
std::string_view MappingSource::region() const {
  std::string_view rest = arn;
  for (int field = 0; field < 3; ++field) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
  return rest.substr(0, rest.find(':'));
}

std::string_view condition_of(Reason reason) {
  switch (reason) {
    case Reason::kRetriesExhausted:
      return "RetryAttemptsExhausted";
    case Reason::kTooOld:
      return "RecordAgeExceeded";
    case Reason::kTooLarge:
      return "RecordTooLarge";
    case Reason::kTrimmed:
      return "RecordTrimmed";
  }
  return "?";
}

}  // namespace pawl::trigger
