// The root owner's decisions: which shards there are, in which order they are entered in the root chain, and which rows
// follow from that. The protocol is docs/internals/guard.md, "Shards: parents before children".
//
//   table described --> shards listed --> entered in the root chain (durable) --> rows made, opened, removed
//
// Invariants:
//   a row is made, opened (`waits` taken away) or removed only for what a durable root page says;
//   a shard is entered after its parent, once for ever: what the root chain knows is never entered again, however long
//     the stream goes on listing it;
//   a shard is opened only when what comes before it is closed by the root chain: its parent, if that is known; for a
//     stream that follows another (disabled and enabled again), every shard of the streams before;
//   that a parent is missing is believed only when every whole listing has said so for a while (none is a snapshot), and
//     never of a parent that the root chain knows: that one is closed by its reader alone.
//
// Level-triggered: rows are compared with what the root chain says at each listing of them, so lost answers, late writes
// of earlier root owners and rows that vanish or are damaged heal by themselves. A new root owner makes a new Lineage and
// feeds it the root chain. Regular value type; one thread. It remembers every shard that the root chain knows: some 300 bytes each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/instant.h"
#include "guard/lease_rows.h"
#include "guard/membership.h"
#include "port/table_stream.h"

namespace pawl::guard {

inline constexpr Duration kListShardsEvery = std::chrono::seconds(10);
// After a listing that left something to be believed, or failed.
inline constexpr Duration kListShardsSoon = std::chrono::seconds(1);
// For so long every whole listing must say that a parent is missing, or that a stream shows no more shards, before that is
// believed: by so much the service's listings may lag behind, each by itself.
inline constexpr Duration kListingPatience = std::chrono::seconds(5);
// Pages of one listing, of 100 shards each: a stream lists those of a day or two, so more means that the service pages in
// circles.
inline constexpr std::size_t kListingPagesMax = 700;
inline constexpr std::size_t kShardNameBytesMax = 256;  // the service's own are at most 65
// Rows written for one listing of them; the rest follows with the next.
inline constexpr std::size_t kRowWritesMax = 100;
// After a page that did not become the chain's.
inline constexpr Duration kEnterAgain = std::chrono::milliseconds(200);
// A shard's row that can't be read is written anew when it has been so for this long: who held the shard has seen it by then.
inline constexpr Duration kDamagedRowPatience = MembershipTiming{}.lease;

// -- what the root chain says; the shell makes the pages --

struct ShardOpened {
  ShardNumber number = 0;
  std::string stream;  // its ARN
  std::string shard;   // the service's own id
  std::optional<ShardNumber> parent;
  // Changes may be missing before it: its parent was never known, and it is not of the first listing; or it is of a
  // stream that follows another. The table is to be reconciled.
  bool gap = false;
  bool operator==(const ShardOpened&) const = default;
};
struct ShardClosed {
  ShardNumber number = 0;
  bool gap = false;  // changes are missing after its last
  bool operator==(const ShardClosed&) const = default;
};
using LineageEntry = std::variant<ShardOpened, ShardClosed>;

// -- what happened --

// A page that the root chain has: read at the start, or met where our own was to go. In the chain's order.
struct EntryKnown {
  LineageEntry entry;
};
// The whole root chain was read (EntryKnown for each page of this kind). Nothing is decided before.
struct ChainKnown {};
// The page of the last Enter is durable. Or it is not the chain's, for certain: another's page stood there (told by
// EntryKnown before this), or it was refused. An unknown outcome is first made certain by reading the chain's end.
struct EnterAnswered {
  bool durable = false;
};
// The answer to DescribeTable: the newest stream, if the table has one; or no answer.
struct TableDescribed {
  std::optional<std::string> stream;
};
struct TableNotDescribed {};
// The answers to ListShards.
struct ShardsListed {
  StreamShardPage page;
};
struct ShardsNotListed {
  StreamErrorKind kind = StreamErrorKind::kUnavailable;
};
struct LineageTick {};
// RowsListed is the same that membership.h gets.
using LineageEvent =
    std::variant<EntryKnown, ChainKnown, EnterAnswered, TableDescribed, TableNotDescribed,
                 ShardsListed, ShardsNotListed, LineageTick, RowsListed>;

// -- what to do about it --

struct DescribeTable {
  bool operator==(const DescribeTable&) const = default;
};
struct ListShards {
  std::string stream;
  std::string after;  // "" = from the start
  bool operator==(const ListShards&) const = default;
};
// Append one page to the root chain. One at a time.
struct Enter {
  LineageEntry entry;
  bool operator==(const Enter&) const = default;
};
// Writes of shards' rows, each conditional. Their answers are not asked for: the next listing of rows tells. Stream, shard
// and `born_after` of a row are the shell's to fill in.
struct MakeRow {
  ShardRow row;
  bool operator==(const MakeRow&) const = default;
};
// Over the row that is there: `waits` taken away, or a damaged one made good (which may still wait).
struct OpenRow {
  ShardRow row;
  std::uint64_t expected = 0;
  bool operator==(const OpenRow&) const = default;
};
struct RemoveRow {
  std::string name;
  std::uint64_t expected = 0;
  bool operator==(const RemoveRow&) const = default;
};
// For people.
struct LineageProblem {
  std::string what;
  bool operator==(const LineageProblem&) const = default;
};
using LineageEffect =
    std::variant<DescribeTable, ListShards, Enter, MakeRow, OpenRow, RemoveRow, LineageProblem>;

// Its members are for reading; only step() writes them.
struct Lineage {
  using Source = std::pair<std::string, std::string>;  // stream and shard
  struct Known {
    Source source;
    std::optional<ShardNumber> parent;
    bool closed = false;
    bool operator==(const Known&) const = default;
  };
  struct Stream {
    std::uint32_t open = 0;  // shards that are known and not closed
    // Listings that began after all were closed showed nothing new for a while, of a stream that gets no more records.
    bool drained = false;
    std::optional<MonotonicInstant> quiet_since;  // it has looked drained
    bool operator==(const Stream&) const = default;
  };
  struct DamagedRow {
    std::uint64_t revision = 0;
    MonotonicInstant since;
    bool operator==(const DamagedRow&) const = default;
  };
  // The listing that is under way, of one stream.
  struct Listing {
    std::string stream;
    std::map<std::string, std::string> shards;  // id -> parent
    std::string after;                          // the last page was asked for after this shard
    std::size_t pages = 0;
    bool all_closed_before = false;  // when it began
    bool operator==(const Listing&) const = default;
  };
  // What is to be entered as soon as the page before is durable.
  struct ToOpen {
    Source source;
    std::string parent;  // "" = none that is known or will be
    bool operator==(const ToOpen&) const = default;
  };

