// ListStreams and DescribeStream.
#include "base/json_writer.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_constraints.h"
#include "wire/stream_names.h"
#include "wire/streams_call.h"

namespace pawl::wire {
namespace {

constexpr std::int64_t kPageMax = 100;  // of streams, and of shards

// The messages are the service's.
ServiceResult<std::size_t> page_limit(const std::optional<std::int64_t>& limit,
                                      std::string_view too_great) {
  if (limit && *limit > kPageMax) {
    return validation("One or more parameter values were invalid: Limit cannot be greater than " +
                      std::string(too_great) + ": 100");
  }
  return static_cast<std::size_t>(limit.value_or(kPageMax));
}

// ShardFilter: {"Type": "CHILD_SHARDS", "ShardId": …} asks for the shards that a closed shard was followed by. Here none is.
ServiceResult<bool> asks_for_children(const StreamsCall& call, const table::Stream& stream) {
  static constexpr std::array<std::string_view, 1> kTypes{"CHILD_SHARDS"};
  WIRE_ASSIGN(const auto filter, call.members.structure("ShardFilter"));
  if (!filter) return false;
  Constraints constraints(*filter, "shardFilter.");
  constraints.choice("Type", kTypes);
  const std::string_view parent = constraints.text("ShardId", kShardIdMin, kShardIdMax);
  WIRE_TRY(constraints.finish());
  if (!filter->has("Type") || !filter->has("ShardId")) {
    return validation(
        "One or more parameter values were invalid: ShardFilter needs Type and ShardId");
  }
  const auto number = parse_shard_id(parent, stream.facts->label);
  if (!number || *number >= stream.shards()) {
    return ServiceError{kResourceNotFound, "Shard does not exist", 400, {}};
  }
  return true;
}

void append_shard(std::string& out, const table::Stream& stream, std::uint32_t number) {
  const table::TableStream& facts = *stream.facts;
  const SequenceNumber first = facts.after[number].next();
  JsonWriter json(out);
  json.begin_object().field("ShardId", shard_id(facts.label, number));
  json.key("SequenceNumberRange").begin_object();
  json.field("StartingSequenceNumber", sequence_text(first));
  if (facts.end) {
    // Of a shard that never had a change, too: the range says that nothing comes behind it.
    const SequenceNumber last = std::max(facts.end->last[number], first);
    json.field("EndingSequenceNumber", sequence_text(last));
  }
  json.end_object().end_object();
}

// The number of the first shard after ExclusiveStartShardId. Ids of no shard of this stream are taken by their place in the
// order, as the service does; these come first or last.
std::uint32_t first_shard(std::string_view after, const table::Stream& stream) {
  if (after.empty()) return 0;
  const auto number = parse_shard_id(after, stream.facts->label);
  if (number) return *number < stream.shards() ? *number + 1 : stream.shards();
  return after < shard_id(stream.facts->label, 0) ? 0 : stream.shards();
}

}  // namespace

ServiceError stream_not_found(std::string_view arn) {
  return {kResourceNotFound,
          "Requested resource not found: Stream: " + std::string(arn) + " not found",
          400,
          {}};
}

ServiceResult<table::Stream> find_stream(const StreamsCall& call, std::string_view arn) {
  const auto name = parse_stream_arn(arn);
  if (!name) return stream_not_found(arn);
  auto stream = call.streams.find(name->table, name->label);
  if (!stream) return stream_not_found(arn);
  return *std::move(stream);
}

ServiceResult<std::string> list_streams(StreamsCall& call) {
  Constraints constraints(call.members);
  std::string_view table;
  if (call.members.has("TableName")) table = constraints.table_name();
  const auto limit = constraints.integer("Limit", 1, INT32_MAX);
  const std::string_view start =
      constraints.text("ExclusiveStartStreamArn", kStreamArnMin, kStreamArnMax);
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const std::size_t size, page_limit(limit, "the maximum allowed size"));
  StreamName after;
  if (!start.empty()) {
    const auto name = parse_stream_arn(start);
    if (!name) return validation("Invalid ExclusiveStartStreamArn");
    after = *name;
  }
  const auto streams = call.streams.list(table, after.table, after.label, size + 1);
  std::string out;
  std::string last;
  JsonWriter json(out);
  json.begin_object().key("Streams").begin_array();
  for (std::size_t i = 0; i < streams.size() && i < size; ++i) {
    const std::string& name = streams[i].table_name();
    const Instant label = streams[i].facts->label;
    last = stream_arn(call.region, name, label);
    json.begin_object().field("StreamArn", last).field("TableName", name);
    json.field("StreamLabel", table::label_text(label)).end_object();
  }
  json.end_array();
  if (streams.size() > size) json.field("LastEvaluatedStreamArn", last);
  json.end_object();
  return out;
}

ServiceResult<std::string> describe_stream(StreamsCall& call) {
  Constraints constraints(call.members);
  constraints.required("StreamArn");
  const std::string_view arn = constraints.text("StreamArn", kStreamArnMin, kStreamArnMax);
  const auto limit = constraints.integer("Limit", 1, INT32_MAX);
  const std::string_view start =
      constraints.text("ExclusiveStartShardId", kShardIdMin, kShardIdMax);
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const std::size_t size, page_limit(limit, "the maximum"));
  WIRE_ASSIGN(const table::Stream stream, find_stream(call, arn));
  WIRE_ASSIGN(const bool children, asks_for_children(call, stream));
  const table::TableStream& facts = *stream.facts;

  AnswerObject answer;
  std::string& description = answer.member("StreamDescription");
  AnswerObject inner;
  append_json_string(inner.member("StreamArn"),
                     stream_arn(call.region, stream.table_name(), facts.label));
  append_json_string(inner.member("StreamLabel"), table::label_text(facts.label));
  append_json_string(inner.member("StreamStatus"), facts.end ? "DISABLED" : "ENABLED");
  append_json_string(inner.member("StreamViewType"),
                     kStreamViews[static_cast<std::size_t>(facts.view)]);
  append_seconds(inner.member("CreationRequestDateTime"), facts.label);
  append_json_string(inner.member("TableName"), stream.table_name());
  append_key_schema(inner.member("KeySchema"), stream.table->record.definition.schema);
  std::string& shards = inner.member("Shards");
  shards.push_back('[');
  const std::uint32_t end = children ? 0 : stream.shards();
  const std::uint32_t first = first_shard(start, stream);
  std::uint32_t next = first;
  for (; next < end && next - first < size; ++next) {
    if (next > first) shards.push_back(',');
    append_shard(shards, stream, next);
  }
  shards.push_back(']');
  if (next < end && next > first) {
    append_json_string(inner.member("LastEvaluatedShardId"), shard_id(facts.label, next - 1));
  }
  description.append(std::move(inner).finish());
  return std::move(answer).finish();
}

}  // namespace pawl::wire
