// A small world around the recorder for unit tests: stores in memory that do what they are told, and a clock that jumps
// to the next deadline. The large seeded worlds are in tests/simulation.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "item/change.h"
#include "ledger/line.h"
#include "ledger/page_format.h"
#include "pipeline/recorder.h"
#include "port/conformance/run_awaitable.h"

namespace pawl::pipeline {

// Time passes in waits, and when it is told to.
class JumpingClock final : public Clock {
 public:
  Instant now() override { return {kStart + time_.microseconds}; }
  MonotonicInstant monotonic() override { return time_; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<JumpingAlarm>(*this); }

  // What a call of a store takes, while everybody else goes on.
  void pass(Duration time) { time_ = time_ + time; }

  // Called at each wait that would sleep: the test's script.
  std::function<void()> on_idle = [] {};
  // Waits for an instant that has gone by: whoever does so spins.
  std::size_t vain_waits = 0;

 private:
  class JumpingAlarm final : public Alarm {
   public:
    explicit JumpingAlarm(JumpingClock& clock) : clock_(clock) {}
    void ring() override { rung_ = true; }
    Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
      if (!rung_) clock_.on_idle();
      if (std::exchange(rung_, false)) co_return Woken::kRung;
      if (deadline <= clock_.time_) ++clock_.vain_waits;
      clock_.time_ = std::max(clock_.time_, deadline);
      co_return Woken::kDeadline;
    }

   private:
    JumpingClock& clock_;
    bool rung_ = false;
  };

  static constexpr std::int64_t kStart = 1'800'000'000'000'000;
  MonotonicInstant time_{1};
};

// The change log of a few shards, held for ever; `released` is what it was allowed to forget.
class ListedChanges final : public ChangeSource {
 public:
  std::map<ShardId, std::vector<item::Change>> changes;
  std::map<ShardId, SequenceNumber> released;
  std::map<ShardId, SequenceNumber> floor;

  Awaitable<Result<std::vector<ChangeRecord>>> read(ShardId shard, SequenceNumber after,
                                                    std::size_t count_max,
                                                    std::size_t bytes_max) override {
    if (after < floor[shard]) co_return Error{ErrorCode::kCorrupt, "trimmed past", {}};
    std::vector<ChangeRecord> records;
    std::size_t bytes = 0;
    for (const auto& change : changes[shard]) {
      if (change.sequence <= after || records.size() == count_max || bytes >= bytes_max) continue;
      records.push_back({shard, change.sequence, item::encode_change(change)});
      bytes += records.back().encoded.size();
    }
    co_return records;
  }
  void release(ShardId shard, SequenceNumber through) override { released[shard] = through; }
};

class ScriptedObjects final : public ObjectStore {
 public:
  std::map<std::string, std::string> objects;
  std::vector<std::string> aside;
  std::size_t batches = 0;
  // Asked for each put; nothing = do it.
  std::function<std::optional<PutOutcome>(std::string_view name)> fault = [](std::string_view) {
    return std::nullopt;
  };

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override {
    ++batches;
    std::vector<PutResult> results;
    for (const auto& request : requests) {
      const auto outcome = fault(request.name);
      if (outcome == PutOutcome::kRefused) {
        results.push_back({*outcome, "put " + std::string(request.name) + ": blocked"});
        continue;
      }
      const auto [place, stored] = objects.try_emplace(std::string(request.name), request.body);
      const bool equal = place->second == request.body;
      PutResult result{stored  ? PutOutcome::kStored
                       : equal ? PutOutcome::kAlreadyEqual
                               : PutOutcome::kAlreadyDifferent,
                       {}};
      if (outcome) result = {*outcome, "put " + std::string(request.name) + ": answer lost"};
      results.push_back(result);
    }
    co_return results;
  }
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name, std::size_t) override {
    const auto found = objects.find(std::string(name));
    if (found == objects.end()) co_return std::optional<std::string>{};
    co_return std::optional<std::string>(found->second);
  }
  Awaitable<Status> set_aside(std::span<const std::string> names) override {
    for (const auto& name : names) {
      if (objects.erase(name) > 0) aside.push_back(name);
    }
    co_return ok();
  }
  Result<std::optional<std::uint64_t>> free_bytes() override {
    return std::optional<std::uint64_t>{};
  }
};

class ScriptedLedger final : public LedgerStore {
 public:
  std::map<std::string, std::vector<std::string>, std::less<>> durable;
  std::map<std::string, std::vector<std::string>, std::less<>> appended;  // with what is not synced
  std::map<std::string, std::uint64_t, std::less<>> torn;
  std::map<std::string, int, std::less<>> volumes;
  std::optional<std::string> tip_line;
  std::size_t syncs = 0, tips = 0, reopens = 0;
  std::function<bool()> sync_fails = [] { return false; };
  // As a bucket: what a failed sync was given may be there, so what follows must begin with the same.
  std::map<std::string, std::vector<std::string>, std::less<>> given;
  std::size_t other_pages = 0;

