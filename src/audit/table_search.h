// What `pawl gaps --table` asks of a table and of its stream, read-only: the version of each item now, and records of the
// stream that hold what the bucket lacks.
//
// Both are read by several workers at once, which whoever composes them starts: coroutines of one executor, all of which
// must have returned before the search is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/gap_list.h"
#include "audit/gap_recovery.h"
#include "audit/name_pattern.h"
#include "port/clock.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl::audit {

// Tells a GapList each item of a table. Read it before the bucket is listed: what is archived meanwhile is then no gap.
class TableScan {
 public:
  // All must outlive it. `progress` is told how many items have come.
  TableScan(SourceTable& table, const NamePattern& pattern, GapList& list,
            std::function<void(std::uint64_t)> progress)
      : table_(table), pattern_(pattern), list_(list), progress_(std::move(progress)) {}

  // One segment, to its end. Errors: of the table and of the list; and where pages bring nothing and don't end.
  Awaitable<Status> segment(std::uint32_t segment, std::uint32_t segments);

  std::uint64_t items() const { return items_; }
  // Of them, without a usable version, or without an attribute that names are made of.
  std::uint64_t unnamed() const { return unnamed_; }

 private:
  SourceTable& table_;
  const NamePattern& pattern_;
  GapList& list_;
  std::function<void(std::uint64_t)> progress_;
  std::uint64_t items_ = 0;
  std::uint64_t unnamed_ = 0;
};

struct StreamSearchOptions {
  std::size_t shards_max = 100'000;
  // A shard that is open has no end. It counts as read when a record of after the search's start has come, or after this
  // many empty pages on end, with a pause after each: a single one says nothing.
  std::size_t empty_pages_max = 12;
  Duration empty_pause = std::chrono::milliseconds(250);
  std::size_t attempts_max =
      6;  // of a call that is throttled or not answered, with pauses that double
  Duration backoff_first = std::chrono::milliseconds(200);
};

struct StreamSummary {
  std::uint64_t shards = 0;
  std::uint64_t records = 0;
  std::optional<Instant> oldest;
  // Shards that could not be read to their end, and the first reason.
  std::uint64_t shards_unread = 0;
  std::string why_unread;
};

// Every shard, from the oldest record that is left or from where it is told to.
class StreamSearch {
 public:
  using See = std::function<Status(const std::string& shard, const StreamRecord& record)>;
  using Start = std::function<StreamPosition(const std::string& shard)>;

  // `see` hears of each record; its errors end the search.
  StreamSearch(TableStream& stream, Clock& clock, See see,
               std::function<void(std::uint64_t)> progress, StreamSearchOptions options = {})
      : stream_(stream),
        clock_(clock),
        see_(std::move(see)),
        progress_(std::move(progress)),
        options_(options) {}
  StreamSearch(TableStream& stream, Clock& clock, GapRecovery& recovery,
               std::function<void(std::uint64_t)> progress, StreamSearchOptions options = {})
      : StreamSearch(
            stream, clock,
            [&recovery](const std::string& shard, const StreamRecord& record) {
              return recovery.see(shard, record);
            },
            std::move(progress), options) {}

  // Where each shard's reading starts, instead of the oldest record. Before find_shards().
  void start_at(Start start) { start_ = std::move(start); }

  // First: which shards there are. Errors: the stream's, as an Error.
  Awaitable<Status> find_shards(std::string arn);
  // Then one or more of these at once: reads shards until none is left. What one shard withholds is in the summary; an
  // error is one of `recovery`'s.
  Awaitable<Status> work();

  const StreamSummary& summary() const { return summary_; }

 private:
  Awaitable<Status> read(StreamShard shard);
  Awaitable<StreamResult<std::string>> iterator(std::string shard, StreamPosition position);
  Awaitable<void> pause(Duration time);
  void give_up(const StreamError& error);

  TableStream& stream_;
  Clock& clock_;
  See see_;
  Start start_;
  std::function<void(std::uint64_t)> progress_;
  StreamSearchOptions options_;
  std::string arn_;
  Instant started_;
  std::vector<StreamShard> shards_;
  std::size_t next_ = 0;
  StreamSummary summary_;
};

}  // namespace pawl::audit
