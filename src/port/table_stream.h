// The change stream of a table that somebody else keeps, as DynamoDB Streams' API tells of it: shards that come and go,
// iterators that expire, records that may be trimmed. How the service behaves: shared design, FACTS ("DynamoDB Streams"),
// and the Amazon DynamoDB developer guide, "Change data capture for DynamoDB Streams".
//
// Plain data and calls; who reads which shard when is decided above (guard/). Nothing is repeated here but what the
// implementation's own retry policy repeats: every call only reads, so repeating one harms nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "port/clock.h"

namespace pawl {

// Why a call did not succeed, as far as the reader must decide by it.
enum class StreamErrorKind : std::uint8_t {
  kExpiredIterator,  // ask for another after the last record that was taken: nothing is lost
  kTrimmed,          // the position is older than the oldest record that is left: a gap
  kNotFound,         // no such stream or shard (any more)
  kThrottled,        // too many readers or requests: later, less often
  kDenied,           // the credentials may not: only a person can help
  kUnavailable,      // no answer, a server's fault, a bad answer: later
  kInvalid,          // the request is wrong: a person's or Pawl's fault
};

struct StreamError {
  StreamErrorKind kind = StreamErrorKind::kUnavailable;
  std::string message;  // what was attempted, on what, and why it failed: one sentence
  std::string hint;     // what to do; may be empty
};
template <typename T>
using StreamResult = Result<T, StreamError>;

enum class StreamView : std::uint8_t { kKeysOnly, kNewImage, kOldImage, kNewAndOldImages };

// One stream of a table. A stream that is disabled stays readable for 24 hours; enabled again it is another stream.
struct StreamFacts {
  std::string arn;
  bool enabled = false;  // new records still come (StreamStatus ENABLED or ENABLING)
  StreamView view = StreamView::kKeysOnly;
};

struct StreamShard {
  std::string id;              // at most 65 characters
  std::string parent;          // "" = none; it may be unknown, when it has been trimmed
  std::string first_sequence;  // decimal digits
  std::string last_sequence;   // "" while the shard is open
  bool open() const { return last_sequence.empty(); }
};

struct StreamShardPage {
  StreamFacts stream;
  std::vector<StreamShard> shards;  // at most 100
  std::string last_shard;           // where the next page starts after; "" = this was the last page
};

enum class StreamChangeKind : std::uint8_t { kInsert, kModify, kRemove };

// One change. Keys and images are DynamoDB JSON objects ({"hashid":{"S":"A"}}), the service's own bytes.
struct StreamRecord {
  std::string sequence;  // 1 to 40 decimal digits; grows within a shard, and promises no contiguity
  StreamChangeKind kind = StreamChangeKind::kInsert;
  Instant created;        // rounded down to the second by the service
  std::string keys;       // always there
  std::string new_image;  // "" = none, or not in this view
  std::string old_image;  // likewise
  std::string
      principal;  // who, where the service says: "dynamodb.amazonaws.com" for an expired (TTL) item
};

struct StreamRecordPage {
  std::vector<StreamRecord> records;  // may be empty in the middle of a shard: that says nothing
  std::string next_iterator;          // "" = the shard is closed and this was its end
};

struct StreamPosition {
  enum class At : std::uint8_t { kOldest, kAfter, kLatest };
  At at = At::kOldest;
  std::string sequence;  // for kAfter
};

inline constexpr std::size_t kStreamRecordsMax = 1000;  // a GetRecords: the service's most
// An iterator lives 15 minutes (API reference, GetShardIterator).
inline constexpr Duration kStreamIteratorLife = std::chrono::minutes(15);
// Records older than this may be trimmed at any moment.
inline constexpr Duration kStreamRetention = std::chrono::hours(24);

// One executor; coroutines may overlap on it.
class TableStream {
 public:
  virtual ~TableStream() = default;

  // A page of the shards of a stream, after `after` ("" = from the start). May list shards that can't be read any more.
  virtual Awaitable<StreamResult<StreamShardPage>> shards(std::string arn, std::string after) = 0;
  // An iterator. kTrimmed where `position` is before the oldest record.
  virtual Awaitable<StreamResult<std::string>> iterator(std::string arn, std::string shard,
                                                        StreamPosition position) = 0;
  // At most `count_max` (1 to kStreamRecordsMax) records, about 1 MB.
  virtual Awaitable<StreamResult<StreamRecordPage>> records(std::string iterator,
                                                            std::size_t count_max) = 0;
};

}  // namespace pawl
