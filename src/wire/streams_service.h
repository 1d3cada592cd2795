// DynamoDB Streams over HTTP: one request in, one answer out. The operations themselves are in streams_*.cc. All of them
// only read, on the thread that asks, and what they read is bounded.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "table/stream_reader.h"
#include "wire/access_gate.h"
#include "wire/http_message.h"

namespace pawl::wire {

inline constexpr std::string_view kStreamsTarget = "DynamoDBStreams_20120810.";

// Thread-safe.
class StreamsService {
 public:
  // The reader must outlive it. `iterator_key`: secret, the same after a restart (shard_iterator.h). `now` is the wall clock,
  // for the age of iterators.
  StreamsService(const table::StreamReader& streams, std::string iterator_key,
                 std::function<Instant()> now);

  // `operation` is the target's part behind kStreamsTarget.
  void serve(std::string_view operation, const HttpRequest& request, const Caller& caller,
             Completion completion) const;

 private:
  const table::StreamReader& streams_;
  const std::string iterator_key_;
  const std::function<Instant()> now_;
};

}  // namespace pawl::wire
