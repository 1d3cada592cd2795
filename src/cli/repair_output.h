// What `pawl repair` says: for people, and as the document of docs/schemas/repair.schema.json.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "audit/gap_recovery.h"
#include "audit/version_runs.h"
#include "cli/gaps_output.h"

namespace pawl::cli {

// What becomes, or became, of missing versions of one item.
struct RepairEntry {
  enum class Outcome : std::uint8_t {
    kPlanned,       // can be put; with --plan only
    kPut,           // is put
    kAlreadyThere,  // stands there with this very content: another run's
    kAppeared,      // has come meanwhile, under its own name
    kTaken,         // something else stands where it would be put, and was not touched
    kNotPut,        // was not put, or it is not known; `why`
    kNotFound,      // was not found, but not everywhere could be looked; `why`
    kLost,          // is nowhere
  };
  static constexpr std::size_t kOutcomes = 8;

  std::string head;  // as audit::ItemName
  std::string tail;
  audit::VersionRange versions;  // more than one only of kNotFound and kLost
  Outcome outcome = Outcome::kPlanned;
  std::string name;  // of the object; "" = none
  // Where it is, the best first; or, where it is put, whence.
  std::vector<audit::Recovery> ways;
  std::string why;

  audit::ItemName item() const { return {head, tail}; }
  // It is there now.
  bool settled() const {
    return outcome == Outcome::kPut || outcome == Outcome::kAlreadyThere ||
           outcome == Outcome::kAppeared;
  }
};
// "planned", "put", …
const char* name_of(RepairEntry::Outcome outcome);

struct RepairReport {
  bool plan = false;
  // Versions of each outcome; 2^64-1 stands for that and more.
  std::array<std::uint64_t, RepairEntry::kOutcomes> counts{};
  bool stopped = false;   // by a signal
  std::string trouble;    // why the store took no more; "" = it did
  std::string where_not;  // where what is lost was looked for, or why it may be elsewhere

  std::uint64_t count(RepairEntry::Outcome outcome) const {
    return counts[static_cast<std::size_t>(outcome)];
  }
  void add(const RepairEntry& entry);
  // Nothing is missing any more.
  bool complete() const;
};

// Entries one by one, then the rest; so that a document with millions of them takes no memory.
class RepairOutput {
 public:
  virtual ~RepairOutput() = default;
  virtual void entry(const RepairEntry& entry) = 0;
  virtual void end(const GapsReport& search, const RepairReport& report) = 0;
};

// On standard output. `pattern` must outlive it.
std::unique_ptr<RepairOutput> make_repair_text(const audit::NamePattern& pattern);
std::unique_ptr<RepairOutput> make_repair_json(const audit::NamePattern& pattern, bool plan);

}  // namespace pawl::cli
