// The committer: takes every queued command of every table, evaluates them in order against the
// store plus what the round has already changed, writes ONE batch — items, versions, change
// records, answers, counters, floors —, syncs once, and then answers all. So the stream can't miss
// a write that was acknowledged: they are the same write.
//
// Decisions are in commit_step.h (pure); this is the shell that does the reading, the write and the
// answers.
//
// Thread use: submit, refuse_writes, allow_writes, table_settled and close from any thread;
// run_round from one thread at a time, the commit thread, on which all callbacks come. After a
// crash: what was answered is there; what was not answered may be there, whole or not at all.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/key_value_store.h"
#include "port/random.h"
#include "stream/change_log.h"
#include "stream/read_holds.h"
#include "table/catalog.h"
#include "table/command_queue.h"
#include "table/commit_step.h"
#include "table/room_gate.h"
#include "table/round_answers.h"
#include "table/stream_holds.h"
#include "table/table_commands.h"
#include "table/table_reader.h"

namespace pawl::table {

// Who is told of what the committer did. Called on the commit thread, after the sync and the
// answers; must not block. May call back whatever is allowed from any thread.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  // The shards of recorded tables that have new changes, in the order of their ids.
  virtual void committed(std::span<const ShardAdvance> shards) = 0;
  virtual void table_created(const TableDescription& table) = 0;
  // The name is gone; the shards are read on until table_settled().
  virtual void table_deleted(const TableDescription& table) = 0;
  // `table` goes on where `parent` stopped, which is closing from now on.
  virtual void table_adopted(const TableDescription& table, Incarnation parent) = 0;
  // Writes are refused for want of room (`why` for people), or taken again.
  virtual void room_changed(bool enough, const std::string& why) = 0;
  // Born on the commit thread about once a second, in an idle server too: everything committed at or before `at` has
  // been told above.
  virtual void heartbeat(Instant at) = 0;
  // All shards that have new changes, of tables that are not recorded too. Before committed().
  virtual void published(std::span<const ShardAdvance> shards) { static_cast<void>(shards); }
  // A removal of old records failed: nothing is lost, room is.
  virtual void trim_failed(const Error& error) = 0;
  // Nobody knows whether the last batch is durable. The committer has ended; the process must, too.
  virtual void failed(const std::string& why) = 0;
};

struct CommitterOptions {
  std::size_t queue_commands_max = 16'384;
  std::size_t queue_bytes_max = 128 * 1024 * 1024;  // of Command::bytes
  std::size_t round_commands_max = 2'048;
  std::size_t batch_bytes_max = 8 * 1024 * 1024;  // unless a single command is larger
  RoomReserve reserve;
  // How often change log records are removed: each removal costs later reads a little.
  Duration trim_interval = std::chrono::seconds(5);
  Duration heartbeat_interval = std::chrono::seconds(1);
  // How long the records of a stream stay readable, and how long a deleted table's do.
  Duration stream_retention = kStreamRetentionDefault;
  // What readers that must miss nothing hold beside that; null: nothing. Must outlive the committer.
  const stream::ReadHolds* read_holds = nullptr;
  // Tables, by name, that only gain items: puts of what is not there yet, and nothing else.
  std::set<std::string> insert_only;
};

// What the committer stands on. All must outlive it.
struct CommitterPorts {
  KeyValueStore& store;
  Clock& clock;
  Random& random;
  Catalog& catalog;
  stream::ChangeLog& log;
  CommitListener& listener;
};

class Committer final : public CommandSink {
 public:
  // Opens the shards of all tables and removes what a crash left of tables that are gone.
  // Errors: kCorrupt, or the store's.
  static Result<std::unique_ptr<Committer>> open(CommitterPorts ports, CommitterOptions options);

  void submit(Command command) override;

  enum class Round {
    kIdle,   // there was nothing to do
    kDone,   // something was done; there may be more
    kEnded,  // failed() was called: no further round does anything
  };
  Round run_round();

  // Mutations and commands on tables (but AdoptTable) are refused from the next round on.
  void refuse_writes(Refusal refusal, std::string reason);
  void allow_writes();

  // All changes of a closing or replaced incarnation are in ledger pages: its change log may go, as soon as its streams have
  // run out. What is unknown is ignored; told again is told once.
  void table_settled(Incarnation incarnation);

  // Commands submitted from now on are refused as kStopping; those before are still to be done.
  void close();
  bool has_commands() const { return !queue_.empty(); }

  // Called after each submit, on its thread. Set before the first.
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }

 private:
  Committer(CommitterPorts ports, CommitterOptions options);
  Status open_shards();
  void settle_unrecorded(const TableRecord& table);
  void look_at_streams(MonotonicInstant now);

  Round item_round(std::vector<Pending> pending, bool trim);
  Round table_round(Pending pending);
  Round settle_round(const std::vector<TablePtr>& tables);
  std::vector<TablePtr> take_settled();
  bool table_command_refused(const Command& command) const;
  std::optional<Failure> refusal_now() const;

  // Writes a sealed batch; tells what became of it.
  CommitStep::Settled write(const WriteBatch& batch);
  // Publishes, answers, tells the listener and trims, as it was settled.
  Round conclude(const CommitStep::Settled& settled, std::vector<Pending>& pending);
  void apply(const TablePlan& plan);
  void announce(const TablePlan& plan);
  // Returns the others: those of recorded tables.
  std::vector<ShardAdvance> release_unrecorded(const std::vector<ShardAdvance>& published);
  void report(const Status& removal);
  void beat(MonotonicInstant now);
  void end(std::vector<Pending>& pending);
  static void refuse_all(std::vector<Pending>& pending, Refusal refusal, const std::string& why);

  CommitterPorts ports_;
  const CommitterOptions options_;
  CommandQueue queue_;
  std::function<void()> waker_;

  mutable std::mutex mutex_;  // the two below
  std::optional<Failure> refusal_;
  std::vector<Incarnation> settled_;

  // The commit thread's own.
  CommitStep step_;
  RoomGate room_;
  AnswerExpiry expiry_;
  std::optional<MonotonicInstant> trimmed_;
  std::optional<MonotonicInstant> beaten_;
  StreamHolds holds_;
  std::optional<MonotonicInstant> held_;  // when holds_ and still_read_ were looked at
  std::set<Incarnation> still_read_;      // settled, but for the readers of their streams
  std::string why_;                       // of the last write that was not done
};

}  // namespace pawl::table
