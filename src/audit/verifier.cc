#include "audit/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "audit/item_history_check.h"
#include "audit/kept_check.h"
#include "audit/ledger_lines.h"
#include "audit/object_check.h"
#include "audit/repair_reader.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {
namespace {

constexpr std::uint64_t kStepsPerReport = 4096;

// One verification, phase by phase.
class Verification {
 public:
  Verification(ArchiveView& archive, const VerifyOptions& options)
      : archive_(archive),
        options_(options),
        root_options_{options.public_key, options.head, options.check_signature} {}

  Result<Report> run() {
    report_.archive = archive_.describe();
    report_.deep = options_.deep;
    report_.expected_head = options_.head;
    report_.expected_until = options_.until;
    // The chains' names before the root chain: a table that is created in between is then no
    // surprise.
    PAWL_ASSIGN_OR_RETURN(chains_, list_chains(archive_, ledger_bytes_));
    PAWL_ASSIGN_OR_RETURN(facts_, read_root(archive_, root_options_, report_));
    report_.head = facts_.head;
    report_.head_instant = facts_.head_instant;
    std::optional<KeptCheck> kept;
    if (may_keep()) kept.emplace(archive_, facts_, options_.memory_max / 8, options_.tmp);
    ObjectCheck objects(archive_, facts_, options_.memory_max * (kept ? 3 : 4) / 8, options_.tmp);
    ItemHistoryCheck history(facts_, options_.memory_max / 2, options_.tmp);
    PAWL_TRY(read_shards(objects, history));
    PAWL_TRY(list_objects(objects));
    PAWL_TRY(objects.check(last_sequences_, options_.deep ? &history : nullptr,
                           kept ? &*kept : nullptr, report_,
                           stepper(options_.deep ? "reading objects" : "comparing objects")));
    if (kept) PAWL_TRY(check_kept(*kept, objects));
    PAWL_TRY(history.check(report_, stepper("checking item histories")));
    check_head();
    check_until();
    return std::move(report_);
  }

 private:
  void progress(std::string_view phase, std::uint64_t done, std::uint64_t total) const {
    if (options_.progress) options_.progress(phase, done, total);
  }

  std::function<void()> stepper(std::string_view phase) {
    progress(phase, 0, report_.versions);
    return [this, phase, done = std::uint64_t{0}]() mutable {
      if (++done % kStepsPerReport == 0) progress(phase, done, report_.versions);
    };
  }

  // Where somebody else writes the objects the bucket may be supervised.
  bool may_keep() const {
    return std::binary_search(chains_.begin(), chains_.end(), kKeptChain) ||
           std::any_of(facts_.incarnations.begin(), facts_.incarnations.end(),
                       [](const auto& lived) { return lived.second.checked; });
  }

  Status check_kept(KeptCheck& kept, ObjectCheck& objects) {
    bool head_found = false;
    PAWL_TRY(kept.check(
        root_options_, options_.deep, report_, head_found,
        [&](const KeptCheck::Settled& settled) { return objects.settle(settled, report_); }));
    report_.head_found = report_.head_found || head_found;
    return ok();
  }

  Status read_shards(ObjectCheck& objects, ItemHistoryCheck& history) {
    std::set<std::string> names(chains_.begin(), chains_.end());
    names.erase("root");
    names.erase(std::string(kKeptChain));
    std::set<std::string, std::less<>> announced;
    for (const auto& [id, incarnation] : facts_.incarnations) {
      announced.insert(incarnation.shards.begin(), incarnation.shards.end());
    }
    names.insert(announced.begin(), announced.end());
    std::uint64_t read = 0;
    for (const auto& name : names) {
      const auto shard = ShardId::parse(name);
      const auto known =
          shard ? facts_.incarnations.find(shard->incarnation) : facts_.incarnations.end();
      if (known != facts_.incarnations.end() && known->second.guarded &&
          shard->number == kRepairChain) {
        PAWL_TRY(read_repair_chain(known->first, objects, history));
        continue;
      }
      if (known == facts_.incarnations.end() || !announced.contains(name)) {
        report_.add({FindingKind::kDamagedRoot,
                     {},
                     {},
                     {},
                     {},
                     name,
                     {},
                     {},
                     "there is a chain that the root chain does not announce"});
        continue;
      }
      auto& table = report_.tables[known->second.table];
      bool head_found = false;
      PAWL_ASSIGN_OR_RETURN(const auto summary,
                            read_shard(
                                archive_, facts_, *shard, root_options_, head_found, report_,
                                [&](const LedgerEntry& entry) -> Status {
                                  count(entry, table);
                                  if (entry.has_gap) history.add_gap(entry.shard, entry.sequence);
                                  PAWL_TRY(objects.add_entry(entry));
                                  // A deep check adds it when its body has been read.
                                  return options_.deep ? ok() : history.add(entry, nullptr);
                                },
                                [&](std::uint64_t bytes) {
                                  read += bytes;
                                  progress("reading the ledger", read, ledger_bytes_);
                                }));
      last_sequences_[name] = summary.last_sequence;
      page_instants_[name] = summary.last_instant;
      report_.head_found = report_.head_found || head_found;
    }
    return ok();
  }

