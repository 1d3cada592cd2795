#include "server/status_expectations.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/metric_family.h"

namespace pawl::server {
namespace {

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count() / 1000));
}

std::uint64_t lag_of(const ExpectationStatus& one) {
  return one.committed - std::min(one.committed, one.entered);
}

void append_one(JsonWriter& json, const ExpectationStatus& one) {
  json.begin_object().field("table", one.table);
  if (one.incarnation) json.field("incarnation", one.incarnation->to_string());
  json.field("bucket", one.config.bucket)
      .field("name", one.config.names)
      .field("deadline_ms", milliseconds(one.config.deadline))
      .field("on_missing", one.config.writes ? "write" : "alert")
      .field("state", pipeline::name_of(one.state))
      .field("deleted", one.deleted)
      .field("committed", one.committed)
      .field("entered", one.entered)
      .field("lag", lag_of(one))
      .field("awaited", one.awaited);
  if (one.oldest_age) json.field("oldest_age_ms", milliseconds(*one.oldest_age));
  json.field("found", one.counts.found)
      .field("late", one.counts.late)
      .field("asked_again", one.counts.asked)
      .field("redelivered", one.counts.redelivered)
      .field("missing", one.counts.missing)
      .field("missing_removals", one.counts.removals)
      .field("written", one.counts.written)
      .field("calls", one.redelivery.calls)
      .field("failed_calls", one.redelivery.failures)
      .field("kept", one.kept.kept)
      .field("kept_bytes", one.kept.kept_bytes)
      .field("kept_entered", one.kept.entered);
  if (!one.why.empty()) json.field("why", one.why);
  if (!one.kept.why.empty()) json.field("kept_why", one.kept.why);
  if (!one.redelivery.why.empty()) json.field("function_why", one.redelivery.why);
  json.end_object();
}

}  // namespace

void append_expectations(JsonWriter& json, const std::vector<ExpectationStatus>& expectations) {
  json.key("expectations").begin_array();
  for (const auto& one : expectations) append_one(json, one);
  json.end_array();
}

void append_expectation_metrics(std::string& out,
                                const std::vector<ExpectationStatus>& expectations) {
  if (expectations.empty()) return;
  // Lives of one table are added up: a label says the table.
  std::vector<ExpectationStatus> tables;
  for (const auto& one : expectations) {
    if (tables.empty() || tables.back().table != one.table) {
      tables.push_back(one);
      continue;
    }
    auto& sum = tables.back();
    sum.committed += one.committed;
    sum.entered += one.entered;
    sum.awaited += one.awaited;
    sum.counts.found += one.counts.found;
    sum.counts.late += one.counts.late;
    sum.counts.asked += one.counts.asked;
    sum.counts.redelivered += one.counts.redelivered;
    sum.counts.missing += one.counts.missing;
    sum.counts.written += one.counts.written;
  }
  const auto family = [&](std::string_view name, std::string_view kind, std::string_view help,
                          auto value) {
    MetricFamily lines(out, name, kind, help);
    for (const auto& one : tables) lines.value({{"table", one.table}}, value(one));
  };
  using Status = ExpectationStatus;
  family("pawl_expectation_lag_changes", "gauge",
         "Changes of a supervised table that are not in its bucket's ledger yet.", lag_of);
  family("pawl_expectation_awaited_changes", "gauge", "Of these, those whose object is looked for.",
         [](const Status& one) { return one.awaited; });
  family("pawl_expectation_found_total", "counter",
         "Changes whose object the function wrote, since the start.",
         [](const Status& one) { return one.counts.found; });
  family("pawl_expectation_late_total", "counter", "Of these, those that came after the deadline.",
         [](const Status& one) { return one.counts.late; });
  family("pawl_expectation_asked_again_total", "counter",
         "Changes that were given to the function once more.",
         [](const Status& one) { return one.counts.asked; });
  family("pawl_expectation_redelivered_total", "counter", "Of these, those that were found then.",
         [](const Status& one) { return one.counts.redelivered; });
  family("pawl_expectation_missing_total", "counter",
         "Changes whose object had not come by the last deadline.",
         [](const Status& one) { return one.counts.missing; });
  family("pawl_expectation_written_total", "counter", "Of these, those that Pawl put in.",
         [](const Status& one) { return one.counts.written; });
  family("pawl_expectation_kept_objects", "gauge",
         "Contents that were replaced or deleted in its bucket, and are kept.",
         [](const Status& one) { return one.kept.kept; });
}

std::vector<AlarmLine> expectation_alarms(const std::vector<ExpectationStatus>& expectations) {
  std::vector<AlarmLine> alarms;
  for (const auto& one : expectations) {
    if (one.state == pipeline::FlowState::kStalled) {
      alarms.push_back(
          {"expectation-stalled", one.table,
           fmt::format("nothing of table {} comes into the ledger of bucket {}, {} changes wait; "
                       "they are held in the change log{}{}",
                       one.table, one.config.bucket, lag_of(one), one.why.empty() ? "" : ": ",
                       one.why),
           std::nullopt});
    }
    if (one.counts.missing == 0) continue;
    alarms.push_back(
        {"missing-objects", one.table,
         fmt::format("of {} changes of table {} no object came into bucket {} by the last "
                     "deadline since the start; {}",
                     one.counts.missing, one.table, one.config.bucket,
                     one.config.writes ? "Pawl has put in its own (NAME~repaired)"
                                       : "nobody has put any in (on_missing = \"alert\")"),
         std::nullopt, false});
  }
  return alarms;
}

}  // namespace pawl::server
