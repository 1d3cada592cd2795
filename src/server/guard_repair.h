// `pawl guard repair`: what is missing after gaps in a guarded table's archive is put back, as far as it exists anywhere, and
// entered as known lost beyond. docs/internals/guard.md, "After a gap".
//
//   ledger --> table --> stream behind the ledger's ends --> suspects (audit/loss_finder.h)
//          --> images --> judged (audit/loss_judge.h) --> put if absent --> page of the repair chain, put if absent
//
// What survives a crash: whole pages, each with all entries of its holes. A run that broke off is gone on with by another: the
// same images have the same names and bytes. Workers of the guard may go on meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "audit/loss_finder.h"
#include "base/result.h"
#include "ledger/repair_page.h"
#include "server/archive_place.h"

namespace pawl::server {

struct GuardRepairConfig {
  std::string table;
  ArchivePlace archive;
  std::string dynamodb_endpoint;  // "" = as AWS's own settings say
  bool plan = false;              // read only: say what would be entered
  std::size_t memory_max = std::size_t{128} << 20;
  std::string tmp = "/tmp";
};

struct GuardRepairReport {
  std::string archive_id;
  audit::LossCounts found;
  std::uint64_t holes = 0;     // that were entered, or would be
  std::uint64_t put_back = 0;  // entries
  std::uint64_t lost = 0;      // likewise
  std::uint64_t changing = 0;  // items that changed while they were looked at: for another run
  bool stopped = false;
};

class GuardRepair {
 public:
  struct Hooks {
    std::function<void(const ledger::RepairEntry&)> tell;  // when it is durable; of a plan, planned
    std::function<void(const char* what, std::uint64_t done)> progress;
    std::function<bool()> stop;  // asked between two pages
  };

  static Result<std::unique_ptr<GuardRepair>> open(GuardRepairConfig config);
  ~GuardRepair();

  // Once. Blocks. Errors: kInvalid (not this archive's table; its objects are somebody else's), kNotFound, kCorrupt (`pawl
  // verify` finds something), kConflict (another run), kExhausted, kUnavailable. What was told of is there all the same.
  Result<GuardRepairReport> run(const Hooks& hooks);

 private:
  struct Parts;
  explicit GuardRepair(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl::server
