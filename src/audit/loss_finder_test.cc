// Which places are suspected, by ledger, table and stream; and, with seeds, that nothing that is missing is passed over.
#include "audit/loss_finder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace pawl::audit {
namespace {

constexpr Incarnation kTable{0xf1};

ShardId shard(std::uint32_t number) { return {kTable, number}; }

// A ledger, a table and what is asked of them.
struct World {
  RootFacts facts;
  std::vector<LedgerEntry> entries;
  std::vector<LedgerRepair> repairs;
  std::vector<std::string> texts;  // what the views are of
  std::map<std::uint32_t, std::uint64_t> last;
  std::map<std::string, std::optional<std::uint64_t>> table;
  std::set<std::string> pending;

  World() {
    texts.reserve(1000);
    IncarnationFacts incarnation;
    incarnation.table = "users";
    incarnation.guarded = true;
    facts.incarnations.emplace(kTable, incarnation);
  }
  static std::string key(const std::string& item) {
    return fmt::format(R"({{"id":{{"S":"{}"}}}})", item);
  }
  static std::string image(const std::string& item, std::optional<std::uint64_t> version) {
    return fmt::format(R"({{"id":{{"S":"{}"}},"v":{{"N":"{}"}}}})", item, version.value_or(0));
  }
  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  void open(std::uint32_t number, std::optional<std::uint32_t> parent = {}, bool gap = false) {
    OpenedShard opened;
    if (parent) opened.parent = shard(*parent);
    opened.gap = gap;
    facts.opened[shard(number)] = opened;
  }
  // Returns its sequence.
  std::uint64_t change(std::uint32_t chain, const std::string& item, EntryKind kind,
                       std::optional<std::uint64_t> version, bool gap = false) {
    LedgerEntry entry;
    entry.shard = shard(chain);
    entry.sequence = ++last[chain];
    entry.key = keep(key(item));
    entry.kind = kind;
    entry.version = version;
    entry.has_gap = gap;
    entry.source = keep(std::to_string(1000 * chain + entry.sequence));
    entry.object = keep(fmt::format("o/{}-{}", chain, entry.sequence));
    entries.push_back(entry);
    return entry.sequence;
  }
  LedgerRepair& repair(const std::string& item, ChainPlace after,
                       std::optional<ChainPlace> before = {}) {
    LedgerRepair repair;
    repair.chain = shard(kRepairChain);
    repair.sequence = repairs.size() + 1;
    repair.key = keep(key(item));
    repair.after = after;
    repair.before = before;
    return repairs.emplace_back(repair);
  }

  std::vector<LossSuspect> find(LossCounts* counts = nullptr) {
    LossFinder finder(facts, kTable, std::size_t{4} << 20, "/tmp");
    for (const auto& entry : entries) EXPECT_TRUE(finder.add_change(entry).ok());
    for (const auto& repair : repairs) EXPECT_TRUE(finder.add_repair(repair).ok());
    for (const auto& [item, version] : table)
      EXPECT_TRUE(finder.add_table_item(key(item), version, image(item, version)).ok());
    std::set<Digest> digests;
    for (const auto& item : pending) digests.insert(LossFinder::pending_key(key(item)));
    std::vector<LossSuspect> found;
    const auto status = finder.find(digests, [&found](const LossSuspect& suspect) {
      found.push_back(suspect);
      return ok();
    });
    EXPECT_TRUE(status.ok());
    if (counts != nullptr) *counts = finder.counts();
    return found;
  }
};

constexpr auto kInsert = EntryKind::kInsert;
constexpr auto kModify = EntryKind::kModify;
constexpr auto kRemoval = EntryKind::kRemove;

TEST(LossFinder, AHoleAcrossAGap) {
  World world;
  world.open(1);
  world.change(1, "a", kModify, 2);
  world.change(1, "b", kModify, 5);
  world.change(1, "b", kModify, 6, true);  // nothing of b is missing
  world.change(1, "a", kModify, 9);
  world.table = {{"a", 9}, {"b", 6}};
  const auto found = world.find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, World::key("a"));
  EXPECT_EQ(found[0].after.place.sequence, 1U);
  EXPECT_EQ(found[0].after.object, "o/1-1");
  ASSERT_TRUE(found[0].before);
  EXPECT_EQ(found[0].before->place.sequence, 4U);
  EXPECT_EQ(found[0].before->source, "1004");
  // Without the gap that is the verifier's to find.
  world.entries[2].has_gap = false;
  EXPECT_TRUE(world.find().empty());
  // Entered already.
  world.entries[2].has_gap = true;
  world.repair("a", {shard(1), 1}, ChainPlace{shard(1), 4}).lost = true;
  EXPECT_TRUE(world.find().empty());
}

