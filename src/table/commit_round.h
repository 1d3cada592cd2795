// One commit round's commands on items: evaluated one after the other against the store plus what
// the round has already changed, and gathered into one batch. Knows nothing of queues, threads or
// the write itself.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "table/catalog.h"
#include "table/command.h"
#include "table/commit_step.h"
#include "table/evaluation.h"
#include "table/round_answers.h"
#include "table/round_items.h"

namespace pawl::table {

// Limits of the service (Amazon DynamoDB API reference, TransactWriteItems).
inline constexpr std::size_t kTransactionActionsMax = 100;
inline constexpr std::size_t kTransactionBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kTraceBytesMax = 64;

// A command on its way through the committer.
struct Pending {
  struct Part {  // of one mutation, in order
    TablePtr table;
    std::optional<Failure> failure;  // of its key or table
    Writes writes = Writes::kAll;
    item::Item key;
    PutItem put;
    std::uint16_t shard = 0;
    RoundItems::Entry* entry = nullptr;
  };
  Command command;
  std::vector<Part> parts;
  std::vector<std::string> guards;  // ids of invocation and token, in that order
  std::string answer;               // rendered; true once the round is synced
};

// The mutations of a command; nothing for a command on tables.
std::vector<Mutation>* mutations_of(Command& command);

class CommitRound {
 public:
  // `step` must be between rounds; `bytes_max` bounds the batch, unless one command alone is
  // larger. `insert_only` names the tables whose items are neither changed nor removed; it must outlive the round.
  CommitRound(KeyValueStore& store, CommitStep& step, std::shared_ptr<const CatalogView> tables,
              const std::set<std::string>& insert_only, Instant now, std::size_t bytes_max);

  // First pass, for each command of the round: checks keys and asks for what will be read.
  void prepare(Pending& pending);
  // Then once: reads it all. After an error every command of the round is to be refused.
  Status load();

  // Second pass, in order: sets pending.answer. False if the command does not fit any more: it
  // changed nothing, and must wait for the next round. `refusal` is why commands are refused at
  // present, if they are; a command that was answered before gets its answer all the same.
  bool evaluate(Pending& pending, const std::optional<Failure>& refusal);

  // The answer to a command that came again, or its refusal; sets pending.answer. False if it is
  // new.
  bool answer_again(Pending& pending);
  // Stores the answer of a command that was done, for when it comes again.
  void remember(const Pending& pending);

  // Adds items and counters, in the end. Nothing may be evaluated after it.
  WriteBatch& finish();
  // After the sync: the counters that everybody sees.
  void publish_counts() const;

  WriteBatch& batch() { return batch_; }

 private:
  struct Staged;
  struct CountChange {
    TablePtr table;
    std::int64_t items = 0;
    std::int64_t bytes = 0;
  };

  static std::optional<Failure> stage(const Mutation& mutation, const Pending::Part& part,
                                      std::vector<Staged>& staged, Outcome& outcome);
  static Outcome run(const std::vector<Mutation>& mutations, const Pending& pending,
                     std::vector<Staged>& staged);
  static Outcome run_transaction(const std::vector<Mutation>& mutations, const Pending& pending,
                                 std::vector<Staged>& staged);
  void accept(const Pending& pending, const std::vector<Staged>& staged);
  static void undo(const std::vector<Staged>& staged);
  static TableCount count_after(const CountChange& change);

  KeyValueStore& store_;
  CommitStep& step_;
  std::shared_ptr<const CatalogView> tables_;
  const std::set<std::string>& insert_only_;
  Instant now_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;  // about what the batch will hold
  RoundItems items_;
  RoundAnswers answers_;
  std::map<Incarnation, CountChange> counts_;
  WriteBatch batch_;
};

}  // namespace pawl::table
