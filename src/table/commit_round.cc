#include "table/commit_round.h"

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "item/item_size.h"
#include "stream/change_key.h"

namespace pawl::table {
namespace {

// What a change record, its key and its item's key take beside the images: an estimate for the
// batch's bound.
constexpr std::size_t kChangeOverhead = 256;

Failure failure_of(Refusal refusal, std::string message) {
  return {.refusal = refusal, .message = std::move(message), .item = {}, .reasons = {}};
}

Outcome refused(Failure failure) {
  Outcome outcome;
  outcome.failure = std::move(failure);
  return outcome;
}

std::string cancelled_message(const std::vector<CancellationReason>& reasons) {
  std::string message =
      "Transaction cancelled, please refer cancellation reasons for specific reasons [";
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (i > 0) message += ", ";
    message += !reasons[i].refusal                                ? "None"
               : *reasons[i].refusal == Refusal::kConditionFailed ? "ConditionalCheckFailed"
                                                                  : "ValidationError";
  }
  return message + "]";
}

bool has_twice(const std::vector<Pending::Part>& parts) {
  std::set<const RoundItems::Entry*> seen;
  return std::any_of(parts.begin(), parts.end(), [&seen](const Pending::Part& part) {
    return part.entry != nullptr && !seen.insert(part.entry).second;
  });
}

}  // namespace

// One mutation that was evaluated and is in the overlay, but not yet accepted.
struct CommitRound::Staged {
  const Pending::Part* part;
  ItemPtr before;
  ItemPtr after;
  std::size_t size_before;
  std::size_t size_after;
  bool changed;
};

std::vector<Mutation>* mutations_of(Command& command) {
  if (auto* action = std::get_if<Mutations>(&command.action)) return &action->mutations;
  if (auto* action = std::get_if<Transaction>(&command.action)) return &action->mutations;
  return nullptr;
}

CommitRound::CommitRound(KeyValueStore& store, CommitStep& step,
                         std::shared_ptr<const CatalogView> tables,
                         const std::set<std::string>& insert_only, Instant now,
                         std::size_t bytes_max)
    : store_(store),
      step_(step),
      tables_(std::move(tables)),
      insert_only_(insert_only),
      now_(now),
      bytes_max_(bytes_max),
      answers_(now) {}

void CommitRound::prepare(Pending& pending) {
  pending.guards.clear();
  for (const auto* guard : {&pending.command.invocation, &pending.command.token}) {
    if (*guard) pending.guards.push_back(answers_.want(**guard));
  }
  std::vector<Mutation>* mutations = mutations_of(pending.command);
  if (mutations == nullptr) return;
  pending.parts.resize(mutations->size());
  for (std::size_t i = 0; i < mutations->size(); ++i) {
    Mutation& mutation = (*mutations)[i];
    Pending::Part& part = pending.parts[i];
    part.entry = nullptr;
    part.failure.reset();
    part.table = tables_->find(mutation.table);
    if (!part.table) {
      part.failure = failure_of(Refusal::kNoSuchTable, "Requested resource not found");
      continue;
    }
    const TableRecord& table = part.table->record;
    part.writes = insert_only_.contains(mutation.table) ? Writes::kInsertOnly : Writes::kAll;
    if (part.put.item) mutation.item = *part.put.item;  // put off, and prepared again
    Result<item::Item> key = key_of_mutation(table.definition.schema, mutation);
    if (!key.ok()) {
      part.failure = failure_of(Refusal::kInvalid, key.error().message);
      continue;
    }
    part.key = std::move(*key);
    const ItemPlace place = place_of(table.space, table.definition.schema, part.key);
    part.shard = partition_of(place.hash, table.definition.partitions);
    part.entry = items_.want(place.key);
    if (mutation.kind == Mutation::Kind::kPut) {
      part.put.size = item::size_of(mutation.item);
      part.put.item = std::make_shared<const item::Item>(std::move(mutation.item));
    }
  }
}

