#include "audit/object_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/body_facts.h"
#include "audit/listed_entry.h"
#include "audit/object_digest.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

constexpr std::string_view kHashedFolder = ".pawl/hashed/";
// What Pawl writes among somebody else's objects has this in its name, and nothing else that a template renders does.
constexpr std::string_view kRepairedMark = "~repaired";
constexpr std::string_view kWrittenAgain =
    ": it was written again since, and what it held for this change is gone";

}  // namespace

ObjectCheck::ObjectCheck(ArchiveView& archive, const RootFacts& facts, std::size_t memory_max,
                         const std::string& folder)
    : archive_(archive),
      facts_(facts),
      entries_(memory_max / 2, folder),
      objects_(memory_max / 4, folder),
      hashed_entries_(memory_max / 8, folder),
      hashed_objects_(memory_max / 8, folder) {}

Status ObjectCheck::add_entry(const LedgerEntry& entry) {
  return entries_.add(ListedEntry::encode(entry.object, entry));
}

Status ObjectCheck::add_repair(const LedgerRepair& repair) {
  LedgerEntry entry;
  entry.shard = repair.chain;
  entry.sequence = repair.sequence;
  entry.key = repair.key;
  entry.version = repair.version;
  entry.object = repair.object;
  entry.size = repair.size;
  entry.digest = repair.digest;
  return add_entry(entry);
}

Status ObjectCheck::add_object(std::string_view path, std::uint64_t size) {
  std::string record;
  if (path.starts_with(kHashedFolder)) {
    // Names beside their objects, and names that a crash left half made.
    if (path.ends_with(".name") || path.ends_with(".name.new")) return ok();
    record = path.substr(kHashedFolder.size());
    record.push_back('\0');
    append_u64_be(record, size);
    return hashed_objects_.add(record);
  }
  if (path.starts_with(".pawl/") || path.starts_with(".suspect/")) return ok();
  record = path;
  record.push_back('\0');
  append_u64_be(record, size);
  return objects_.add(record);
}

std::string ObjectCheck::table_of(ShardId shard) const {
  const auto found = facts_.incarnations.find(shard.incarnation);
  return found == facts_.incarnations.end() ? "" : found->second.table;
}

bool ObjectCheck::has_foreign_objects() const {
  return std::any_of(facts_.incarnations.begin(), facts_.incarnations.end(),
                     [](const auto& lived) { return lived.second.checked; });
}

bool ObjectCheck::has_guarded_table() const {
  return std::any_of(facts_.incarnations.begin(), facts_.incarnations.end(),
                     [](const auto& lived) { return lived.second.guarded; });
}

bool ObjectCheck::is_checked(ShardId shard) const {
  const auto found = facts_.incarnations.find(shard.incarnation);
  return found != facts_.incarnations.end() && found->second.checked;
}

Status ObjectCheck::report_finding(FindingKind kind, const LedgerEntry& entry, std::string detail,
                                   Report& report) {
  report.add({kind,
              table_of(entry.shard),
              std::string(entry.key),
              entry.version,
              std::string(entry.object),
              entry.shard.to_string(),
              entry.sequence,
              {},
              std::move(detail)});
  return ok();
}

bool ObjectCheck::is_repair(ShardId shard) const {
  const auto found = facts_.incarnations.find(shard.incarnation);
  return shard.number == kRepairChain && found != facts_.incarnations.end() &&
         found->second.guarded;
}

// What was put back is no change: the history has it already, but for its image.
Status ObjectCheck::hand_on(const LedgerEntry& entry, const ImageDigests* images) {
  if (history_ == nullptr || is_repair(entry.shard)) return ok();
  return history_->add(entry, images);
}

// Whatever stands there now was in nobody's page, so nothing vouches for it.
Status ObjectCheck::report_never_come(const LedgerEntry& entry, bool is_there, Report& report) {
  PAWL_TRY(report_finding(FindingKind::kMissingObject, entry,
                          is_there ? "it had not come by its deadline; what is there now came "
                                     "later, and no page tells its content"
                                   : "it had not come by its deadline, and is not there now",
                          report));
  return hand_on(entry, nullptr);
}

