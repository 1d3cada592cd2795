// All mappings of a server: their catalog, and a task for each shard of each.
//
//   DATA/triggers: mapping records, one checkpoint a mapping and shard, dead letters. A mapping's checkpoints are made with it,
//   in one synced batch, so LATEST is a durable position fixed at its creation (under aws: only when it begins to poll).
//
// Under pawl a mapping holds the change log behind its durable checkpoints (MappingStreams::hold) as long as it exists, enabled or not.
//
// Thread use: open() once; run() on one executor; committed(), stop(), status and the desk from any thread.
// After a crash: mappings, positions and dead letters are as they were last durable; what was delivered after that is delivered
// again.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <variant>

#include "trigger/mapping_desk.h"
#include "trigger/shard_task.h"

namespace pawl::trigger {

// aws: how long a mapping is Creating, or Updating, before it polls from its position.
inline constexpr Duration kAwsSettling = std::chrono::seconds(1);

class MappingStage final : public MappingDesk {
 public:
  // Reads what is in the store, and holds what the mappings need. Under pawl it gives those a durable position that have none
  // (LATEST of a run under aws), and waits for that. The store is only read here; writes go to ports.state. Errors: kCorrupt;
  // kInvalid if a newer Pawl wrote it; the store's.
  static Result<std::unique_ptr<MappingStage>> open(KeyValueStore& store, TriggerPorts ports,
                                                    TriggerOptions options);
  ~MappingStage() override;

  // Makes an empty store one of mappings, and removes what a crash left of those that were deleted. Before open(), by whoever
  // writes the store.
  static Status prepare(KeyValueStore& store);

  // Works until stop(), and ends when all tasks have.
  Awaitable<void> run();
  void stop();

  // The shard's changes go further than before.
  void committed(ShardId shard);

  void create(MappingConfig config, MappingSource source, MappingDone done) override;
  void update(const MappingId& id, MappingChanges changes, MappingDone done) override;
  void remove(const MappingId& id, MappingDone done) override;
  std::optional<MappingStatus> find(const MappingId& id) const override;
  std::vector<MappingStatus> list() const override;

 private:
  struct Entry;
  // What a status is made of.
  struct Seen {
    std::shared_ptr<const MappingView> view;
    MappingState state;
    std::vector<std::shared_ptr<ShardTask>> tasks;
    std::uint64_t dead_letters;
    std::vector<MappingStatus::Poisoned> newest_dead_letters;
  };
  struct Create {
    MappingConfig config;
    MappingSource source;
  };
  struct Update {
    MappingId id;
    MappingChanges changes;
  };
  struct Remove {
    MappingId id;
  };
  struct Command {
    std::variant<Create, Update, Remove> action;
    MappingDone done;
  };
  using Executor = boost::asio::any_io_executor;

  MappingStage(KeyValueStore& store, TriggerPorts ports, TriggerOptions options);
  Status load();
  Status load_state(Entry& entry);
  Status fix_missing_positions();
  void submit(Command command);
  std::optional<Command> next_command();
  Awaitable<void> serve(Command command);
  Awaitable<MappingAnswer> serve_create(Create create);
  Awaitable<MappingAnswer> serve_update(Update update);
  Awaitable<MappingAnswer> serve_remove(Remove remove);
  Awaitable<bool> keep(WriteBatch batch);
  std::optional<MappingFailure> refuse_twin(const MappingRecord& record) const;
  bool fix_positions(Entry& entry);
  void lift(const MappingRecord& record);
  Awaitable<void> erase_rest(MappingId id);
  MappingId new_id() const;
  void hold(const Entry& entry);
  void start(Entry& entry);
  void settle(Entry& entry, MonotonicInstant now);
  void look_after(MonotonicInstant now);
  MonotonicInstant next_look(MonotonicInstant now) const;
  void add_dead_letters(Entry& entry, std::uint32_t shard, std::vector<DeadLetter> letters);
  Entry* find_entry(const MappingId& id) const;
  static Seen see(const Entry& entry);
  MappingStatus status_of(Seen seen) const;
  std::optional<Instant> oldest_of(const MappingSource& source, const ShardTaskStatus& shard) const;
  bool is_pawl() const { return options_.profile == Profile::kPawl; }

  KeyValueStore& store_;
  TriggerPorts ports_;
  const TriggerOptions options_;
  std::unique_ptr<Alarm> alarm_;       // of run()
  std::unique_ptr<Alarm> kept_alarm_;  // of keep()
  std::optional<Executor> executor_;
  std::size_t running_ = 0;  // tasks
  std::atomic<std::size_t> buffered_bytes_ = 0;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;  // of what follows; entries are changed on the executor alone
  std::map<MappingId, std::unique_ptr<Entry>> entries_;
  std::multimap<ShardId, std::weak_ptr<ShardTask>> readers_;
  std::deque<Command> commands_;
  bool closed_ = false;
};

}  // namespace pawl::trigger
