// Checks that the objects that pages list and the objects that are there are the same ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "audit/external_sort.h"
#include "audit/item_history_check.h"
#include "audit/kept_check.h"
#include "audit/listed_entry.h"
#include "audit/repair_reader.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"
#include "port/archive_view.h"

namespace pawl::audit {

// Gathers what is listed and what is there, then merges both in name order. One thread.
class ObjectCheck {
 public:
  ObjectCheck(ArchiveView& archive, const RootFacts& facts, std::size_t memory_max,
              const std::string& folder);

  Status add_entry(const LedgerEntry& entry);
  // The object of what was put back.
  Status add_repair(const LedgerRepair& repair);
  // An object of the listing, by its path in the archive.
  Status add_object(std::string_view path, std::uint64_t size);

  // `last_sequences`: how far each chain that was read reaches. With `history`, reads every body,
  // compares its digest, checks what it says of itself, and hands the entry with its images on.
  // With `kept`, entries whose objects do not hold what their pages say are left to it. `step` hears of each entry.
  Status check(const std::map<std::string, std::uint64_t>& last_sequences,
               ItemHistoryCheck* history, KeptCheck* kept, Report& report,
               const std::function<void()>& step);
  // What became of one that was left to `kept`.
  Status settle(const KeptCheck::Settled& settled, Report& report);

 private:
  using Sink = std::function<Status(const ListedEntry& entry, const std::uint64_t* size,
                                    std::string_view path)>;

  Status merge(SortedRecords& entries, SortedRecords& objects, const Sink& matched,
               const std::function<Status(std::string_view, std::uint64_t)>& unlisted,
               Report& report);
  Status check_present(const LedgerEntry& entry, std::uint64_t size, std::string_view path,
                       Report& report);
  Status check_content(const LedgerEntry& entry, std::string_view path, Report& report);
  Status displaced(const LedgerEntry& entry, Displaced by, Report& report);
  Status report_displaced(const LedgerEntry& entry, Displaced by, Report& report);
  Status report_finding(FindingKind kind, const LedgerEntry& entry, std::string detail,
                        Report& report);
  Status report_never_come(const LedgerEntry& entry, bool is_there, Report& report);
  Status check_repair_body(const LedgerEntry& entry, const std::string& body, Report& report);
  Status hand_on(const LedgerEntry& entry, const ImageDigests* images);
  Status judge_unlisted(std::string_view path, Report& report);
  std::string table_of(ShardId shard) const;
  bool has_foreign_objects() const;
  bool has_guarded_table() const;
  bool is_checked(ShardId shard) const;
  bool is_repair(ShardId shard) const;

  ArchiveView& archive_;
  const RootFacts& facts_;
  ExternalSort entries_;
  ExternalSort objects_;
  ExternalSort hashed_entries_;  // listed, but not at their path: perhaps stored under the hash of
                                 // their name
  ExternalSort hashed_objects_;
  const std::map<std::string, std::uint64_t>* last_sequences_ = nullptr;
  ItemHistoryCheck* history_ = nullptr;
  KeptCheck* kept_ = nullptr;
};

}  // namespace pawl::audit
