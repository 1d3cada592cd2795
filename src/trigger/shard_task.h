// One shard of one mapping at work: the shell around shard_step.h. Reads the stream, encodes records as Lambda gives them,
// calls the function, and has checkpoints and dead letters made durable.
//
// Woken by commits, not by a poll (under aws: by a poll, four times a second, as the service does). A call of the function runs
// beside run(), which goes on taking what comes meanwhile: a checkpoint that is durable, another configuration, a stop.
//
// Thread use: run() and configure() on one executor; tell_news(), stop() and status() from any thread. Callbacks of ports may
// come from any thread, and after the task has ended.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/function_host.h"
#include "port/random.h"
#include "stream/record_json.h"
#include "trigger/filter.h"
#include "trigger/trigger_ports.h"

namespace pawl::trigger {

// All must outlive the tasks.
struct TriggerPorts {
  MappingStreams& streams;
  FunctionHost& functions;
  FailureDestinations& destinations;
  StateSink& state;
  Clock& clock;
  Random& random;
};

struct TriggerOptions {
  Profile profile = Profile::kPawl;
  // aws: ages and retention pass so many times faster.
  std::uint32_t time_scale = 1;
  Duration retention = std::chrono::hours(24);  // aws: what is older is gone; before time_scale
};

// aws: how often a shard is polled.
inline constexpr Duration kPollInterval = std::chrono::milliseconds(250);
// Records that all shards together may hold in memory; above that each reads a little at a time.
inline constexpr std::size_t kBufferedBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kShortReadBytes = 64 * 1024;
// Changes that one read looks at, at most: where a filter lets few through.
inline constexpr std::size_t kScannedMax = 2'000;
// Bytes of changes that one read looks at: it ends with the change that reaches this.
inline constexpr std::size_t kScannedBytesMax = std::size_t{4} << 20;
// What a batch's frame may take of a payload.
inline constexpr std::size_t kFrameBytes = 64;

// A mapping as its tasks see it. Never changes; an update makes another.
struct MappingView {
  MappingRecord record;
  Filter filter;
};

// Due work of which nothing gets done for this long, beside a window and the longest call, stands still.
inline constexpr Duration kStalledAfter = std::chrono::seconds(60);

struct ShardTaskStatus {
  std::uint32_t shard = 0;
  SequenceNumber newest;
  SequenceNumber done;
  SequenceNumber kept;
  StepCounts counts;
  bool at_rest = false;  // paused as its mapping says by now, with nothing under way
  // Work is due, and for so long nothing was done: longer than it may take.
  std::optional<Duration> stalled_for;
  // The change that stands in the way, if one does.
  std::optional<SequenceNumber> blocked_at;
  std::string blocked_key;
  std::uint32_t attempts = 0;
  std::string last_result;  // as LastProcessingResult words it; empty: nothing yet
  std::string why;          // of the last failure, for people; empty after a success
};

class ShardTask {
 public:
  // From a durable checkpoint. `told` is called on the executor after dead letters became durable.
  using DeadLettersTold = std::function<void(std::uint32_t shard, std::vector<DeadLetter>)>;
  ShardTask(TriggerPorts ports, TriggerOptions options, std::shared_ptr<const MappingView> mapping,
            std::uint32_t shard, SequenceNumber checkpoint, DeadLettersTold told,
            std::atomic<std::size_t>& buffered_bytes);
  ~ShardTask();
  ShardTask(const ShardTask&) = delete;
  ShardTask& operator=(const ShardTask&) = delete;

  // Works until stop(). What is under way with the function is awaited.
  Awaitable<void> run();
  void configure(std::shared_ptr<const MappingView> mapping);
  // Before run(): no other process had this mapping, so what was trimmed before the first read was never promised.
  void is_new() { is_new_ = true; }
  // aws: it does nothing while its mapping is updated. From the executor, before configure().
  void rest(bool rests) { rests_ = rests; }
  // aws: a LATEST mapping that was updated goes on at the newest. Likewise.
  void skip_to_newest() { skips_ = true; }

  void tell_news();
  // What the function has answered is kept; not of a mapping that is deleted.
  void stop();
  void forget() {
    forgets_ = true;
    stop();
  }
  ShardTaskStatus status() const;

 private:
  // What comes from elsewhere. Callbacks share it, so that it outlives the task.
  struct Inbox {
    std::mutex mutex;
    std::vector<StepEvent> events;  // guarded by mutex
    std::unique_ptr<Alarm> alarm;
    void put(StepEvent event);
  };
  struct Encoded {
    SequenceNumber sequence;
    std::string record;
  };
  // A call of the function, and what it was made with: the mapping may be updated meanwhile.
  struct Call {
    std::shared_ptr<const MappingView> mapping;
    std::size_t count = 0;  // of the buffer, which stays as it is
    MonotonicInstant begun;
    std::optional<InvocationResult> result = {};
  };
  struct Reading {
    const Read& effect;
    ReadAnswered answer;
    std::size_t bytes = 0;    // of answer.records
    std::size_t scanned = 0;  // bytes of changes
  };

  StepSettings settings() const;
  void take_events();
  void take_event(const StepEvent& event);
  void take_answer();
  void apply(const StepEvent& event);
  void forget_done();
  void perform(const StepEffect& effect);
  void read(const Read& effect);
  bool take(SequenceNumber sequence, std::string_view encoded, Reading& reading);
  bool begin_anew_at(SequenceNumber horizon);
  void begin_call(std::size_t count);
  Awaitable<void> call();
  Invoked judge(const Call& call);
  void keep_dead_letters(const KeepDeadLetters& effect);
  void deliver(const Deliver& effect);
  void keep_checkpoint(const KeepCheckpoint& effect);
  void wake_up();
  void skip();
  MonotonicInstant deadline() const;
  void publish();
  bool is_pawl() const { return options_.profile == Profile::kPawl; }

  TriggerPorts ports_;
  const TriggerOptions options_;
  std::shared_ptr<const MappingView> mapping_;
  const std::uint32_t shard_;
  const DeadLettersTold told_;
  std::atomic<std::size_t>& buffered_bytes_;
  const std::shared_ptr<Inbox> inbox_;
  stream::RecordJson encoder_;

  boost::asio::any_io_executor executor_;  // of run()
  bool rests_ = false;                     // before state_, which is made with it
  ShardStep state_;
  std::deque<StepEffect> effects_;
  std::deque<Encoded> encoded_;  // the records of state_.buffer
  std::optional<Call> call_;     // the one under way
  std::string scratch_;
  std::vector<DeadLetter> being_kept_;
  bool is_new_ = false;
  std::size_t unsettled_ = 0;  // configurations that are in the inbox
  std::string request_id_;     // of the last invocation that failed
  std::string last_result_;
  std::string why_;
  std::string read_trouble_;

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> forgets_ = false;
  bool skips_ = false;
  mutable std::mutex status_mutex_;
  ShardTaskStatus status_;                     // guarded by status_mutex_, and what follows
  std::optional<MonotonicInstant> due_since_;  // or since something was done last
  std::optional<MonotonicInstant> calling_since_;
  Duration longest_call_{0};
  Duration window_{0};
};

}  // namespace pawl::trigger
