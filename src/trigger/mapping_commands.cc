// Mappings are made, changed and removed: one command at a time, each durable before it is answered. And read at a start.
#include <algorithm>

#include "base/assert.h"
#include "base/coding.h"
#include "trigger/mapping_entry.h"
#include "trigger/mapping_format.h"

namespace pawl::trigger {
namespace {

// Keys that one batch of a deletion erases: the first with the record, the others behind it.
constexpr std::size_t kErasedMax = 10'000;

MappingFailure not_done() {
  return {MappingRefusal::kNotDone, "The mapping's state could not be written"};
}
MappingFailure not_found() {
  return {MappingRefusal::kNotFound, "The resource you requested does not exist."};
}
MappingFailure in_use() {
  return {MappingRefusal::kInUse,
          "Cannot update the event source mapping because it is being deleted"};
}

// Filters that are stored have been parsed before.
Result<std::shared_ptr<const MappingView>> view_of(MappingRecord record) {
  PAWL_ASSIGN_OR_RETURN(Filter filter, Filter::parse(record.config.filters));
  return std::make_shared<const MappingView>(MappingView{std::move(record), std::move(filter)});
}

// Adds the deletion of a mapping's keys in one space, up to `left` of them.
void erase_keys(KeyValueStore& store, KeySpace space, const MappingId& id, std::size_t& left,
                WriteBatch& batch) {
  const std::string end = mapping_end(id);
  const auto cursor = store.cursor(space);
  for (cursor->seek(mapping_start(id)); cursor->valid() && cursor->key() < end && left > 0;
       cursor->next(), --left) {
    batch.erase(space, std::string(cursor->key()));
  }
}

}  // namespace

// -- at a start --

Status MappingStage::prepare(KeyValueStore& store) {
  PAWL_ASSIGN_OR_RETURN(const auto format, store.get(kMappings, kFormatKey));
  if (!format) {
    WriteBatch batch;
    std::string value;
    append_varint(value, kMappingFormat);
    batch.put(kMappings, std::string(kFormatKey), std::move(value));
    const WriteResult written = store.write(batch, Sync::kYes);
    if (written.outcome == WriteOutcome::kDone) return ok();
    return Error{ErrorCode::kUnavailable, "beginning the store of mappings: " + written.why, ""};
  }
  Reader in(*format);
  if (in.varint() > kMappingFormat) {
    return Error{ErrorCode::kInvalid, "DATA/triggers was written by a newer Pawl",
                 "use the newer Pawl that wrote it"};
  }
  // Whose mapping is gone.
  for (const KeySpace space : {kCheckpoints, kDeadLetters}) {
    const auto cursor = store.cursor(space);
    for (cursor->seek(""); cursor->valid();) {
      MappingId id{};
      if (cursor->key().size() < id.size()) {
        return Error{ErrorCode::kCorrupt, "DATA/triggers has a key that no mapping wrote", ""};
      }
      const std::string_view bytes = cursor->key().substr(0, id.size());
      std::copy(bytes.begin(), bytes.end(), id.begin());
      PAWL_ASSIGN_OR_RETURN(const auto record, store.get(kMappings, mapping_key(id)));
      if (!record) PAWL_TRY(store.remove_range(space, mapping_start(id), mapping_end(id)));
      cursor->seek(mapping_end(id));
    }
    PAWL_TRY(cursor->status());
  }
  return ok();
}

Status MappingStage::load() {
  const auto cursor = store_.cursor(kMappings);
  for (cursor->seek(kMappingPrefix); cursor->valid() && cursor->key().starts_with(kMappingPrefix);
       cursor->next()) {
    PAWL_ASSIGN_OR_RETURN(MappingRecord record, decode_mapping(cursor->value()));
    auto entry = std::make_unique<Entry>();
    const MappingId id = record.id;
    PAWL_ASSIGN_OR_RETURN(entry->view, view_of(std::move(record)));
    PAWL_TRY(load_state(*entry));
    hold(*entry);
    entries_.emplace(id, std::move(entry));
  }
  PAWL_TRY(cursor->status());
  return is_pawl() ? fix_missing_positions() : ok();
}

// Nothing is committed yet: the position is that of the last run's end.
Status MappingStage::fix_missing_positions() {
  WriteBatch batch;
  for (const auto& [id, entry] : entries_) {
    const MappingSource& source = entry->view->record.source;
    for (std::uint32_t shard = 0; shard < source.shards; ++shard) {
      if (entry->checkpoints[shard]) continue;
      const auto extent = ports_.streams.extent(source, shard);
      if (!extent) continue;
      entry->checkpoints[shard] = extent->newest;
      batch.put(kCheckpoints, checkpoint_key(id, shard), encode_checkpoint(extent->newest));
    }
    hold(*entry);
  }
  if (batch.empty()) return ok();
  // Nothing has been submitted to the state's thread yet: nobody else writes.
  const WriteResult written = store_.write(batch, Sync::kYes);
  if (written.outcome == WriteOutcome::kDone) return ok();
  return Error{ErrorCode::kUnavailable, "writing the positions of mappings: " + written.why, ""};
}

Status MappingStage::load_state(Entry& entry) {
  const MappingRecord& record = entry.view->record;
  entry.checkpoints.resize(record.source.shards);
  const std::string end = mapping_end(record.id);
  const auto checkpoints = store_.cursor(kCheckpoints);
  for (checkpoints->seek(mapping_start(record.id));
       checkpoints->valid() && checkpoints->key() < end; checkpoints->next()) {
    const auto shard = shard_of_key(checkpoints->key());
    if (!shard || *shard >= record.source.shards) {
      return Error{ErrorCode::kCorrupt, "DATA/triggers has a checkpoint of no shard", ""};
    }
    PAWL_ASSIGN_OR_RETURN(entry.checkpoints[*shard], decode_checkpoint(checkpoints->value()));
  }
  PAWL_TRY(checkpoints->status());
  const auto letters = store_.cursor(kDeadLetters);
  for (letters->seek(mapping_start(record.id)); letters->valid() && letters->key() < end;
       letters->next()) {
    const auto shard = shard_of_key(letters->key());
    PAWL_ASSIGN_OR_RETURN(DeadLetter letter, decode_dead_letter(letters->value()));
    letter.record.clear();
    std::vector<DeadLetter> one;
    const std::pair counted{shard.value_or(0), letter.first};
    if (counted.first >= record.source.shards) {
      return Error{ErrorCode::kCorrupt, "DATA/triggers has a dead letter of no shard", ""};
    }
    one.push_back(std::move(letter));
    add_dead_letters(entry, counted.first, std::move(one));
    const auto& checkpoint = entry.checkpoints[counted.first];
    if (checkpoint && counted.second > *checkpoint) entry.counted.insert(counted);
  }
  return letters->status();
}

// -- commands --

void MappingStage::create(MappingConfig config, MappingSource source, MappingDone done) {
  submit({Create{std::move(config), std::move(source)}, std::move(done)});
}
void MappingStage::update(const MappingId& id, MappingChanges changes, MappingDone done) {
  submit({Update{id, std::move(changes)}, std::move(done)});
}
void MappingStage::remove(const MappingId& id, MappingDone done) {
  submit({Remove{id}, std::move(done)});
}

void MappingStage::submit(Command command) {
  constexpr std::size_t kCommandsMax = 1'000;
  {
    const std::lock_guard lock(mutex_);
    if (!closed_ && commands_.size() < kCommandsMax) {
      commands_.push_back(std::move(command));
      alarm_->ring();
      return;
    }
  }
  command.done(MappingFailure{MappingRefusal::kNotDone, "The server is stopping, or too busy"});
}

std::optional<MappingStage::Command> MappingStage::next_command() {
  const std::lock_guard lock(mutex_);
  if (commands_.empty()) return std::nullopt;
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

Awaitable<void> MappingStage::serve(Command command) {
  if (auto* create = std::get_if<Create>(&command.action)) {
    MappingAnswer answer = co_await serve_create(std::move(*create));
    command.done(std::move(answer));
  } else if (auto* update = std::get_if<Update>(&command.action)) {
    MappingAnswer answer = co_await serve_update(std::move(*update));
    command.done(std::move(answer));
  } else {
    MappingAnswer answer = co_await serve_remove(std::get<Remove>(command.action));
    command.done(std::move(answer));
  }
}

// Whether the batch is durable.
Awaitable<bool> MappingStage::keep(WriteBatch batch) {
  struct Kept {
    std::mutex mutex;
    std::optional<bool> durable;
    Alarm* alarm = nullptr;
  };
  const auto kept = std::make_shared<Kept>();
  kept->alarm = kept_alarm_.get();
  ports_.state.submit(std::move(batch), StateSink::Urgency::kNow, [kept](bool durable) {
    const std::lock_guard lock(kept->mutex);
    kept->durable = durable;
    if (kept->alarm != nullptr) kept->alarm->ring();
  });
  for (;;) {
    {
      const std::lock_guard lock(kept->mutex);
      if (kept->durable) co_return *kept->durable;
    }
    co_await kept_alarm_->wait_until(ports_.clock.monotonic() + std::chrono::seconds(60));
  }
}

MappingId MappingStage::new_id() const {
  MappingId id{};
  for (std::size_t i = 0; i < id.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t part = ports_.random.next();
    for (std::size_t j = 0; j < sizeof part; ++j) {
      id[i + j] = static_cast<std::uint8_t>(part >> (8 * j));
    }
  }
  // A random UUID (RFC 9562, version 4).
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0F) | 0x40);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3F) | 0x80);
  return id;
}

