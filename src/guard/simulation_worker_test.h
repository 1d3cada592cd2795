// One worker of guard_simulation_test.cc: the shell that does what the steps say, as discrete events. The process can die,
// and can be paused: then its clock goes on, what it began goes on outside, and what is answered waits until it goes on.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "archive/progress.h"
#include "guard/lineage.h"
#include "guard/membership.h"
#include "guard/simulation_models_test.h"
#include "guard/stream_cursor.h"

namespace pawl::guard::simulation {

// Planted defects: the simulation must find each of them, or it proves nothing.
enum class Bug {
  kNone,
  kTakesWithoutErasing,  // a fence is believed to be done that never was
  kChildBeforeParent,    // rows are made open, whatever comes before them
  kGoesOnAfterLastRead,  // after another's page: on after the last record read, not the last that is paged
  kTrustsForever,  // the self-trust check says yes, and nothing is dropped
  kForgetsGaps,    // a trimmed position is taken for nothing
};

struct World;

class Worker {
 public:
  Worker(World& world, std::size_t place, double clock_rate, Time clock_offset);

  void start();
  void crash();
  void pause(Time until);
  void end_cleanly();
  bool running() const { return running_; }
  bool paused() const;
  bool ended() const { return membership_.phase == Membership::Phase::kEnded; }

  bool may_write_shard(ShardNumber shard) const;
  bool may_write_root() const;
  // Holds it, and has begun to read it.
  bool reads(ShardNumber shard) const;
  std::vector<ShardNumber> shards() const;
  std::string state() const;  // for people

 private:
  struct Reader;
  struct Root {
    Lineage lineage;
    std::size_t pages = 0;
  };
  using Work = std::function<void()>;

  MonotonicInstant clock() const;
  // When that will be; nothing if it is too far away to matter.
  std::optional<Time> world_time(MonotonicInstant at) const;
  // Runs it in this process when it isn't paused; not at all if the process has died meanwhile.
  Work in_process(Work work);
  void at(MonotonicInstant when, Work work);

  void give(const MembershipEvent& event);
  void perform(const MembershipEffect& effect);
  void wake_later();
  void tick();

  void start_root();
  void read_root_chain();
  void give_root(const LineageEvent& event);
  void perform_root(const LineageEffect& effect);
  void enter(const LineageEntry& entry);
  void wake_root_later();

  void open_reader(ShardNumber shard);
  void reader_opened(const std::shared_ptr<Reader>& reader);
  void pump(const std::shared_ptr<Reader>& reader);
  void give_cursor(const std::shared_ptr<Reader>& reader, const CursorEvent& event);
  void take(const std::shared_ptr<Reader>& reader, const TakeRecords& take);
  void give_progress(const std::shared_ptr<Reader>& reader, const archive::ProgressEvent& event);
  void put_objects(const std::shared_ptr<Reader>& reader, const archive::Put& put);
  void write_page(const std::shared_ptr<Reader>& reader, std::size_t count);
  void page_put(const std::shared_ptr<Reader>& reader, std::size_t count, PagePut put);
  void check_alone(ShardNumber shard) const;
  // For what a reader waits for: nothing happens if it was dropped.
  Work in_reader(const std::shared_ptr<Reader>& reader, Work work);

  World& world_;
  std::size_t place_;
  double clock_rate_;
  Time clock_offset_;
  bool running_ = false;
  std::uint64_t process_ = 0;
  Time paused_until_ = 0;
  std::deque<Work> waiting_;
  Membership membership_;
  std::optional<Time> wake_at_;
  std::uint64_t root_life_ = 0;
  std::optional<Root> root_;
  std::optional<Time> root_wake_at_;
  std::map<ShardNumber, std::shared_ptr<Reader>> readers_;
};

struct World {
  explicit World(std::uint64_t seed, Bug bug = Bug::kNone);
  // All of one run; what broke is in outside.broken.
  void run();
  bool is_drained() const;
  std::string state() const;  // for people

  Bug bug;
  Outside outside;
  StreamModel stream;
  LeaseModel leases;
  LedgerModel ledger;
  ObjectModel objects;
  std::vector<std::unique_ptr<Worker>> workers;
  std::map<ShardNumber, std::uint64_t> holders;
  std::uint64_t ids = 0;              // of workers
  Time workers_disturbed = -kSecond;  // when one last died, stopped or came

  // What happened, for the counts of the test.
  struct Counts {
    std::uint64_t records = 0, gaps = 0, crashes = 0, pauses = 0, rebalances = 0, lapses = 0,
                  trimmed = 0, shards = 0, refused = 0, clean_ends = 0;
  } counts;

 private:
  void plan_faults();
  void plan_client();
  void plan_trouble();
  void trouble();
  void start_again(Worker& worker, Time when);
  void watch_taken_over(std::shared_ptr<std::vector<ShardNumber>> shards, Time died);
  void check_ledger();
  void check_shard(const ModelShard& shard, ShardNumber number);

  Time trouble_ends_ = 0;
};

}  // namespace pawl::guard::simulation
