#include "guard/stream_cursor.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pawl::guard {
namespace {

using Effects = std::vector<CursorEffect>;
using Phase = StreamCursor::Phase;

constexpr std::size_t kSequenceDigitsMax = 40;  // port/table_stream.h

bool is_sequence(std::string_view text) {
  return !text.empty() && text.size() <= kSequenceDigitsMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Effects wait(StreamCursor& cursor, MonotonicInstant until) {
  cursor.phase = Phase::kIdle;
  cursor.not_before = until;
  return {WaitUntil{until}};
}

Effects back_off(StreamCursor& cursor, MonotonicInstant now) {
  const auto doublings = std::min<std::uint32_t>(cursor.failures, 10);
  ++cursor.failures;
  return wait(cursor, now + std::min(kCursorBackoffFirst * (1 << doublings), kCursorBackoffLast));
}

Effects ask(StreamCursor& cursor, MonotonicInstant now) {
  if (!cursor.iterator.empty() && now - cursor.iterator_at < kIteratorUseWithin) {
    cursor.phase = Phase::kAskingRecords;
    cursor.iterator_at = now;  // of the one that the answer brings
    return {AskRecords{cursor.iterator, cursor.room}};
  }
  cursor.iterator.clear();
  cursor.iterator_at = now;
  cursor.phase = Phase::kAskingIterator;
  if (cursor.at_oldest || cursor.position.empty()) {
    if (now - *cursor.heard >= kStreamRetention && !cursor.gap) cursor.gap = Gap{cursor.position};
    return {AskIterator{{StreamPosition::At::kOldest, {}}}};
  }
  return {AskIterator{{StreamPosition::At::kAfter, cursor.position}}};
}

Effects read_more(StreamCursor& cursor, const ReadMore& event, MonotonicInstant now) {
  PAWL_ASSERT(cursor.phase == Phase::kIdle);
  if (event.room == 0) return {};
  if (!cursor.heard) cursor.heard = now;
  cursor.room = std::min(event.room, kStreamRecordsMax);
  if (now < cursor.not_before) return {WaitUntil{cursor.not_before}};
  return ask(cursor, now);
}

Effects iterator_got(StreamCursor& cursor, const IteratorGot& event, MonotonicInstant now) {
  PAWL_ASSERT(cursor.phase == Phase::kAskingIterator);
  if (event.iterator.empty()) return back_off(cursor, now);
  cursor.iterator = event.iterator;
  cursor.phase = Phase::kAskingRecords;
  return {AskRecords{cursor.iterator, cursor.room}};
}

// The part of the answer that may be taken: after the position, growing, and no more than was asked for.
TakeRecords part_to_take(const StreamCursor& cursor, const std::vector<std::string>& sequences) {
  TakeRecords take;
  while (take.first < sequences.size() && is_sequence(sequences[take.first]) &&
         !cursor.position.empty() && !sequence_before(cursor.position, sequences[take.first]))
    ++take.first;
  std::string_view last = cursor.position;
  for (auto at = take.first; at < sequences.size() && take.count < cursor.room; ++at) {
    if (!is_sequence(sequences[at]) || !sequence_before(last, sequences[at])) break;
    last = sequences[at];
    ++take.count;
  }
  return take;
}

Effects records_got(StreamCursor& cursor, const RecordsGot& event, MonotonicInstant now) {
  PAWL_ASSERT(cursor.phase == Phase::kAskingRecords);
  cursor.missing_since.reset();
  cursor.heard = now;
  auto take = part_to_take(cursor, event.sequences);
  const bool whole = take.first + take.count == event.sequences.size();
  // Where only a part can be taken, the rest is asked for again by its position.
  cursor.iterator = whole ? event.next_iterator : std::string();
  const bool ended = whole && event.next_iterator.empty();
  Effects effects;
  if (!whole && take.count < cursor.room) {
    effects.push_back(
        CursorProblem{StreamErrorKind::kInvalid,
                      "the stream answered with records out of order after " + cursor.position});
  }
  if (take.count > 0) {
    cursor.position = event.sequences[take.first + take.count - 1];
    cursor.at_oldest = false;
    take.gap = std::exchange(cursor.gap, std::nullopt);
    cursor.failures = cursor.expired = 0;
    cursor.not_before = now;
    cursor.phase = Phase::kIdle;
    effects.push_back(take);
  }
  if (ended) {
    cursor.phase = Phase::kEnded;
    effects.push_back(ShardEnded{std::exchange(cursor.gap, std::nullopt)});
    return effects;
  }
  if (take.count > 0) return effects;
  if (whole) cursor.failures = cursor.expired = 0;
  auto waiting = whole ? wait(cursor, now + kPollEvery) : back_off(cursor, now);
  effects.insert(effects.end(), waiting.begin(), waiting.end());
  return effects;
}

Effects trimmed(StreamCursor& cursor, MonotonicInstant now) {
  const bool again = cursor.at_oldest || cursor.position.empty();
  if (!cursor.gap) cursor.gap = Gap{cursor.position};
  cursor.at_oldest = true;
  cursor.iterator.clear();
  return again ? back_off(cursor, now) : ask(cursor, now);
}

Effects not_found(StreamCursor& cursor, MonotonicInstant now) {
  cursor.iterator.clear();
  if (!cursor.missing_since) cursor.missing_since = now;
  if (now - *cursor.missing_since < kNotFoundPatience) return back_off(cursor, now);
  cursor.phase = Phase::kEnded;
  return {ShardEnded{cursor.gap ? cursor.gap : Gap{cursor.position}}};
}

Effects failed(StreamCursor& cursor, StreamErrorKind kind, MonotonicInstant now) {
  PAWL_ASSERT(cursor.phase == Phase::kAskingIterator || cursor.phase == Phase::kAskingRecords);
  switch (kind) {
    case StreamErrorKind::kExpiredIterator:
      cursor.iterator.clear();
      if (cursor.phase == Phase::kAskingRecords && cursor.expired++ == 0) return ask(cursor, now);
      return back_off(cursor, now);
    case StreamErrorKind::kTrimmed:
      return trimmed(cursor, now);
    case StreamErrorKind::kNotFound:
      return not_found(cursor, now);
    case StreamErrorKind::kThrottled:
    case StreamErrorKind::kUnavailable:
      return back_off(cursor, now);
    case StreamErrorKind::kDenied:
    case StreamErrorKind::kInvalid:
      break;
  }
  cursor.iterator.clear();
  auto effects = wait(cursor, now + kAskAPersonEvery);
  const char* what = kind == StreamErrorKind::kDenied
                         ? "the credentials may not read the stream's records"
                         : "the stream refuses a request for records as invalid";
  effects.insert(effects.begin(), CursorProblem{kind, what});
  return effects;
}

}  // namespace

StreamCursor StreamCursor::after(std::string source) {
  StreamCursor cursor;
  cursor.position = std::move(source);
  return cursor;
}

StreamCursor StreamCursor::from_oldest(bool overdue) {
  StreamCursor cursor;
  if (overdue) cursor.gap = Gap{};
  return cursor;
}

bool sequence_before(std::string_view a, std::string_view b) {
  if (!is_sequence(a) || !is_sequence(b)) return !is_sequence(a) && is_sequence(b);
  const auto strip = [](std::string_view text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  a = strip(a), b = strip(b);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::vector<CursorEffect> step(StreamCursor& cursor, const CursorEvent& event,
                               MonotonicInstant now) {
  if (const auto* more = std::get_if<ReadMore>(&event)) return read_more(cursor, *more, now);
  if (const auto* iterator = std::get_if<IteratorGot>(&event))
    return iterator_got(cursor, *iterator, now);
  if (const auto* records = std::get_if<RecordsGot>(&event))
    return records_got(cursor, *records, now);
  return failed(cursor, std::get<StreamFailed>(event).kind, now);
}

}  // namespace pawl::guard
