#include "audit/repair_reader.h"

#include <simdjson.h>

#include "audit/entry_chain_reader.h"
#include "audit/root_events.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

constexpr std::size_t kNameSizeMax = 2048;
constexpr std::uint64_t kGuardedVersionMax = std::uint64_t{1} << 53;

// A version that may be absent; false if it is there and none.
bool read_version(const element& parent, std::string_view name,
                  std::optional<std::uint64_t>& version) {
  element field;
  if (parent[name].get(field) != simdjson::SUCCESS) return true;
  version = number_at(parent, name);
  return version && *version <= kGuardedVersionMax;
}

class RepairReader {
 public:
  RepairReader(Incarnation incarnation, const std::function<Status(const LedgerRepair&)>& visit)
      : shard_{incarnation, kRepairChain}, visit_(visit) {}

  EntryChainReader::Taken take(const element& repair, std::uint64_t sequence) {
    using Taken = EntryChainReader::Taken;
    LedgerRepair entry;
    entry.chain = shard_;
    entry.sequence = sequence;
    element key;
    element lost;
    entry.lost = repair["lost"].get(lost) == simdjson::SUCCESS;
    if (repair["key"].get(key) != simdjson::SUCCESS || !key.is_object() ||
        !take_places(repair, entry) ||
        !(entry.lost ? take_lost(repair, lost, entry) : take_put_back(repair, entry))) {
      return Taken::kMalformed;
    }
    key_text_ = simdjson::minify(key);
    entry.key = key_text_;
    error_ = visit_(entry);
    return error_.ok() ? Taken::kGood : Taken::kStop;
  }

  Status take_error() { return std::move(error_); }

 private:
  // A change of the same table.
  std::optional<ChainPlace> place_at(const element& repair, std::string_view name) const {
    element place;
    if (repair[name].get(place) != simdjson::SUCCESS) return std::nullopt;
    const auto shard = ShardId::parse(text_at(place, "shard"));
    const auto sequence = number_at(place, "sequence");
    if (!shard || !sequence || *sequence == 0 || shard->incarnation != shard_.incarnation ||
        shard->number == kRepairChain) {
      return std::nullopt;
    }
    return ChainPlace{*shard, *sequence};
  }

  bool take_places(const element& repair, LedgerRepair& entry) const {
    const auto after = place_at(repair, "after");
    if (!after) return false;
    entry.after = *after;
    element before;
    if (repair["before"].get(before) != simdjson::SUCCESS) return true;
    entry.before = place_at(repair, "before");
    return entry.before.has_value();
  }

  static bool take_put_back(const element& repair, LedgerRepair& entry) {
    entry.object = text_at(repair, "object");
    const auto size = number_at(repair, "size");
    const auto digest = Digest::parse(text_at(repair, "sha256"));
    if (!size || !digest || entry.object.empty() || entry.object.size() > kNameSizeMax ||
        entry.object.find('\0') != std::string_view::npos ||
        text_at(repair, "repaired") != (entry.before ? "old-image" : "table")) {
      return false;
    }
    entry.size = *size;
    entry.digest = *digest;
    return read_version(repair, "version", entry.version);
  }

  static bool take_lost(const element& repair, const element& lost, LedgerRepair& entry) {
    element other;
    const auto since = Instant::parse(text_at(lost, "since"));
    const auto until = Instant::parse(text_at(lost, "until"));
    // What is lost has no object.
    if (!since || !until || repair["object"].get(other) == simdjson::SUCCESS ||
        repair["repaired"].get(other) == simdjson::SUCCESS ||
        !read_version(lost, "from", entry.from) || !read_version(lost, "to", entry.to)) {
      return false;
    }
    entry.since = *since;
    entry.until = *until;
    const bool has_flag = lost["removed"].get(other) == simdjson::SUCCESS;
    if (has_flag && (other.get(entry.removed) != simdjson::SUCCESS || !entry.removed)) return false;
    if (entry.from && !entry.to) return false;
    return !entry.from || *entry.from <= *entry.to;
  }

  ShardId shard_;
  const std::function<Status(const LedgerRepair&)>& visit_;
  std::string key_text_;
  Status error_ = ok();
};

}  // namespace

Result<ShardSummary> read_repairs(ArchiveView& archive, const RootFacts& facts,
                                  Incarnation incarnation, const RootOptions& options,
                                  bool& head_found, Report& report,
                                  const std::function<Status(const LedgerRepair&)>& visit,
                                  const std::function<void(std::uint64_t)>& read_bytes) {
  RepairReader repairs(incarnation, visit);
  EntryChainReader reader({ShardId{incarnation, kRepairChain}.to_string(), "pawl-repair-page/1",
                           "repairs", facts.incarnations.at(incarnation).table},
                          facts, options, head_found, report,
                          [&repairs](const element& repair, std::uint64_t sequence) {
                            return repairs.take(repair, sequence);
                          });
  PAWL_ASSIGN_OR_RETURN(const auto summary, reader.read(archive, read_bytes));
  PAWL_TRY(repairs.take_error());
  return summary;
}

}  // namespace pawl::audit
