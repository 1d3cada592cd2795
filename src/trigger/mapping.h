// The nouns of an event source mapping: what a client asked for, and what it reads. Plain data, shared by the decisions
// (shard_step.h), the stored forms (mapping_format.h), the stage (mapping_stage.h) and the wire.
//
// Bounds and defaults are the service's. Source: AWS Lambda API reference, CreateEventSourceMapping.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "trigger/shard_step.h"

namespace pawl::trigger {

using std::chrono::seconds;

inline constexpr std::size_t kBatchSizeDefault = 100;
inline constexpr std::size_t kBatchSizeMax = 10'000;
inline constexpr seconds kWindowMax{300};
inline constexpr std::uint32_t kRetriesMax = 10'000;
inline constexpr seconds kRecordAgeMin{60};
inline constexpr seconds kRecordAgeMax{604'800};
// Pawl's own: each has a coroutine a shard.
inline constexpr std::size_t kMappingsMax = 1'000;

using MappingId = std::array<std::uint8_t, 16>;
// As a UUID: "8-4-4-4-12" lower-case hexadecimal digits.
std::string id_text(const MappingId& id);
std::optional<MappingId> parse_id(std::string_view text);

enum class StartingPosition : std::uint8_t { kTrimHorizon = 0, kLatest = 1 };

struct MappingConfig {
  std::string function;  // its name
  StartingPosition start = StartingPosition::kTrimHorizon;
  bool enabled = true;
  std::size_t batch_size = kBatchSizeDefault;
  seconds window{0};
  std::optional<std::uint32_t> retries_max = {};
  std::optional<seconds> age_max = {};
  bool bisect = false;
  bool reports_items = false;             // FunctionResponseTypes has ReportBatchItemFailures
  std::vector<std::string> filters = {};  // patterns that filter.h has parsed
  std::string on_failure = {};            // ARN of a queue or a bucket; empty: none
  bool operator==(const MappingConfig&) const = default;
};

// Those that an update names; the others stay. The inner nothing is "no end".
struct MappingChanges {
  std::optional<std::string> function = {};
  std::optional<bool> enabled = {};
  std::optional<std::size_t> batch_size = {};
  std::optional<seconds> window = {};
  std::optional<std::optional<std::uint32_t>> retries_max = {};
  std::optional<std::optional<seconds>> age_max = {};
  std::optional<bool> bisect = {};
  std::optional<bool> reports_items = {};
  std::optional<std::vector<std::string>> filters = {};
  std::optional<std::string> on_failure = {};
};
MappingConfig changed(MappingConfig config, const MappingChanges& changes);

// The stream that a mapping reads. What it says of the stream is fixed with the stream.
struct MappingSource {
  std::string arn;
  std::string table;
  std::string view;  // "NEW_IMAGE", …
  Incarnation incarnation;
  Instant label;
  std::uint32_t shards = 0;

  ShardId shard(std::uint32_t number) const { return {incarnation, number}; }
  // Of the ARN; empty if it has none.
  std::string_view region() const;
  bool shows_new() const { return view == "NEW_IMAGE" || view == "NEW_AND_OLD_IMAGES"; }
  bool shows_old() const { return view == "OLD_IMAGE" || view == "NEW_AND_OLD_IMAGES"; }
  bool operator==(const MappingSource&) const = default;
};

struct MappingRecord {
  MappingId id{};
  MappingConfig config;
  MappingSource source;
  Instant created;
  Instant modified;
  bool operator==(const MappingRecord&) const = default;
};

// What has failed for good: kept under pawl until its mapping is deleted.
struct DeadLetter {
  SequenceNumber first;
  SequenceNumber last;  // `first`, but for a stretch that was trimmed
  Reason reason = Reason::kRetriesExhausted;
  std::uint32_t attempts = 0;
  Instant at;
  std::string key;     // DynamoDB JSON of its key; at most kDeadLetterKeyMax bytes
  std::string why;     // the function's last word; at most kDeadLetterWhyMax bytes
  std::string record;  // as the function was given it; empty of what was trimmed
  bool operator==(const DeadLetter&) const = default;
};
inline constexpr std::size_t kDeadLetterKeyMax = 4096;
inline constexpr std::size_t kDeadLetterWhyMax = 1024;

// As the service words them: "RetryAttemptsExhausted", "RecordAgeExceeded"; and two of Pawl's own.
std::string_view condition_of(Reason reason);

}  // namespace pawl::trigger
