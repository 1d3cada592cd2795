#include "server/status_mappings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "stream/sequence_text.h"

namespace pawl::server {
namespace {

using trigger::MappingStatus;
using trigger::ShardTaskStatus;

std::uint64_t lag_of(const ShardTaskStatus& shard) {
  return shard.newest.value - std::min(shard.newest, shard.done).value;
}

std::uint64_t age_ms(Instant since, Instant now) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, (now.microseconds - since.microseconds) / 1000));
}

trigger::StepCounts counts_of(const MappingStatus& mapping) {
  trigger::StepCounts sum;
  for (const ShardTaskStatus& shard : mapping.shards) {
    sum.delivered += shard.counts.delivered;
    sum.failures += shard.counts.failures;
    sum.dropped += shard.counts.dropped;
    sum.failed_deliveries += shard.counts.failed_deliveries;
  }
  return sum;
}

void append_shard(JsonWriter& json, const MappingStatus& mapping, std::size_t index, Instant now) {
  const ShardTaskStatus& shard = mapping.shards[index];
  json.begin_object()
      .field("shard", mapping.record.source.shard(shard.shard).to_string())
      .field("newest", shard.newest.value)
      .field("done", shard.done.value)
      .field("checkpoint", shard.kept.value)
      .field("lag", lag_of(shard));
  if (mapping.oldest[index]) json.field("oldest_age_ms", age_ms(*mapping.oldest[index], now));
  if (shard.blocked_at) {
    json.key("blocked_by")
        .begin_object()
        .field("sequence", stream::sequence_text(*shard.blocked_at))
        .field("key", shard.blocked_key)
        .field("attempts", std::uint64_t{shard.attempts})
        .field("why", shard.why)
        .end_object();
  }
  json.end_object();
}

void append_dead_letter(JsonWriter& json, const MappingStatus::Poisoned& poisoned) {
  const trigger::DeadLetter& letter = poisoned.letter;
  json.begin_object()
      .field("shard", std::uint64_t{poisoned.shard})
      .field("sequence", stream::sequence_text(letter.first));
  if (letter.last != letter.first) json.field("through", stream::sequence_text(letter.last));
  json.field("key", letter.key)
      .field("condition", trigger::condition_of(letter.reason))
      .field("attempts", std::uint64_t{letter.attempts})
      .field("why", letter.why)
      .field("at", letter.at.to_string())
      .end_object();
}

void append_mapping(JsonWriter& json, const MappingStatus& mapping, Instant now) {
  const trigger::StepCounts counts = counts_of(mapping);
  std::uint64_t lag = 0;
  std::optional<Instant> oldest;
  for (std::size_t i = 0; i < mapping.shards.size(); ++i) {
    lag += lag_of(mapping.shards[i]);
    if (mapping.oldest[i])
      oldest = std::min(oldest.value_or(*mapping.oldest[i]), *mapping.oldest[i]);
  }
  json.begin_object()
      .field("uuid", trigger::id_text(mapping.record.id))
      .field("function", mapping.record.config.function)
      .field("table", mapping.record.source.table)
      .field("source", mapping.record.source.arn)
      .field("state", trigger::name_of(mapping.state))
      .field("last_result", mapping.last_result);
  if (!mapping.why.empty()) json.field("why", mapping.why);
  json.field("lag", lag);
  if (oldest) json.field("oldest_age_ms", age_ms(*oldest, now));
  json.field("delivered", counts.delivered)
      .field("failures", counts.failures)
      .field("dropped", counts.dropped)
      .field("failed_deliveries", counts.failed_deliveries)
      .field("dead_letters", mapping.dead_letters);
  json.key("shards").begin_array();
  for (std::size_t i = 0; i < mapping.shards.size(); ++i) append_shard(json, mapping, i, now);
  json.end_array().key("newest_dead_letters").begin_array();
  for (const auto& poisoned : mapping.newest_dead_letters) append_dead_letter(json, poisoned);
  json.end_array().end_object();
}

}  // namespace

