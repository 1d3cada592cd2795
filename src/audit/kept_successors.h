// Whether the kept chain of a supervised bucket leads to what stands there now: an entry that says "replaced" says by what, so the next
// entry of that name must have that content, and where there is none the name itself. A name whose last entry says "deleted" may be
// empty, and nothing vouches for what somebody put there afterwards.
//
// The order makes it sound beside a server at work: the chain is read first, then what stands there is looked at, and the kept
// objects are listed last. What was displaced behind the chain's end before somebody looked is kept by then, with its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "audit/external_sort.h"
#include "audit/kept_reader.h"
#include "audit/report.h"
#include "port/archive_view.h"

namespace pawl::audit {

// One thread. Memory: as given.
class KeptSuccessors {
 public:
  KeptSuccessors(ArchiveView& archive, std::size_t memory_max, const std::string& folder);

  // Each entry of the chain, in its order.
  Status add(const LedgerKept& kept);
  // Once, when all has been added, and before kept objects are listed: lists the archive, and with `deep` reads what took a place.
  Status look(bool deep, Report& report);
  // Once, after that. `is_kept` tells whether that content, which stood under that name, is among what is kept and not entered yet;
  // `kept` is how much that is.
  Status judge(
      const std::function<Result<bool>(std::string_view name, const KeptContent&)>& is_kept,
      std::uint64_t kept, Report& report);

 private:
  struct Named;
  Status list_live();
  Status look_at(const Named& last, const std::uint64_t* size, bool deep);

  ArchiveView& archive_;
  ExternalSort entries_;   // by name, in the chain's order
  ExternalSort live_;      // what stands there: name, NUL, size
  ExternalSort suspects_;  // names whose last entry does not lead to what stands there
  bool replaced_ = false;  // anything
};

}  // namespace pawl::audit
