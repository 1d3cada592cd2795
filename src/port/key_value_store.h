// The ordered store under tables and change log: RocksDB in the server, memory in the drill.
//
// What survives a crash: every batch that write() reported kDone with Sync::kYes, and all batches before
// it. Batches are atomic: after a crash each is there whole or not at all, and if one is there, so are
// all that were written before it. Readers see a synced batch only after its sync.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pawl {

// The families of keys; each has its own order and its own tuning.
enum class KeySpace : std::uint8_t {
  kCatalog = 0,          // tables, shards, floors, settings: small, few
  kItems = 1,            // the present state of every item, with its version
  kDeletedVersions = 2,  // the version counters of deleted keys, for ever
  kChanges = 3,          // the change log, appended at each shard's end, trimmed from its start
  kAnswers = 4,          // what was answered to mutations that a client may repeat, for 10 minutes
};
inline constexpr std::size_t kKeySpaces = 5;

// Puts and deletions in the order given; a later one of the same key wins.
class WriteBatch {
 public:
  enum class Kind : std::uint8_t { kPut, kDelete };
  struct Entry {
    Kind kind;
    KeySpace space;
    std::string key;
    std::string value;  // empty for a deletion
  };

  void put(KeySpace space, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    entries_.push_back({Kind::kPut, space, std::move(key), std::move(value)});
  }
  void erase(KeySpace space, std::string key) {
    bytes_ += key.size();
    entries_.push_back({Kind::kDelete, space, std::move(key), {}});
  }
  void clear() { entries_.clear(), bytes_ = 0; }
  const std::vector<Entry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
};

// Walks keys in byte order over a consistent snapshot taken when it was made. One thread at a time.
// Views are valid until the next move.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void seek(std::string_view key) = 0;           // to the first key >= `key`
  virtual void seek_for_prev(std::string_view key) = 0;  // to the last key <= `key`
  virtual void next() = 0;
  virtual void prev() = 0;
  virtual bool valid() const = 0;  // false at either end, and after an error
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual Status status() const = 0;  // why it became invalid, if not by reaching an end
};

enum class Sync : std::uint8_t { kNo, kYes };

// A write has three outcomes. After kUnknown the store takes no further write: the process must end and
// recover, because the batch may or may not be found after a restart.
enum class WriteOutcome : std::uint8_t { kDone, kNotDone, kUnknown };
struct WriteResult {
  WriteOutcome outcome = WriteOutcome::kUnknown;
  std::string why;  // for people, where it was not done or is unknown
};

// The room that is left where the store keeps its files.
struct Room {
  std::uint64_t free_bytes = 0;
  std::uint64_t free_inodes = 0;
};

// Reads from any thread; write() from one thread at a time.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;

  virtual Result<std::optional<std::string>> get(KeySpace space, std::string_view key) = 0;
  // One answer a key, in order, all of one snapshot; cheaper than single gets.
  virtual Result<std::vector<std::optional<std::string>>> multi_get(
      KeySpace space, const std::vector<std::string_view>& keys) = 0;
  virtual std::unique_ptr<Cursor> cursor(KeySpace space) = 0;

  [[nodiscard]] virtual WriteResult write(const WriteBatch& batch, Sync sync) = 0;

  // Removes every key of [from, to), as cheaply as the store can (whole files first). Not atomic and not
  // synced: after a crash some of them may be back, so the caller keeps a durable floor of its own.
  virtual Status remove_range(KeySpace space, std::string_view from, std::string_view to) = 0;

  virtual Result<Room> room() = 0;
};

}  // namespace pawl
