// A small world around membership.h and lineage.h for guard_exploration_test.cc: two workers, a stream of one shard that
// splits into two, the lease rows, the chains. Every call is one atomic action, except where its outcome is unknown: then
// the write hangs in the air and lands at any later moment, or never.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guard/lineage.h"
#include "guard/membership.h"

namespace pawl::guard::exploration {

// Planted defects: the exploration must find each of them, or it proves nothing.
enum class Bug {
  kNone,
  kTakesWithoutErasing,  // a fence is believed to be done that never was
  kChildBeforeParent,    // rows are made open, whatever comes before them
  kGoesOnAfterLastRead,  // after another's page: on after the last record read, not the last that is paged
  kTrustsForever,        // the self-trust check says yes
  kEntersBeforeDurable,  // a row is made for a root page that isn't there
};

// How much of each may happen. Without bounds on the two last the world is too large: a worker that was about to do
// something goes on before the other does anything, and what can be read is read before time passes, except so often.
struct Faults {
  int crashes = 0;
  int pauses = 0;
  int doubtful_rows = 0;   // row writes whose outcome is unknown
  int doubtful_pages = 0;  // page puts likewise
  int preemptions = 0;
  int slow_readers = 0;
  bool splits = true;  // at any moment; otherwise it has split before the workers come
};

struct StreamModel {
  bool split = false;
  int records(const std::string& shard) const { return shard == "P" ? 2 : 1; }
  bool closed(const std::string& shard) const { return shard != "P" || split; }
};

struct Page {
  std::vector<int> records;
  int holder = 0;  // the how-manieth StartShard of its shard wrote it
};
struct ShardChain {
  std::vector<Page> pages;
  int records() const {
    int count = 0;
    for (const auto& page : pages) count += static_cast<int>(page.records.size());
    return count;
  }
};

struct Reader {
  int holder = 0;
  bool opened = false;  // the chain's end was read
  std::size_t pages = 0;
  int paged = 0;
  int read = 0;
  std::vector<int> in_hand;
  bool leaving = false;
};

struct RootOwner {
  bool read = false;
  std::size_t pages = 0;
  Lineage lineage;
  std::deque<LineageEffect> effects;
};

struct Worker {
  bool running = false;
  bool paused = false;
  int lives = 0;  // ids are made of it
  Membership membership;
  std::deque<MembershipEffect> effects;
  std::map<ShardNumber, Reader> readers;
  std::optional<RootOwner> root;
};

// A write that hangs in the air.
struct LateWrite {
  enum class What { kPutRow, kEraseRow, kPage, kRootPage };
  What what = What::kPutRow;
  std::string name;
  std::uint64_t expected = 0;
  std::string value;
  ShardNumber shard = 0;
  std::size_t index = 0;
  Page page;
  LineageEntry entry;
};

struct World {
  MonotonicInstant now{1'000'000'000};
  StreamModel stream;
  std::map<std::string, LeaseRow> rows;
  std::vector<std::string> erased;  // workers' rows, ever
  std::vector<LineageEntry> root_chain;
  std::map<ShardNumber, ShardChain> chains;
  std::map<ShardNumber, int> holders;
  std::vector<Worker> workers{2};
  std::vector<LateWrite> late;
  std::size_t active = 0;  // the worker that did something last
  Faults left;
  std::string broken;  // what no state must come to

  // Everything that matters of the state, times by their distance from now.
  std::string key() const;
};

// What the root chain says: the service's id of a number, the number of an id, whether it is closed.
std::optional<std::string> source_of(const World& world, ShardNumber number);
std::optional<ShardNumber> number_of(const World& world, const std::string& source);
bool is_closed(const World& world, ShardNumber number);
// Puts a page under its index if there is none yet.
bool apply_page(World& world, const LateWrite& write);

class Machine {
 public:
  explicit Machine(Bug bug) : bug_(bug) {}
  World start(const Faults& faults) const;
  // The states that can follow. `fault` says of each whether a fault led there.
  struct Next {
    World world;
    bool fault = false;
  };
  std::vector<Next> successors(const World& world) const;
  // Everything is in the ledger and closed, and the rows of the shards are gone.
  static bool is_done(const World& world);
  static std::string check(const World& world);

 private:
  // Has begun what it is to end before the other does anything.
  static bool is_busy(const Worker& worker);
  static bool has_work_for_readers(const World& world);
  void worker_actions(const World& world, std::size_t w, std::vector<Next>& next) const;
  void start_worker(World& world, std::size_t w) const;
  void give(World& world, std::size_t w, const MembershipEvent& event) const;
  void give_root(World& world, std::size_t w, const LineageEvent& event) const;
  void run_effect(const World& world, std::size_t w, std::vector<Next>& next) const;
  void write_row(World world, std::size_t w, const LateWrite& write, std::uint64_t ticket,
                 std::vector<Next>& next) const;
  void run_root_effect(const World& world, std::size_t w, std::vector<Next>& next) const;
  void enter(World world, std::size_t w, const LineageEntry& entry, std::vector<Next>& next) const;
  void read_root_chain(World& world, std::size_t w) const;
  void reader_actions(const World& world, std::size_t w, std::vector<Next>& next) const;
  void put_page(World world, std::size_t w, ShardNumber shard, std::vector<Next>& next) const;
  bool may_write_shard(const World& world, std::size_t w, ShardNumber shard) const;
  bool may_write_root(const World& world, std::size_t w) const;

  Bug bug_;
};

}  // namespace pawl::guard::exploration
