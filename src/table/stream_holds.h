// Keeps the trim from what the streams still show: the part of retention that meets time and store.
//
// Where it stands: the committer asks it, before it trims, to tell the commit step (commit_step.h) how far each shard's
// changes have aged. The search for that is bounded a call, so a data directory with thousands of streams trims a little
// later, and never earlier. Tables without a stream and without readers cost nothing and trim as ever.
//
// Thread use: the commit thread. After a crash: begin() holds everything that is there until the first advance().
#pragma once

#include <map>
#include <set>

#include "stream/change_log.h"
#include "stream/read_holds.h"
#include "table/catalog.h"
#include "table/commit_step.h"

namespace pawl::table {

class StreamHolds {
 public:
  // Shards that one advance() looks at, at least; it ends with the table that reaches it.
  static constexpr std::size_t kShardsACall = 256;

  // All must outlive it. `readers`: what is held beside the retention; may be null.
  StreamHolds(const Catalog& catalog, const stream::ChangeLog& log, Duration retention,
              const stream::ReadHolds* readers)
      : catalog_(catalog), log_(log), retention_(retention), readers_(readers) {}

  // A table's shards were opened, or its streams have changed: holds what is there. A stream that begins holds from then
  // on, so nothing of it can be trimmed before the next advance().
  void begin(const Table& table, CommitStep& step);
  // Looks at the next tables, and moves or lifts their holds. Errors: of the store; the holds stay as they are.
  Status advance(Instant now, CommitStep& step);
  // Whether a table that is gone still has readable streams, or readers that hold it.
  bool is_read(const TableRecord& record, Instant now) const {
    return any_readable(record.streams, now, retention_) || has_readers(record);
  }
  void forget(const Table& table);

 private:
  Status advance_table(const Table& table, Instant now, CommitStep& step);
  bool is_held_whole(const TableRecord& record) const {
    return readers_ != nullptr && readers_->holds_table(record.definition.name, record.incarnation);
  }
  bool has_readers(const TableRecord& record) const {
    return readers_ != nullptr && (readers_->any_of(record.incarnation) || is_held_whole(record));
  }

  const Catalog& catalog_;
  const stream::ChangeLog& log_;
  const Duration retention_;
  const stream::ReadHolds* const readers_;
  Incarnation next_;  // where the next advance() goes on
  std::map<ShardId, SequenceNumber>
      aged_;                    // all changes through here were older than the retention
  std::set<Incarnation> held_;  // by readers, at the last look
};

}  // namespace pawl::table