// A function reads a stream once.
std::optional<MappingFailure> MappingStage::refuse_twin(const MappingRecord& record) const {
  for (const auto& [id, entry] : entries_) {
    const MappingRecord& other = entry->view->record;
    if (other.config.function != record.config.function) continue;
    if (other.source.arn != record.source.arn || id == record.id) continue;
    if (entry->state == MappingState::kDeleting) continue;
    return MappingFailure{
        MappingRefusal::kExists,
        "The event source arn (\" " + record.source.arn + " \") and function (\" " +
            record.config.function +
            " \") provided mapping already exists. Please update or delete the existing mapping "
            "with UUID " +
            id_text(id)};
  }
  return std::nullopt;
}

// Where a mapping that is made begins, and holds that. Whether the stream is there.
bool MappingStage::fix_positions(Entry& entry) {
  const MappingRecord& record = entry.view->record;
  const bool from_latest = record.config.start == StartingPosition::kLatest;
  // As the service has it: LATEST is where its polling begins, some time after this answer.
  const bool is_fixed = is_pawl() || !from_latest;
  // Twice: what was trimmed before the hold stood is not there.
  for (int look = 0; look < 2; ++look) {
    for (std::uint32_t shard = 0; shard < record.source.shards; ++shard) {
      const auto extent = ports_.streams.extent(record.source, shard);
      if (!extent) return false;
      auto& at = entry.checkpoints[shard];
      if (is_fixed && !at) at = from_latest ? extent->newest : extent->horizon;
      if (at) at = std::max(*at, extent->horizon);
    }
    hold(entry);
  }
  return true;
}

