// One worker's part in the agreement of all workers: who lives, who reads which shard, who owns the root chain. The
// protocol is docs/internals/guard.md, "Who does what: lease rows"; this is its decisions as a pure step:
//
//   join (a row of its own) --> beat, list --> fence the dead (erase the row), then take what is free up to a fair share
//     |                                   \--> release the surplus, each shard after its round
//     \-- the trust lapsed, or fenced: drop everything at once, and join again under another id
//
// Invariants:
//   nothing is read that a write of this very life, answered kDone, did not give, and a row whose write is in doubt gives
//     nothing until another write of ours has moved its revision: a late write can't give away what is held;
//   a worker trusts itself until `trust` after it began its last successful beat, on its own clock. When that has gone by
//     it does not wait to be told: that life is over, and its id is never used again. So whatever late writes of that
//     life still do to its row (they can bring an erased one back), nobody acts by it;
//   a row is erased only if its revision was not seen to change for `lease`, counted from when it had been read until a
//     later reading began, and only with that revision;
//   a shard is taken from another only when the other's row was read to be missing after the other had been known.
//
// Time is the worker's own monotonic clock, which goes on while it is paused. Regular value types; one thread.
// guard_exploration_test.cc visits every state of a small world around it, guard_simulation_test.cc runs large ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/instant.h"
#include "guard/lease_rows.h"
#include "port/lease_store.h"

namespace pawl::guard {

// How long things take. trust < lease by what the rates of two clocks may differ (10 % each way: 3.5/0.9 < 5/1.1).
// With these, what a dead worker held is read by others within 10 s: seen (1 s), lease (5 s), listed again (1 s), two
// writes; the rest is for slow clocks and a slow store.
struct MembershipTiming {
  Duration beat_every = std::chrono::seconds(1);
  Duration list_every = std::chrono::seconds(1);
  Duration trust = std::chrono::milliseconds(3500);
  Duration lease = std::chrono::seconds(5);
  bool operator==(const MembershipTiming&) const = default;
};

// Bounds against rows that nobody of ours wrote.
inline constexpr std::size_t kWorkersMax = 1000;       // workers' rows that are looked at
inline constexpr std::size_t kWritesInFlightMax = 16;  // of one worker
inline constexpr std::size_t kFormerIdsMax = 8;        // own ids that are remembered, newest last
inline constexpr std::size_t kRowProblemsMax = 64;     // damaged rows that are told of once each

// -- what happened --

// Time has come (next_tick()). `fresh_id`: random, never used before by anybody; used only if a life begins. Nothing: none
// may begin yet, since writes of the last one are still under way. Else they would go out under the new one's trust.
struct Tick {
  std::optional<std::string> fresh_id;
};
// The answer to ListRows: all rows, and when the reading began.
struct RowsListed {
  MonotonicInstant began;
  std::vector<LeaseRow> rows;
};
struct RowsNotListed {};
// The answer to Beat, PutRow or EraseRow. Tickets of an earlier life are ignored.
struct WriteAnswered {
  std::uint64_t ticket = 0;
  LeaseOutcome outcome = LeaseOutcome::kUnknown;
};
// Nothing of the shard is between read and page. Said after each round, also one that read nothing or waits.
struct RoundEnded {
  ShardNumber shard = 0;
};
// The shard was read to its end and everything is in durable pages; its reader has ended. `gap`: changes are missing after
// the last of them.
struct ShardFinished {
  ShardNumber shard = 0;
  bool gap = false;
};
// End cleanly: release everything, then erase the own row.
struct EndAsked {};
using MembershipEvent = std::variant<Tick, RowsListed, RowsNotListed, WriteAnswered, RoundEnded,
                                     ShardFinished, EndAsked>;

// -- what to do about it, in order --

// LeaseStore::list(""); answered by RowsListed or RowsNotListed. One at a time. The rows may be read in any order.
struct ListRows {
  bool operator==(const ListRows&) const = default;
};
// LeaseStore::put() of the own row. By itself because it must not wait behind other writes.
struct Beat {
  std::uint64_t ticket = 0;
  std::string name;
  std::uint64_t expected = 0;
  std::string value;
  bool operator==(const Beat&) const = default;
};
struct PutRow {
  std::uint64_t ticket = 0;
  std::string name;
  std::uint64_t expected = 0;
  std::string value;
  bool operator==(const PutRow&) const = default;
};
struct EraseRow {
  std::uint64_t ticket = 0;
  std::string name;
  std::uint64_t expected = 0;
  bool operator==(const EraseRow&) const = default;
};
// The shard is held: read the end of its chain, and go on after it.
struct StartShard {
  ShardNumber shard = 0;
  bool operator==(const StartShard&) const = default;
};
// It is to be released: finish what was read, read no more, say RoundEnded.
struct EndRound {
  ShardNumber shard = 0;
  bool operator==(const EndRound&) const = default;
};
// It is not held any more: drop its reader at once, begin no further write for it.
struct StopShard {
  ShardNumber shard = 0;
  bool operator==(const StopShard&) const = default;
};
// The root chain is ours to write: read it and discover shards (lineage.h). And: not any more, drop that at once.
struct StartRoot {
  bool operator==(const StartRoot&) const = default;
};
struct StopRoot {
  bool operator==(const StopRoot&) const = default;
};
// This life is over: every reader and the root, at once. No StopShard or StopRoot follows.
struct DropEverything {
  bool operator==(const DropEverything&) const = default;
};
// A damaged row, once for each revision of it: a person ought to know.
struct RowProblem {
  std::string name;
  std::string why;
  bool operator==(const RowProblem&) const = default;
};
// After EndAsked: nothing follows. The own row is erased, or others will do it.
struct Ended {
  bool operator==(const Ended&) const = default;
};
using MembershipEffect =
    std::variant<ListRows, Beat, PutRow, EraseRow, StartShard, EndRound, StopShard, StartRoot,
                 StopRoot, DropEverything, RowProblem, Ended>;

// The newest that is known of a row: from a listing, or from our own write of it.
template <typename Row>
struct RowView {
  std::uint64_t revision = 0;
  Row row;
  bool stale = false;  // a write of it went wrong: not acted on until it is listed again
  bool operator==(const RowView&) const = default;
};

// Its members are for reading; only step() writes them.
struct Membership {
  enum class Phase : std::uint8_t {
    kOut,      // no life: the next Tick that is not before join_due begins one
    kJoining,  // the own row is being made
    kIn,
    kErasing,  // the own row is being erased, as the last thing
    kEnded,
  };
  enum class Hold : std::uint8_t {
    kHeld,
    kLeaving,    // EndRound was said
    kReleasing,  // the row is being given back
    kFinishing,  // the row is being marked as finished
  };
  struct Held {
    std::uint64_t revision = 0;  // of the row, as our last write made it
    Hold state = Hold::kHeld;
    bool gap = false;  // of kFinishing
    bool operator==(const Held&) const = default;
  };
  // Another worker's row: since when this revision is known to be there.
  struct Seen {
    std::uint64_t revision = 0;
    MonotonicInstant since;
    MonotonicInstant until;  // when the last reading that showed it began
    bool operator==(const Seen&) const = default;
  };
  struct Write {
    enum class What : std::uint8_t { kFence, kTake, kRelease, kFinish, kTakeRoot, kReleaseRoot };
    What what = What::kTake;
    ShardNumber shard = 0;
    std::string worker;  // of kFence
    std::uint64_t expected = 0;
    ShardRow row;  // of a shard's: what is written
    bool operator==(const Write&) const = default;
  };
  struct BeatWrite {
    std::uint64_t ticket = 0;
    std::uint64_t expected = 0;
    MonotonicInstant began;
    bool operator==(const BeatWrite&) const = default;
  };

