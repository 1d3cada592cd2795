// What a shard of a stream holds. Positions are numbers that only this shard's own calls understand; they grow with the
// records. FACTS: "Sequence numbers order records within a shard and promise no contiguity"; API model: 21 to 40 digits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "item_formula.h"

namespace scripted {

enum class View : std::uint8_t { kKeysOnly, kNewImage, kOldImage, kNewAndOldImages };
std::optional<View> view_of(std::string_view name);
std::string_view name_of(View view);

// FACTS: "Records older than 24 h may be trimmed at any moment". Here they are trimmed at that very moment.
inline constexpr std::int64_t kRetentionMs = 24LL * 3600 * 1000;

// One change, as it is written into a shard. Keys and images are DynamoDB JSON; "" = none.
struct Change {
  std::string keys;
  std::string new_image;
  std::string old_image;
  bool expired = false;  // by TTL. FACTS: "TTL deletes carry the principal dynamodb.amazonaws.com"
  std::string sequence;  // "" = the next one
  std::int64_t created_ms = 0;
};

// A page of GetRecords as JSON.
struct RecordPage {
  std::string json;  // records, with commas between them
  std::size_t count = 0;
  std::uint64_t next = 0;  // the position after the last
};

void append_record(std::string& out, const Change& change, std::string_view sequence, View view,
                   std::size_t size);

// -1, 0, 1: numbers of any number of digits.
int compare_sequences(std::string_view a, std::string_view b);

class ShardContent {
 public:
  virtual ~ShardContent() = default;
  virtual bool exists(std::int64_t now_ms) const = 0;
  virtual bool ended(
      std::int64_t now_ms) const = 0;  // closed by itself; a shard may also be closed by hand
  virtual std::uint64_t oldest(
      std::int64_t now_ms) const = 0;  // the first position that isn't trimmed
  virtual std::uint64_t end(
      std::int64_t now_ms) const = 0;  // after the last record that has happened
  // The first record whose sequence number is at least (`after`: more than) this one.
  virtual std::uint64_t position(std::string_view sequence, bool after) const = 0;
  // Whether that number lies before the oldest record that is left, and something has been trimmed.
  virtual bool trimmed(std::string_view sequence, std::int64_t now_ms) const = 0;
  // Whether a reader at `position` has missed what was trimmed.
  virtual bool lost(std::uint64_t position, std::int64_t now_ms) const = 0;
  virtual std::string first_sequence() const = 0;
  virtual std::string last_sequence(std::int64_t now_ms) const = 0;  // of a closed shard
  // Trims everything before `position`.
  virtual void trim(std::uint64_t position) = 0;
  virtual RecordPage read(std::uint64_t position, std::int64_t now_ms, std::size_t count_max,
                          std::size_t bytes_max, View view) const = 0;
};

// Records that were written one by one.
class WrittenShard final : public ShardContent {
 public:
  // `start`: a sequence number that all of this shard's are at least.
  explicit WrittenShard(std::string start) : start_(std::move(start)) {}
  // Throws Refusal if its sequence number does not grow.
  void append(Change change);
  // `last`: a number that all of this shard's are at most.
  void close(std::string last) { last_ = std::move(last); }

  bool exists(std::int64_t) const override { return true; }
  bool ended(std::int64_t) const override { return !last_.empty(); }
  std::uint64_t oldest(std::int64_t now_ms) const override;
  std::uint64_t end(std::int64_t) const override { return changes_.size(); }
  std::uint64_t position(std::string_view sequence, bool after) const override;
  bool trimmed(std::string_view sequence, std::int64_t now_ms) const override;
  bool lost(std::uint64_t position, std::int64_t now_ms) const override {
    return position < oldest(now_ms);
  }
  std::string first_sequence() const override { return start_; }
  std::string last_sequence(std::int64_t) const override { return last_; }
  void trim(std::uint64_t position) override;
  RecordPage read(std::uint64_t position, std::int64_t now_ms, std::size_t count_max,
                  std::size_t bytes_max, View view) const override;

 private:
  std::string start_;
  std::string last_;
  std::vector<Change> changes_;
  std::uint64_t floor_ = 0;  // trimmed by hand up to here
};

// Records that a formula tells: writes [first, end) of one lineage, or of every `stride`-th of its items after splits.
// Positions are the numbers of the lineage's writes.
class GeneratedShard final : public ShardContent {
 public:
  GeneratedShard(std::shared_ptr<const ItemFormula> formula, std::uint64_t lineage,
                 std::uint64_t first, std::uint64_t end, std::uint64_t stride = 1,
                 std::uint64_t offset = 0);
  // Ends it where the clock stands; what would have followed goes to the children, one or two.
  std::vector<std::unique_ptr<GeneratedShard>> cut(std::int64_t now_ms, bool split);
  // Ends it where the clock stands; nothing follows.
  void stop(std::int64_t now_ms);

  bool exists(std::int64_t now_ms) const override;
  bool ended(std::int64_t now_ms) const override;
  std::uint64_t oldest(std::int64_t now_ms) const override;
  std::uint64_t end(std::int64_t now_ms) const override;
  std::uint64_t position(std::string_view sequence, bool after) const override;
  bool trimmed(std::string_view sequence, std::int64_t now_ms) const override;
  bool lost(std::uint64_t position, std::int64_t now_ms) const override {
    return settle(position) < oldest(now_ms);
  }
  std::string first_sequence() const override;
  std::string last_sequence(std::int64_t now_ms) const override;
  void trim(std::uint64_t position) override;
  RecordPage read(std::uint64_t position, std::int64_t now_ms, std::size_t count_max,
                  std::size_t bytes_max, View view) const override;

 private:
  bool is_last() const { return end_ == formula_->writes_of(lineage_) && !cut_; }
  std::uint64_t settle(std::uint64_t k) const;  // the first write of this shard's own from `k` on
  void append(std::string& out, std::uint64_t k, View view) const;

  std::shared_ptr<const ItemFormula> formula_;
  std::uint64_t lineage_;
  std::uint64_t first_;
  std::uint64_t end_;
  std::uint64_t stride_;
  std::uint64_t offset_;
  std::uint64_t floor_ = 0;
  bool cut_ = false;   // closed by hand
  bool born_ = false;  // made by hand: it is there before its first write
};

}  // namespace scripted
