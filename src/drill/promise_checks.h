// One small checker a promise. They stand outside: they see what passes the ports of the
// stores, what clients were told, and final bytes, and share nothing with the code that they check.
//
//   HeldCheck    P6  nothing leaves the change log before a durable page holds it
//   SealedCheck  P3  what a durable page lists is there, whole and durable;  P4  and stays so, unchanged
//   ChainCheck   P2  the pages of each chain follow each other without a hole, each shard's changes in order
//   HistoryCheck P1  what clients were told to be done is in the ledger exactly once, what was refused is not;
//                P2  in the order in which they were told; each item's versions and images without a break
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "drill/page_reader.h"
#include "fault/memory_object_store.h"
#include "port/key_value_store.h"

namespace pawl::drill {

// What was found to be broken, "P4: …" each. A run ends at its first.
class Violations {
 public:
  void add(std::string text) {
    if (found_.size() < kKept) found_.push_back(std::move(text));
  }
  bool empty() const { return found_.empty(); }
  const std::vector<std::string>& found() const { return found_; }

 private:
  static constexpr std::size_t kKept = 10;
  std::vector<std::string> found_;
};

class HeldCheck {
 public:
  HeldCheck(const KeyValueStore& store, Violations& violations)
      : store_(const_cast<KeyValueStore&>(store)), violations_(violations) {}

  void page_durable(const SeenPage& page);
  // Changes below a shard's floor are read by nobody, so a floor counts as a removal.
  void will_write(const WriteBatch& batch);
  void will_remove(KeySpace space, std::string_view from, std::string_view to);

 private:
  void will_lose(std::string_view key);

  KeyValueStore& store_;  // read only; reading is not const there
  Violations& violations_;
  std::map<std::string, std::uint64_t, std::less<>>
      through_;  // shard -> last change in a durable page
};

class SealedCheck {
 public:
  SealedCheck(const MemoryObjectStore& objects, Violations& violations)
      : objects_(objects), violations_(violations) {}

  void page_durable(const SeenPage& page);
  void will_set_aside(std::string_view name);
  // Every sealed object, byte for byte.
  void check_all() const;

 private:
  const MemoryObjectStore& objects_;
  Violations& violations_;
  std::map<std::string, std::string, std::less<>> sealed_;  // name -> SHA-256
};

class ChainCheck {
 public:
  explicit ChainCheck(Violations& violations) : violations_(violations) {}

  void page_durable(std::string_view chain, const SeenPage& page);
  // After a crash a chain has this many pages.
  void chain_found(std::string_view chain, std::size_t pages);
  std::uint64_t changes() const { return changes_; }
  bool has_root() const { return ends_.contains("root"); }
  // The last change in a durable page of a shard.
  std::uint64_t last(std::string_view shard) const {
    const auto found = ends_.find(shard);
    return found == ends_.end() ? 0 : found->second.last;
  }

 private:
  struct End {
    std::uint64_t pages = 0;
    std::uint64_t last = 0;
    std::string digest = std::string(64, '0');
    std::string instant, change_instant;
  };
  Violations& violations_;
  std::map<std::string, End, std::less<>> ends_;
  std::uint64_t changes_ = 0;
};

// One thing that a client asked for, and what it was told.
struct Operation {
  enum class Kind : std::uint8_t { kPut, kAdd, kDelete };
  struct Part {
    std::string table;
    std::string key;  // compact JSON
    Kind kind = Kind::kPut;
    bool changed = false;  // kDone: whether it was told so
  };
  enum class Told : std::uint8_t { kNothing, kDone, kRefused };

  std::string trace;
  std::vector<Part> parts;  // all or none of them are done
  Told told = Told::kNothing;
  std::uint64_t submitted = 0;  // first time; on one scale with `answered`
  std::uint64_t answered = 0;
  std::uint32_t attempts = 0;
};

class HistoryCheck {
 public:
  HistoryCheck(const MemoryObjectStore& objects, Violations& violations)
      : objects_(objects), violations_(violations) {}

  void page_durable(const SeenPage& page);
  // At the end, when everything must have been archived.
  void check(const std::vector<Operation>& operations);
  // The newest image of each item, compact JSON ("null" if it is deleted), by incarnation and key. After check().
  const std::map<std::pair<std::string, std::string>, std::string>& last_images() const {
    return last_images_;
  }

 private:
  struct Item {
    std::uint64_t versions = 0;
    std::string image = "null";
    std::uint64_t newest_submitted = 0;
  };
  void check_change(const SeenBody& body);
  void check_order(const Operation& operation, const SeenBody& body, std::uint64_t& newest,
                   std::string_view of);
  void check_operation(const Operation& operation);

  const MemoryObjectStore& objects_;
  Violations& violations_;
  PageReader reader_;
  std::map<std::string, std::vector<SeenEntry>> chains_;

  std::map<std::string, const Operation*, std::less<>> by_trace_;
  std::map<std::pair<std::string, std::string>, Item> items_;  // incarnation, key
  std::map<std::string, std::uint64_t> shard_newest_submitted_;
  std::map<std::string, std::map<std::pair<std::string, std::string>, int>> seen_;  // trace -> part
  std::map<std::pair<std::string, std::string>, std::string> last_images_;
};

}  // namespace pawl::drill
