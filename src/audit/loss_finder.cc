#include "audit/loss_finder.h"

#include <simdjson.h>

#include <limits>

#include "base/coding.h"

namespace pawl::audit {
namespace {

enum class What : std::uint8_t { kRepair, kChange, kTable };

// One text for equal documents.
std::string without_space(std::string_view json) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS) return {};
  return simdjson::minify(document);
}

std::string begin_record(std::string_view key, What what) {
  std::string record(key);
  record.push_back('\0');
  append_u8(record, static_cast<std::uint8_t>(what));
  return record;
}

void append_optional(std::string& out, std::optional<std::uint64_t> number) {
  append_u8(out, number ? 1 : 0);
  append_u64_be(out, number.value_or(0));
}
std::optional<std::uint64_t> read_optional(Reader& reader) {
  const bool is_there = reader.u8() != 0;
  const auto number = reader.u64_be();
  return is_there ? std::optional(number) : std::nullopt;
}

constexpr std::uint64_t kAtTheEnd = std::numeric_limits<std::uint64_t>::max();

}  // namespace

LossFinder::LossFinder(const RootFacts& facts, Incarnation table, std::size_t memory_max,
                       std::string folder)
    : table_(table), lineage_(facts), sort_(memory_max, std::move(folder)) {
  for (const auto& [shard, opened] : facts.opened) {
    if (shard.incarnation != table) continue;
    if (opened.gap) last_gap_[shard.number] = 0;
    if (opened.gap_at_end) last_gap_[shard.number] = kAtTheEnd;
  }
}

// What follows the key: shard, sequence, and the rest, so that a chain's changes sort in their order.
Status LossFinder::add_change(const LedgerEntry& entry) {
  ++counts_.changes;
  if (entry.has_gap) {
    lineage_.add_gap(entry.shard, entry.sequence);
    auto& last = last_gap_[entry.shard.number];
    last = std::max(last, entry.sequence);
  }
  auto record = begin_record(entry.key, What::kChange);
  append_u32_be(record, entry.shard.number);
  append_u64_be(record, entry.sequence);
  append_optional(record, entry.version);
  append_u8(record, static_cast<std::uint8_t>(entry.kind));
  append_u64_be(record, static_cast<std::uint64_t>(entry.instant.microseconds));
  append_bytes(record, entry.source);
  append_bytes(record, entry.object);
  return sort_.add(record);
}

Status LossFinder::add_repair(const LedgerRepair& repair) {
  auto record = begin_record(repair.key, What::kRepair);
  append_u64_be(record, repair.sequence);
  append_u32_be(record, repair.after.shard.number);
  append_u64_be(record, repair.after.sequence);
  append_u32_be(record, repair.before ? repair.before->shard.number : 0);
  append_u64_be(record, repair.before ? repair.before->sequence : 0);
  append_u8(record, repair.lost ? 1 : 0);
  append_u8(record, repair.removed ? 1 : 0);
  append_optional(record, repair.version);
  append_bytes(record, repair.object);
  return sort_.add(record);
}

Status LossFinder::add_table_item(std::string_view key, std::optional<std::uint64_t> version,
                                  std::string_view image) {
  ++counts_.table_items;
  auto record = begin_record(without_space(key), What::kTable);
  append_optional(record, version);
  const auto digest = sha256(without_space(image));
  record.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  return sort_.add(record);
}

Digest LossFinder::pending_key(std::string_view key) { return sha256(without_space(key)); }

Status LossFinder::find(const std::set<Digest>& pending,
                        const std::function<Status(const LossSuspect&)>& visit) {
  lineage_.finish_gaps();
  PAWL_ASSIGN_OR_RETURN(const auto records, sort_.drain());
  for (std::string_view record;;) {
    PAWL_ASSIGN_OR_RETURN(const bool more, records->next(record));
    if (!more) break;
    const auto key = record.substr(0, record.find('\0'));
    if (key != key_) {
      PAWL_TRY(end_item(pending, visit));
      key_ = key;
    }
    take(record.substr(key.size() + 1));
  }
  return end_item(pending, visit);
}

