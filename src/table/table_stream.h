// The streams of a table, as its catalog record keeps them. A stream is no copy of anything: it is a stretch of the
// table's change log under a label of its own, from where it was switched on to where it was switched off.
//
// One stream at most is open. Those that have ended stay readable for the retention, and hold their part of the change log
// for as long (promise P6 holds on beside it: nothing is trimmed that is not in a ledger page, stream or not).
//
// The decisions here are pure; table_commands.cc begins and ends streams, stream_holds.h makes the trim wait for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"

namespace pawl::table {

// Of every image that a stream's records show; the change log has both in any case.
enum class StreamView : std::uint8_t { kKeysOnly, kNewImage, kOldImage, kNewAndOldImages };

// How long a change stays readable in the streams that hold it: the service's 24 hours, unless the configuration says otherwise.
inline constexpr Duration kStreamRetentionDefault = std::chrono::hours(24);
// Streams that a table's record keeps: who switches a stream on and off all day waits until the oldest has run out.
inline constexpr std::size_t kStreamsMax = 32;

struct TableStream {
  // How far the stream reaches, one position a shard.
  using Positions = std::vector<SequenceNumber>;
  struct End {
    Instant at;      // when it was switched off, or its table deleted
    Positions last;  // the last change of it
    bool operator==(const End&) const = default;
  };

  Instant
      label;  // when it was switched on; no two streams of tables of one name have the same millisecond
  StreamView view = StreamView::kNewAndOldImages;
  Positions
      after;  // it begins behind this change. Empty in records of format 1, until old_streams.h knows better
  std::optional<End> end;

  bool operator==(const TableStream&) const = default;
};

// The label as it stands in ARNs: "2026-11-22T18:00:00.123", UTC.
std::string label_text(Instant label);
// A label for a stream that is switched on at `now`, behind all of `taken`.
Instant next_label(Instant now, const std::vector<Instant>& taken);

// Whether anybody may still read it: it is open, or ended less than `retention` ago.
bool is_readable(const TableStream& stream, Instant now, Duration retention);
bool any_readable(const std::vector<TableStream>& streams, Instant now, Duration retention);

// What a trim of shard number `shard` may not pass for the sake of its readable streams; nothing if none holds it. All
// changes through `aged` are older than the retention.
std::optional<SequenceNumber> held_after(const std::vector<TableStream>& streams,
                                         std::uint32_t shard, SequenceNumber aged, Instant now,
                                         Duration retention);

}  // namespace pawl::table