  MembershipTiming timing;
  Phase phase = Phase::kOut;
  bool ending = false;
  MonotonicInstant join_due;
  std::string id;                   // of this life
  std::vector<std::string> former;  // of lives before it
  std::optional<std::uint64_t>
      revision;  // of the own row; nothing: in doubt, listed before the next beat
  std::optional<BeatWrite> beating;
  std::optional<BeatWrite> doubt;  // a beat that may or may not have been done
  MonotonicInstant joined;         // when the own row was answered for
  MonotonicInstant beat_due;
  MonotonicInstant trusted_until;
  bool listing = false;
  bool listed = false;  // in this life: there is a view of the rows
  MonotonicInstant list_due;

  std::map<std::string, Seen> workers;  // the others' rows
  std::set<std::string> named;          // owners that the last listing named
  std::set<std::string> gone;           // fenced for good, and still named by a row
  std::map<ShardNumber, RowView<ShardRow>> shards;
  std::optional<RowView<RootRow>> root;
  std::optional<Seen> damaged_root;  // its row can't be read: taken when it has been so for `lease`
  std::map<ShardNumber, MonotonicInstant> settled;  // when our last write of the row was answered
  MonotonicInstant root_settled;

  std::map<ShardNumber, Held> held;
  std::optional<std::uint64_t> root_held;  // the row's revision
  std::map<std::uint64_t, Write> writes;   // in flight, by ticket
  std::uint64_t next_ticket = 1;
  std::map<std::string, std::uint64_t> problems;  // rows told of, with their revision

  bool operator==(const Membership&) const = default;

  // The self-trust check: asked right before every write to archive, ledger or rows begins.
  bool may_write(MonotonicInstant now) const {
    return (phase == Phase::kIn || phase == Phase::kErasing) && now < trusted_until;
  }
  // A page or an object of the shard. Also while its round is being ended.
  bool may_write_shard(ShardNumber shard, MonotonicInstant now) const;
  // A page of the root chain, the tip, or a shard's row that lineage.h wants.
  bool may_write_root(MonotonicInstant now) const {
    return may_write(now) && root_held.has_value();
  }
  // When the next Tick has something to do, if nothing else happens before.
  MonotonicInstant next_tick() const;
  // Another's row has not changed for too long, or its worker is known to be fenced.
  bool is_dead(const std::string& worker, const Seen& seen) const;
  // Other workers that live, as far as is known.
  std::size_t others_alive() const;
};

// Effects in the order in which they must begin; writes and listings then overlap. Any event may come at any time.
std::vector<MembershipEffect> step(Membership& membership, const MembershipEvent& event,
                                   MonotonicInstant now);

}  // namespace pawl::guard
