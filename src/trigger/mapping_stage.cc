#include "trigger/mapping_stage.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/assert.h"
#include "item/change.h"
#include "trigger/mapping_entry.h"
#include "trigger/mapping_format.h"

namespace pawl::trigger {

namespace asio = boost::asio;

std::string_view name_of(MappingState state) {
  switch (state) {
    case MappingState::kCreating:
      return "Creating";
    case MappingState::kEnabling:
      return "Enabling";
    case MappingState::kEnabled:
      return "Enabled";
    case MappingState::kDisabling:
      return "Disabling";
    case MappingState::kDisabled:
      return "Disabled";
    case MappingState::kUpdating:
      return "Updating";
    case MappingState::kDeleting:
      return "Deleting";
  }
  return "?";
}

MappingStage::MappingStage(KeyValueStore& store, TriggerPorts ports, TriggerOptions options)
    : store_(store),
      ports_(ports),
      options_(options),
      alarm_(ports.clock.make_alarm()),
      kept_alarm_(ports.clock.make_alarm()) {}

MappingStage::~MappingStage() = default;

Result<std::unique_ptr<MappingStage>> MappingStage::open(KeyValueStore& store, TriggerPorts ports,
                                                         TriggerOptions options) {
  std::unique_ptr<MappingStage> stage(new MappingStage(store, ports, options));
  PAWL_TRY(stage->load());
  return stage;
}

void MappingStage::hold(const Entry& entry) {
  if (!is_pawl()) return;
  for (std::uint32_t shard = 0; shard < entry.view->record.source.shards; ++shard) {
    if (entry.checkpoints[shard]) {
      ports_.streams.hold(entry.view->record.id, entry.view->record.source.shard(shard),
                          *entry.checkpoints[shard]);
    }
  }
}

void MappingStage::lift(const MappingRecord& record) {
  if (!is_pawl()) return;
  for (std::uint32_t shard = 0; shard < record.source.shards; ++shard) {
    ports_.streams.lift(record.id, record.source.shard(shard));
  }
}

// -- the tasks --

// Begins to read from the checkpoints; where there is none yet (LATEST under aws), from now.
void MappingStage::start(Entry& entry) {
  PAWL_ASSERT(entry.tasks.empty() && executor_);
  const MappingSource& source = entry.view->record.source;
  for (std::uint32_t shard = 0; shard < source.shards; ++shard) {
    SequenceNumber from;
    if (entry.checkpoints[shard]) {
      from = *entry.checkpoints[shard];
    } else if (const auto extent = ports_.streams.extent(source, shard)) {
      from = extent->newest;
    }
    auto task = std::make_shared<ShardTask>(
        ports_, options_, entry.view, shard, from,
        [this, id = entry.view->record.id](std::uint32_t of, std::vector<DeadLetter> letters) {
          if (Entry* found = find_entry(id)) add_dead_letters(*found, of, std::move(letters));
        },
        buffered_bytes_);
    if (entry.is_new) task->is_new();
    {
      const std::lock_guard lock(mutex_);
      entry.tasks.push_back(task);
      readers_.emplace(source.shard(shard), task);
    }
    ++running_;
    ++entry.running;
    asio::co_spawn(*executor_, task->run(),
                   [this, task, id = entry.view->record.id](const std::exception_ptr& error) {
                     PAWL_ASSERT(error == nullptr);  // nothing of ours throws
                     --running_;
                     if (Entry* found = find_entry(id)) --found->running;
                     alarm_->ring();
                   });
  }
}

void MappingStage::committed(ShardId shard) {
  std::vector<std::shared_ptr<ShardTask>> tasks;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = readers_.equal_range(shard);
    for (auto at = begin; at != end; ++at) {
      if (auto task = at->second.lock()) tasks.push_back(std::move(task));
    }
  }
  for (const auto& task : tasks) task->tell_news();
}

void MappingStage::add_dead_letters(Entry& entry, std::uint32_t shard,
                                    std::vector<DeadLetter> letters) {
  const std::lock_guard lock(mutex_);
  for (DeadLetter& letter : letters) {
    if (entry.counted.erase({shard, letter.first}) > 0) {
      std::erase_if(entry.newest_dead_letters, [&](const MappingStatus::Poisoned& known) {
        return known.shard == shard && known.letter.first == letter.first;
      });
    } else {
      ++entry.dead_letters;
    }
    entry.newest_dead_letters.push_back({shard, std::move(letter)});
    if (entry.newest_dead_letters.size() > kDeadLettersShown) entry.newest_dead_letters.pop_front();
  }
}

// -- the loop --

Awaitable<void> MappingStage::run() {
  executor_ = co_await asio::this_coro::executor;
  for (const auto& [id, entry] : entries_) start(*entry);
  while (!stopping_) {
    if (auto command = next_command()) {
      co_await serve(std::move(*command));
      continue;
    }
    const MonotonicInstant now = ports_.clock.monotonic();
    look_after(now);
    co_await alarm_->wait_until(next_look(now));
  }
  for (const auto& [id, entry] : entries_) {
    for (const auto& task : entry->tasks) task->stop();
  }
  while (running_ > 0) {
    co_await alarm_->wait_until(ports_.clock.monotonic() + std::chrono::seconds(60));
  }
  while (auto command = next_command()) {
    command->done(MappingFailure{MappingRefusal::kNotDone, "The server is stopping"});
  }
}