Status CommitRound::load() {
  PAWL_TRY(answers_.load(store_));
  return items_.load(store_);
}

bool CommitRound::answer_again(Pending& pending) {
  std::size_t next = 0;
  for (const auto* guard : {&pending.command.invocation, &pending.command.token}) {
    if (!*guard) continue;
    const StoredAnswer* stored = answers_.find(pending.guards[next++]);
    if (stored == nullptr) continue;
    if (stored->request == (*guard)->request) {
      pending.answer = stored->answer;
      return true;
    }
    const bool token = (*guard)->client_token;
    pending.answer = pending.command.render(refused(
        token ? failure_of(Refusal::kTokenMismatch,
                           "Provided idempotency token was used with a different request")
              : failure_of(Refusal::kRepeatMismatch,
                           "The invocation id " + (*guard)->id +
                               " was used with a different request in the last ten minutes")));
    return true;
  }
  return false;
}

void CommitRound::remember(const Pending& pending) {
  std::size_t next = 0;
  for (const auto* guard : {&pending.command.invocation, &pending.command.token}) {
    if (*guard) answers_.put(pending.guards[next++], (*guard)->request, pending.answer, batch_);
  }
}

bool CommitRound::evaluate(Pending& pending, const std::optional<Failure>& refusal) {
  if (answer_again(pending)) return true;
  if (refusal) {
    pending.answer = pending.command.render(refused(*refusal));
    return true;
  }
  std::vector<Staged> staged;
  staged.reserve(pending.parts.size());
  const std::vector<Mutation>& mutations = *mutations_of(pending.command);
  const bool is_transaction = std::holds_alternative<Transaction>(pending.command.action);
  const Outcome outcome = is_transaction ? run_transaction(mutations, pending, staged)
                                         : run(mutations, pending, staged);
  if (outcome.failure) {
    undo(staged);
    pending.answer = pending.command.render(outcome);
    return true;
  }
  std::size_t bytes = 0;
  for (const Staged& change : staged) {
    if (change.changed) bytes += change.size_before + 2 * change.size_after + kChangeOverhead;
  }
  if (bytes_ > 0 && bytes_ + bytes > bytes_max_) {
    undo(staged);
    return false;
  }
  bytes_ += bytes;
  accept(pending, staged);
  pending.answer = pending.command.render(outcome);
  remember(pending);
  return true;
}

std::optional<Failure> CommitRound::stage(const Mutation& mutation, const Pending::Part& part,
                                          std::vector<Staged>& staged, Outcome& outcome) {
  if (part.failure) return part.failure;
  ItemState& state = part.entry->state;
  auto result = table::evaluate(part.table->record.definition.schema, part.writes, mutation,
                                part.key, part.put, state);
  if (auto* failure = std::get_if<Failure>(&result)) return std::move(*failure);
  auto& evaluated = std::get<Evaluated>(result);
  staged.push_back({.part = &part,
                    .before = state.item,
                    .after = evaluated.after,
                    .size_before = state.size,
                    .size_after = evaluated.size_after,
                    .changed = evaluated.changed});
  outcome.mutations.push_back({.changed = evaluated.changed,
                               .old_image = state.item,
                               .new_image = evaluated.after,
                               .updated_old = std::move(evaluated.updated_old),
                               .updated_new = std::move(evaluated.updated_new),
                               .size_before = state.size,
                               .size_after = evaluated.size_after});
  // The history follows when the command is accepted.
  state.item = std::move(evaluated.after);
  state.size = evaluated.size_after;
  return std::nullopt;
}

Outcome CommitRound::run(const std::vector<Mutation>& mutations, const Pending& pending,
                         std::vector<Staged>& staged) {
  Outcome outcome;
  outcome.mutations.reserve(mutations.size());
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    if (auto failure = stage(mutations[i], pending.parts[i], staged, outcome)) {
      return refused(std::move(*failure));
    }
  }
  return outcome;
}

