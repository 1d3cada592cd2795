// Commands: what the wire layer asks the committer to do, and what comes of it. Plain data; no
// protocol.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "expression/expression.h"
#include "item/value.h"
#include "table/table_definition.h"

namespace pawl::table {

// Why a command was not done. The wire layer turns these into the service's exceptions.
enum class Refusal {
  kInvalid,               // ValidationException
  kConditionFailed,       // ConditionalCheckFailedException
  kNoSuchTable,           // ResourceNotFoundException
  kTableExists,           // ResourceInUseException
  kTableProtected,        // deletion protection is on
  kTooManyTables,         // LimitExceededException; too many streams of a table, too
  kTransactionCancelled,  // TransactionCanceledException, with reasons
  kTokenMismatch,         // IdempotentParameterMismatchException
  kRepeatMismatch,        // an invocation id that came again with another request
  kNoRoom,      // below the reserve of bytes or inodes: writes are refused, nothing is lost
  kNeedsAdopt,  // data directory and ledger disagree: writes are refused until `pawl adopt`
  kStopping,    // the server is stopping
  kBusy,        // the command queue is full
  kStorage,     // the store failed; not done
  kUnknown,     // may or may not be done: no answer may be given, the connection closes
};

// One item's part in a cancelled transaction: nothing for an item whose own check passed.
struct CancellationReason {
  std::optional<Refusal> refusal;  // kConditionFailed or kInvalid
  std::string message;
  std::optional<item::Item> item;  // if asked for with return_old_on_failure
};

struct Failure {
  Refusal refusal = Refusal::kInvalid;
  std::string message;                      // the service's wording where it has one
  std::optional<item::Item> item;           // kConditionFailed with return_old_on_failure
  std::vector<CancellationReason> reasons;  // kTransactionCancelled: one an action, in order
};

// One item to be written, or only checked.
struct Mutation {
  enum class Kind { kPut, kUpdate, kDelete, kCheck };
  Kind kind = Kind::kPut;
  std::string table;
  item::Item item;  // the whole item (kPut), or its key (all others)
  std::optional<expression::Condition> condition;
  std::optional<expression::Update>
      update;  // kUpdate; nothing = only create the item if it is absent
  bool return_old_on_failure = false;
};

// What became of one mutation. A mutation that changed nothing is done, has changed = false and
// left no change record.
struct MutationOutcome {
  bool changed = false;
  std::shared_ptr<const item::Item> old_image;  // nothing if the item did not exist; never copied
  std::shared_ptr<const item::Item> new_image;  // nothing if it does not exist any more
  item::Item updated_old;                       // kUpdate: see expression::Update::Applied
  item::Item updated_new;
  std::size_t size_before = 0;  // bytes, item/item_size.h
  std::size_t size_after = 0;
};

struct CreateTable {
  TableDefinition definition;
};
struct DeleteTable {
  std::string name;
};
struct UpdateTable {
  std::string name;
  std::optional<std::optional<StreamView>> stream;  // set, or switched off
  std::optional<bool> deletion_protected;
  std::optional<bool> pay_per_request;
  std::optional<std::uint64_t> read_units;
  std::optional<std::uint64_t> write_units;
};
// `pawl adopt`: an incarnation goes on as a new one with the same items and versions; its ledger
// chains and change log start anew, linked to those of the old one. One that is deleted and still closing goes on
// closing: its name stays free, or whose it is. Done also while writes are refused.
struct AdoptTable {
  Incarnation incarnation;
  // How far the ledger chains of the old incarnation tell the same story as its change log, for each of its shards:
  // the changes after that are carried into the new incarnation's log. None of a shard that is not listed.
  std::map<ShardId, SequenceNumber> archived;
};
// One or many independent mutations (PutItem … BatchWriteItem), at most 25. Each is evaluated by
// itself, in order; but if one is refused, so is the command, and none is done (the service
// validates a batch as a whole, and a batch has no conditions).
struct Mutations {
  std::vector<Mutation> mutations;
};
// All or nothing: at most 100 mutations.
struct Transaction {
  std::vector<Mutation> mutations;
};

// kNoRoom and friends fail a command as a whole; a failed condition fails `Mutations` of one.
struct Outcome {
  std::optional<Failure> failure;
  std::vector<MutationOutcome> mutations;  // one a mutation, in order
  std::optional<TableDescription> table;   // of the three table commands
};

// A mutation that a client may send again after a lost answer: the first answer is stored in the
// batch that commits it and given again for 10 minutes, also after a restart.
struct RepeatGuard {
  std::string caller;         // access key id, "" for none
  std::string id;             // amz-sdk-invocation-id or ClientRequestToken; at most 128 bytes
  bool client_token = false;  // a mismatch is kTokenMismatch, otherwise kRepeatMismatch
  Digest request;             // of what must be equal for it to be the same request
};

struct Command {
  std::variant<Mutations, Transaction, CreateTable, DeleteTable, UpdateTable, AdoptTable> action;
  std::optional<RepeatGuard> invocation;
  std::optional<RepeatGuard> token;
  std::string trace;      // the request's id; at most 64 bytes
  std::size_t bytes = 0;  // about what it holds in memory (the request's body): bounds the queue

  // Turns the outcome into the answer's bytes, which mean nothing to the committer. Pure; runs on
  // the commit thread; answers of failures are never stored.
  std::function<std::string(const Outcome&)> render;

  // Called once, on the commit thread, after the sync that made the answer true (or at once for a
  // refusal). Must not block: it hands over. Nothing means kUnknown: close the connection without
  // an answer.
  std::function<void(std::optional<std::string> answer)> done;
};

}  // namespace pawl::table
