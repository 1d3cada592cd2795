// The commit round as a pure step: what decides sequence numbers, versions, instants, floors, and
// what may be said to whom after a write. It carries P2 (order), P6 (held) and the table's half of
// P1 (complete).
//
// A round is: change()* -> seal() -> one synced write -> settle(its outcome). Each returns effects
// that the caller (committer.cc) carries out in the order given, before the next call:
//   seal    the floors that the batch must hold beside the changes;
//   settle  what to publish, whether to answer, and which trims are now allowed.
// Nothing is published, answered or trimmed that is not in a batch known to be synced.
//
// A small value type: copied by the exhaustive test at every branch. Touches no store, clock or
// thread.
//
// Invariants:
//   sequence numbers of a shard are dense, from 1, over every outcome but kUnknown (which ends the
//   process); versions of a key are dense, from 0, deletion included, and go on after re-creation;
//   instants never decrease within a shard, whatever the clock says;
//   floor < newest released <= newest: the newest released change is always kept;
//   floor <= held while a stream holds the shard's changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "item/change.h"
#include "port/key_value_store.h"

namespace pawl::table {

// What is known of a key before a change.
struct KeyHistory {
  enum class State : std::uint8_t { kNever, kPresent, kDeleted };
  State state = State::kNever;
  Version version;  // of the last change; meaningless for kNever
  bool operator==(const KeyHistory&) const = default;
};

// A shard's newest change, and how far it is trimmed or may be.
struct ShardAdvance {
  ShardId shard;
  SequenceNumber newest;
  bool operator==(const ShardAdvance&) const = default;
};
struct ShardFloor {
  ShardId shard;
  SequenceNumber floor;
  bool operator==(const ShardFloor&) const = default;
};

class CommitStep {
 public:
  // What one change is to be recorded as.
  struct Assigned {
    SequenceNumber sequence;
    Version version;
    item::ChangeKind kind = item::ChangeKind::kInsert;
    Instant instant;
  };
  struct Settled {
    enum class Verdict : std::uint8_t {
      kAnswer,  // it is durable: answer everybody
      kRefuse,  // it is not there: refuse everybody; the next round goes on as if it had not been
      kEnd,     // nobody knows: answer nobody, take nothing more, end the process
    };
    Verdict verdict = Verdict::kEnd;
    std::vector<ShardAdvance> published;  // readers may be told, in order of shards
    std::vector<ShardFloor> trims;        // records through here may be removed
  };

  // Between rounds: shards come (found at the start, or with a new table) and go.
  void open(ShardId shard, SequenceNumber newest, Instant newest_instant, SequenceNumber floor);
  void close(ShardId shard);

  // At any time: all changes through `through` are in durable ledger pages. Unknown shards and old
  // news are ignored.
  void release(ShardId shard, SequenceNumber through);

  // At any time: changes after `after` are held for the readers of a stream, in a page or not; nothing = none is. Only what
  // lies behind is trimmed, and only when it was released, too. Unknown shards are ignored.
  void hold(ShardId shard, std::optional<SequenceNumber> after);

  // Whether a floor can advance: a reason for a round without commands.
  bool can_trim() const;

  // One change of an item that is there (`exists_after`) or not after it. `before` and
  // `exists_after` can't both say that there is nothing.
  Assigned change(ShardId shard, const KeyHistory& before, bool exists_after, Instant now);

  // The batch is complete. With kAdvance it must hold the floors that this returns; with kKeep no floor
  // moves, and settle() trims nothing.
  enum class Floors : std::uint8_t { kKeep, kAdvance };
  std::vector<ShardFloor> seal(Floors floors);

  // What became of the write (or of no write, if there was nothing to write: kDone).
  Settled settle(WriteOutcome outcome);

  // After kEnd.
  bool ended() const { return phase_ == Phase::kEnded; }

 private:
  enum class Phase : std::uint8_t { kCollecting, kSealed, kEnded };
  struct Shard {
    SequenceNumber durable;  // newest synced
    SequenceNumber staged;   // newest of this round
    Instant durable_instant;
    Instant staged_instant;
    SequenceNumber released;
    std::optional<SequenceNumber> held;
    SequenceNumber floor;         // durable
    SequenceNumber staged_floor;  // in this round's batch
  };
  // Nothing if the floor is there already.
  static std::optional<SequenceNumber> next_floor(const Shard& shard);

  std::map<ShardId, Shard> shards_;
  Phase phase_ = Phase::kCollecting;
};

}  // namespace pawl::table
