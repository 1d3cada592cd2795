#include "queue/queue_catalog.h"

#include <algorithm>
#include <set>

namespace pawl::queue {
namespace {

constexpr KeySpace kSpacesOfMessages[] = {kMessages, kStates, kSchedule};

Status check_format(KeyValueStore& store) {
  PAWL_ASSIGN_OR_RETURN(const auto stored, store.get(kQueues, kFormatKey));
  if (!stored) {
    WriteBatch batch;
    batch.put(kQueues, std::string(kFormatKey), encode_count(kQueueFormat));
    const WriteResult result = store.write(batch, Sync::kYes);
    if (result.outcome == WriteOutcome::kDone) return ok();
    return Error{ErrorCode::kUnavailable, "making the store of queues: " + result.why, ""};
  }
  PAWL_ASSIGN_OR_RETURN(const std::uint64_t format, decode_count(*stored));
  if (format == kQueueFormat) return ok();
  return Error{ErrorCode::kInvalid, "the queues were written by a newer Pawl",
               "use the newer Pawl that wrote them"};
}

// Messages whose queue was deleted or purged just before a crash.
Status remove_orphans(KeyValueStore& store, const std::set<std::uint64_t>& known) {
  for (const KeySpace keys : kSpacesOfMessages) {
    std::set<std::uint64_t> orphans;
    const auto cursor = store.cursor(keys);
    cursor->seek("");
    while (cursor->valid()) {
      const auto space = space_of(cursor->key());
      if (!space) break;
      if (!known.contains(*space)) orphans.insert(*space);
      cursor->seek(space_start(*space + 1));
    }
    PAWL_TRY(cursor->status());
    for (const std::uint64_t space : orphans) PAWL_TRY(remove_space(store, space));
  }
  return ok();
}

Result<std::uint64_t> newest_sequence(KeyValueStore& store, std::uint64_t space) {
  const auto cursor = store.cursor(kStates);
  cursor->seek_for_prev(message_key(space, ~std::uint64_t{0}));
  PAWL_TRY(cursor->status());
  if (!cursor->valid() || space_of(cursor->key()) != space) return std::uint64_t{0};
  return sequence_of(cursor->key()).value_or(0);
}

QueueAttributes changed(QueueAttributes attributes, const AttributeChanges& changes) {
  if (changes.visibility) attributes.visibility = *changes.visibility;
  if (changes.retention) attributes.retention = *changes.retention;
  if (changes.delay) attributes.delay = *changes.delay;
  if (changes.receive_wait) attributes.receive_wait = *changes.receive_wait;
  if (changes.message_bytes_max) attributes.message_bytes_max = *changes.message_bytes_max;
  if (changes.redrive) attributes.redrive = *changes.redrive;
  return attributes;
}

// The first attribute that is to be another than it is.
std::string difference(const QueueAttributes& now, const QueueAttributes& wanted) {
  if (now.visibility != wanted.visibility) return "VisibilityTimeout";
  if (now.retention != wanted.retention) return "MessageRetentionPeriod";
  if (now.delay != wanted.delay) return "DelaySeconds";
  if (now.receive_wait != wanted.receive_wait) return "ReceiveMessageWaitTimeSeconds";
  if (now.message_bytes_max != wanted.message_bytes_max) return "MaximumMessageSize";
  return now.redrive == wanted.redrive ? "" : "RedrivePolicy";
}

}  // namespace

Answer failed(Refusal refusal, std::string message) {
  Answer answer;
  answer.failure = {refusal, std::move(message)};
  return answer;
}

Status remove_space(KeyValueStore& store, std::uint64_t space) {
  for (const KeySpace keys : kSpacesOfMessages) {
    PAWL_TRY(store.remove_range(keys, space_start(space), space_start(space + 1)));
  }
  return ok();
}

Result<QueueCatalog> QueueCatalog::open(KeyValueStore& store, Instant now) {
  PAWL_TRY(check_format(store));
  QueueCatalog catalog;
  std::set<std::uint64_t> spaces;
  const auto cursor = store.cursor(kQueues);
  for (cursor->seek(kQueuePrefix); cursor->valid() && cursor->key().starts_with(kQueuePrefix);
       cursor->next()) {
    PAWL_ASSIGN_OR_RETURN(QueueRecord record, decode_queue(cursor->value()));
    spaces.insert(record.space);
    PAWL_ASSIGN_OR_RETURN(const std::uint64_t newest, newest_sequence(store, record.space));
    catalog.newest_number_ = std::max({catalog.newest_number_, newest, record.id, record.space});
    const std::string name = record.name;
    PAWL_ASSIGN_OR_RETURN(catalog.shelves_[name], QueueShelf::open(store, std::move(record), now));
  }
  PAWL_TRY(cursor->status());
  PAWL_TRY(remove_orphans(store, spaces));
  return catalog;
}

QueueShelf* QueueCatalog::find(const std::string& name) {
  const auto found = shelves_.find(name);
  return found == shelves_.end() ? nullptr : found->second.get();
}

QueueShelf* QueueCatalog::target_of(const QueueShelf& shelf) {
  const auto& redrive = shelf.record.attributes.redrive;
  if (!redrive || redrive->target == shelf.record.name) return nullptr;
  return find(redrive->target);
}

std::uint64_t QueueCatalog::next_number(Instant now) {
  const auto at = static_cast<std::uint64_t>(std::max<std::int64_t>(now.microseconds, 1));
  newest_number_ = std::max(newest_number_ + 1, at);
  return newest_number_;
}

std::optional<Failure> QueueCatalog::check_target(const std::string& name,
                                                  const AttributeChanges& changes) {
  if (!changes.redrive || !*changes.redrive) return std::nullopt;
  const std::string& target = (*changes.redrive)->target;
  if (target != name && find(target) != nullptr) return std::nullopt;
  return Failure{Refusal::kNoSuchTarget, target};
}

QueueCatalog::Plan QueueCatalog::plan_create(const Command& command,
                                             const AttributeChanges& changes, Instant now) {
  Plan plan;
  if (QueueShelf* shelf = find(command.queue)) {
    const QueueAttributes& present = shelf->record.attributes;
    const std::string other = difference(present, changed(present, changes));
    if (!other.empty()) {
      plan.answer = failed(Refusal::kExistsOtherwise, other);
    } else {
      plan.answer.figures = shelf->figures();
    }
    return plan;
  }
  if (auto failure = check_target(command.queue, changes)) {
    plan.answer.failure = std::move(failure);
    return plan;
  }
  if (shelves_.size() >= kQueuesMax) {
    plan.answer = failed(Refusal::kTooManyQueues);
    return plan;
  }
  QueueRecord record;
  record.id = next_number(now);
  record.space = next_number(now);
  record.name = command.queue;
  record.created = record.modified = now;
  record.attributes = changed({}, changes);
  plan.batch.put(kQueues, queue_key(record.id), encode_queue(record));
  plan.answer.figures = QueueFigures{record, 0, 0, 0};
  plan.record = std::move(record);
  return plan;
}

QueueCatalog::Plan QueueCatalog::plan_change(const QueueShelf& shelf,
                                             const AttributeChanges& changes, Instant now) {
  Plan plan;
  if (auto failure = check_target(shelf.record.name, changes)) {
    plan.answer.failure = std::move(failure);
    return plan;
  }
  plan.record = shelf.record;
  plan.record->attributes = changed(plan.record->attributes, changes);
  plan.record->modified = now;
  plan.batch.put(kQueues, queue_key(plan.record->id), encode_queue(*plan.record));
  return plan;
}

QueueCatalog::Plan QueueCatalog::plan(const Command& command, Instant now) {
  if (const auto* create = std::get_if<Create>(&command.action)) {
    return plan_create(command, create->attributes, now);
  }
  Plan plan;
  const QueueShelf* shelf = find(command.queue);
  if (shelf == nullptr) {
    plan.answer = failed(Refusal::kNoSuchQueue);
    return plan;
  }
  if (const auto* set = std::get_if<SetAttributes>(&command.action)) {
    return plan_change(*shelf, set->attributes, now);
  }
  const QueueRecord& record = shelf->record;
  plan.emptied = record.space;
  plan.batch.erase(kQueues, count_key(record.space));
  if (std::holds_alternative<Purge>(command.action)) {
    plan.record = record;
    plan.record->space = next_number(now);
    plan.batch.put(kQueues, queue_key(record.id), encode_queue(*plan.record));
  } else {
    plan.removes = true;
    plan.batch.erase(kQueues, queue_key(record.id));
  }
  return plan;
}

std::deque<Waiter> QueueCatalog::apply(const Plan& plan, const std::string& name, Instant now) {
  std::deque<Waiter> orphaned;
  QueueShelf* shelf = find(name);
  if (plan.removes) {
    orphaned = std::move(shelf->waiters);
    shelves_.erase(name);
  } else if (shelf == nullptr) {
    shelves_[name] = std::make_unique<QueueShelf>(*plan.record, now);
  } else if (plan.emptied) {
    shelf->reset(*plan.record, now);
  } else {
    shelf->record = *plan.record;
    shelf->expire_again();
  }
  return orphaned;
}

Answer QueueCatalog::describe(const Command& command) {
  const QueueShelf* shelf = find(command.queue);
  if (shelf == nullptr) return failed(Refusal::kNoSuchQueue);
  Answer answer;
  answer.figures = shelf->figures();
  return answer;
}

Answer QueueCatalog::list(const Command& command) {
  const auto& wanted = std::get<List>(command.action);
  Answer answer;
  if (wanted.sources_of && find(command.queue) == nullptr) return failed(Refusal::kNoSuchQueue);
  for (auto at = shelves_.lower_bound(std::max(wanted.prefix, wanted.after)); at != shelves_.end();
       ++at) {
    const auto& [name, shelf] = *at;
    if (!wanted.sources_of && !name.starts_with(wanted.prefix)) break;
    if (name == wanted.after) continue;
    const auto& redrive = shelf->record.attributes.redrive;
    if (wanted.sources_of && (!redrive || redrive->target != command.queue)) continue;
    if (answer.names.size() == wanted.limit) {
      answer.more = true;
      break;
    }
    answer.names.push_back(name);
  }
  return answer;
}

}  // namespace pawl::queue
