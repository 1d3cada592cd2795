// Where the commit side tells the recorder how far it is: the source of wake-ups and of heartbeats.
//
// A heartbeat is born here, on the commit side, so that it proves the whole flow: if the committer is dead, none is
// born; if a later stage is dead, none arrives in the tip.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "port/clock.h"
#include "stream/change_log.h"

namespace pawl::pipeline {

// Thread-safe.
class CommitBoard {
 public:
  // What was told since the last take().
  struct News {
    std::vector<std::pair<ShardId, SequenceNumber>> committed;  // in order of shards
    std::optional<Instant> heartbeat;
  };

  // -- for the commit side --

  // Changes of a shard through `newest` are synced and can be read. After each commit round; never goes back. Wakes
  // the recorder.
  void committed(ShardId shard, SequenceNumber newest);
  // Everything committed at or before `at` has been told above. About once a second, also when nothing happens,
  // from the thread that commits. Does not wake the recorder, which looks once a second by itself.
  void heartbeat(Instant at);

  // -- for the recorder --

  // Rung by committed(); must outlive its use: nullptr takes it away.
  void set_alarm(Alarm* alarm);
  News take();
  // The newest change that was ever told of a shard: for status, where the recorder itself may be stuck.
  SequenceNumber newest(ShardId shard) const;

 private:
  mutable std::mutex mutex_;
  std::map<ShardId, SequenceNumber> committed_;  // since the last take()
  std::map<ShardId, SequenceNumber> newest_;
  std::optional<Instant> heartbeat_;
  Alarm* alarm_ = nullptr;
};

// At a start, before the recorder's: tells the board what the change log holds from earlier, so that what waits there is
// known as a lag also while the ledger can't be reached.
void tell_backlog(const stream::ChangeLog& log, CommitBoard& board);

}  // namespace pawl::pipeline