void LossFinder::take(std::string_view record) {
  Reader reader(record);
  const auto what = static_cast<What>(reader.u8());
  if (what == What::kTable) {
    in_table_.emplace();
    in_table_->exists = true;
    in_table_->version = read_optional(reader);
    const auto raw = reader.raw(in_table_->image.bytes.size());
    for (std::size_t i = 0; i < raw.size(); ++i)
      in_table_->image.bytes[i] = static_cast<std::uint8_t>(raw[i]);
  } else if (what == What::kRepair) {
    reader.u64_be();
    Place after{reader.u32_be(), 0};
    after.second = reader.u64_be();
    Place before{reader.u32_be(), 0};
    before.second = reader.u64_be();
    const bool lost = reader.u8() != 0;
    const bool removed = reader.u8() != 0;
    SeenState state;
    state.version = read_optional(reader);
    state.object = reader.bytes();
    state.exists = !removed;
    if (before.second != 0) {
      settled_.emplace(after, before);
    } else if (!lost || removed) {
      seen_[after] = std::move(state);  // the last one counts
    }
  } else {
    LossChange change;
    change.place.shard = {table_, reader.u32_be()};
    change.place.sequence = reader.u64_be();
    change.version = read_optional(reader);
    change.kind = static_cast<EntryKind>(reader.u8());
    change.instant.microseconds = static_cast<std::int64_t>(reader.u64_be());
    change.source = reader.bytes();
    change.object = reader.bytes();
    if (!runs_.empty() && runs_.back().last.place.shard == change.place.shard) {
      const auto& last = runs_.back().last;
      compare(last, &change, lineage_.is_gap_between(last.place, change.place), suspects_);
      runs_.back().last = std::move(change);
    } else {
      spans_.push_back({change.place.shard, change.source});
      runs_.push_back({change, std::move(change)});
    }
  }
  PAWL_ASSERT(reader.at_end());
}

// Between two changes of which one follows the other.
void LossFinder::compare(const LossChange& change, const LossChange* next, bool gap,
                         std::vector<LossSuspect>& suspects) const {
  const Place here{change.place.shard.number, change.place.sequence};
  const auto seen = seen_.find(here);
  if (!gap && seen == seen_.end()) return;
  if (settled_.contains({here, {next->place.shard.number, next->place.sequence}})) return;
  LossSuspect suspect{key_, change, {}, *next, {}};
  if (seen != seen_.end()) suspect.seen = seen->second;
  const bool existed = suspect.seen ? suspect.seen->exists : change.kind != EntryKind::kRemove;
  const auto version = suspect.seen ? suspect.seen->version : change.version;
  if (!existed && next->kind == EntryKind::kInsert) return;
  if (existed && next->kind != EntryKind::kInsert && version && next->version &&
      *next->version == *version + (next->kind == EntryKind::kRemove ? 0 : 1)) {
    return;
  }
  suspects.push_back(std::move(suspect));
}

// Whether a gap is entered that a change of the item may be in, after its last. Chains that may hold it have greater numbers.
bool LossFinder::may_miss_after(const LossChange& change) const {
  const auto own = last_gap_.find(change.place.shard.number);
  if (own != last_gap_.end() && own->second > change.place.sequence) return true;
  return last_gap_.upper_bound(change.place.shard.number) != last_gap_.end();
}

void LossFinder::compare_with_table(std::vector<LossSuspect>& suspects) {
  const auto order = lineage_.order(spans_);
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto& before = runs_[order[i - 1]].last;
    const auto& next = runs_[order[i]].first;
    compare(before, &next, lineage_.is_gap_between(before.place, next.place), suspects);
  }
  const auto& last = runs_[order.back()].last;
  LossSuspect suspect{key_, last, {}, {}, in_table_.value_or(TableState{})};
  const auto seen = seen_.find({last.place.shard.number, last.place.sequence});
  if (seen != seen_.end()) suspect.seen = seen->second;
  const bool existed = suspect.seen ? suspect.seen->exists : last.kind != EntryKind::kRemove;
  const auto version = suspect.seen ? suspect.seen->version : last.version;
  const auto& now = suspect.table;
  if (existed == now.exists) {
    if (!existed) return;
    if (version && now.version && *version == *now.version) return;
    // Only its image can tell: that is looked at where anything may be missing.
    if (!(version && now.version) && !may_miss_after(last)) return;
  }
  suspects.push_back(std::move(suspect));
}

Status LossFinder::end_item(const std::set<Digest>& pending,
                            const std::function<Status(const LossSuspect&)>& visit) {
  Status status = ok();
  if (runs_.empty()) {
    counts_.unseen += in_table_ ? 1 : 0;
  } else {
    compare_with_table(suspects_);
    const bool is_pending = pending.contains(sha256(key_));
    counts_.pending += is_pending ? 1 : 0;
    for (const auto& suspect : suspects_) {
      if (is_pending && !suspect.before) continue;
      status = visit(suspect);
      if (!status.ok()) break;
    }
  }
  runs_.clear();
  spans_.clear();
  settled_.clear();
  seen_.clear();
  in_table_.reset();
  suspects_.clear();
  return status;
}

}  // namespace pawl::audit