  bool held = false;  // GuardedTable::held: a shard that is met late comes after no gap
  bool chain_known = false;
  bool first_listing =
      true;  // nothing was known when the chain had been read, and the first is not entered whole
  std::map<ShardNumber, Known> shards;
  std::map<Source, ShardNumber> numbers;
  std::vector<std::string> streams;  // in the order in which the chain met them
  std::map<std::string, Stream> stream_states;
  std::map<ShardNumber, bool>
      finished;  // by their rows, not closed yet; whether with a gap at its end
  std::map<ShardNumber, DamagedRow> damaged;

  std::optional<std::string> newest;  // stream of the table
  bool describing = false;
  std::optional<Listing> listing;
  std::vector<std::string> to_list;  // streams of this round, last first
  MonotonicInstant list_due;
  std::map<Source, MonotonicInstant> missed;  // new shards whose parent is missing: since when

  std::vector<ToOpen> to_open;  // in order
  std::optional<LineageEntry> entering;
  MonotonicInstant enter_due;
  bool operator==(const Lineage&) const = default;

  // What stands before the shard is not closed: its parent, or an earlier stream. The shard must be known.
  bool waits(ShardNumber number) const;
  MonotonicInstant next_tick() const;
};

std::vector<LineageEffect> step(Lineage& lineage, const LineageEvent& event, MonotonicInstant now);

}  // namespace pawl::guard