  // Announced by nothing but the table: it exists from the first repair on.
  Status read_repair_chain(Incarnation incarnation, ObjectCheck& objects,
                           ItemHistoryCheck& history) {
    const auto& table = facts_.incarnations.at(incarnation).table;
    bool head_found = false;
    const auto take = [&](const LedgerRepair& repair) -> Status {
      PAWL_TRY(history.add_repair(repair));
      if (repair.lost) {
        report_.add(KnownLoss{table, std::string(repair.key), repair.chain.to_string(),
                              repair.sequence, repair.from, repair.to, repair.removed, repair.since,
                              repair.until});
        return ok();
      }
      ++report_.put_back;
      report_.bytes += repair.size;
      return objects.add_repair(repair);
    };
    PAWL_TRY(read_repairs(archive_, facts_, incarnation, root_options_, head_found, report_, take,
                          [](std::uint64_t) {}));
    report_.head_found = report_.head_found || head_found;
    return ok();
  }

  void count(const LedgerEntry& entry, TableSummary& table) {
    ++report_.versions;
    ++table.versions;
    report_.bytes += entry.size;
    report_.foreign += entry.foreign ? 1 : 0;
    report_.repaired += entry.repaired ? 1 : 0;
    report_.redelivered += entry.redelivered ? 1 : 0;
    if (!report_.first || entry.instant < *report_.first) report_.first = entry.instant;
    if (!report_.last || entry.instant > *report_.last) report_.last = entry.instant;
  }

  Status list_objects(ObjectCheck& objects) {
    std::uint64_t listed = 0;
    Status failure = ok();
    PAWL_TRY(archive_.list("", [&](const ArchiveView::Entry& entry) {
      failure = objects.add_object(entry.name, entry.size);
      if (++listed % kStepsPerReport == 0) progress("listing objects", listed, report_.versions);
      return failure.ok();
    }));
    return failure;
  }

  void check_head() {
    report_.head_found = report_.head_found || facts_.expected_head_found;
    if (!options_.head || report_.head_found) return;
    report_.add(
        {FindingKind::kNotProven,
         {},
         {},
         {},
         {},
         {},
         {},
         {},
         fmt::format(
             "the head {} is in no chain: the archive was cut off, rewritten, or is another one",
             options_.head->to_hex())});
  }

  void check_until() {
    if (!options_.until) return;
    for (const auto& [id, incarnation] : facts_.incarnations) {
      if (incarnation.deleted || is_superseded(id)) continue;
      for (const auto& shard : incarnation.shards) {
        if (facts_.closed.contains(shard)) continue;  // it was read to its end
        auto proven = page_instants_[shard];
        const auto heartbeat = facts_.heartbeats.find(shard);
        if (heartbeat != facts_.heartbeats.end()) proven = std::max(proven, heartbeat->second);
        if (proven >= *options_.until) continue;
        report_.add({FindingKind::kNotProven,
                     incarnation.table,
                     {},
                     {},
                     {},
                     shard,
                     {},
                     {},
                     proven.microseconds == 0
                         ? "nothing proves anything about this shard"
                         : fmt::format("this shard is proven up to {} only", proven.to_string())});
      }
    }
  }

  bool is_superseded(Incarnation id) const {
    return std::any_of(facts_.incarnations.begin(), facts_.incarnations.end(),
                       [id](const auto& entry) { return entry.second.parent == id; });
  }

  ArchiveView& archive_;
  const VerifyOptions& options_;
  RootOptions root_options_;
  Report report_;
  RootFacts facts_;
  std::vector<std::string> chains_;
  std::uint64_t ledger_bytes_ = 0;
  std::map<std::string, std::uint64_t> last_sequences_;
  std::map<std::string, Instant> page_instants_;
};

}  // namespace

Result<Report> verify(ArchiveView& archive, const VerifyOptions& options) {
  return Verification(archive, options).run();
}

}  // namespace pawl::audit
