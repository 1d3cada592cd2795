// One stream of a table: its shards, and who reads them. FACTS: "Shards are ephemeral: they split, or roll over to one child about
// every 4 hours"; here they do so when control says so, or at the formula's hour.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "item.h"
#include "shard.h"

namespace scripted {

struct Shard {
  std::string id;
  std::string parent;  // "" = none
  std::unique_ptr<ShardContent> content;
  // Of a shard that is written: it takes the keys whose hash is in [low, high].
  std::uint64_t low = 0;
  std::uint64_t high = UINT64_MAX;
  bool forgotten = false;                         // not listed any more, nor found
  std::map<std::uint64_t, std::int64_t> readers;  // when each read last
};

class Stream {
 public:
  // With `shards` open shards that are written, which share the keys.
  Stream(std::string table, std::string arn, KeySchema schema, View view, std::int64_t now_ms,
         std::uint64_t shards);
  // Shards of a formula: each lineage rolls over to a child `generations` - 1 times, at even distances.
  Stream(std::string table, std::string arn, KeySchema schema, View view, std::int64_t now_ms,
         const std::shared_ptr<const ItemFormula>& formula, std::uint64_t generations);

  const std::string& arn() const { return arn_; }
  const std::string& table() const { return table_; }
  std::string label() const { return arn_.substr(arn_.rfind('/') + 1); }
  View view() const { return view_; }
  const KeySchema& schema() const { return schema_; }
  std::int64_t created_ms() const { return created_ms_; }
  bool enabled() const { return !disabled_ms_; }
  bool generated() const { return generated_; }
  // FACTS: "Disabling a stream leaves it readable for 24 h".
  bool gone(std::int64_t now_ms) const {
    return disabled_ms_ && now_ms - *disabled_ms_ > kRetentionMs;
  }
  void disable(std::int64_t now_ms);

  std::vector<Shard>& shards() { return shards_; }
  const std::vector<Shard>& shards() const { return shards_; }
  // Throws Refusal (ResourceNotFoundException), also where it does not exist yet.
  std::size_t index_of(std::string_view id, std::int64_t now_ms) const;
  Shard& find(std::string_view id, std::int64_t now_ms) { return shards_[index_of(id, now_ms)]; }

  // Into the open shard of that key, or into `shard` where it isn't "". Throws Refusal.
  void append(std::uint64_t key_hash, Change change, std::string_view shard, std::int64_t now_ms);
  // Closes a shard and opens one child, or two that share its keys; returns their ids. Throws Refusal.
  std::vector<std::string> roll_over(std::string_view id, bool split, std::int64_t now_ms);

 private:
  std::string next_sequence();
  Shard& add(std::string parent, std::unique_ptr<ShardContent> content);
  std::vector<std::string> roll_written(std::size_t index, bool split);

  std::string table_;
  std::string arn_;
  KeySchema schema_;
  View view_;
  std::int64_t created_ms_;
  std::optional<std::int64_t> disabled_ms_;
  bool generated_ = false;
  std::vector<Shard> shards_;  // in the order in which they are listed: parents first
  std::unordered_map<std::string, std::size_t> by_id_;
  std::uint64_t sequence_ = 1000;
};

}  // namespace scripted
