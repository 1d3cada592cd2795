// Checks what a supervised bucket keeps of what was replaced or deleted in it: that each entry of its kept chain has its object, that
// what took the place of what was replaced stands there (kept_successors.h), and which entries of shards, whose objects do not hold
// any more what their pages say, are explained by one.
//
// The kept chain and the kept objects are read after everything else has been looked at: a server may be at work, and what was
// replaced before somebody saw that it was is kept by then.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/external_sort.h"
#include "audit/kept_reader.h"
#include "audit/kept_successors.h"
#include "audit/kept_unsealed.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"
#include "port/archive_view.h"

namespace pawl::audit {

// What stands under an entry's name in place of what its page says.
struct Displaced {
  enum class By : std::uint8_t { kNothing, kDisappeared, kOtherSize, kOtherContent };
  By by = By::kNothing;
  std::uint64_t size = 0;  // of kOtherSize
};

// One thread. Memory: as given, and that of KeptUnsealed.
class KeptCheck {
 public:
  KeptCheck(ArchiveView& archive, const RootFacts& facts, std::size_t memory_max,
            const std::string& folder);

  Status add(const LedgerEntry& entry, Displaced displaced);

  // What became of an entry that was added.
  struct Settled {
    const LedgerEntry& entry;
    Displaced displaced;
    std::optional<std::string> kept;  // the path of its content; nothing: it is nowhere
    std::optional<Instant> at;        // since when; nothing: that is not entered yet
    bool deleted = false;
  };
  // Once, when all has been added. With `deep` kept objects are read.
  Status check(const RootOptions& options, bool deep, Report& report, bool& head_found,
               const std::function<Status(const Settled&)>& settle);

 private:
  Status read_entries(const RootOptions& options, Report& report, bool& head_found);
  Status list_objects();
  Status settle_displaced(const std::function<Status(const Settled&)>& settle);
  // Which entries have their objects.
  Status match_objects(bool deep, Report& report);
  Status check_one(std::string_view record, const std::uint64_t* size, bool deep, Report& report);

  ArchiveView& archive_;
  const RootFacts& facts_;
  ExternalSort displaced_;  // by name, size and digest
  ExternalSort entries_;    // of the kept chain, by the kept object's path
  ExternalSort objects_;    // that are there and not behind the chain's end, likewise
  ExternalSort contents_;   // entries whose objects are there, by name, size, digest and number
  KeptSuccessors successors_;
  std::uint64_t entered_ = 0;  // the newest entry of the chain
  KeptUnsealed unsealed_;      // kept, and not entered yet
};

}  // namespace pawl::audit
