#include "guard/lineage.h"

#include <algorithm>
#include <limits>

#include "guard/shard_order.h"

namespace pawl::guard {
namespace {

using Effects = std::vector<LineageEffect>;
using Source = Lineage::Source;
using ToOpen = Lineage::ToOpen;

constexpr MonotonicInstant kNever{std::numeric_limits<std::int64_t>::max()};

void tell(std::string what, Effects& effects) {
  effects.push_back(LineageProblem{std::move(what)});
}

// -- entries --

void apply(Lineage& lineage, const LineageEntry& entry, Effects& effects) {
  if (const auto* closed = std::get_if<ShardClosed>(&entry)) {
    const auto known = lineage.shards.find(closed->number);
    if (known == lineage.shards.end() || known->second.closed) return;
    known->second.closed = true;
    --lineage.stream_states[known->second.source.first].open;
    lineage.finished.erase(closed->number);
    return;
  }
  const auto& opened = std::get<ShardOpened>(entry);
  const Source source{opened.stream, opened.shard};
  if (lineage.shards.contains(opened.number) || lineage.numbers.contains(source)) {
    const auto known = lineage.numbers.find(source);
    if (known == lineage.numbers.end() || known->second != opened.number)
      tell("the root chain opens shard " + opened.shard + " twice, or two under one number",
           effects);
    return;
  }
  lineage.shards[opened.number] = {source, opened.parent, false};
  lineage.numbers[source] = opened.number;
  auto [state, is_new] = lineage.stream_states.try_emplace(opened.stream);
  if (is_new) lineage.streams.push_back(opened.stream);
  ++state->second.open;
  state->second.drained = false;
}

void end_first_listing(Lineage& lineage) {
  if (!lineage.shards.empty() && lineage.to_open.empty() && !lineage.entering &&
      lineage.missed.empty())
    lineage.first_listing = false;
}

// What is next to be opened, as an entry; nothing if there is none, or if it must be looked at anew.
std::optional<LineageEntry> next_open(Lineage& lineage, MonotonicInstant now, Effects& effects) {
  while (!lineage.to_open.empty()) {
    const ToOpen next = lineage.to_open.front();
    lineage.to_open.erase(lineage.to_open.begin());
    if (lineage.numbers.contains(next.source)) continue;
    const ShardNumber last = lineage.shards.empty() ? 0 : lineage.shards.rbegin()->first;
    if (last == std::numeric_limits<ShardNumber>::max()) {
      tell("the table's incarnation has used all " + std::to_string(last) +
               " numbers of shards, so that shard " + next.source.second + " can't be read",
           effects);
      lineage.to_open.clear();
      return std::nullopt;
    }
    ShardOpened opened{static_cast<ShardNumber>(last + 1), next.source.first, next.source.second,
                       std::nullopt, false};
    if (!next.parent.empty()) {
      const auto parent = lineage.numbers.find({next.source.first, next.parent});
      if (parent == lineage.numbers.end()) {  // it was to come before, and did not
        lineage.to_open.clear();
        lineage.list_due = now;
        return std::nullopt;
      }
      opened.parent = parent->second;
    }
    opened.gap = !opened.parent && !lineage.first_listing && !lineage.held;
    return opened;
  }
  return std::nullopt;
}

void enter_next(Lineage& lineage, MonotonicInstant now, Effects& effects) {
  if (!lineage.chain_known || lineage.entering || now < lineage.enter_due) return;
  if (!lineage.finished.empty()) {
    const auto& [number, gap] = *lineage.finished.begin();
    lineage.entering = ShardClosed{number, gap};
  } else {
    lineage.entering = next_open(lineage, now, effects);
  }
  if (lineage.entering) effects.push_back(Enter{*lineage.entering});
}

// -- listings --

void list_next_stream(Lineage& lineage, Effects& effects) {
  lineage.listing.reset();
  if (lineage.to_list.empty()) return;
  Lineage::Listing listing;
  listing.stream = std::move(lineage.to_list.back());
  lineage.to_list.pop_back();
  const auto state = lineage.stream_states.find(listing.stream);
  listing.all_closed_before = state != lineage.stream_states.end() && state->second.open == 0;
  effects.push_back(ListShards{listing.stream, {}});
  lineage.listing = std::move(listing);
}

void begin_round(Lineage& lineage, Effects& effects) {
  lineage.describing = false;
  lineage.to_list.clear();
  for (const auto& stream : lineage.streams) {
    if (!lineage.stream_states[stream].drained || stream == lineage.newest)
      lineage.to_list.push_back(stream);
  }
  if (lineage.newest && !lineage.stream_states.contains(*lineage.newest))
    lineage.to_list.push_back(*lineage.newest);
  std::reverse(lineage.to_list.begin(), lineage.to_list.end());
  list_next_stream(lineage, effects);
}

void look_whether_drained(Lineage& lineage, Lineage::Stream& stream, bool shows_the_end,
                          MonotonicInstant now) {
  if (!shows_the_end || !lineage.listing->all_closed_before || stream.open > 0) {
    stream.quiet_since.reset();
    return;
  }
  if (!stream.quiet_since) stream.quiet_since = now;
  stream.drained = now - *stream.quiet_since >= kListingPatience;
  if (!stream.drained) lineage.list_due = std::min(lineage.list_due, now + kListShardsSoon);
}

// The whole listing is there: what is new of it is to be entered, and a stream may turn out to be drained.
void listed_whole(Lineage& lineage, bool enabled, MonotonicInstant now, Effects& effects) {
  const auto& listing = *lineage.listing;
  const auto order = order_new_shards(lineage, listing, now);
  std::erase_if(lineage.missed, [&](const auto& one) { return one.first.first == listing.stream; });
  lineage.missed.insert(order.missed.begin(), order.missed.end());
  if (!order.missed.empty()) lineage.list_due = std::min(lineage.list_due, now + kListShardsSoon);
  if (order.circle)
    tell("stream " + listing.stream + " lists shards that are their own ancestors", effects);
  std::erase_if(lineage.to_open,
                [&](const ToOpen& one) { return one.source.first == listing.stream; });
  lineage.to_open.insert(lineage.to_open.end(), order.to_open.begin(), order.to_open.end());
  const bool nothing_new = order.to_open.empty() && order.missed.empty();
  const bool ended = !enabled && lineage.newest && *lineage.newest != listing.stream;
  const auto state = lineage.stream_states.find(listing.stream);
  if (state != lineage.stream_states.end())
    look_whether_drained(lineage, state->second, ended && nothing_new, now);
  end_first_listing(lineage);
}

void shards_listed(Lineage& lineage, const ShardsListed& event, MonotonicInstant now,
                   Effects& effects) {
  if (!lineage.listing) return;
  auto& listing = *lineage.listing;
  for (const auto& shard : event.page.shards) {
    if (shard.id.empty() || shard.id.size() > kShardNameBytesMax ||
        shard.parent.size() > kShardNameBytesMax) {
      tell("stream " + listing.stream + " lists a shard whose name can't be", effects);
      continue;
    }
    auto& parent = listing.shards[shard.id];
    if (parent.empty()) parent = shard.parent;
  }
  ++listing.pages;
  const auto& next = event.page.last_shard;
  if (!next.empty()) {
    if (next != listing.after && listing.pages < kListingPagesMax) {
      listing.after = next;
      effects.push_back(ListShards{listing.stream, next});
      return;
    }
    tell("the list of shards of stream " + listing.stream + " does not end", effects);
  } else {
    listed_whole(lineage, event.page.stream.enabled, now, effects);
  }
  list_next_stream(lineage, effects);
}

void shards_not_listed(Lineage& lineage, StreamErrorKind kind, MonotonicInstant now,
                       Effects& effects) {
  if (!lineage.listing) return;
  const auto stream = lineage.listing->stream;
  const auto state = lineage.stream_states.find(stream);
  if (kind == StreamErrorKind::kNotFound && lineage.newest && *lineage.newest != stream) {
    if (state != lineage.stream_states.end() && state->second.open == 0)
      state->second.drained = true;
  } else {
    lineage.list_due = std::min(lineage.list_due, now + kListShardsSoon);
    if (kind == StreamErrorKind::kDenied || kind == StreamErrorKind::kInvalid)
      tell("the shards of stream " + stream + " may not be listed", effects);
  }
  list_next_stream(lineage, effects);
}

// -- rows --

using Rows = std::map<ShardNumber, std::pair<ShardRow, std::uint64_t>>;

// The rows that can be read. Those that can't be for too long are written anew over what is there, not removed and made: so their
// revisions go on, and no late write fits them.
Rows read_rows(Lineage& lineage, const RowsListed& event, MonotonicInstant now,
               std::set<ShardNumber>& damaged, Effects& effects) {
  Rows rows;
  for (const auto& row : event.rows) {
    const auto number = parse_shard_row_name(row.name);
    if (!number) continue;
    auto parsed = parse_row(row);
    if (parsed.ok()) {
      rows[*number] = {std::get<ShardRow>(std::move(*parsed)), row.revision};
      continue;
    }
    damaged.insert(*number);
    auto& since = lineage.damaged[*number];
    if (since.revision != row.revision) since = {row.revision, now};
    const auto known = lineage.shards.find(*number);
    if (event.began - since.since < kDamagedRowPatience || known == lineage.shards.end()) continue;
    if (!known->second.closed)
      effects.push_back(OpenRow{{*number, {}, lineage.waits(*number), false}, row.revision});
  }
  std::erase_if(lineage.damaged, [&](const auto& one) { return !damaged.contains(one.first); });
  return rows;
}

void rows_listed(Lineage& lineage, const RowsListed& event, MonotonicInstant now,
                 Effects& effects) {
  std::set<ShardNumber> damaged;
  const auto rows = read_rows(lineage, event, now, damaged, effects);
  for (const auto& [number, row_and_revision] : rows) {
    if (effects.size() >= kRowWritesMax) return;
    const auto& [row, revision] = row_and_revision;
    const auto known = lineage.shards.find(number);
    if (known == lineage.shards.end() || known->second.closed) {
      // Of no use. Whoever still owns it finds nothing more to read, and finishes.
      if (row.finished || row.owner.empty())
        effects.push_back(RemoveRow{shard_row_name(number), revision});
    } else if (row.finished) {
      if (lineage.finished.emplace(number, row.gap).second) lineage.list_due = now;
    } else if (row.waits && !lineage.waits(number)) {
      effects.push_back(OpenRow{{number, row.owner, false, false}, revision});
    }
  }
  for (const auto& [number, known] : lineage.shards) {
    if (effects.size() >= kRowWritesMax) return;
    if (known.closed || rows.contains(number) || damaged.contains(number)) continue;
    if (!lineage.finished.contains(number))
      effects.push_back(MakeRow{{number, {}, lineage.waits(number), false}});
  }
}

void tick(Lineage& lineage, MonotonicInstant now, Effects& effects) {
  const bool round = lineage.describing || lineage.listing || !lineage.to_list.empty();
  if (round || now < lineage.list_due) return;
  lineage.describing = true;
  lineage.list_due = now + kListShardsEvery;
  effects.push_back(DescribeTable{});
}

void answered(Lineage& lineage, const EnterAnswered& event, MonotonicInstant now,
              Effects& effects) {
  if (!lineage.entering) return;
  const auto entry = *lineage.entering;
  lineage.entering.reset();
  if (event.durable) {
    apply(lineage, entry, effects);
    end_first_listing(lineage);
    // What comes after it is to be seen soon, and whether its stream is drained.
    if (std::holds_alternative<ShardClosed>(entry)) lineage.list_due = now;
    return;
  }
  // Its number may be another's by now.
  lineage.enter_due = now + kEnterAgain;
  if (const auto* opened = std::get_if<ShardOpened>(&entry)) {
    std::string parent;
    if (opened->parent) parent = lineage.shards[*opened->parent].source.second;
    lineage.to_open.insert(lineage.to_open.begin(), {{opened->stream, opened->shard}, parent});
  }
}

}  // namespace

bool Lineage::waits(ShardNumber number) const {
  const auto& known = shards.at(number);
  if (known.parent) {
    const auto parent = shards.find(*known.parent);
    if (parent != shards.end() && !parent->second.closed) return true;
  }
  for (const auto& stream : streams) {
    if (stream == known.source.first) return false;
    const auto& state = stream_states.at(stream);
    if (state.open > 0 || !state.drained) return true;
  }
  return false;
}

MonotonicInstant Lineage::next_tick() const {
  if (!chain_known) return kNever;
  auto due = kNever;
  if (!describing && !listing && to_list.empty()) due = list_due;
  if (!entering && (!finished.empty() || !to_open.empty())) due = std::min(due, enter_due);
  return due;
}

std::vector<LineageEffect> step(Lineage& lineage, const LineageEvent& event, MonotonicInstant now) {
  Effects effects;
  if (const auto* known = std::get_if<EntryKnown>(&event)) {
    apply(lineage, known->entry, effects);
    return effects;
  }
  if (std::get_if<ChainKnown>(&event) != nullptr) {
    lineage.chain_known = true;
    lineage.first_listing = lineage.shards.empty();
  }
  if (!lineage.chain_known) return effects;
  if (const auto* answer = std::get_if<EnterAnswered>(&event)) {
    answered(lineage, *answer, now, effects);
  } else if (const auto* table = std::get_if<TableDescribed>(&event)) {
    if (table->stream) lineage.newest = table->stream;
    if (lineage.describing) begin_round(lineage, effects);
  } else if (std::get_if<TableNotDescribed>(&event) != nullptr) {
    if (lineage.describing) begin_round(lineage, effects);
  } else if (const auto* shards = std::get_if<ShardsListed>(&event)) {
    shards_listed(lineage, *shards, now, effects);
  } else if (const auto* failed = std::get_if<ShardsNotListed>(&event)) {
    shards_not_listed(lineage, failed->kind, now, effects);
  } else if (const auto* rows = std::get_if<RowsListed>(&event)) {
    rows_listed(lineage, *rows, now, effects);
  }
  tick(lineage, now, effects);
  enter_next(lineage, now, effects);
  return effects;
}

}  // namespace pawl::guard
