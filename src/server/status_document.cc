#include "server/status_document.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "server/metric_family.h"
#include "server/status_expectations.h"
#include "server/status_functions.h"
#include "server/status_mappings.h"
#include "server/status_queues.h"

namespace pawl::server {
namespace {

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count() / 1000));
}

void append_shard(JsonWriter& json, const pipeline::ShardStatus& shard) {
  json.begin_object()
      .field("shard", shard.shard.to_string())
      .field("table", shard.table)
      .field("state", pipeline::name_of(shard.state))
      .field("committed", shard.committed.value)
      .field("archived", shard.archived.value)
      .field("lag", shard.lag);
  if (shard.oldest_age) json.field("oldest_age_ms", milliseconds(*shard.oldest_age));
  if (shard.heartbeat) json.field("heartbeat", shard.heartbeat->to_string());
  if (shard.stalled_since) json.field("stalled_since", shard.stalled_since->to_string());
  if (!shard.where.empty()) json.field("where", shard.where);
  if (!shard.why.empty()) json.field("why", shard.why);
  json.end_object();
}

void append_tables(JsonWriter& json, const std::vector<table::TableDescription>& tables) {
  json.key("tables").begin_array();
  for (const auto& table : tables) {
    json.begin_object()
        .field("table", table.definition.name)
        .field("incarnation", table.incarnation.to_string())
        .field("recorded", table.definition.record.record)
        .field("names", table.definition.record.name_template)
        .field("partitions", std::uint64_t{table.definition.partitions})
        .field("items", table.item_count)
        .field("bytes", table.size_bytes)
        .end_object();
  }
  json.end_array();
}

struct Totals {
  std::uint64_t lag = 0;
  Duration oldest_age{};
  std::size_t stalled = 0;
};

Totals totals_of(const pipeline::RecorderStatus& recorder) {
  Totals totals;
  for (const auto& shard : recorder.shards) {
    totals.lag += shard.lag;
    if (shard.oldest_age) totals.oldest_age = std::max(totals.oldest_age, *shard.oldest_age);
    totals.stalled += shard.state == pipeline::FlowState::kStalled ? 1 : 0;
  }
  return totals;
}

void append_metric(std::string& out, std::string_view name, std::string_view kind,
                   std::string_view help, std::uint64_t value) {
  MetricFamily(out, name, kind, help).value({}, value);
}

}  // namespace

std::vector<AlarmLine> alarms_of(const StatusFacts& facts) {
  std::vector<AlarmLine> alarms;
  for (const auto& alarm : facts.recorder.alarms) {
    alarms.push_back({std::string(pipeline::name_of(alarm.kind)), alarm.subject, alarm.text,
                      alarm.since, pipeline::stands(alarm.kind)});
  }
  for (const auto& shard : facts.recorder.shards) {
    if (shard.state != pipeline::FlowState::kStalled) continue;
    alarms.push_back({"stalled", shard.table,
                      fmt::format("shard {} stands still at {}{}{}", shard.shard.to_string(),
                                  shard.where, shard.why.empty() ? "" : ": ", shard.why),
                      shard.stalled_since});
  }
  for (AlarmLine& alarm : mapping_alarms(facts.mappings)) alarms.push_back(std::move(alarm));
  for (AlarmLine& alarm : expectation_alarms(facts.expectations))
    alarms.push_back(std::move(alarm));
  if (facts.writes_refused)
    alarms.push_back({"writes-refused", "", *facts.writes_refused, std::nullopt});
  if (facts.trim_error) alarms.push_back({"trim-failed", "", *facts.trim_error, std::nullopt});
  if (facts.clock_set_back) {
    alarms.push_back(
        {"clock-set-back", "",
         fmt::format(
             "the system's clock is {} ms behind what was given out; instants stand still until "
             "it has caught up",
             milliseconds(*facts.clock_set_back)),
         std::nullopt});
  }
  return alarms;
}

