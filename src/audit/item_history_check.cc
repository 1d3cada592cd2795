#include "audit/item_history_check.h"

#include <fmt/format.h>

#include "audit/listed_entry.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

std::optional<std::uint64_t> read_optional(Reader& reader) {
  const bool is_there = reader.u8() != 0;
  const auto number = reader.u64_be();
  return is_there ? std::optional(number) : std::nullopt;
}

void append_optional(std::string& out, std::optional<std::uint64_t> number) {
  append_u8(out, number ? 1 : 0);
  append_u64_be(out, number.value_or(0));
}

Instant read_instant(Reader& reader) { return {static_cast<std::int64_t>(reader.u64_be())}; }

void append_instant(std::string& out, Instant instant) {
  append_u64_be(out, static_cast<std::uint64_t>(instant.microseconds));
}

void append_place(std::string& out, const ChainPlace& place) {
  append_u32_be(out, place.shard.number);
  append_u64_be(out, place.sequence);
}

constexpr std::size_t kLineageSize = 8;

}  // namespace

// A record: lineage, key, NUL, ordinal, incarnation, shard, sequence, what it is, and that. An item of Pawl's own tables is in
// one shard, one of a guarded table in one shard after another; its repairs, in chain 0, come first.
// A change: has version, version, kind, has images, images, instant, source.
struct ItemHistoryCheck::Parsed {
  enum class What : std::uint8_t { kChange, kRepair, kRepairImage };

  std::string_view item;  // lineage and key
  std::string_view key;
  ShardId shard;
  std::uint64_t sequence = 0;
  What what = What::kChange;
  std::optional<std::uint64_t> version;
  EntryKind kind = EntryKind::kInsert;
  bool has_images = false;
  ImageDigests images;
  Instant instant;
  std::string_view source;
  ItemRepair repair;  // of the other two; the image is images.new_image

  explicit Parsed(std::string_view record) {
    const auto end = record.find('\0', kLineageSize);
    item = record.substr(0, end);
    key = item.substr(kLineageSize);
    Reader reader(record.substr(end + 1));
    reader.u32_be();
    shard.incarnation.value = reader.u64_be();
    shard.number = reader.u32_be();
    sequence = reader.u64_be();
    what = static_cast<What>(reader.u8());
    if (what == What::kChange) {
      read_change(reader);
    } else if (what == What::kRepair) {
      read_repair(reader);
    } else {
      images.new_image = read_digest(reader);
    }
    PAWL_ASSERT(reader.at_end());
  }

  void read_change(Reader& reader) {
    version = read_optional(reader);
    kind = static_cast<EntryKind>(reader.u8());
    has_images = reader.u8() != 0;
    if (has_images) {
      images.old_image = read_digest(reader);
      images.new_image = read_digest(reader);
    }
    instant = read_instant(reader);
    source = reader.bytes();
  }

  void read_repair(Reader& reader) {
    repair.sequence = sequence;
    repair.after = read_place(reader);
    if (reader.u8() != 0) repair.before = read_place(reader);
    repair.lost = reader.u8() != 0;
    repair.version = read_optional(reader);
    repair.from = read_optional(reader);
    repair.to = read_optional(reader);
    repair.removed = reader.u8() != 0;
    repair.since = read_instant(reader);
    repair.until = read_instant(reader);
  }

  ChainPlace read_place(Reader& reader) const {
    ChainPlace place;
    place.shard = {shard.incarnation, reader.u32_be()};
    place.sequence = reader.u64_be();
    return place;
  }
};

ItemHistoryCheck::ItemHistoryCheck(const RootFacts& facts, std::size_t memory_max,
                                   std::string folder)
    : facts_(facts), lineage_(facts), guarded_(lineage_), sort_(memory_max, std::move(folder)) {
  for (const auto& [id, incarnation] : facts.incarnations) {
    if (incarnation.parent) children_[*incarnation.parent].push_back(id);
  }
}

// What all records begin with.
std::string ItemHistoryCheck::begin_record(ShardId shard, std::string_view key,
                                           std::uint64_t sequence) const {
  const auto facts = facts_.incarnations.find(shard.incarnation);
  const bool known = facts != facts_.incarnations.end();
  std::string record;
  record.reserve(key.size() + 128);
  append_u64_be(record, known ? facts->second.lineage.value : shard.incarnation.value);
  record.append(key);
  record.push_back('\0');
  append_u32_be(record, known ? facts->second.ordinal : 0);
  append_u64_be(record, shard.incarnation.value);
  append_u32_be(record, shard.number);
  append_u64_be(record, sequence);
  return record;
}

Status ItemHistoryCheck::add(const LedgerEntry& entry, const ImageDigests* images) {
  auto record = begin_record(entry.shard, entry.key, entry.sequence);
  append_u8(record, static_cast<std::uint8_t>(Parsed::What::kChange));
  append_optional(record, entry.version);
  append_u8(record, static_cast<std::uint8_t>(entry.kind));
  append_u8(record, images != nullptr ? 1 : 0);
  if (images != nullptr) {
    append_digest(record, images->old_image);
    append_digest(record, images->new_image);
  }
  append_instant(record, entry.instant);
  append_bytes(record, entry.source);
  return sort_.add(record);
}