void append_mappings(JsonWriter& json, const std::vector<MappingStatus>& mappings, Instant now) {
  json.key("mappings").begin_array();
  for (const MappingStatus& mapping : mappings) append_mapping(json, mapping, now);
  json.end_array();
}

std::uint64_t mapping_lag(const std::vector<MappingStatus>& mappings) {
  std::uint64_t lag = 0;
  for (const MappingStatus& mapping : mappings) {
    for (const ShardTaskStatus& shard : mapping.shards) lag += lag_of(shard);
  }
  return lag;
}

std::uint64_t dead_letters_of(const std::vector<MappingStatus>& mappings) {
  std::uint64_t count = 0;
  for (const MappingStatus& mapping : mappings) count += mapping.dead_letters;
  return count;
}

namespace {

// Work is due, and nothing gets done: the function is gone or always busy, the stream can't be read, whole batches fail.
void add_stalled(const MappingStatus& mapping, std::vector<AlarmLine>& alarms) {
  Duration longest{0};
  std::uint64_t waiting = 0;
  std::size_t shards = 0;
  for (const ShardTaskStatus& shard : mapping.shards) {
    if (!shard.stalled_for || shard.blocked_at) continue;
    longest = std::max(longest, *shard.stalled_for);
    waiting += lag_of(shard);
    ++shards;
  }
  if (shards == 0) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest).count();
  alarms.push_back(
      {"mapping-stalled", trigger::id_text(mapping.record.id),
       fmt::format("nothing of table {} was delivered to function {} for {} s; {} changes wait "
                   "in {} shards: {}{}{}",
                   mapping.record.source.table, mapping.record.config.function, seconds, waiting,
                   shards, mapping.last_result, mapping.why.empty() ? "" : ": ", mapping.why),
       std::nullopt});
}

// The change log keeps what a mapping has not delivered, for as long as it is disabled.
void add_paused(const MappingStatus& mapping, std::vector<AlarmLine>& alarms) {
  std::uint64_t waiting = 0;
  for (const ShardTaskStatus& shard : mapping.shards) waiting += lag_of(shard);
  if (mapping.state != trigger::MappingState::kDisabled || waiting == 0) return;
  std::optional<Instant> oldest;
  for (const auto& one : mapping.oldest) {
    if (one) oldest = std::min(oldest.value_or(*one), *one);
  }
  alarms.push_back(
      {"mapping-paused", trigger::id_text(mapping.record.id),
       fmt::format("the mapping of table {} to function {} is disabled, and {} changes wait for it",
                   mapping.record.source.table, mapping.record.config.function, waiting),
       oldest, false});
}

}  // namespace

std::vector<AlarmLine> mapping_alarms(const std::vector<MappingStatus>& mappings) {
  std::vector<AlarmLine> alarms;
  for (const MappingStatus& mapping : mappings) {
    const std::string subject = trigger::id_text(mapping.record.id);
    add_stalled(mapping, alarms);
    add_paused(mapping, alarms);
    for (const ShardTaskStatus& shard : mapping.shards) {
      if (!shard.blocked_at) continue;
      alarms.push_back(
          {"mapping-blocked", subject,
           fmt::format("function {} fails on the change {} of table {}, key {}, and "
                       "{} more wait behind it: {}",
                       mapping.record.config.function, stream::sequence_text(*shard.blocked_at),
                       mapping.record.source.table, shard.blocked_key,
                       lag_of(shard) - std::min<std::uint64_t>(1, lag_of(shard)), shard.why),
           std::nullopt});
    }
    if (mapping.dead_letters == 0 || mapping.newest_dead_letters.empty()) continue;
    const trigger::DeadLetter& newest = mapping.newest_dead_letters.back().letter;
    alarms.push_back({"dead-letters", subject,
                      fmt::format("{} changes of table {} have failed for good at function {}; the "
                                  "newest is {}, key {}: {}",
                                  mapping.dead_letters, mapping.record.source.table,
                                  mapping.record.config.function,
                                  stream::sequence_text(newest.first), newest.key, newest.why),
                      newest.at, false});
  }
  return alarms;
}

}  // namespace pawl::server
