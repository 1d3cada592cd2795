// One shard's reader: where it stands, and what to ask the stream next. A pure step; its shell makes the calls of
// port/table_stream.h and hands the records to archive/progress.h.
//
//   ask an iterator at the position --> ask records --> take them, the position moves --> ask records ...
//
// Invariants:
//   the position is the service's number of the last record that was *taken*; after a restart that is the last in the
//     ledger, so a new reader makes a new cursor (nothing of an old one goes on);
//   an answer never moves it back or over a record: what is not after it is skipped;
//   every failure waits before it is repeated, longer each time, until records are taken or an empty page is answered;
//     one expired iterator is renewed at once, a second in a row waits: expiring again and again makes no loop;
//   an iterator that was not used for kIteratorUseWithin is renewed, not used;
//   where nothing was taken yet, and the stream has not answered for as long as it keeps records, the first record comes after a
//     gap: reading from the oldest does not tell what was trimmed;
//   a shard ends by a page without a next iterator, or by not being found for kNotFoundPatience (with a gap), not by silence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.h"
#include "port/table_stream.h"

namespace pawl::guard {

inline constexpr Duration kPollEvery = std::chrono::milliseconds(250);  // after an empty page
inline constexpr Duration kIteratorUseWithin = std::chrono::minutes(14);
inline constexpr Duration kNotFoundPatience = std::chrono::minutes(1);
inline constexpr Duration kCursorBackoffFirst = std::chrono::milliseconds(200);
inline constexpr Duration kCursorBackoffLast = std::chrono::seconds(10);
// Where only a person can help.
inline constexpr Duration kAskAPersonEvery = std::chrono::seconds(30);

// -- what happened --

// There is room for so many records (1 to kStreamRecordsMax), and the wait that was asked for is over. Comes at the start, after
// each WaitUntil, and when what TakeRecords gave is dealt with. 0: no room; ask later.
struct ReadMore {
  std::size_t room = 0;
};
struct IteratorGot {
  std::string iterator;
};
// The sequence numbers of the records that came, in their order.
struct RecordsGot {
  std::vector<std::string> sequences;
  std::string next_iterator;
};
// AskIterator or AskRecords failed.
struct StreamFailed {
  StreamErrorKind kind = StreamErrorKind::kUnavailable;
};
using CursorEvent = std::variant<ReadMore, IteratorGot, RecordsGot, StreamFailed>;

// -- what to do about it --

struct AskIterator {
  StreamPosition position;
};
struct AskRecords {
  std::string iterator;
  std::size_t count_max = 0;
};
// Say ReadMore then.
struct WaitUntil {
  MonotonicInstant when;
};
// Changes are missing before the first record of this TakeRecords: `after` is the service's number of the last one that
// was taken before the hole, "" if there was none.
struct Gap {
  std::string after;
  bool operator==(const Gap&) const = default;
};
// Take `count` (at least 1) records of the answer from its `first` (0 = the first) on, and say ReadMore when there is room.
struct TakeRecords {
  std::size_t first = 0;
  std::size_t count = 0;
  std::optional<Gap> gap;
};
// Nothing follows. With `gap`, it was not read to its end: it vanished after the record that the gap names.
struct ShardEnded {
  std::optional<Gap> gap;
};
// For people: only they can help, or the service answers what it must not.
struct CursorProblem {
  StreamErrorKind kind = StreamErrorKind::kInvalid;
  std::string what;
};
using CursorEffect =
    std::variant<AskIterator, AskRecords, WaitUntil, TakeRecords, ShardEnded, CursorProblem>;

// Its members are for reading; only step() writes them.
struct StreamCursor {
  enum class Phase : std::uint8_t {
    kIdle,            // ReadMore comes next, not before not_before
    kAskingIterator,  // IteratorGot or StreamFailed
    kAskingRecords,   // RecordsGot or StreamFailed
    kEnded,
  };

  // After the last record in the ledger.
  static StreamCursor after(std::string source);
  // Of a shard of which the ledger has nothing. `overdue`: it was entered longer ago than the stream keeps records, so that
  // what it once held may have been trimmed, and nobody could tell: a gap.
  static StreamCursor from_oldest(bool overdue);

  std::string position;    // of the last record taken; "" = none
  bool at_oldest = false;  // the next iterator is to be at the oldest record, not after `position`
  std::optional<Gap> gap;  // before the next record that is taken
  Phase phase = Phase::kIdle;
  std::string iterator;          // "" = none
  MonotonicInstant iterator_at;  // when it was asked for
  std::size_t room = 0;
  MonotonicInstant not_before;
  std::uint32_t failures = 0;  // in a row
  std::uint32_t expired = 0;   // iterators in a row
  std::optional<MonotonicInstant>
      heard;  // records last came, or none; at first: when it began to ask
  std::optional<MonotonicInstant> missing_since;  // not found, without an answer in between
};

// Whether a comes before b: numbers of decimal digits. What is no number comes before all that are.
bool sequence_before(std::string_view a, std::string_view b);

// The event must be one that the phase waits for. Exactly one of AskIterator, AskRecords, WaitUntil, TakeRecords and
// ShardEnded is in the answer, except to ReadMore{0} (none) and where TakeRecords comes with ShardEnded after it.
std::vector<CursorEffect> step(StreamCursor& cursor, const CursorEvent& event,
                               MonotonicInstant now);

}  // namespace pawl::guard
