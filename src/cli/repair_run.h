// From gaps to objects: what `pawl repair` does with each missing version, in the order in which the gaps are found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/gap_recovery.h"
#include "audit/image_spool.h"
#include "audit/repair_plan.h"
#include "cli/gaps_search.h"
#include "cli/repair_bucket.h"
#include "cli/repair_output.h"
#include "cli/terminal.h"

namespace pawl::cli {

// One thread. What is put is there when put() of the bucket has returned; a run that ends anywhere is gone on with by another
// run, which finds what this one put.
class RepairRun {
 public:
  // All must outlive it. `bucket` and `images` are null for a plan: nothing is put.
  RepairRun(GapsSearch& search, RepairBucket* bucket, audit::ImageSpool* images,
            RepairOutput& output);

  // What GapRecovery::drain() visits.
  Status gap(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries,
             std::size_t hole);
  // After the last: puts what is still in hand.
  void finish();

  const RepairReport& report() const { return report_; }

 private:
  struct InHand {
    RepairEntry entry;
    std::optional<RepairPut> put;
  };
  Status missing(const audit::Gap& gap, const audit::MissingVersions& versions, std::size_t hole);
  // Sets what is to be put, with the first image that really is that version; else says why there is none.
  Status take_image(InHand& in_hand, const std::string& own_name, std::size_t hole);
  bool is_version(const RepairEntry& entry, const std::string& image) const;
  void flush();
  void tell(const RepairEntry& entry);

  GapsSearch& search_;
  RepairBucket* bucket_;
  audit::ImageSpool* images_;
  RepairOutput& output_;
  RepairReport report_;
  bool nowhere_else_ = true;  // all that could have a version was looked through
  std::vector<InHand> in_hand_;
  std::size_t puts_in_hand_ = 0;
  std::size_t bytes_in_hand_ = 0;
  std::uint64_t put_ = 0;
  std::string image_;  // for reuse
  ProgressLine progress_;
};

}  // namespace pawl::cli
