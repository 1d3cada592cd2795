#include "table/stream_reader.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"

namespace pawl::table {
namespace {

ShardId shard_of(const Stream& stream, std::uint32_t number) {
  PAWL_ASSERT(number < stream.shards());
  return {.incarnation = stream.table->record.incarnation, .number = number};
}

Error run_out(const Stream& stream) {
  return {ErrorCode::kNotFound, "the stream of table " + stream.table_name() + " has run out", ""};
}
Error trimmed(const Stream& stream) {
  return {ErrorCode::kExhausted,
          "the changes asked for are older than the retention of the stream of table " +
              stream.table_name() + ", and are not there any more",
          "go on at TRIM_HORIZON; the archive has them all"};
}

}  // namespace

std::vector<Stream> StoreStreamReader::list(std::string_view name, std::string_view after_table,
                                            std::string_view after_label, std::size_t limit) const {
  const auto tables = catalog_.view();
  const Instant now = clock_.now();
  // Sorted by what is asked for; names are views into tables that `tables` holds.
  std::vector<std::tuple<std::string_view, std::string, Stream>> found;
  for (const auto& [incarnation, table] : tables->by_incarnation) {
    const std::string& own_name = table->record.definition.name;
    if ((!name.empty() && own_name != name) || own_name < after_table) continue;
    for (const TableStream& stream : table->record.streams) {
      std::string label = label_text(stream.label);
      if (!is_readable(stream, now, retention_)) continue;
      if (own_name == after_table && label <= after_label) continue;
      found.emplace_back(own_name, std::move(label), Stream{table, &stream});
    }
  }
  const auto before = [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  };
  const std::size_t count = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(),
                    before);
  std::vector<Stream> streams;
  streams.reserve(count);
  for (std::size_t i = 0; i < count; ++i) streams.push_back(std::move(std::get<2>(found[i])));
  return streams;
}

std::optional<Stream> StoreStreamReader::find(std::string_view name, std::string_view label) const {
  const auto tables = catalog_.view();
  const Instant now = clock_.now();
  for (const auto& [incarnation, table] : tables->by_incarnation) {
    if (table->record.definition.name != name) continue;
    for (const TableStream& stream : table->record.streams) {
      if (label_text(stream.label) == label && is_readable(stream, now, retention_)) {
        return Stream{table, &stream};
      }
    }
  }
  return std::nullopt;
}

std::optional<Stream> StoreStreamReader::find(Incarnation incarnation, Instant label) const {
  const auto tables = catalog_.view();
  const auto table = tables->by_incarnation.find(incarnation);
  if (table == tables->by_incarnation.end()) return std::nullopt;
  const Instant now = clock_.now();
  for (const TableStream& stream : table->second->record.streams) {
    if (stream.label == label && is_readable(stream, now, retention_)) {
      return Stream{table->second, &stream};
    }
  }
  return std::nullopt;
}

std::optional<ShardExtent> StoreStreamReader::extent(const Stream& stream,
                                                     std::uint32_t number) const {
  const auto position = log_.position(shard_of(stream, number));
  if (!position) return std::nullopt;
  ShardExtent extent;
  extent.begin = stream.facts->after[number];
  if (stream.facts->end) extent.last = stream.facts->end->last[number];
  extent.newest = extent.last.value_or(position->newest);
  extent.horizon = std::min(std::max(extent.begin, position->floor), extent.newest);
  return extent;
}

Result<ShardRead> StoreStreamReader::read(const Stream& stream, std::uint32_t number,
                                          std::optional<SequenceNumber> after,
                                          std::size_t count_max,
                                          const stream::ChangeLog::Visit& visit) const {
  const auto at = extent(stream, number);
  if (!at) return run_out(stream);
  if (after && *after > at->newest) {
    return Error{ErrorCode::kInvalid, "a position behind the end of its shard", ""};
  }
  if (after && *after < at->horizon) return trimmed(stream);
  ShardRead done{.through = after.value_or(at->horizon)};
  // An ended stream may be all older than the floor: then there is nothing to ask the log for.
  const std::uint64_t there = at->newest.value - done.through.value;
  if (there > 0 && count_max > 0) {
    const Status status =
        log_.visit(shard_of(stream, number), done.through,
                   static_cast<std::size_t>(std::min<std::uint64_t>(there, count_max)),
                   [&](SequenceNumber sequence, std::string_view encoded) {
                     if (!visit(sequence, encoded)) return false;
                     done.through = sequence;
                     return true;
                   });
    if (!status.ok()) {
      // A trim may have come between.
      const auto now = extent(stream, number);
      if (!now) return run_out(stream);
      const bool moved_on = now->horizon > at->horizon;
      // Whoever asks for what is there is not told of what was there a moment ago.
      if (!after && moved_on && done.through == at->horizon) {
        return read(stream, number, after, count_max, visit);
      }
      if (done.through < now->horizon) return trimmed(stream);
      return status.error();
    }
  }
  done.ended = at->last && done.through >= *at->last;
  return done;
}

}  // namespace pawl::table
