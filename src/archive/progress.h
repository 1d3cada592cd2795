// The archiver's decisions for one shard, as a pure step: what may be put, what may be entered in the ledger, and what
// the change log need not hold any longer. It carries promises P1 to P4 and P6 for the archive's side:
//
//   change log --Take--> in flight --Put--> durable --WritePage--> paged --Release--> may be trimmed
//
// Invariants:
//   released <= paged; a page covers a contiguous prefix of what is in flight, all of it durable (P1, P2);
//   an object whose durability is in doubt (after a start, an unknown outcome) is set aside and put anew before
//   it counts: that the store then says "equal" proves nothing about the disk (P3);
//   a name that is taken by other content is evaded, never touched (P4);
//   nothing is released before the page that holds it is durable (P6).
//
// The ledger is the only checkpoint: a restart makes a new Progress from the chain's end.
// pipeline/recorder.h is the shell that does what the effects say; progress_test.cc explores every state of a small
// world around it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "port/object_store.h"

namespace pawl::archive {

// Changes of one shard that may be read and not yet paged. Also how far a restart looks for objects in doubt: it
// must never be lowered below what an earlier Pawl has put in flight.
inline constexpr std::size_t kInFlightMax = 4096;

// Waits after a failure: doubled from the first to the last.
inline constexpr Duration kBackoffFirst = std::chrono::milliseconds(50);
inline constexpr Duration kBackoffLast = std::chrono::seconds(1);

// -- what happened --

// `count` further changes were read, following those in flight; 0 = there are none now, or no room for them.
struct Taken {
  std::size_t count = 0;
};
// The objects of a SetAside are out of the way, or may not be.
struct SetAsideAnswered {
  bool done = false;
};
// One outcome for each target of the last Put, in order.
struct PutAnswered {
  std::vector<PutOutcome> outcomes;
};
// The page of the last WritePage is durable; or nobody knows.
struct PageAnswered {
  bool durable = false;
};
// The ledger ends again where its last good sync left it; or it could not be reopened.
struct LedgerReopened {
  bool done = false;
};
using ProgressEvent =
    std::variant<Taken, SetAsideAnswered, PutAnswered, PageAnswered, LedgerReopened>;

// -- what to do about it, and to answer with the event of the same name --

struct Target {
  SequenceNumber sequence;
  std::uint32_t attempt = 0;  // object_naming.h: fallback_name()
  bool operator==(const Target&) const = default;
};
// Move aside what stands under these changes' names (attempt 0 and every name that the change could have gone to
// after that) with exactly their content. Content of others stays: it may be sealed.
struct SetAside {
  std::vector<SequenceNumber> changes;
  bool operator==(const SetAside&) const = default;
};
struct Put {
  std::vector<Target> targets;
  bool operator==(const Put&) const = default;
};
// Append the page of these changes, and sync the ledger.
struct WritePage {
  SequenceNumber first;
  SequenceNumber last;
  bool operator==(const WritePage&) const = default;
};
struct ReopenLedger {
  bool operator==(const ReopenLedger&) const = default;
};
struct Release {
  SequenceNumber through;
  bool operator==(const Release&) const = default;
};
using ProgressEffect = std::variant<SetAside, Put, WritePage, ReopenLedger, Release>;

// One change in flight.
struct InFlight {
  enum class State : std::uint8_t { kDoubtful, kWaiting, kDurable };
  State state = State::kWaiting;
  std::uint32_t attempt = 0;
  bool operator==(const InFlight&) const = default;
};

// Regular value type. Its members are for reading; only step() writes them.
struct Progress {
  enum class Phase : std::uint8_t {
    kOpen,          // nothing is under way: Taken comes next, not before retry_at
    kSettingAside,  // SetAsideAnswered comes next
    kPutting,       // PutAnswered
    kPaging,        // PageAnswered
    kReopening,     // LedgerReopened, not before retry_at
  };

  // After a start: durable pages cover everything up to `paged`, and what follows may have been put.
  static Progress after_start(SequenceNumber paged, std::size_t in_flight_max = kInFlightMax);
  // Of a shard that came into being after the start: nobody has put anything of it.
  static Progress of_new_shard() { return {}; }

  SequenceNumber paged;
  SequenceNumber released;  // since the start
  SequenceNumber
      doubtful_through;  // objects of changes up to here may have been put by an earlier process
  std::vector<InFlight> in_flight;  // the changes paged+1, paged+2, …
  std::size_t in_flight_max = kInFlightMax;
  Phase phase = Phase::kOpen;
  std::uint32_t failures = 0;  // in a row
  MonotonicInstant retry_at;
  bool operator==(const Progress&) const = default;

  // The last change that was read.
  SequenceNumber read() const { return {paged.value + in_flight.size()}; }
  // How many more may be read.
  std::size_t room() const { return in_flight_max - in_flight.size(); }
};

// Effects in the order in which they must be done. The event must be one that the phase waits for.
std::vector<ProgressEffect> step(Progress& progress, const ProgressEvent& event,
                                 MonotonicInstant now);

}  // namespace pawl::archive
