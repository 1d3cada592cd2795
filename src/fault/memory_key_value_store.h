// The ordered store in memory: what stands for RocksDB in unit tests, simulation and the drill.
//
// It is disk and process in one: crash() leaves what a real disk would have kept, and the object
// then plays the store of the process that is started next. See port/key_value_store.h for the
// contract that it shares with adapter/rocksdb_store (one conformance suite runs on both).
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "fault/fault_plan.h"
#include "port/key_value_store.h"

namespace pawl {

// The answers of FaultPoint::kStoreWrite. After the last two the store takes no more writes until
// crash().
enum class StoreWriteFault : std::size_t {
  kNone = 0,
  kNotDone,            // reported not done, and not done
  kUnknownApplied,     // reported unknown; not seen by readers, but there after the crash
  kUnknownNotApplied,  // reported unknown, and not there after the crash
};
inline constexpr std::size_t kStoreWriteFaults = 4;

// Thread use as the interface says. Cursors must not outlive the store, nor a crash.
class MemoryKeyValueStore final : public KeyValueStore {
 public:
  // Without a plan nothing goes wrong, and a crash loses every unsynced write. The plan must
  // outlive it.
  explicit MemoryKeyValueStore(FaultPlan* plan = nullptr) : plan_(plan) {}

  Result<std::optional<std::string>> get(KeySpace space, std::string_view key) override;
  Result<std::vector<std::optional<std::string>>> multi_get(
      KeySpace space, const std::vector<std::string_view>& keys) override;
  std::unique_ptr<Cursor> cursor(KeySpace space) override;
  WriteResult write(const WriteBatch& batch, Sync sync) override;
  Status remove_range(KeySpace space, std::string_view from, std::string_view to) override;
  Result<Room> room() override;

  void set_room(Room room);
  void set_fault_plan(FaultPlan* plan) { plan_ = plan; }

  // The process dies. What was synced stays; of later writes a prefix, as the plan says; a range
  // removal at the end of that prefix may be half done.
  void crash();

  // Counters for tests: synced writes, and keys now stored in a space.
  std::uint64_t syncs() const { return syncs_; }
  std::size_t size(KeySpace space) const;

 private:
  // The newest state, and older ones that an open cursor may still see. Ascending.
  struct Revision {
    std::uint64_t at = 0;
    std::optional<std::string> value;  // nothing: deleted
  };
  using Revisions = std::vector<Revision>;
  using Space = std::map<std::string, Revisions, std::less<>>;
  class SnapshotCursor;

  // What one unsynced write replaced, to take it back at a crash.
  struct Undo {
    struct Entry {
      KeySpace space;
      std::string key;
      std::optional<std::string> before;
    };
    std::vector<Entry> entries;
    bool is_removal = false;
  };

  Space& space_of(KeySpace space) { return spaces_[static_cast<std::size_t>(space)]; }
  const Space& space_of(KeySpace space) const { return spaces_[static_cast<std::size_t>(space)]; }
  void apply(const WriteBatch& batch, Undo* undo);
  void set(KeySpace space, std::string_view key, std::optional<std::string> value, Undo* undo);
  void forget_old_revisions();
  static const std::string* visible(const Revisions& revisions, std::uint64_t at);

  mutable std::mutex mutex_;
  FaultPlan* plan_;
  std::array<Space, kKeySpaces> spaces_;
  std::uint64_t now_ = 0;  // counts writes
  std::size_t open_cursors_ = 0;
  std::set<std::pair<KeySpace, std::string>> stale_;  // keys with revisions to forget
  std::vector<Undo> unsynced_;
  std::optional<WriteBatch> in_doubt_;  // reported unknown, there after the crash
  bool stopped_ = false;
  Room room_{1ULL << 40, 1ULL << 30};
  std::uint64_t syncs_ = 0;
};

}  // namespace pawl
