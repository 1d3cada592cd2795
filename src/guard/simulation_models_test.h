// The outside world of guard_simulation_test.cc: a table's stream, lease rows, ledger and objects, with what the services do
// to those who use them: answers lost, writes that arrive late, listings that are no snapshot, iterators that expire.
// Each call says when its effect takes place and when its answer comes; both by the dice.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "guard/lineage.h"
#include "guard/simulation_time_test.h"
#include "guard/stream_cursor.h"
#include "port/lease_store.h"
#include "port/object_store.h"

namespace pawl::guard::simulation {

// How often what goes wrong, per thousand; and what else makes a run.
struct Plan {
  unsigned lease_unknown = 0, lease_refused = 0, lease_slow = 0;
  unsigned page_unknown = 0, page_late = 0, object_unknown = 0;
  unsigned stream_fails = 0, stream_expires = 0, stream_empty = 0, listing_partial = 0;
  bool trims = false;
  bool enabled_again = false;
  bool on = true;  // off: nothing goes wrong any more
};

struct Outside {
  Agenda agenda;
  Dice dice{0};
  Plan plan;
  Trace trace;
  std::vector<std::string> broken;
  Time lease_disturbed = -kSecond;  // when the rows last misbehaved

  bool goes_wrong(unsigned per_mille) {
    return plan.on && per_mille > 0 && dice.per_mille(per_mille);
  }
  Time latency() { return dice.between(2 * kMillisecond, 20 * kMillisecond); }
  // For people who replay a seed: PAWL_TRACE=1.
  bool told = std::getenv("PAWL_TRACE") != nullptr;
  void tell(const std::string& what) {
    if (told)
      std::printf("%10.3f s  %s\n", static_cast<double>(agenda.now()) / kSecond, what.c_str());
  }
  void breaks(const std::string& what) {
    tell("BROKEN " + what);
    if (broken.size() < 5)
      broken.push_back(std::to_string(static_cast<double>(agenda.now()) / kSecond) + " s: " + what);
  }
};

// -- the table and its stream --

struct Record {
  std::uint64_t sequence = 0;
  int item = 0;
  std::uint64_t version = 0;
  Time created = 0;
};
struct ModelShard {
  std::string stream;
  std::string id;
  std::string parent;
  std::set<int> items;
  std::vector<Record> records;
  std::size_t trimmed = 0;  // of the records, from the front
  bool open = true;
  Time created = 0;
  Time listed_from = 0;
};

constexpr int kItems = 6;
constexpr Time kModelRetention = 12 * kSecond;

class StreamModel {
 public:
  explicit StreamModel(Outside& outside);

  // The client writes; the stream changes shape.
  void write();
  void roll_over();     // one open shard gets one child
  void split();         // or two
  void enable_again();  // another stream; all shards of the old one close
  void trim();          // what is older than the retention, of shards that the ledger knows
  void close_all();     // for the end: so that every shard can be finished
  void knows(const std::string& shard) { known_.insert(shard); }

  std::string newest() const { return streams_.back(); }
  StreamResult<StreamShardPage> shards(const std::string& stream, const std::string& after);
  StreamResult<std::string> iterator(const std::string& shard, const StreamPosition& position);
  StreamResult<StreamRecordPage> records(const std::string& iterator, std::size_t count_max);
  const std::vector<ModelShard>& all() const { return shards_; }
  const ModelShard* find(const std::string& id) const;

 private:
  ModelShard& open_shard(const std::string& parent, std::set<int> items);
  void close_and_open(std::size_t index, bool in_two);

  Outside& out_;
  std::vector<std::string> streams_;
  std::vector<ModelShard> shards_;
  std::set<std::string> known_;
  std::map<std::string, Time> left_out_;  // of a listing that it should have been in, last
  std::vector<std::uint64_t> versions_ = std::vector<std::uint64_t>(kItems, 0);
  std::uint64_t last_sequence_ = 100;
};

// -- lease rows --

class LeaseModel {
 public:
  explicit LeaseModel(Outside& outside) : out_(outside) {}
  using Answer = std::function<void(LeaseOutcome)>;
  void put(std::string name, std::uint64_t expected, std::string value, Answer answer);
  void erase(std::string name, std::uint64_t expected, Answer answer);
  void list(std::function<void(std::optional<std::vector<LeaseRow>>)> answer);
  const std::map<std::string, LeaseRow>& rows() const { return rows_; }

 private:
  void run(std::function<LeaseOutcome()> apply, Answer answer);
  LeaseOutcome do_put(const std::string& name, std::uint64_t expected, const std::string& value);
  LeaseOutcome do_erase(const std::string& name, std::uint64_t expected);
  void check_owner(const LeaseRow& before, const LeaseRow& after);

  Outside& out_;
  std::map<std::string, LeaseRow> rows_;
  std::set<std::string> erased_;  // workers' rows, ever
};

// -- ledger --

struct ModelEntry {
  std::uint64_t number = 0;  // in the ledger: dense
  Record record;
  std::uint32_t attempt = 0;
  std::optional<Gap> gap;
};
struct ModelPage {
  std::vector<ModelEntry> entries;
  std::uint64_t holder = 0;
};
struct ModelChain {
  std::vector<ModelPage> pages;
  std::uint64_t last_number = 0;
  std::uint64_t last_source = 0;
};
// A page put that may be unknown.
enum class PagePut { kStored, kTaken, kUnknown };

class LedgerModel {
 public:
  explicit LedgerModel(Outside& outside, StreamModel& stream) : out_(outside), stream_(stream) {}
  void put_page(ShardNumber shard, std::size_t index, ModelPage page,
                std::function<void(PagePut)> answer);
  void put_root(std::size_t index, LineageEntry entry, std::function<void(PagePut)> answer);
  const ModelChain& chain(ShardNumber shard) { return chains_[shard]; }
  const std::vector<LineageEntry>& root() const { return root_; }
  const std::string* source_of(ShardNumber shard) const;
  std::uint64_t refused() const { return refused_; }  // pages that met another's

 private:
  bool land_page(ShardNumber shard, std::size_t index, const ModelPage& page);
  bool land_root(std::size_t index, const LineageEntry& entry);
  void run(std::function<bool()> apply, std::function<void(PagePut)> answer);

  Outside& out_;
  StreamModel& stream_;
  std::map<ShardNumber, ModelChain> chains_;
  std::vector<LineageEntry> root_;
  std::map<ShardNumber, std::string> sources_;
  std::uint64_t refused_ = 0;
  std::map<int, std::uint64_t> last_versions_;  // by item, of what was paged last
};

// -- objects: named by the record (and the attempt), made of the record and its number --

class ObjectModel {
 public:
  explicit ObjectModel(Outside& outside) : out_(outside) {}
  struct Object {
    std::uint64_t record = 0;
    std::uint32_t attempt = 0;
    std::uint64_t number = 0;
  };
  void put(std::vector<Object> objects, std::function<void(std::vector<PutOutcome>)> answer);
  bool holds(const Object& object) const;

 private:
  PutOutcome land(const Object& object);
  Outside& out_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> objects_;
};

}  // namespace pawl::guard::simulation
