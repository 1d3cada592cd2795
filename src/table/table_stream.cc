#include "table/table_stream.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::table {
namespace {

constexpr std::int64_t kMillisecond = 1000;

}  // namespace

std::string label_text(Instant label) {
  constexpr std::size_t kThroughMilliseconds = 23;
  return label.to_string().substr(0, kThroughMilliseconds);
}

Instant next_label(Instant now, const std::vector<Instant>& taken) {
  Instant label = now;
  for (const Instant other : taken) {
    if (label.microseconds / kMillisecond > other.microseconds / kMillisecond) continue;
    label.microseconds = (other.microseconds / kMillisecond + 1) * kMillisecond;
  }
  return label;
}

bool is_readable(const TableStream& stream, Instant now, Duration retention) {
  return !stream.end || now.microseconds - stream.end->at.microseconds < retention.count();
}

bool any_readable(const std::vector<TableStream>& streams, Instant now, Duration retention) {
  return std::any_of(streams.begin(), streams.end(), [&](const TableStream& stream) {
    return is_readable(stream, now, retention);
  });
}

std::optional<SequenceNumber> held_after(const std::vector<TableStream>& streams,
                                         std::uint32_t shard, SequenceNumber aged, Instant now,
                                         Duration retention) {
  std::optional<SequenceNumber> held;
  for (const TableStream& stream : streams) {
    if (!is_readable(stream, now, retention)) continue;
    PAWL_ASSERT(shard < stream.after.size());
    const SequenceNumber first = std::max(stream.after[shard], aged);
    if (stream.end && first >= stream.end->last[shard]) continue;  // all of it has aged
    held = std::min(held.value_or(first), first);
  }
  return held;
}

}  // namespace pawl::table
