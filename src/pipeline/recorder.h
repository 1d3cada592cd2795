// The recorder: takes every change of every recorded table from the change log to an object in the archive and a page in
// the ledger, and then lets the change log forget it. One for a whole process.
//
//   CommitBoard ──wake──> [ read ─> render ─> put_if_absent ─> page ─> sync ─> release ] ──> tip, checkpoints, status
//
// A round does each step for all shards together: one batch of puts, one ledger sync. There is no timer in the way: a
// round starts as soon as there is work and the one before has ended, so under low load a change takes one round, and
// under backlog rounds grow up to their bounds. What may be done when is decided by archive/progress.h and
// ledger/chain.h; this is the shell that does it, through ports only.
//
// Thread use: open(), adopt() and run() in one coroutine, on one executor; stop(), status() from any thread.
// After a crash (or the destruction of the coroutine at any co_await) a new Recorder over the same stores goes on: the
// ledger is its only checkpoint.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "archive/object_naming.h"
#include "archive/progress.h"
#include "ledger/chain.h"
#include "ledger/tip.h"
#include "pipeline/adopt.h"
#include "pipeline/commit_board.h"
#include "pipeline/ledger_view.h"
#include "pipeline/recorded_tables.h"
#include "pipeline/recorder_status.h"
#include "port/change_source.h"
#include "port/clock.h"
#include "port/ledger_store.h"
#include "port/object_store.h"
#include "port/signer.h"

namespace pawl::pipeline {

// All must outlive the recorder.
struct RecorderPorts {
  ChangeSource& changes;
  ObjectStore& objects;
  LedgerStore& ledger;
  RecordedTables& tables;
  CommitBoard& board;
  Clock& clock;
  Signer* signer = nullptr;  // nullptr: an unsigned ledger
};

struct RecorderOptions {
  std::string archive;   // the archive's id, 16 hex digits (archive.json)
  std::string data;      // the data directory's id, 16 hex digits
  std::string software;  // "pawl 0.1.0"

  // Bounds of a round: changes and bytes of bodies that are read anew.
  std::size_t round_changes_max = 4096;
  std::size_t round_bytes_max = std::size_t{16} << 20;
  // Bytes of bodies in flight, retries included, above which a shard reads one change at a time.
  std::size_t in_flight_bytes_max = std::size_t{64} << 20;

  // A shard's changes are taken up at most this often, unless so many wait: where each page is an object of its own, many
  // small ones would drown the archive. 0 = at once. A shard that waits so long by design is called stalled later by as much.
  Duration page_interval{0};
  // Of tables, by name, where it is another.
  std::map<std::string, Duration, std::less<>> page_intervals = {};
  std::size_t page_changes_full = 1024;

  Duration tip_interval = std::chrono::seconds(1);          // while something moves
  Duration idle_tip_interval = std::chrono::seconds(10);    // while only heartbeats do
  Duration checkpoint_interval = std::chrono::seconds(10);  // while something changes
  // How long a stop waits for changes that are not archived yet; they are not lost by stopping.
  Duration stop_grace = std::chrono::seconds(5);
};

// What data directory and ledger disagree about. The server must refuse writes until `pawl adopt`.
struct Disagreement {
  enum class Kind : std::uint8_t {
    kUnknownToData,   // the ledger has an open table that the data directory does not know
    kClosedInLedger,  // the data directory has a table whose chains are closed
    kBehindLedger,    // the data directory lacks changes that are in the ledger
    kDiverged,        // it has another change under a sequence number than the ledger
    kTrimmed,         // it lacks changes that are not in the ledger, or the ledger is another one
  };
  Kind kind = Kind::kDiverged;
  Incarnation incarnation;
  std::string table;
  std::optional<ShardId> shard;
  std::string text;  // for people
};

struct Opening {
  std::vector<Disagreement> disagreements;
  bool needs_adopt() const { return !disagreements.empty(); }
};

class Recorder {
 public:
  Recorder(RecorderPorts ports, RecorderOptions options);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Start-up: compares data directory and ledger, cuts torn pages, enters the start in the root chain. Must have
  // returned without disagreements before run(). With disagreements nothing has been written, and status() says so.
  // Errors: kCorrupt (a damaged ledger), kConflict (another archive or key than expected), those of the stores.
  Awaitable<Result<Opening>> open();

  // After an open() with disagreements: see pipeline/adopt.h. When it returns ok, throw this recorder away and open a new
  // one. May be repeated after an error or a crash.
  Awaitable<Status> adopt(AdoptTarget& target);

  // Works until stop(). Returns early only with an error that no waiting repairs (kConflict: fenced by another writer).
  Awaitable<Status> run();
  void stop();

  RecorderStatus status() const;

 private:
  struct Table;
  struct Rendered;
  struct Shard;
  struct Round;
  struct ShardFacts;

