// Reads one shard of the stream into the archive, from where its chain ends to its own end: the shell around
// stream_cursor.h (what to ask the stream), archive/progress.h (what to put and enter) and ledger/chain.h.
//
//   chain's end --> [ records --> rendered --> put if absent --> page, put if absent ] --> the shard's end
//
// Where Pawl checks what somebody else writes (GuardPorts::check), a record's object is awaited before that, and only put if it
// does not come: expected_objects.h.
//
// It reads no further than what is in its hands, so its memory is bounded by one answer of the stream, and that of all readers by
// reading_room.h. It begins no write unless `may_write` says that the shard is still this worker's. Where it meets another's page
// it reads the chain's end again and goes on from there: the chain is the only checkpoint, and stays one chain whoever writes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/progress.h"
#include "guard/expected_objects.h"
#include "guard/guard_ports.h"
#include "guard/image_chain.h"
#include "guard/membership.h"
#include "guard/reading_room.h"
#include "guard/rendered_change.h"
#include "guard/stream_cursor.h"
#include "ledger/chain.h"
#include "ledger/shard_page.h"

namespace pawl::guard {

// Where the shard is in the stream.
struct ShardSource {
  ShardId id;          // of its chain
  std::string stream;  // ARN
  std::string shard;   // the service's own id
  // A listing that began then did not show it, so it is no older. Where that is not known: earlier rather than later.
  Instant born_after;
};

// What status tells of it.
struct ReaderStatus {
  ShardSource source;
  SequenceNumber archived;  // the last change in a page
  std::size_t in_hand = 0;  // changes that were read and are not in a page
  // All changes up to then are in pages: as the service tells time (in whole seconds), or our own clock when the stream had
  // nothing more. Nothing: it is not known yet how far back the first change lies.
  std::optional<Instant> proven;
  std::uint64_t renamed = 0;  // names that were taken, by this reader
  std::uint64_t gaps = 0;     // that were entered, by this reader
  CheckCounts checked;        // likewise, where it checks
  std::string why;            // the last failure since something came through
};

// A reader with no more than this in hand (bytes of bodies and names) needs no seat while it waits for somebody else's objects.
inline constexpr std::size_t kWaitsUnseated = std::size_t{16} << 10;

// Records may be trimmed at 24 hours, and when a shard was last not there is known only roughly: first read later than this
// after it, what it held at first counts as a gap.
inline constexpr Duration kOverdueAfter = kStreamRetention - std::chrono::hours(1);

// One executor. Held by a shared_ptr of which its own coroutine has one.
class ShardReader {
 public:
  struct Callbacks {
    std::function<bool()> may_write;
    std::function<void(MembershipEvent)> tell;  // RoundEnded, ShardFinished
  };

  // All that is given by reference must outlive it.
  ShardReader(const GuardPorts& ports, const GuardedTable& table, ReadingRoom& room,
              ItemMemory& items, ShardSource source, Callbacks callbacks);

  // Ends when the shard is finished, left after end_round(), or dropped. Once.
  Awaitable<void> run();
  // Finish what was read, and read no more.
  void end_round();
  // No further write is begun.
  void drop();

  ReaderStatus status() const;

 private:
  enum class Turn : std::uint8_t { kGoOn, kReadChainAgain, kEnd };

  Awaitable<bool> open();
  Awaitable<Turn> read_on();
  Awaitable<Turn> take(const TakeRecords& effect);
  Awaitable<Turn> finish(const ShardEnded& effect);
  Awaitable<bool> settle_objects();
  Awaitable<Turn> archive_in_hand(std::size_t taken);
  Awaitable<archive::PutAnswered> put(const archive::Put& effect);
  Awaitable<Status> write_pages(const archive::WritePage& effect);
  Awaitable<std::optional<CursorEvent>> ask(const AskIterator& effect);
  Awaitable<std::optional<CursorEvent>> ask(const AskRecords& effect);
  Awaitable<void> wait_until(MonotonicInstant when);
  bool leaves();
  RenderedChange& in_hand(SequenceNumber sequence);
  void tell(MembershipEvent event);
  void note(std::string why);
  void tell_paged(const std::string& source);

  const GuardPorts& ports_;
  const GuardedTable& table_;
  ReadingRoom& room_;
  ShardSource source_;
  Callbacks callbacks_;
  std::unique_ptr<Alarm> alarm_;
  bool leaving_ = false;
  bool dropped_ = false;

  std::unique_ptr<LedgerStore> ledger_;
  ledger::ChainEndState chain_;
  // What a failed sync was given: it may be there, so it is the next to be written, unchanged.
  std::vector<ledger::NextPage> unsettled_;
  StreamCursor cursor_;
  ImageChain images_;
  archive::Progress progress_;
  ReadingRoom::Seat seat_;
  std::deque<RenderedChange> in_hand_;
  std::vector<StreamRecord> answer_;  // the records of the last answer
  ReaderStatus status_;
};

}  // namespace pawl::guard