Outcome CommitRound::run_transaction(const std::vector<Mutation>& mutations, const Pending& pending,
                                     std::vector<Staged>& staged) {
  if (mutations.size() > kTransactionActionsMax) {
    return refused(
        failure_of(Refusal::kInvalid, "Member must have length less than or equal to 100"));
  }
  if (has_twice(pending.parts)) {
    return refused(failure_of(
        Refusal::kInvalid, "Transaction request cannot include multiple operations on one item"));
  }
  Outcome outcome;
  std::vector<CancellationReason> reasons(mutations.size());
  bool cancelled = false;
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    auto failure = stage(mutations[i], pending.parts[i], staged, outcome);
    if (!failure) continue;
    if (failure->refusal == Refusal::kNoSuchTable) return refused(std::move(*failure));
    reasons[i] = {.refusal = failure->refusal,
                  .message = std::move(failure->message),
                  .item = std::move(failure->item)};
    cancelled = true;
  }
  if (cancelled) {
    Failure failure = failure_of(Refusal::kTransactionCancelled, cancelled_message(reasons));
    failure.reasons = std::move(reasons);
    return refused(std::move(failure));
  }
  std::size_t bytes = 0;
  for (const Staged& change : staged) bytes += std::max(change.size_before, change.size_after);
  if (bytes > kTransactionBytesMax) {
    return refused(
        failure_of(Refusal::kInvalid,
                   "The aggregate size of the items in the transaction cannot exceed 4 MB"));
  }
  return outcome;
}

void CommitRound::undo(const std::vector<Staged>& staged) {
  for (auto change = staged.rbegin(); change != staged.rend(); ++change) {
    ItemState& state = change->part->entry->state;
    state.item = change->before;
    state.size = change->size_before;
  }
}

void CommitRound::accept(const Pending& pending, const std::vector<Staged>& staged) {
  for (const Staged& change : staged) {
    if (!change.changed) continue;
    RoundItems::Entry* entry = change.part->entry;
    const Incarnation incarnation = change.part->table->record.incarnation;
    const ShardId shard{.incarnation = incarnation, .number = change.part->shard};
    const CommitStep::Assigned assigned =
        step_.change(shard, entry->state.history, change.after != nullptr, now_);
    entry->state.history = {
        .state = change.after ? KeyHistory::State::kPresent : KeyHistory::State::kDeleted,
        .version = assigned.version};
    items_.touch(entry);

    item::Change record{.shard = shard,
                        .sequence = assigned.sequence,
                        .key = change.part->key,
                        .version = assigned.version,
                        .kind = assigned.kind,
                        .instant = assigned.instant,
                        .new_image = {},
                        .old_image = {},
                        .trace = pending.command.trace.substr(0, kTraceBytesMax)};
    if (change.after) record.new_image = *change.after;
    if (change.before) record.old_image = *change.before;
    batch_.put(KeySpace::kChanges, stream::change_key(shard, assigned.sequence),
               item::encode_change(record));

    CountChange& count = counts_[incarnation];
    count.table = change.part->table;
    count.items += (change.after ? 1 : 0) - (change.before ? 1 : 0);
    count.bytes += static_cast<std::int64_t>(change.size_after) -
                   static_cast<std::int64_t>(change.size_before);
  }
}

TableCount CommitRound::count_after(const CountChange& change) {
  const Table::Counters& now = *change.table->counters;
  return {
      .items = now.items.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(change.items),
      .bytes =
          now.bytes.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(change.bytes)};
}

WriteBatch& CommitRound::finish() {
  items_.append_to(batch_);
  for (const auto& [incarnation, change] : counts_) {
    batch_.put(KeySpace::kCatalog, count_key(incarnation), encode_count(count_after(change)));
  }
  return batch_;
}

void CommitRound::publish_counts() const {
  for (const auto& [incarnation, change] : counts_) {
    const TableCount count = count_after(change);
    change.table->counters->items.store(count.items, std::memory_order_relaxed);
    change.table->counters->bytes.store(count.bytes, std::memory_order_relaxed);
  }
}

}  // namespace pawl::table