Status ObjectCheck::check(const std::map<std::string, std::uint64_t>& last_sequences,
                          ItemHistoryCheck* history, KeptCheck* kept, Report& report,
                          const std::function<void()>& step) {
  last_sequences_ = &last_sequences;
  history_ = history;
  kept_ = kept;
  PAWL_ASSIGN_OR_RETURN(const auto entries, entries_.drain());
  PAWL_ASSIGN_OR_RETURN(const auto objects, objects_.drain());
  PAWL_TRY(merge(
      *entries, *objects,
      [&](const ListedEntry& listed, const std::uint64_t* size, std::string_view path) -> Status {
        step();
        if (listed.entry.missing) return report_never_come(listed.entry, size != nullptr, report);
        if (size != nullptr) return check_present(listed.entry, *size, path, report);
        return hashed_entries_.add(ListedEntry::encode(sha256(listed.name).to_hex(), listed.entry));
      },
      [&](std::string_view path, std::uint64_t) { return judge_unlisted(path, report); }, report));

  PAWL_ASSIGN_OR_RETURN(const auto hashed_entries, hashed_entries_.drain());
  PAWL_ASSIGN_OR_RETURN(const auto hashed_objects, hashed_objects_.drain());
  return merge(
      *hashed_entries, *hashed_objects,
      [&](const ListedEntry& listed, const std::uint64_t* size, std::string_view path) -> Status {
        if (size != nullptr) {
          return check_present(listed.entry, *size, fmt::format("{}{}", kHashedFolder, path),
                               report);
        }
        return displaced(listed.entry, {Displaced::By::kNothing, 0}, report);
      },
      [&](std::string_view path, std::uint64_t) {
        return judge_unlisted(fmt::format("{}{}", kHashedFolder, path), report);
      },
      report);
}

Status ObjectCheck::merge(SortedRecords& entries, SortedRecords& objects, const Sink& matched,
                          const std::function<Status(std::string_view, std::uint64_t)>& unlisted,
                          Report& report) {
  std::string_view object;
  PAWL_ASSIGN_OR_RETURN(bool object_left, objects.next(object));
  // Of the entry before: its name, whether its object was there and how large, and whether it claims that object: somebody
  // else's function may give one name to several changes.
  std::string previous;
  bool previous_matched = false;
  bool previous_claims = false;
  std::uint64_t previous_size = 0;
  std::string_view record;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const bool entry_left, entries.next(record));
    if (!entry_left) break;
    const ListedEntry listed(record);
    const bool claims = !listed.entry.foreign && !listed.entry.missing;
    if (previous_matched && listed.name == previous && !(claims && previous_claims)) {
      previous_claims = claims || previous_claims;
      PAWL_TRY(matched(listed, &previous_size, listed.name));
      continue;
    }
    if (previous_matched && listed.name == previous) {
      report.add({FindingKind::kListedTwice,
                  table_of(listed.entry.shard),
                  std::string(listed.entry.key),
                  listed.entry.version,
                  std::string(listed.entry.object),
                  listed.entry.shard.to_string(),
                  listed.entry.sequence,
                  {},
                  "another change has claimed this object already"});
      continue;
    }
    while (object_left && name_in(object) < listed.name) {
      const auto path = name_in(object);
      Reader size(object.substr(path.size() + 1));
      PAWL_TRY(unlisted(path, size.u64_be()));
      PAWL_ASSIGN_OR_RETURN(object_left, objects.next(object));
    }
    previous_matched = object_left && name_in(object) == listed.name;
    previous = listed.name;
    previous_claims = claims;
    if (!previous_matched) {
      PAWL_TRY(matched(listed, nullptr, listed.name));
      continue;
    }
    Reader size_reader(object.substr(listed.name.size() + 1));
    previous_size = size_reader.u64_be();
    PAWL_TRY(matched(listed, &previous_size, listed.name));
    PAWL_ASSIGN_OR_RETURN(object_left, objects.next(object));
  }
  while (object_left) {
    const auto path = name_in(object);
    Reader size(object.substr(path.size() + 1));
    PAWL_TRY(unlisted(path, size.u64_be()));
    PAWL_ASSIGN_OR_RETURN(object_left, objects.next(object));
  }
  return ok();
}

Status ObjectCheck::displaced(const LedgerEntry& entry, Displaced by, Report& report) {
  return kept_ == nullptr ? report_displaced(entry, by, report) : kept_->add(entry, by);
}

Status ObjectCheck::report_displaced(const LedgerEntry& entry, Displaced by, Report& report) {
  const auto since = entry.foreign ? kWrittenAgain : "";
  switch (by.by) {
    case Displaced::By::kNothing:
      return report_finding(FindingKind::kMissingObject, entry,
                            "the ledger lists it, and the object is not there", report);
    case Displaced::By::kDisappeared:
      PAWL_TRY(report_finding(FindingKind::kAlteredObject, entry,
                              "it disappeared while it was checked", report));
      break;
    case Displaced::By::kOtherSize:
      PAWL_TRY(report_finding(
          FindingKind::kAlteredObject, entry,
          fmt::format("it has {} bytes, and its page says {}{}", by.size, entry.size, since),
          report));
      break;
    case Displaced::By::kOtherContent:
      PAWL_TRY(report_finding(
          FindingKind::kAlteredObject, entry,
          fmt::format("its content does not have the SHA-256 that its page says{}", since),
          report));
      break;
  }
  return hand_on(entry, nullptr);
}

Status ObjectCheck::settle(const KeptCheck::Settled& settled, Report& report) {
  kept_ = nullptr;
  const LedgerEntry& entry = settled.entry;
  if (!settled.kept) return report_displaced(entry, settled.displaced, report);
  report.add(KeptVersion{table_of(entry.shard), std::string(entry.key), entry.version,
                         std::string(entry.object), *settled.kept, settled.at, settled.deleted});
  if (history_ == nullptr) return ok();
  if (entry.foreign) return hand_on(entry, nullptr);
  return check_content(entry, *settled.kept, report);
}