void MappingStage::stop() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    // At once: a function that is killed by the same stop has not failed.
    for (const auto& [id, entry] : entries_) {
      for (const auto& task : entry->tasks) task->stop();
    }
  }
  stopping_ = true;
  alarm_->ring();
  kept_alarm_->ring();
}

// States follow what the tasks are at.
void MappingStage::settle(Entry& entry, MonotonicInstant now) {
  if (entry.state == MappingState::kDeleting) return;
  if (entry.settled_at && now < *entry.settled_at) return;
  const bool was_settling = entry.settled_at.has_value();
  entry.settled_at.reset();
  if (entry.tasks.empty()) {
    start(entry);
  } else if (was_settling) {
    for (const auto& task : entry.tasks) {
      if (entry.view->record.config.start == StartingPosition::kLatest) task->skip_to_newest();
      task->rest(false);
      task->configure(entry.view);
    }
  }
  const bool enabled = entry.view->record.config.enabled;
  const bool at_rest = std::all_of(entry.tasks.begin(), entry.tasks.end(),
                                   [](const auto& task) { return task->status().at_rest; });
  MappingState next = MappingState::kEnabled;
  if (!enabled) next = at_rest ? MappingState::kDisabled : MappingState::kDisabling;
  const std::lock_guard lock(mutex_);
  entry.state = next;
}

void MappingStage::look_after(MonotonicInstant now) {
  std::vector<MappingId> gone;
  for (const auto& [id, entry] : entries_) {
    settle(*entry, now);
    if (entry->state == MappingState::kDeleting && entry->running == 0) gone.push_back(id);
  }
  const std::lock_guard lock(mutex_);
  for (const MappingId& id : gone) entries_.erase(id);
  std::erase_if(readers_, [](const auto& reader) { return reader.second.expired(); });
}

MonotonicInstant MappingStage::next_look(MonotonicInstant now) const {
  constexpr Duration kOften = std::chrono::milliseconds(20);
  constexpr Duration kSeldom = std::chrono::seconds(60);
  const bool moving = std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second->state != MappingState::kEnabled &&
           entry.second->state != MappingState::kDisabled;
  });
  return now + (moving ? kOften : kSeldom);
}

// -- what is asked --

MappingStage::Entry* MappingStage::find_entry(const MappingId& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

std::optional<Instant> MappingStage::oldest_of(const MappingSource& source,
                                               const ShardTaskStatus& shard) const {
  if (shard.done >= shard.newest) return std::nullopt;
  std::optional<Instant> instant;
  const Status read = ports_.streams.read(source, shard.shard, shard.done, 1,
                                          [&instant](SequenceNumber, std::string_view encoded) {
                                            Reader reader(encoded);
                                            const auto head = item::read_change_head(reader);
                                            if (head.ok()) instant = head->instant;
                                            return true;
                                          });
  return read.ok() ? instant : std::nullopt;
}

MappingStage::Seen MappingStage::see(const Entry& entry) {
  return {entry.view,
          entry.state,
          entry.tasks,
          entry.dead_letters,
          {entry.newest_dead_letters.begin(), entry.newest_dead_letters.end()}};
}

// Without the mutex: it reads the store.
MappingStatus MappingStage::status_of(Seen seen) const {
  MappingStatus status;
  status.record = seen.view->record;
  status.state = seen.state;
  for (const auto& task : seen.tasks) {
    ShardTaskStatus shard = task->status();
    const auto extent = ports_.streams.extent(status.record.source, shard.shard);
    if (extent) shard.newest = std::max(shard.newest, extent->newest);
    // A problem outweighs what went well elsewhere.
    const bool is_problem = !shard.why.empty();
    if (!shard.last_result.empty() && (is_problem || status.why.empty())) {
      status.last_result = shard.last_result;
      status.why = shard.why;
    }
    status.oldest.push_back(oldest_of(status.record.source, shard));
    status.shards.push_back(std::move(shard));
  }
  status.dead_letters = seen.dead_letters;
  status.newest_dead_letters = std::move(seen.newest_dead_letters);
  return status;
}

std::optional<MappingStatus> MappingStage::find(const MappingId& id) const {
  std::optional<Seen> seen;
  {
    const std::lock_guard lock(mutex_);
    if (const Entry* entry = find_entry(id)) seen = see(*entry);
  }
  if (!seen) return std::nullopt;
  return status_of(*std::move(seen));
}

std::vector<MappingStatus> MappingStage::list() const {
  std::vector<Seen> seen;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) seen.push_back(see(*entry));
  }
  std::vector<MappingStatus> all;
  all.reserve(seen.size());
  for (Seen& one : seen) all.push_back(status_of(std::move(one)));
  return all;
}

}  // namespace pawl::trigger
