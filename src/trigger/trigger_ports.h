// What the mappings need of the world, beside the function host and the clock: the streams that they read, where failures are
// told, and where their own state is kept. The composition (server/triggers.h) makes them of tables, queues and buckets.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "port/key_value_store.h"
#include "trigger/mapping.h"

namespace pawl::trigger {

// How far a shard of a stream reaches. horizon <= newest.
struct SourceExtent {
  SequenceNumber horizon;  // the first change that can be read is the one behind this
  SequenceNumber newest;
  bool ended = false;  // nothing will ever come behind `newest`
};

// Synced changes only. Thread-safe; never waits for the committer.
class MappingStreams {
 public:
  virtual ~MappingStreams() = default;
  // Nothing if the stream is not there any more.
  virtual std::optional<SourceExtent> extent(const MappingSource& source,
                                             std::uint32_t shard) const = 0;
  // The changes behind `after`, in order and without a hole, at most `count_max`, until `visit` returns false. Errors:
  // kExhausted if changes behind `after` were trimmed; kNotFound; kCorrupt and the store's.
  using Visit = std::function<bool(SequenceNumber, std::string_view encoded)>;
  virtual Status read(const MappingSource& source, std::uint32_t shard, SequenceNumber after,
                      std::size_t count_max, const Visit& visit) const = 0;
  // As a reader of the stream would name the shard.
  virtual std::string shard_name(const MappingSource& source, std::uint32_t shard) const = 0;
  // Keeps the log from being trimmed behind `after`; lifts that. Under pawl only.
  virtual void hold(const MappingId& mapping, ShardId shard, SequenceNumber after) = 0;
  virtual void lift(const MappingId& mapping, ShardId shard) = 0;
};

// One failure for an on-failure destination. Source: AWS Lambda developer guide, "Retaining discarded batch records".
struct FailureNotice {
  std::string destination;  // its ARN
  std::string summary;      // JSON: metadata alone, for a queue
  std::string whole;        // JSON: with the records, for a bucket
  std::string object;       // the name there
};
class FailureDestinations {
 public:
  virtual ~FailureDestinations() = default;
  // Calls `done` once, from any thread: whether it is durable there.
  virtual void deliver(FailureNotice notice, std::function<void(Status)> done) = 0;
};

// Where batches of state become durable.
class StateSink {
 public:
  enum class Urgency : std::uint8_t {
    kNow,
    kSoon,  // may wait a little, so that many share a sync
  };
  virtual ~StateSink() = default;
  // Calls `done` once, from any thread: whether the batch is durable; in the order in which they were submitted. An outcome
  // that nobody knows is never told: the process ends.
  virtual void submit(WriteBatch batch, Urgency urgency, std::function<void(bool)> done) = 0;
};

}  // namespace pawl::trigger