Status ObjectCheck::check_present(const LedgerEntry& entry, std::uint64_t size,
                                  std::string_view path, Report& report) {
  if (size != entry.size) return displaced(entry, {Displaced::By::kOtherSize, size}, report);
  if (history_ == nullptr) return ok();
  return check_content(entry, path, report);
}

Status ObjectCheck::check_content(const LedgerEntry& entry, std::string_view path, Report& report) {
  if (entry.foreign) {
    PAWL_ASSIGN_OR_RETURN(const auto digest, digest_in(archive_, path, entry.size));
    if (digest != entry.digest) return displaced(entry, {Displaced::By::kOtherContent, 0}, report);
    return hand_on(entry, nullptr);  // what it says is its writer's affair
  }
  PAWL_ASSIGN_OR_RETURN(const auto body, archive_.read(path, 0, kBodySizeMax + 1));
  if (!body) return displaced(entry, {Displaced::By::kDisappeared, 0}, report);
  if (sha256(*body) != entry.digest)
    return displaced(entry, {Displaced::By::kOtherContent, 0}, report);
  if (is_repair(entry.shard)) return check_repair_body(entry, *body, report);
  const auto facts = read_body(*body);
  if (!facts || facts->shard != entry.shard || facts->sequence != entry.sequence ||
      facts->source != entry.source || facts->key != entry.key || facts->version != entry.version ||
      facts->kind != name_of(entry.kind) || facts->instant != entry.instant.to_string()) {
    PAWL_TRY(report_finding(FindingKind::kAlteredObject, entry,
                            "what it says of itself is not what its page says", report));
    return hand_on(entry, nullptr);
  }
  const auto table = facts_.incarnations.find(entry.shard.incarnation);
  if (table != facts_.incarnations.end() && table->second.guarded &&
      version_in(*facts, table->second.version_attribute) != entry.version) {
    PAWL_TRY(report_finding(FindingKind::kAlteredObject, entry,
                            "its version is not that of its image", report));
  }
  return history_->add(entry, &facts->images);
}

Status ObjectCheck::check_repair_body(const LedgerEntry& entry, const std::string& body,
                                      Report& report) {
  const auto& table = facts_.incarnations.at(entry.shard.incarnation);
  const auto image = image_put_back(body, table, entry);
  if (image) return history_->add_repair_image(entry, *image);
  report.add({FindingKind::kAlteredObject,
              table.table,
              std::string(entry.key),
              entry.version,
              std::string(entry.object),
              entry.shard.to_string(),
              entry.sequence,
              {},
              "what it says of itself is not what its page says"});
  return ok();
}

// An object that no page lists is unsealed if it says that it is a change after its chain's end: a
// crash, or a server at work. Anything else does not belong here.
// Where somebody else writes objects, what Pawl has not written is theirs: from before the check, or of no change. What Pawl
// wrote too much (the object came when a worker was putting it, or the worker was fenced meanwhile) tells a listed change.
Status ObjectCheck::judge_unlisted(std::string_view path, Report& report) {
  const bool among_foreign = has_foreign_objects();
  if (among_foreign && path.find(kRepairedMark) == std::string_view::npos) {
    ++report.others;
    return ok();
  }
  PAWL_ASSIGN_OR_RETURN(const auto body, archive_.read(path, 0, kBodySizeMax + 1));
  if (!body) return ok();  // gone meanwhile
  const auto facts = read_body(*body);
  if (facts) {
    const auto last = last_sequences_->find(facts->shard.to_string());
    const bool known_table = facts_.incarnations.contains(facts->shard.incarnation);
    if (last == last_sequences_->end() ? known_table : facts->sequence > last->second) {
      ++report.unsealed;
      return ok();
    }
  }
  // Put by `pawl guard repair`, which did not come to its page. Another run enters it, unless it is needed no more.
  if (!facts && has_guarded_table() && path.find(kRepairedMark) != std::string_view::npos &&
      read_repair_body(*body, {})) {
    ++report.unsealed;
    return ok();
  }
  if (among_foreign && (!facts || is_checked(facts->shard))) {
    ++report.others;
    return ok();
  }
  Finding finding{FindingKind::kUnlistedObject, {}, {}, {}, std::string(path), {}, {}, {}, {}};
  if (!facts) {
    finding.detail = "it is no object of Pawl's, or is damaged, and no page lists it";
  } else {
    finding.table = table_of(facts->shard);
    finding.item = facts->key;
    finding.version = facts->version;
    finding.chain = facts->shard.to_string();
    finding.sequence = facts->sequence;
    finding.detail =
        "it claims to be a change that the ledger lists under another name, or not at all";
  }
  report.add(std::move(finding));
  return ok();
}

}  // namespace pawl::audit
