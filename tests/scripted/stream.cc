#include "stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "exchange.h"
#include "mix.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::uint64_t kShardsMax = 100'000;

}  // namespace

Stream::Stream(std::string table, std::string arn, KeySchema schema, View view, std::int64_t now_ms,
               std::uint64_t shards)
    : table_(std::move(table)),
      arn_(std::move(arn)),
      schema_(std::move(schema)),
      view_(view),
      created_ms_(now_ms) {
  if (shards < 1 || shards > kShardsMax) throw bad_control("shards: 1 to 100,000");
  const std::uint64_t width = UINT64_MAX / shards;
  for (std::uint64_t i = 0; i < shards; ++i) {
    Shard& shard = add("", std::make_unique<WrittenShard>(next_sequence()));
    shard.low = i * width;
    shard.high = i + 1 == shards ? UINT64_MAX : (i + 1) * width - 1;
  }
}

Stream::Stream(std::string table, std::string arn, KeySchema schema, View view, std::int64_t now_ms,
               const std::shared_ptr<const ItemFormula>& formula, std::uint64_t generations)
    : table_(std::move(table)),
      arn_(std::move(arn)),
      schema_(std::move(schema)),
      view_(view),
      created_ms_(now_ms),
      generated_(true) {
  const std::uint64_t lineages = formula->lineages();
  if (generations < 1 || lineages * generations > kShardsMax)
    throw bad_control("shards * generations: at most 100,000");
  for (std::uint64_t generation = 0; generation < generations; ++generation) {
    for (std::uint64_t lineage = 0; lineage < lineages; ++lineage) {
      const std::uint64_t writes = formula->writes_of(lineage);
      const auto bound = [&](std::uint64_t g) {
        return writes / generations * g + writes % generations * g / generations;
      };
      std::string parent = generation == 0 ? "" : shards_[shards_.size() - lineages].id;
      add(std::move(parent), std::make_unique<GeneratedShard>(formula, lineage, bound(generation),
                                                              bound(generation + 1)));
    }
  }
}

// 21 digits (API model, SequenceNumber: 21 to 40), growing, with gaps.
std::string Stream::next_sequence() {
  sequence_ += 1 + mix(sequence_) % 999;
  std::string out = "3";
  append_padded(out, sequence_, 20);
  return out;
}

// API model, ShardId: 28 to 65 characters; real ones are "shardId-", 20 digits, "-" and 8 hexadecimal digits.
Shard& Stream::add(std::string parent, std::unique_ptr<ShardContent> content) {
  if (shards_.size() >= kShardsMax) throw bad_control("too many shards");
  const auto number = static_cast<std::uint64_t>(created_ms_) * 1000 + shards_.size();
  Shard shard;
  shard.id = fmt::format("shardId-{:020}-{:08x}", number, mix(number) & 0xFFFFFFFFU);
  shard.parent = std::move(parent);
  shard.content = std::move(content);
  by_id_[shard.id] = shards_.size();
  shards_.push_back(std::move(shard));
  return shards_.back();
}

std::size_t Stream::index_of(std::string_view id, std::int64_t now_ms) const {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end() || shards_[found->second].forgotten ||
      !shards_[found->second].content->exists(now_ms))
    throw Refusal{400,
                  "ResourceNotFoundException",
                  fmt::format("Requested resource not found: Shard: {}", id),
                  {}};
  return found->second;
}

void Stream::append(std::uint64_t key_hash, Change change, std::string_view shard_id,
                    std::int64_t now_ms) {
  for (Shard& shard : shards_) {
    auto* const written = dynamic_cast<WrittenShard*>(shard.content.get());
    const bool chosen =
        shard_id.empty() ? key_hash >= shard.low && key_hash <= shard.high : shard.id == shard_id;
    if (written == nullptr || !chosen || shard.content->ended(now_ms)) continue;
    if (change.sequence.empty()) change.sequence = next_sequence();
    return written->append(std::move(change));
  }
  throw bad_control("there is no open shard for this record that could be written");
}

std::vector<std::string> Stream::roll_written(std::size_t index, bool split) {
  auto& written = dynamic_cast<WrittenShard&>(*shards_[index].content);
  if (written.ended(0)) throw bad_control("the shard is closed");
  written.close(next_sequence());
  const std::uint64_t low = shards_[index].low;
  const std::uint64_t high = shards_[index].high;
  const std::uint64_t half = low + (high - low) / 2;
  std::vector<std::string> children;
  for (int child = 0; child < (split ? 2 : 1); ++child) {
    Shard& shard = add(shards_[index].id, std::make_unique<WrittenShard>(next_sequence()));
    shard.low = child == 0 ? low : half + 1;
    shard.high = split && child == 0 ? half : high;
    children.push_back(shard.id);
  }
  return children;
}

std::vector<std::string> Stream::roll_over(std::string_view id, bool split, std::int64_t now_ms) {
  const std::size_t index = index_of(id, now_ms);
  auto* const generated = dynamic_cast<GeneratedShard*>(shards_[index].content.get());
  if (generated == nullptr) return roll_written(index, split);
  std::vector<std::string> children;
  for (auto& content : generated->cut(now_ms, split))
    children.push_back(add(shards_[index].id, std::move(content)).id);
  return children;
}

void Stream::disable(std::int64_t now_ms) {
  if (disabled_ms_) return;
  disabled_ms_ = now_ms;
  for (Shard& shard : shards_) {
    if (shard.content->ended(now_ms)) continue;
    if (auto* const written = dynamic_cast<WrittenShard*>(shard.content.get()))
      written->close(next_sequence());
    else if (!shard.content->exists(now_ms))
      shard.forgotten = true;
    else
      dynamic_cast<GeneratedShard&>(*shard.content).stop(now_ms);
  }
}

}  // namespace scripted