  Awaitable<Result<std::vector<std::string>>> chains() override {
    std::vector<std::string> names;
    for (const auto& [name, lines] : appended) names.push_back(name);
    co_return names;
  }
  Awaitable<Result<ChainEnd>> end_of(std::string_view chain) override {
    ChainEnd end;
    for (const auto& line : appended[std::string(chain)])
      end.last_line = line, end.volume_bytes += line.size();
    end.torn_bytes = torn[std::string(chain)];
    co_return end;
  }
  Awaitable<Status> read(std::string_view chain,
                         std::function<bool(std::string_view)> visit) override {
    for (const auto& line : appended[std::string(chain)]) {
      if (!visit(line)) break;
    }
    co_return ok();
  }
  Awaitable<Status> append(std::span<const PageAppend> pages) override {
    for (const auto& page : pages) appended[std::string(page.chain)].emplace_back(page.line);
    co_return ok();
  }
  Awaitable<Status> start_volume(std::string_view chain) override {
    ++volumes[std::string(chain)];
    co_return ok();
  }
  Awaitable<Status> sync() override {
    ++syncs;
    for (const auto& [chain, lines] : given) {
      const auto& now = appended[chain];
      const auto same = std::min(now.size(), lines.size());
      if (!std::equal(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(same),
                      now.begin()))
        ++other_pages;
    }
    for (const auto& [chain, lines] : appended) {
      if (lines.size() > given[chain].size()) given[chain] = lines;
    }
    if (sync_fails()) co_return Error{ErrorCode::kUnknown, "sync of the ledger failed", {}};
    durable = appended;
    co_return ok();
  }
  Awaitable<Status> reopen() override {
    ++reopens;
    appended = durable;
    co_return ok();
  }
  Awaitable<Status> cut(std::string_view chain) override {
    torn.erase(std::string(chain));
    co_return ok();
  }
  Awaitable<Status> put_tip(std::string_view line) override {
    ++tips;
    tip_line = std::string(line);
    co_return ok();
  }
  Awaitable<Result<std::optional<std::string>>> tip() override { co_return tip_line; }
};

class ListedTables final : public RecordedTables {
 public:
  std::vector<RecordedTable> list;
  std::uint64_t changed = 1;
  std::vector<Incarnation> closed_list;
  bool forgets_at_once = true;

  std::uint64_t revision() override { return changed; }
  std::vector<RecordedTable> tables() override { return list; }
  std::vector<RecordedTable> listed() const override { return list; }
  Awaitable<Status> closed(Incarnation incarnation) override {
    closed_list.push_back(incarnation);
    if (forgets_at_once)
      std::erase_if(list, [&](const auto& table) { return table.incarnation == incarnation; });
    ++changed;
    co_return ok();
  }
};

inline const std::string kArchiveId = "0123456789abcdef";
inline constexpr Incarnation kUsers{0x9f86d081884c7d65};
inline constexpr ShardId kShard0{kUsers, 0};
inline constexpr ShardId kShard1{kUsers, 1};

inline RecordedTable users_table() {
  RecordedTable table;
  table.incarnation = kUsers;
  table.definition.name = "users";
  table.definition.schema.partition = {"hashid", item::Type::kString};
  table.definition.partitions = 2;
  table.definition.record.name_template = "logs/{hashid}-{_version}.log";
  table.shards = {kShard0, kShard1};
  table.created = {1'800'000'000'000'000};
  return table;
}

// Change `sequence` of a shard: item `id` with `_version` = `counter`.
inline item::Change users_change(ShardId shard, std::uint64_t sequence, const std::string& id,
                                 std::int64_t counter) {
  item::Change change;
  change.shard = shard;
  change.sequence = {sequence};
  change.key["hashid"] = item::String{id};
  change.version = Version{sequence - 1};
  change.kind = item::ChangeKind::kInsert;
  change.instant = {1'800'000'000'000'000 + static_cast<std::int64_t>(sequence)};
  change.new_image = change.key;
  (*change.new_image)["_version"] = item::Number(counter);
  change.trace = "t" + std::to_string(sequence);
  return change;
}

struct RecorderWorld {
  JumpingClock clock;
  ListedChanges changes;
  ScriptedObjects objects;
  ScriptedLedger ledger;
  ListedTables tables;
  CommitBoard board;
  RecorderOptions options{kArchiveId, "00000000000000aa", "pawl test"};

  RecorderWorld() { tables.list.push_back(users_table()); }

  RecorderPorts ports() { return {changes, objects, ledger, tables, board, clock, nullptr}; }

  void commit(const item::Change& change) {
    changes.changes[change.shard].push_back(change);
    board.committed(change.shard, change.sequence);
    board.heartbeat(clock.now());
  }

  template <typename T>
  static T wait(Awaitable<T> awaitable) {
    return run_awaitable(std::move(awaitable));
  }

  // A whole life: opens, runs until the script has been asked `idles` times, stops. `script` is called at each.
  RecorderStatus live(int idles, const std::function<void(int, Recorder&)>& script = {}) {
    Recorder recorder(ports(), options);
    const auto opening = wait(recorder.open());
    if (!opening.ok() || opening->needs_adopt()) return recorder.status();
    int idle = 0;
    clock.on_idle = [&] {
      if (script) script(idle, recorder);
      if (++idle == idles) recorder.stop();  // once: it rings the alarm, and then no time passes
    };
    (void)wait(recorder.run());
    clock.on_idle = [] {};
    return recorder.status();
  }
};

}  // namespace pawl::pipeline
