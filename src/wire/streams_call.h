// One DynamoDB Streams request under way, and the operations, each of which turns it into the answer's body.
//
// Order of checks, for every operation: constraints of the model (dynamodb_constraints.h), parameters against each other, the
// stream, the shard, the position.
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "table/stream_reader.h"
#include "wire/dynamodb_members.h"
#include "wire/service_error.h"

namespace pawl::wire {

// Records and bytes (as SizeBytes counts them) of one GetRecords (API reference of DynamoDB Streams).
inline constexpr std::int64_t kGetRecordsMax = 1000;
inline constexpr std::size_t kGetRecordsBytesMax = 1024 * 1024;

struct StreamsCall {
  Members members;
  const table::StreamReader& streams;
  std::string_view iterator_key;
  Instant now;
  std::string_view region;  // of the credential scope: part of ARNs
};

ServiceResult<std::string> list_streams(StreamsCall& call);
ServiceResult<std::string> describe_stream(StreamsCall& call);
ServiceResult<std::string> get_shard_iterator(StreamsCall& call);
ServiceResult<std::string> get_records(StreamsCall& call);

// The stream that an ARN names, or ResourceNotFoundException.
ServiceResult<table::Stream> find_stream(const StreamsCall& call, std::string_view arn);
ServiceError stream_not_found(std::string_view arn);

}  // namespace pawl::wire