TEST(LossFinder, AHoleBetweenChains) {
  for (const bool gap : {false, true}) {
    World world;
    world.open(1);
    world.open(2, 1, gap);
    world.change(1, "a", kModify, 2);
    world.change(2, "a", kModify, 9);
    world.change(2, "a", kModify, 10);
    world.table = {{"a", 10}};
    EXPECT_EQ(world.find().size(), gap ? 1U : 0U);
  }
}

TEST(LossFinder, TheTableIsAhead) {
  World world;
  world.open(1);
  world.change(1, "a", kModify, 2);
  world.change(1, "gone", kModify, 2);
  world.change(1, "removed", kRemoval, 2);
  world.change(1, "back", kRemoval, 2);
  world.change(1, "same", kModify, 2);
  world.table = {{"a", 5}, {"back", 0}, {"same", 2}, {"never", 1}};
  LossCounts counts;
  auto found = world.find(&counts);
  ASSERT_EQ(found.size(), 3U);  // in the order of keys
  EXPECT_EQ(found[0].key, World::key("a"));
  EXPECT_EQ(found[0].table.version, 5U);
  EXPECT_EQ(found[0].table.image, sha256(World::image("a", 5)));
  EXPECT_FALSE(found[0].before);
  EXPECT_EQ(found[1].key, World::key("back"));
  EXPECT_EQ(found[2].key, World::key("gone"));
  EXPECT_FALSE(found[2].table.exists);
  EXPECT_EQ(counts.unseen, 1U);
  // What is still in the stream is nobody's loss.
  world.pending = {"a", "gone", "never"};
  found = world.find(&counts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, World::key("back"));
  EXPECT_EQ(counts.pending, 2U);
}

TEST(LossFinder, WhatTheTableWasSeenToHaveIsKnown) {
  World world;
  world.open(1);
  world.change(1, "a", kModify, 2);
  world.repair("a", {shard(1), 1}).version = 5;
  world.repairs.back().object = world.keep("users/a-5~repaired");
  world.table = {{"a", 5}};
  EXPECT_TRUE(world.find().empty());
  world.table = {{"a", 7}};
  auto found = world.find();
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].seen);
  EXPECT_EQ(found[0].seen->version, 5U);
  EXPECT_EQ(found[0].seen->object, "users/a-5~repaired");
  // The next change goes on from there, or not.
  world.change(1, "a", kModify, 6, true);
  world.table = {{"a", 6}};
  EXPECT_TRUE(world.find().empty());
  world.entries.back().version = 9;
  world.table = {{"a", 9}};
  found = world.find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].seen && found[0].before);
  // Seen to be gone.
  world.entries.pop_back();
  world.repairs[0].lost = world.repairs[0].removed = true;
  world.table.clear();
  EXPECT_TRUE(world.find().empty());
  world.table = {{"a", 1}};
  EXPECT_EQ(world.find().size(), 1U);
}

TEST(LossFinder, WithoutVersionsItemsBehindAGapAreSuspected) {
  World world;
  world.open(1);
  world.open(2);
  world.change(1, "a", kModify, {});
  world.change(1, "b", kModify, {}, true);
  world.table = {{"a", {}}, {"b", {}}};
  auto found = world.find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, World::key("a"));
  world.facts.opened[shard(2)].gap = true;  // a chain that may have taken them over
  EXPECT_EQ(world.find().size(), 2U);
  world.facts.opened[shard(2)].gap = false;
  world.facts.opened[shard(1)].gap_at_end = true;
  EXPECT_EQ(world.find().size(), 2U);
}

// Items that count up in one chain, of which random stretches are lost, each with a gap entered before the next change, in
// whatever item that is; every item that lost something is suspected at its hole, and no other is.
TEST(LossFinder, NothingIsPassedOver) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    World world;
    world.open(1);
    std::map<std::string, std::uint64_t> now;
    std::map<std::string, bool> missing;
    std::size_t holes = 0;
    bool losing = false;
    bool gap = false;
    for (int turn = 0; turn < 60; ++turn) {
      if (random() % 8 == 0) losing = !losing;
      const std::string item(1, static_cast<char>('a' + random() % 4));
      const bool first = !now.contains(item);
      if (first && losing) continue;  // of such nobody can tell
      const auto version = first ? 0 : now[item] + 1;
      now[item] = version;
      if (losing) {
        gap = true;
        missing[item] = true;
        continue;
      }
      world.change(1, item, first ? kInsert : kModify, version, gap);
      gap = false;
      holes += missing[item] ? 1 : 0;
      missing[item] = false;
    }
    for (const auto& [item, version] : now) {
      world.table[item] = version;
      holes += missing[item] ? 1 : 0;
    }
    ASSERT_EQ(world.find().size(), holes) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pawl::audit
