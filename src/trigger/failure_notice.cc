#include "trigger/failure_notice.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json_writer.h"
#include "stream/sequence_text.h"

namespace pawl::trigger {
namespace {

constexpr std::size_t kThroughMilliseconds = 23;  // of Instant's text
constexpr std::size_t kThroughSeconds = 19;

std::string milliseconds_text(Instant at) {
  return at.to_string().substr(0, kThroughMilliseconds) + "Z";
}

void append_summary(JsonWriter& json, const FailedBatch& batch) {
  const MappingRecord& mapping = batch.mapping;
  json.key("requestContext")
      .begin_object()
      .field("requestId", batch.request_id)
      .field("functionArn", fmt::format("arn:aws:lambda:{}:000000000000:function:{}",
                                        mapping.source.region(), mapping.config.function))
      .field("condition", condition_of(batch.reason))
      .field("approximateInvokeCount", std::uint64_t{batch.attempts})
      .end_object();
  if (batch.attempts > 0) {
    json.key("responseContext")
        .begin_object()
        .field("statusCode", std::uint64_t{200})
        .field("executedVersion", "$LATEST")
        .field("functionError", "Unhandled")
        .end_object();
  }
  json.field("version", "1.0").field("timestamp", milliseconds_text(batch.now));
  json.key("DDBStreamBatchInfo")
      .begin_object()
      .field("shardId", batch.shard_name)
      .field("startSequenceNumber", stream::sequence_text(batch.first))
      .field("endSequenceNumber", stream::sequence_text(batch.last))
      .field("approximateArrivalOfFirstRecord", milliseconds_text(batch.first_instant))
      .field("approximateArrivalOfLastRecord", milliseconds_text(batch.last_instant))
      .field("batchSize", std::uint64_t{batch.count})
      .field("streamArn", mapping.source.arn)
      .end_object();
}

// aws/lambda/UUID/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-RANDOM
std::string object_of(const FailedBatch& batch) {
  std::string at = batch.now.to_string().substr(0, kThroughSeconds);
  const std::string day =
      fmt::format("{}/{}/{}", at.substr(0, 4), at.substr(5, 2), at.substr(8, 2));
  at[13] = at[16] = '.';
  return fmt::format("aws/lambda/{}/{}/{}/{}-{:016x}", id_text(batch.mapping.id), batch.shard_name,
                     day, at, batch.unique);
}

}  // namespace

FailureNotice notice_of(const FailedBatch& batch) {
  FailureNotice notice;
  notice.destination = batch.mapping.config.on_failure;
  notice.object = object_of(batch);
  JsonWriter summary(notice.summary);
  summary.begin_object();
  append_summary(summary, batch);
  summary.end_object();
  JsonWriter whole(notice.whole);
  whole.begin_object();
  append_summary(whole, batch);
  // A text that holds JSON, as the service writes it.
  whole.field("payload", batch.payload).end_object();
  return notice;
}

std::string key_of_record(std::string_view record) {
  simdjson::dom::parser parser;
  simdjson::dom::element keys;
  if (parser.parse(record.data(), record.size(), true)["dynamodb"]["Keys"].get(keys) !=
      simdjson::SUCCESS) {
    return {};
  }
  std::string text = simdjson::to_string(keys);
  if (text.size() > kDeadLetterKeyMax) text = "{}";  // no half of one
  return text;
}

}  // namespace pawl::trigger