Awaitable<MappingAnswer> MappingStage::serve_create(Create create) {
  if (entries_.size() >= kMappingsMax) {
    co_return MappingFailure{MappingRefusal::kTooMany,
                             "There are " + std::to_string(entries_.size()) + " mappings already"};
  }
  MappingRecord record;
  record.id = new_id();
  record.config = std::move(create.config);
  record.source = std::move(create.source);
  record.created = record.modified = ports_.clock.now();
  if (auto refusal = refuse_twin(record)) co_return std::move(*refusal);
  auto entry = std::make_unique<Entry>();
  entry->is_new = true;
  entry->checkpoints.resize(record.source.shards);
  WriteBatch batch;
  batch.put(kMappings, mapping_key(record.id), encode_mapping(record));
  const MappingId id = record.id;
  auto view = view_of(std::move(record));
  if (!view.ok()) co_return MappingFailure{MappingRefusal::kNotDone, view.error().message};
  entry->view = std::move(*view);
  if (!fix_positions(*entry)) {
    lift(entry->view->record);
    co_return not_found();
  }
  for (std::uint32_t shard = 0; shard < entry->view->record.source.shards; ++shard) {
    const auto& at = entry->checkpoints[shard];
    if (at) batch.put(kCheckpoints, checkpoint_key(id, shard), encode_checkpoint(*at));
  }
  const bool durable = co_await keep(std::move(batch));
  if (!durable) {
    lift(entry->view->record);
    co_return not_done();
  }
  if (!is_pawl()) entry->settled_at = ports_.clock.monotonic() + kAwsSettling;
  MappingStatus status = status_of(see(*entry));
  Entry& placed = *entry;
  {
    const std::lock_guard lock(mutex_);
    entries_.emplace(id, std::move(entry));
  }
  if (is_pawl()) start(placed);
  co_return status;
}

