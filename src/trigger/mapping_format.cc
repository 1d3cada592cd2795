#include "trigger/mapping_format.h"

#include <algorithm>

#include "base/coding.h"
#include "trigger/filter.h"

namespace pawl::trigger {
namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::size_t kShardsMax = 65'536;

Error corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, "a stored " + std::string(what) + " is not what was written",
          "restore DATA/triggers from a copy, or move it away to start with no mappings"};
}

void append_instant(std::string& out, Instant at) {
  append_u64_be(out, static_cast<std::uint64_t>(at.microseconds));
}
Instant read_instant(Reader& in) { return {static_cast<std::int64_t>(in.u64_be())}; }

// 0: no end; else one more than the number.
void append_optional(std::string& out, std::optional<std::uint64_t> value) {
  append_varint(out, value ? *value + 1 : 0);
}
std::optional<std::uint64_t> read_optional(Reader& in) {
  const std::uint64_t value = in.varint();
  if (value == 0) return std::nullopt;
  return value - 1;
}

std::string_view view_of(const MappingId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

enum Flag : std::uint8_t { kEnabled = 1, kBisect = 2, kReportsItems = 4, kLatest = 8 };

void append_config(std::string& out, const MappingConfig& config) {
  append_bytes(out, config.function);
  append_u8(out, static_cast<std::uint8_t>(
                     (config.enabled ? kEnabled : 0) | (config.bisect ? kBisect : 0) |
                     (config.reports_items ? kReportsItems : 0) |
                     (config.start == StartingPosition::kLatest ? kLatest : 0)));
  append_varint(out, config.batch_size);
  append_varint(out, static_cast<std::uint64_t>(config.window.count()));
  append_optional(out, config.retries_max);
  append_optional(
      out, config.age_max ? std::optional<std::uint64_t>(config.age_max->count()) : std::nullopt);
  append_bytes(out, config.on_failure);
  append_varint(out, config.filters.size());
  for (const std::string& filter : config.filters) append_bytes(out, filter);
}

bool read_config(Reader& in, MappingConfig& config) {
  config.function = in.bytes();
  const std::uint8_t flags = in.u8();
  config.enabled = (flags & kEnabled) != 0;
  config.bisect = (flags & kBisect) != 0;
  config.reports_items = (flags & kReportsItems) != 0;
  config.start =
      (flags & kLatest) != 0 ? StartingPosition::kLatest : StartingPosition::kTrimHorizon;
  config.batch_size = in.varint();
  const std::uint64_t window = in.varint();
  const auto retries = read_optional(in);
  const auto age = read_optional(in);
  config.on_failure = in.bytes();
  const std::uint64_t filters = in.varint();
  if (!in.ok() || flags > (kEnabled | kBisect | kReportsItems | kLatest) ||
      config.batch_size == 0 || config.batch_size > kBatchSizeMax ||
      window > static_cast<std::uint64_t>(kWindowMax.count()) ||
      (retries && *retries > kRetriesMax) ||
      (age && *age > static_cast<std::uint64_t>(kRecordAgeMax.count())) || filters > kFiltersMax) {
    return false;
  }
  config.window = seconds(window);
  if (retries) config.retries_max = static_cast<std::uint32_t>(*retries);
  if (age) config.age_max = seconds(*age);
  for (std::uint64_t i = 0; i < filters; ++i) config.filters.emplace_back(in.bytes());
  return in.ok();
}

}  // namespace

std::string mapping_key(const MappingId& id) {
  return std::string(kMappingPrefix).append(view_of(id));
}

std::string encode_mapping(const MappingRecord& mapping) {
  std::string out;
  append_u8(out, kRecordFormat);
  out.append(view_of(mapping.id));
  append_instant(out, mapping.created);
  append_instant(out, mapping.modified);
  append_config(out, mapping.config);
  const MappingSource& source = mapping.source;
  append_bytes(out, source.arn);
  append_bytes(out, source.table);
  append_bytes(out, source.view);
  append_u64_be(out, source.incarnation.value);
  append_instant(out, source.label);
  append_varint(out, source.shards);
  return out;
}

Result<MappingRecord> decode_mapping(std::string_view bytes) {
  Reader in(bytes);
  MappingRecord mapping;
  if (in.u8() != kRecordFormat) return corrupt("mapping");
  const std::string_view id = in.raw(mapping.id.size());
  std::copy(id.begin(), id.end(), mapping.id.begin());
  mapping.created = read_instant(in);
  mapping.modified = read_instant(in);
  if (!read_config(in, mapping.config)) return corrupt("mapping");
  MappingSource& source = mapping.source;
  source.arn = in.bytes();
  source.table = in.bytes();
  source.view = in.bytes();
  source.incarnation.value = in.u64_be();
  source.label = read_instant(in);
  const std::uint64_t shards = in.varint();
  if (!in.at_end() || shards == 0 || shards > kShardsMax) return corrupt("mapping");
  source.shards = static_cast<std::uint32_t>(shards);
  return mapping;
}

std::string checkpoint_key(const MappingId& id, std::uint32_t shard) {
  std::string key(view_of(id));
  append_u32_be(key, shard);
  return key;
}

std::string encode_checkpoint(SequenceNumber through) {
  std::string out;
  append_varint(out, through.value);
  return out;
}

Result<SequenceNumber> decode_checkpoint(std::string_view bytes) {
  Reader in(bytes);
  const SequenceNumber through{in.varint()};
  if (!in.at_end()) return corrupt("checkpoint");
  return through;
}

std::string dead_letter_key(const MappingId& id, std::uint32_t shard, SequenceNumber first) {
  std::string key = checkpoint_key(id, shard);
  append_u64_be(key, first.value);
  return key;
}

std::string encode_dead_letter(const DeadLetter& letter) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_varint(out, letter.first.value);
  append_varint(out, letter.last.value);
  append_u8(out, static_cast<std::uint8_t>(letter.reason));
  append_varint(out, letter.attempts);
  append_instant(out, letter.at);
  append_bytes(out, letter.key);
  append_bytes(out, letter.why);
  append_bytes(out, letter.record);
  return out;
}

Result<DeadLetter> decode_dead_letter(std::string_view bytes) {
  Reader in(bytes);
  DeadLetter letter;
  if (in.u8() != kRecordFormat) return corrupt("dead letter");
  letter.first = {in.varint()};
  letter.last = {in.varint()};
  const std::uint8_t reason = in.u8();
  letter.attempts = static_cast<std::uint32_t>(in.varint());
  letter.at = read_instant(in);
  letter.key = in.bytes();
  letter.why = in.bytes();
  letter.record = in.bytes();
  if (!in.at_end() || reason > static_cast<std::uint8_t>(Reason::kTrimmed)) {
    return corrupt("dead letter");
  }
  letter.reason = static_cast<Reason>(reason);
  return letter;
}

std::string mapping_start(const MappingId& id) { return std::string(view_of(id)); }

std::string mapping_end(const MappingId& id) {
  std::string end(view_of(id));
  // The next id; of the greatest, behind all keys.
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(id.size() + 16, '\xff');
  end.back() = static_cast<char>(end.back() + 1);
  return end;
}

std::optional<std::uint32_t> shard_of_key(std::string_view key) {
  Reader in(key);
  in.raw(MappingId{}.size());
  const std::uint32_t shard = in.u32_be();
  if (!in.ok()) return std::nullopt;
  return shard;
}

}  // namespace pawl::trigger
