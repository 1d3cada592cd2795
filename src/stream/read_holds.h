// What readers that must miss nothing hold of the change log, beside the streams' retention: a mapping holds each shard behind
// its durable checkpoint, however long that stands still. The committer asks before each trim; running out of room is then an
// alarm and refused writes, never a silent trim.
//
// A table can be held by its name, too, whether or not it is there already: each life of it from its first change on (or the first
// that is left), until its reader says of each shard how far it is. So nothing goes between a table's creation and its reader's
// noticing, or between a start and the reader's knowing where it was.
//
// Thread-safe. After a crash: empty; whoever holds says so again before the first commit round.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
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

  // Every table of that name is held, from now on.
  void hold_tables(const std::string& table) {
    const std::lock_guard lock(mutex_);
    tables_.insert(table);
  }
  // This life of a table that is held by its name is needed no longer, or (of one that lives) only as hold() says.
  void lift_table(Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    lifted_.insert(incarnation);
  }
  // Whether all that is left of the table is held because of its name.
  bool holds_table(const std::string& table, Incarnation incarnation) const {
    const std::lock_guard lock(mutex_);
    return tables_.contains(table) && !lifted_.contains(incarnation);
  }
  // The table is gone for good.
  void forget(Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    lifted_.erase(incarnation);
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
  std::set<std::string> tables_;
  std::set<Incarnation> lifted_;
};

}  // namespace pawl::stream
