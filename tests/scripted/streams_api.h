// DynamoDB Streams' API: ListStreams, DescribeStream, GetShardIterator, GetRecords (API reference of DynamoDB Streams,
// X-Amz-Target DynamoDBStreams_20120810).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "clock.h"
#include "faults.h"
#include "json.h"
#include "settings.h"
#include "stream.h"

namespace scripted {

class StreamsApi {
 public:
  StreamsApi(const Clock& clock, const Settings& settings, std::uint64_t seed)
      : clock_(&clock), settings_(&settings), draw_(mix(seed ^ 0x5374726561U)) {}

  // A body of JSON. Throws Refusal.
  std::string run(std::string_view operation, const Json& request);
  // What fault rules know a request by; "" where it makes no sense.
  std::string name_of(std::string_view operation, const Json& request) const;

  Stream& add(std::unique_ptr<Stream> stream);
  Stream& find(std::string_view arn);  // throws Refusal
  void clear() { streams_.clear(); }

 private:
  std::string list(const Json& request) const;
  std::string describe(const Json& request);
  std::string iterator(const Json& request);
  std::string records(const Json& request);
  void check_readers(Shard& shard, std::uint64_t reader);

  const Clock* clock_;
  const Settings* settings_;
  Draw draw_;
  std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
  std::deque<std::int64_t> describes_ms_;  // when the last ones were
  std::uint64_t next_reader_ = 1;
};

}  // namespace scripted
