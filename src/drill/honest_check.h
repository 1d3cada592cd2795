// The checker of promise P5: what the status says of each shard, against what is known from outside: the change log's
// newest change, and the last one in a durable page. It shares nothing with the code that judges: the figures below are
// those of the promise.
#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "base/instant.h"
#include "drill/promise_checks.h"
#include "pipeline/recorder_status.h"

namespace pawl::drill {

// A shard as it is known from outside.
struct KnownShard {
  SequenceNumber newest;  // committed
  SequenceNumber paged;   // in durable pages through here
};

class HonestCheck {
 public:
  explicit HonestCheck(Violations& violations) : violations_(violations) {}

  // A new process has not met anything.
  void process_started() { waits_.clear(); }
  // Now and then while a process serves:
  //   a shard with changes that are in no page is listed, with all of them, and is never idle;
  //   if neither its pages nor its heartbeats move for kStalledBy, it is stalled, and the stage is named.
  void look(MonotonicInstant now, const pipeline::RecorderStatus& status,
            const std::map<ShardId, KnownShard>& known);
  std::uint64_t stalls_seen() const { return stalls_seen_; }

 private:
  struct Wait {
    SequenceNumber paged;
    std::optional<Instant> heartbeat;
    MonotonicInstant since;
  };
  // Two heartbeat intervals of a second and half a second of declared latency, counted from when the recorder last came
  // round; which may have been as long again after the change if it had got stuck elsewhere before.
  static constexpr Duration kStalledBy = std::chrono::milliseconds(5'100);

  Violations& violations_;
  std::map<ShardId, Wait> waits_;
  std::uint64_t stalls_seen_ = 0;
};

}  // namespace pawl::drill
