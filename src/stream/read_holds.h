// What readers that must miss nothing hold of the change log, beside the streams' retention: a mapping holds each shard behind
// its durable checkpoint, however long that stands still. The committer asks before each trim; running out of room is then an
// alarm and refused writes, never a silent trim.
//
// Thread-safe. After a crash: empty; whoever holds says so again before the first commit round.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/ids.h"

namespace pawl::stream {

class ReadHolds {
 public:
  // `reader` needs the changes of a shard behind `after`.
  void hold(const std::string& reader, ShardId shard, SequenceNumber after) {
    const std::lock_guard lock(mutex_);
    holds_[shard][reader] = after;
  }
  void lift(const std::string& reader, ShardId shard) {
    const std::lock_guard lock(mutex_);
    const auto found = holds_.find(shard);
    if (found == holds_.end()) return;
    found->second.erase(reader);
    if (found->second.empty()) holds_.erase(found);
  }

  // Nothing behind this may go; nothing: nobody holds the shard.
  std::optional<SequenceNumber> held_after(ShardId shard) const {
    const std::lock_guard lock(mutex_);
    const auto found = holds_.find(shard);
    if (found == holds_.end()) return std::nullopt;
    std::optional<SequenceNumber> least;
    for (const auto& [reader, after] : found->second) {
      if (!least || after < *least) least = after;
    }
    return least;
  }
  // Whether anybody still needs changes of a stretch: behind `after`, through `last`.
  bool any_within(ShardId shard, SequenceNumber after, SequenceNumber last) const {
    const std::lock_guard lock(mutex_);
    const auto found = holds_.find(shard);
    if (found == holds_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const auto& hold) {
      return hold.second >= after && hold.second < last;
    });
  }
  // Whether anybody holds a shard of this table.
  bool any_of(Incarnation incarnation) const {
    const std::lock_guard lock(mutex_);
    const auto found = holds_.lower_bound(ShardId{incarnation, 0});
    return found != holds_.end() && found->first.incarnation == incarnation;
  }

 private:
  mutable std::mutex mutex_;
  std::map<ShardId, std::map<std::string, SequenceNumber>> holds_;
};

}  // namespace pawl::stream