  // recorder_open.cc
  Awaitable<Status> compare_table(const LedgerView& view, const RecordedTable& table,
                                  Opening& opening);
  Awaitable<Status> compare_shard(const RecordedTable& table, ShardId shard, bool in_ledger,
                                  Opening& opening);
  Awaitable<Status> check_newest(const RecordedTable& table, ShardId shard,
                                 const ledger::PageEntry& newest, Opening& opening);
  Awaitable<Status> check_torn(const RecordedTable& table, ShardId shard, const ShardEnd& end,
                               Opening& opening);
  Awaitable<Status> check_archive(const LedgerView& view);
  Awaitable<Status> start_root_chain(const LedgerView& view);
  Awaitable<Status> settle_adopted(const LedgerView& view,
                                   const std::vector<RecordedTable>& tables);
  Awaitable<Result<ledger::TableDeleted>> abandon(const LedgerTable& table);

  // recorder_round.cc
  Awaitable<bool> round();
  std::vector<Shard*> choose_shards(MonotonicInstant now);
  Awaitable<void> take(Round& round, Shard& shard, std::size_t count_max, std::size_t bytes_max);
  Status render(Shard& shard, const ChangeRecord& record);
  Awaitable<void> set_aside(Round& round);
  Awaitable<Status> find_doubtful(const Rendered& rendered, std::vector<std::string>& names);
  Awaitable<void> put(Round& round);
  void note_put(Shard& shard, Rendered& rendered, const PutResult& result,
                const archive::Target& target);
  Awaitable<void> write_pages(Round& round);
  Status build_pages(const Shard& shard, const archive::WritePage& effect,
                     std::vector<ledger::NextPage>& pages);
  void page_written(Round& round, Shard& shard, std::span<const ledger::NextPage> pages);
  void apply(Round& round, Shard& shard, const archive::ProgressEvent& event);

  // recorder_root.cc
  struct ChainPage {
    std::string chain;
    ledger::NextPage page;
  };
  Awaitable<Status> append_durably(const std::vector<ChainPage>& pages);
  Awaitable<bool> flush_root();
  Awaitable<bool> reopen_ledger();
  Awaitable<void> close_deleted();
  Awaitable<Status> close_table(Table& table);
  Awaitable<void> write_checkpoint(bool stopping);
  Awaitable<void> write_tip(bool stopping);
  void ledger_failed(const Error& error);

  // recorder.cc
  Table& add_table(const RecordedTable& facts);
  Shard& add_shard(Table& table, ShardId id, archive::Progress progress,
                   const ledger::ChainEndState& chain);
  void refresh_tables();
  void take_news();
  void pass_heartbeats();
  bool has_due_work() const;
  MonotonicInstant next_wake() const;
  void note_failure(Shard& shard, std::string_view where, std::string why);
  void raise(AlarmKind kind, const std::string& subject, std::string text);
  void lower(AlarmKind kind, const std::string& subject);

  // recorder_facts.cc
  void publish();
  void add_unmet(std::vector<ShardFacts>& facts, const std::set<Incarnation>& settled,
                 MonotonicInstant looked, Instant looked_at) const;

  RecorderPorts ports_;
  RecorderOptions options_;
  std::unique_ptr<Alarm> alarm_;
  std::atomic<bool> stopping_ = false;
  std::optional<Error> fatal_;

  std::map<Incarnation, std::unique_ptr<Table>> tables_;
  std::map<ShardId, std::unique_ptr<Shard>> shards_;
  std::uint64_t tables_revision_ = 0;
  std::set<Incarnation> settled_;  // closed(), and perhaps listed for a while yet
  std::size_t next_shard_ = 0;     // where the next round starts, so that none is always last
  std::size_t in_flight_bytes_ = 0;

  ledger::ChainEndState root_;
  std::vector<Disagreement> disagreements_;     // that open() found
  std::vector<ledger::RootEvent> root_events_;  // to be made durable before the next shard page
  std::vector<ChainPage> root_unsettled_;  // of the first of these, that a failed sync was given
  bool ledger_broken_ = false;             // reopen() comes first
  std::uint32_t ledger_failures_ = 0;
  MonotonicInstant ledger_retry_at_;

  // When the catalog was last looked at: a shard that was not in it then stands still since, if the recorder does.
  MonotonicInstant looked_;
  Instant looked_at_;

  MonotonicInstant beat_due_, tip_due_, idle_tip_due_, checkpoint_due_;
  bool tip_moved_ = false;         // a page was written since the last tip
  bool chains_moved_ = false;      // a shard's page was written since the last checkpoint
  bool heartbeats_moved_ = false;  // a heartbeat came through since the last tip

  RecorderStatus totals_;  // its alarms and shards stay empty here
  std::map<std::pair<AlarmKind, std::string>, AlarmStatus> alarms_;

  // True during a call of the ledger: where the recorder is stuck, if it is.
  std::atomic<bool> in_ledger_ = false;

  mutable std::mutex published_mutex_;
  std::vector<ShardFacts> published_facts_;
  RecorderStatus published_;
  std::set<Incarnation> published_settled_;
  MonotonicInstant
      published_monotonic_;  // when: a recorder that is not stuck does it once a heartbeat interval
  MonotonicInstant published_looked_;
  Instant published_looked_at_;
};

}  // namespace pawl::pipeline