std::string status_json(const StatusFacts& facts) {
  const auto totals = totals_of(facts.recorder);
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("schema", "pawl-status/1")
      .field("software", "pawl " PAWL_VERSION)
      .field("profile", facts.profile)
      .field("endpoint", facts.endpoint)
      .field("data", facts.data)
      .field("archive", facts.archive)
      .field("archive_id", facts.archive_id)
      .field("public_key", facts.public_key)
      .field("started", facts.started.to_string())
      .field("now", facts.now.to_string())
      .field("writes", facts.writes_refused ? "refused" : "taken")
      .field("lag", totals.lag)
      .field("oldest_age_ms", milliseconds(totals.oldest_age))
      .field("stalled_shards", std::uint64_t{totals.stalled})
      .field("objects", facts.recorder.objects)
      .field("object_bytes", facts.recorder.object_bytes)
      .field("pages", facts.recorder.pages)
      .field("renamed", facts.recorder.renamed)
      .field("failures", facts.recorder.failures);
  append_tables(json, facts.tables);
  json.key("shards").begin_array();
  for (const auto& shard : facts.recorder.shards) append_shard(json, shard);
  json.end_array();
  append_mappings(json, facts.mappings, facts.now);
  append_expectations(json, facts.expectations);
  append_functions(json, facts.functions);
  append_queues(json, *facts.queues, facts.now);
  if (facts.buckets) json.key("buckets").begin_object().field("count", *facts.buckets).end_object();
  json.key("alarms").begin_array();
  for (const auto& alarm : alarms_of(facts)) {
    json.begin_object()
        .field("kind", alarm.kind)
        .field("subject", alarm.subject)
        .field("text", alarm.text)
        .field("standing", alarm.standing);
    if (alarm.since) json.field("since", alarm.since->to_string());
    json.end_object();
  }
  json.end_array().end_object();
  out += '\n';
  return out;
}

std::string metrics_text(const StatusFacts& facts) {
  const auto totals = totals_of(facts.recorder);
  std::string out;
  append_metric(out, "pawl_archive_lag_changes", "gauge",
                "Changes that are acknowledged and not archived yet.", totals.lag);
  append_metric(out, "pawl_archive_oldest_age_milliseconds", "gauge", "Age of the oldest of them.",
                milliseconds(totals.oldest_age));
  append_metric(out, "pawl_shards", "gauge", "Shards that are recorded.",
                facts.recorder.shards.size());
  append_metric(out, "pawl_stalled_shards", "gauge", "Shards that stand still.", totals.stalled);
  append_metric(out, "pawl_writes_refused", "gauge", "1 while writes are refused.",
                facts.writes_refused ? 1 : 0);
  const auto alarms = alarms_of(facts);
  append_metric(
      out, "pawl_alarms", "gauge", "Alarms that stand.",
      static_cast<std::uint64_t>(std::count_if(
          alarms.begin(), alarms.end(), [](const AlarmLine& alarm) { return alarm.standing; })));
  append_metric(out, "pawl_objects_total", "counter", "Objects archived since the start.",
                facts.recorder.objects);
  append_metric(out, "pawl_object_bytes_total", "counter", "Their bytes.",
                facts.recorder.object_bytes);
  append_metric(
      out, "pawl_renamed_objects_total", "counter",
      "Objects under another name than their template's, since the start: each was taken.",
      facts.recorder.renamed);
  append_metric(out, "pawl_ledger_pages_total", "counter", "Ledger pages since the start.",
                facts.recorder.pages);
  append_metric(out, "pawl_archive_failures_total", "counter",
                "Puts and syncs that failed since the start.", facts.recorder.failures);
  append_metric(out, "pawl_mapping_lag_changes", "gauge",
                "Changes that event source mappings have not delivered yet.",
                mapping_lag(facts.mappings));
  append_metric(out, "pawl_mapping_dead_letters", "gauge",
                "Changes that have failed for good at their functions, and are kept.",
                dead_letters_of(facts.mappings));
  append_expectation_metrics(out, facts.expectations);
  append_function_metrics(out, facts.functions);
  append_queue_metrics(out, *facts.queues, facts.now);
  if (facts.buckets) append_metric(out, "pawl_buckets", "gauge", "Buckets.", *facts.buckets);
  return out;
}

}  // namespace pawl::server
