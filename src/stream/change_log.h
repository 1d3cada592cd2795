// The change log: every committed change, in shards, until its ledger page is durable (promise P6).
//
// Where it stands: the committer (table/committer.h) writes change records in the same synced batch
// as the items that they tell of; the archiver and the stream endpoints read them here. Trimming
// has two steps that must not be turned round: the committer makes a floor durable, and only then
// trim() removes what lies below it. A crash in between leaves records below the floor, which
// nobody reads; the next trim takes them.
//
// Invariants, for each open shard:
//   floor <= released, and floor < newest if newest > 0: the newest released change is always kept,
//   because a restart compares it with the last ledger page; the records floor+1 ... newest are all
//   there: a hole is corruption, never skipped.
//
// Thread use: read, release and the questions from any thread; the rest from the commit thread.
// After a crash: floors come from the catalog, the newest sequence number from the records
// themselves.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "port/change_source.h"
#include "port/key_value_store.h"

namespace pawl::stream {

// What is held of one shard.
struct ShardPosition {
  SequenceNumber floor;     // trimmed through here, durably; 0 = nothing trimmed
  SequenceNumber newest;    // of the last synced change; 0 = none yet
  SequenceNumber released;  // in durable ledger pages through here, as far as told since the start
};

class ChangeLog final : public ChangeSource {
 public:
  // Holds no more of the store than a reference: it must outlive the log.
  explicit ChangeLog(KeyValueStore& store) : store_(store) {}

  // ChangeSource. read() does a synchronous read of the store and never waits.
  Awaitable<Result<std::vector<ChangeRecord>>> read(ShardId shard, SequenceNumber after,
                                                    std::size_t count_max,
                                                    std::size_t bytes_max) override;
  // Remembers the position for the committer; what is unknown or already released is ignored.
  void release(ShardId shard, SequenceNumber through) override;

  // The same as read(), for callers that are no coroutines.
  Result<std::vector<ChangeRecord>> read_now(ShardId shard, SequenceNumber after,
                                             std::size_t count_max, std::size_t bytes_max) const;

  // Calls `visit` for the changes of a shard after `after`, in order and without a hole, at most `count_max`, until it
  // returns false. The bytes are good during the call. Errors: as read().
  using Visit = std::function<bool(SequenceNumber, std::string_view encoded)>;
  Status visit(ShardId shard, SequenceNumber after, std::size_t count_max,
               const Visit& visit) const;

  // The last change of a shard whose instant is before `cutoff`, at least its floor; `known`: what an earlier call
  // returned, or 0. A few point reads (age_search.h), one where nothing has aged since. Errors: kNotFound, kCorrupt.
  Result<SequenceNumber> last_before(ShardId shard, SequenceNumber known, Instant cutoff) const;

  // Nothing for a shard that is not open.
  std::optional<ShardPosition> position(ShardId shard) const;
  std::vector<ShardId> shards() const;

  // -- for the committer --

  // Opens a shard found in the catalog and finds its newest change: its record is returned, so that
  // the caller learns its instant. Errors: kCorrupt where the log ends before its floor.
  Result<std::optional<ChangeRecord>> open(ShardId shard, SequenceNumber floor);
  // A new shard, without changes.
  void add(ShardId shard);
  void forget(ShardId shard);
  // A synced batch took the shard to `newest`.
  void publish(ShardId shard, SequenceNumber newest);
  // What was released since the last call, one position a shard.
  std::vector<std::pair<ShardId, SequenceNumber>> take_releases();
  bool has_releases() const;
  // Removes the records through `floor`, which has been made durable.
  Status trim(ShardId shard, SequenceNumber floor);
  // Removes all records of an incarnation that the catalog has forgotten.
  Status remove_all(Incarnation incarnation);

 private:
  KeyValueStore& store_;
  mutable std::mutex mutex_;
  std::map<ShardId, ShardPosition> shards_;
  std::map<ShardId, SequenceNumber> releases_;
  // Removed through here by this process. Where each removal starts, because ranges that overlap cost the store a time
  // that grows with the square of their number.
  std::map<ShardId, SequenceNumber> removed_;
};

}  // namespace pawl::stream
