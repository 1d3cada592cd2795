#include "adapter/dynamodb_table_stream.h"

#include <fmt/format.h>

#include "adapter/dynamodb_answers.h"
#include "base/json_writer.h"

namespace pawl {
namespace {

constexpr const char* kPermissions =
    "the credentials need dynamodb:DescribeStream, dynamodb:GetShardIterator and "
    "dynamodb:GetRecords on the stream";

StreamErrorKind kind_of(const DynamoDbAnswer& answer, const Error& error) {
  if (answer.code == "ExpiredIteratorException") return StreamErrorKind::kExpiredIterator;
  if (answer.code == "TrimmedDataAccessException") return StreamErrorKind::kTrimmed;
  if (is_throttle(answer.code) || answer.status == 429) return StreamErrorKind::kThrottled;
  if (answer.no_credentials || is_denial(answer.code)) return StreamErrorKind::kDenied;
  switch (error.code) {
    case ErrorCode::kNotFound:
      return StreamErrorKind::kNotFound;
    case ErrorCode::kInvalid:
      return StreamErrorKind::kInvalid;
    default:
      return StreamErrorKind::kUnavailable;
  }
}

// The parsed answer, or what a reader has to know of why there is none.
template <typename T>
StreamResult<T> finish(const DynamoDbAnswer& answer, Result<T> (*parse)(std::string_view),
                       std::string_view attempted) {
  if (!answer.done()) return to_stream_error(answer, attempted);
  auto parsed = parse(answer.reply.body);
  if (parsed.ok()) return std::move(parsed).value();
  auto error = to_read_error(parsed.error(), attempted);
  return StreamError{StreamErrorKind::kUnavailable, std::move(error.message),
                     std::move(error.hint)};
}

const char* name_of(StreamPosition::At at) {
  switch (at) {
    case StreamPosition::At::kOldest:
      return "TRIM_HORIZON";
    case StreamPosition::At::kAfter:
      return "AFTER_SEQUENCE_NUMBER";
    case StreamPosition::At::kLatest:
      break;
  }
  return "LATEST";
}

}  // namespace

StreamError to_stream_error(const DynamoDbAnswer& answer, std::string_view attempted) {
  auto error = to_read_error(answer, attempted, kPermissions);
  const auto kind = kind_of(answer, error);
  return {kind, std::move(error.message), std::move(error.hint)};
}

Awaitable<StreamResult<StreamShardPage>> DynamoDbTableStream::shards(std::string arn,
                                                                     std::string after) {
  DynamoDbRequest request{DynamoDbApi::kStreams, "DescribeStream", {}};
  JsonWriter json(request.body);
  json.begin_object().field("StreamArn", arn).field("Limit", std::uint64_t{kStreamShardsMax});
  if (!after.empty()) json.field("ExclusiveStartShardId", after);
  json.end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  co_return finish(answer, parse_shard_page, "listing the shards of " + arn);
}

Awaitable<StreamResult<std::string>> DynamoDbTableStream::iterator(std::string arn,
                                                                   std::string shard,
                                                                   StreamPosition position) {
  DynamoDbRequest request{DynamoDbApi::kStreams, "GetShardIterator", {}};
  JsonWriter json(request.body);
  json.begin_object().field("StreamArn", arn).field("ShardId", shard);
  json.field("ShardIteratorType", name_of(position.at));
  if (position.at == StreamPosition::At::kAfter) json.field("SequenceNumber", position.sequence);
  json.end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  co_return finish(answer, parse_shard_iterator,
                   fmt::format("asking for an iterator of shard {} of {}", shard, arn));
}

Awaitable<StreamResult<StreamRecordPage>> DynamoDbTableStream::records(std::string iterator,
                                                                       std::size_t count_max) {
  PAWL_ASSERT(count_max >= 1 && count_max <= kStreamRecordsMax);
  DynamoDbRequest request{DynamoDbApi::kStreams, "GetRecords", {}};
  JsonWriter json(request.body);
  json.begin_object().field("ShardIterator", iterator);
  json.field("Limit", std::uint64_t{count_max}).end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  co_return finish(answer, parse_record_page, "reading records of a stream");
}

}  // namespace pawl
