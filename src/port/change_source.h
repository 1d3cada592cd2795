// Where changes come from: Pawl's own change log, or (under a guard) the stream of somebody else's table.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "port/clock.h"

namespace pawl {

// One change as stored bytes: item::decode_change() reads it.
struct ChangeRecord {
  ShardId shard;
  SequenceNumber sequence;
  std::string encoded;
};

// Readers see synced changes only. One coroutine at a time.
class ChangeSource {
 public:
  virtual ~ChangeSource() = default;

  // The changes of a shard after `after`, in order and without a hole, at least one if there is any; at most
  // `count_max` and (after the first) about `bytes_max`. Empty at the shard's end.
  // Errors: kNotFound for an unknown shard; kCorrupt if `after` has been trimmed past: changes are missing.
  virtual Awaitable<Result<std::vector<ChangeRecord>>> read(ShardId shard, SequenceNumber after,
                                                            std::size_t count_max,
                                                            std::size_t bytes_max) = 0;

  // All changes up to `through` are in durable ledger pages: the source need not hold them for us any longer
  // (promise P6: nothing is trimmed before). It keeps at least the newest of them. Never waits.
  virtual void release(ShardId shard, SequenceNumber through) = 0;
};

}  // namespace pawl