Status ItemHistoryCheck::add_repair(const LedgerRepair& repair) {
  auto record = begin_record(repair.chain, repair.key, repair.sequence);
  append_u8(record, static_cast<std::uint8_t>(Parsed::What::kRepair));
  append_place(record, repair.after);
  append_u8(record, repair.before ? 1 : 0);
  if (repair.before) append_place(record, *repair.before);
  append_u8(record, repair.lost ? 1 : 0);
  append_optional(record, repair.version);
  append_optional(record, repair.from);
  append_optional(record, repair.to);
  append_u8(record, repair.removed ? 1 : 0);
  append_instant(record, repair.since);
  append_instant(record, repair.until);
  return sort_.add(record);
}

Status ItemHistoryCheck::add_repair_image(const LedgerEntry& entry, const Digest& image) {
  auto record = begin_record(entry.shard, entry.key, entry.sequence);
  append_u8(record, static_cast<std::uint8_t>(Parsed::What::kRepairImage));
  append_digest(record, image);
  return sort_.add(record);
}

Status ItemHistoryCheck::check(Report& report, const std::function<void()>& step) {
  lineage_.finish_gaps();
  PAWL_ASSIGN_OR_RETURN(const auto records, sort_.drain());
  for (std::string_view record;;) {
    PAWL_ASSIGN_OR_RETURN(const bool more, records->next(record));
    if (!more) break;
    const Parsed entry(record);
    if (entry.item != item_) begin_item(entry, report);
    if (entry.shard.incarnation != incarnation_) {
      guarded_.end_item(report);
      incarnation_ = entry.shard.incarnation;
      const auto fork = at_fork_.find(incarnation_);
      state_ = fork == at_fork_.end() ? State{} : fork->second;
    }
    take(entry, report);
    step();
  }
  guarded_.end_item(report);
  return ok();
}

void ItemHistoryCheck::begin_item(const Parsed& entry, Report& report) {
  guarded_.end_item(report);
  item_ = entry.item;
  at_fork_.clear();
  incarnation_ = {};
  ++report.items;
  const auto facts = facts_.incarnations.find(entry.shard.incarnation);
  if (facts != facts_.incarnations.end()) ++report.tables[facts->second.table].items;
}

void ItemHistoryCheck::take(const Parsed& entry, Report& report) {
  const auto facts = facts_.incarnations.find(incarnation_);
  if (facts != facts_.incarnations.end() && facts->second.guarded) {
    take_guarded(entry, facts->second, report);
  } else {
    take_own(entry, report);
  }
}

void ItemHistoryCheck::take_guarded(const Parsed& entry, const IncarnationFacts& table,
                                    Report& report) {
  if (entry.what == Parsed::What::kRepair) {
    guarded_.take_repair(entry.repair, entry.shard, table.table, entry.key);
    return;
  }
  if (entry.what == Parsed::What::kRepairImage) {
    guarded_.take_repair_image(entry.sequence, entry.images.new_image);
    return;
  }
  GuardedChange change{{entry.shard, entry.sequence}, entry.version, entry.kind, {}, entry.instant};
  if (entry.has_images) change.images = entry.images;
  guarded_.take(change, entry.source, table.table, entry.key, report);
}

void ItemHistoryCheck::take_own(const Parsed& entry, Report& report) {
  const auto version = entry.version.value_or(0);  // shard_reader.cc admits none without
  const auto facts = facts_.incarnations.find(incarnation_);
  const auto wrong = [&](FindingKind kind, std::uint64_t of, std::string detail) {
    report.add({kind,
                facts == facts_.incarnations.end() ? "" : facts->second.table,
                std::string(entry.key),
                of,
                {},
                entry.shard.to_string(),
                entry.sequence,
                {},
                std::move(detail)});
  };
  if (version < state_.next_version) {
    wrong(FindingKind::kDuplicateChange, version, "this version is listed a second time");
  } else if (version > state_.next_version) {
    wrong(FindingKind::kMissingChange, state_.next_version,
          version == state_.next_version + 1
              ? "this version is missing"
              : fmt::format("versions {} to {} are missing", state_.next_version, version - 1));
  } else {
    if (state_.exists != (entry.kind != EntryKind::kInsert)) {
      wrong(FindingKind::kOutOfOrder, version,
            fmt::format("{} of an item that {}", name_of(entry.kind),
                        state_.exists ? "exists" : "does not exist"));
    }
    if (entry.has_images && state_.image_known && entry.images.old_image != state_.image) {
      wrong(FindingKind::kMissingChange, version,
            "its old image is not the new image of the version before it");
    }
  }
  state_.next_version = std::max(state_.next_version, version + 1);
  state_.exists = entry.kind != EntryKind::kRemove;
  state_.image_known = entry.has_images;
  state_.image = entry.images.new_image;
  const auto children = children_.find(incarnation_);
  if (children == children_.end()) return;
  for (const auto child : children->second) {
    const auto& forks = facts_.incarnations.at(child).forks;
    const auto fork = forks.find(entry.shard.to_string());
    if (fork != forks.end() && entry.sequence <= fork->second) {
      at_fork_[child] = state_;
    } else {
      ++report.superseded;
    }
  }
}

}  // namespace pawl::audit