Awaitable<MappingAnswer> MappingStage::serve_update(Update update) {
  Entry* const entry = find_entry(update.id);
  if (entry == nullptr) co_return not_found();
  if (entry->state == MappingState::kDeleting) co_return in_use();
  MappingRecord record = entry->view->record;
  const bool was_enabled = record.config.enabled;
  record.config = changed(std::move(record.config), update.changes);
  record.modified = ports_.clock.now();
  if (record.config.function != entry->view->record.config.function) {
    if (auto refusal = refuse_twin(record)) co_return std::move(*refusal);
  }
  const bool is_enabled = record.config.enabled;
  WriteBatch batch;
  batch.put(kMappings, mapping_key(record.id), encode_mapping(record));
  auto view = view_of(std::move(record));
  if (!view.ok()) co_return MappingFailure{MappingRefusal::kNotDone, view.error().message};
  const bool durable = co_await keep(std::move(batch));
  if (!durable) co_return not_done();
  MappingState state = MappingState::kUpdating;
  if (is_enabled != was_enabled) {
    state = is_enabled ? MappingState::kEnabling : MappingState::kDisabling;
  }
  {
    const std::lock_guard lock(mutex_);
    entry->view = std::move(*view);
    entry->state = state;
  }
  // What is written while it settles a LATEST mapping never sees (awsdocs/aws-lambda-developer-guide#487).
  if (!is_pawl()) entry->settled_at = ports_.clock.monotonic() + kAwsSettling;
  for (const auto& task : entry->tasks) {
    task->rest(!is_pawl());
    task->configure(entry->view);
  }
  co_return status_of(see(*entry));
}

Awaitable<MappingAnswer> MappingStage::serve_remove(Remove remove) {
  Entry* const entry = find_entry(remove.id);
  if (entry == nullptr) co_return not_found();
  if (entry->state == MappingState::kDeleting) co_return in_use();
  WriteBatch batch;
  batch.erase(kMappings, mapping_key(remove.id));
  std::size_t left = kErasedMax;
  erase_keys(store_, kCheckpoints, remove.id, left, batch);
  erase_keys(store_, kDeadLetters, remove.id, left, batch);
  const bool durable = co_await keep(std::move(batch));
  if (!durable) co_return not_done();
  {
    const std::lock_guard lock(mutex_);
    entry->state = MappingState::kDeleting;
  }
  for (const auto& task : entry->tasks) task->forget();
  lift(entry->view->record);
  if (left == 0) co_await erase_rest(remove.id);
  co_return status_of(see(*entry));
}

// The record is gone: should this not be done to its end, the next start does it.
Awaitable<void> MappingStage::erase_rest(MappingId id) {
  for (;;) {
    WriteBatch batch;
    std::size_t left = kErasedMax;
    erase_keys(store_, kCheckpoints, id, left, batch);
    erase_keys(store_, kDeadLetters, id, left, batch);
    if (batch.empty()) co_return;
    const bool durable = co_await keep(std::move(batch));
    if (!durable) co_return;
  }
}

}  // namespace pawl::trigger
