#include "server/status_queues.h"

#include <algorithm>
#include <optional>

#include "server/metric_family.h"

namespace pawl::server {
namespace {

using queue::QueueLine;
using queue::QueuesFigures;

std::optional<std::uint64_t> oldest_age_ms(const QueueLine& queue, Instant now) {
  if (!queue.oldest) return std::nullopt;
  const std::int64_t age = (now.microseconds - queue.oldest->microseconds) / 1000;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, age));
}

}  // namespace

void append_queues(JsonWriter& json, const QueuesFigures& queues, Instant now) {
  json.key("queues").begin_array();
  for (const QueueLine& queue : queues.listed) {
    json.begin_object()
        .field("queue", queue.name)
        .field("visible", queue.visible)
        .field("in_flight", queue.in_flight)
        .field("delayed", queue.delayed);
    if (const auto age = oldest_age_ms(queue, now)) json.field("oldest_age_ms", *age);
    json.field("retention_s", static_cast<std::uint64_t>(queue.retention.count()))
        .field("expired", queue.expired)
        .field("holds_dead_letters", queue.holds_dead_letters)
        .end_object();
  }
  json.end_array();
  json.key("other_queues")
      .begin_object()
      .field("queues", queues.others.queues)
      .field("messages", queues.others.messages)
      .field("expired", queues.others.expired)
      .end_object();
}

void append_queue_metrics(std::string& out, const QueuesFigures& queues, Instant now) {
  MetricFamily(out, "pawl_queues", "gauge", "Queues.")
      .value({}, queues.listed.size() + queues.others.queues);
  MetricFamily messages(out, "pawl_queue_messages", "gauge",
                        "Messages by queue and where they stand; of the first 100 queues by name.");
  for (const QueueLine& queue : queues.listed) {
    messages.value({{"queue", queue.name}, {"state", "visible"}}, queue.visible);
    messages.value({{"queue", queue.name}, {"state", "in_flight"}}, queue.in_flight);
    messages.value({{"queue", queue.name}, {"state", "delayed"}}, queue.delayed);
  }
  MetricFamily(out, "pawl_other_queues_messages", "gauge", "Messages of all other queues.")
      .value({}, queues.others.messages);
  MetricFamily ages(out, "pawl_queue_oldest_age_milliseconds", "gauge",
                    "Age of a queue's oldest message, since it was sent.");
  for (const QueueLine& queue : queues.listed) {
    if (const auto age = oldest_age_ms(queue, now)) ages.value({{"queue", queue.name}}, *age);
  }
  MetricFamily expired(out, "pawl_queue_expired_messages_total", "counter",
                       "Messages that nobody took within their queue's retention.");
  for (const QueueLine& queue : queues.listed)
    expired.value({{"queue", queue.name}}, queue.expired);
  if (queues.others.queues > 0) expired.value({{"queue", kOthers}}, queues.others.expired);
}

}  // namespace pawl::server
