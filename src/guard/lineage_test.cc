// Golden scripts of the root owner's step.
#include "guard/lineage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;

template <typename T>
std::vector<T> all(const std::vector<LineageEffect>& effects) {
  std::vector<T> found;
  for (const auto& effect : effects) {
    if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
  }
  return found;
}

// A root owner over a root chain and streams.
struct Script {
  Lineage lineage;
  MonotonicInstant now{1'000'000'000};
  std::string newest = "s1";
  std::map<std::string, std::vector<StreamShard>> streams{{"s1", {}}};
  std::vector<LineageEntry> chain;
  std::map<std::string, LeaseRow> rows;
  std::vector<LineageProblem> problems;

  void take_over() {
    lineage = Lineage{};
    for (const auto& entry : chain) (void)step(lineage, EntryKnown{entry}, now);
    carry_out(step(lineage, ChainKnown{}, now));
  }
  void shard(const std::string& id, const std::string& parent = {}, const char* stream = "s1") {
    streams[stream].push_back({id, parent, "1", ""});
  }
  // Does what is asked for, until nothing more is.
  void carry_out(std::vector<LineageEffect> effects) {
    while (!effects.empty()) {
      std::vector<LineageEffect> next;
      const auto give = [&](const LineageEvent& event) {
        const auto more = step(lineage, event, now);
        next.insert(next.end(), more.begin(), more.end());
      };
      for (const auto& effect : effects) {
        if (std::holds_alternative<DescribeTable>(effect)) {
          give(TableDescribed{newest});
        } else if (const auto* list = std::get_if<ListShards>(&effect)) {
          if (!streams.contains(list->stream)) {
            give(ShardsNotListed{StreamErrorKind::kNotFound});
            continue;
          }
          give(ShardsListed{
              {{list->stream, list->stream == newest, {}}, streams[list->stream], {}}});
        } else if (const auto* enter = std::get_if<Enter>(&effect)) {
          chain.push_back(enter->entry);
          give(EnterAnswered{true});
        } else if (const auto* make = std::get_if<MakeRow>(&effect)) {
          const auto name = shard_row_name(make->row.number);
          rows[name] = {name, 1, encode_row(make->row)};
        } else if (const auto* open = std::get_if<OpenRow>(&effect)) {
          const auto name = shard_row_name(open->row.number);
          rows[name] = {name, open->expected + 1, encode_row(open->row)};
        } else if (const auto* remove = std::get_if<RemoveRow>(&effect)) {
          rows.erase(remove->name);
        } else {
          problems.push_back(std::get<LineageProblem>(effect));
        }
      }
      effects = std::move(next);
    }
  }
  void list_rows() {
    RowsListed listed{now, {}};
    for (const auto& [name, row] : rows) listed.rows.push_back(row);
    carry_out(step(lineage, listed, now));
  }
  void live(Duration time) {
    for (const auto end = now + time; now < end;) {
      now = now + 1s;
      carry_out(step(lineage, LineageTick{}, now));
      list_rows();
    }
  }
  void finish(ShardNumber number, bool gap = false) {
    auto& row = rows[shard_row_name(number)];
    const ShardRow finished{number, {}, false, true, {}, {}, {}, gap};
    row = {row.name, row.revision + 1, encode_row(finished)};
  }
  bool waits(ShardNumber number) {
    return std::get<ShardRow>(*parse_row(rows.at(shard_row_name(number)))).waits;
  }
  const ShardOpened* opened(const std::string& id) const {
    for (const auto& entry : chain) {
      const auto* one = std::get_if<ShardOpened>(&entry);
      if (one != nullptr && one->shard == id) return one;
    }
    return nullptr;
  }
};

TEST(Lineage, ParentsComeFirstAndChildrenWait) {
  Script script;
  script.shard("a-child", "m-parent"), script.shard("b-child", "m-parent"),
      script.shard("m-parent");
  script.shard("c-grandchild", "a-child");
  script.take_over();
  script.live(2s);
  ASSERT_EQ(script.chain.size(), 4U);
  EXPECT_EQ(script.opened("m-parent")->number, 1U);
  EXPECT_EQ(script.opened("a-child")->parent, ShardNumber{1});
  EXPECT_GT(script.opened("c-grandchild")->number, script.opened("a-child")->number);
  for (const auto& entry : script.chain) EXPECT_FALSE(std::get<ShardOpened>(entry).gap);
  EXPECT_FALSE(script.waits(1));
  const auto child = script.opened("a-child")->number;
  const auto grandchild = script.opened("c-grandchild")->number;
  EXPECT_TRUE(script.waits(child));
  script.finish(1);
  script.live(1s);
  EXPECT_EQ(script.chain.back(), LineageEntry(ShardClosed{1}));
  script.live(1s);
  EXPECT_FALSE(script.waits(child));
  EXPECT_TRUE(script.waits(grandchild));
  EXPECT_FALSE(script.rows.contains("shard/1"));
  // It is listed as long as the service likes, and is not entered again; also not by the next root owner.
  script.take_over();
  script.live(25s);
  EXPECT_EQ(script.chain.size(), 5U);
}

TEST(Lineage, NothingIsDecidedBeforeTheChainIsKnown) {
  Lineage lineage;
  EXPECT_TRUE(step(lineage, LineageTick{}, {}).empty());
  EXPECT_TRUE(step(lineage, RowsListed{{}, {{"shard/1", 1, "{}"}}}, {}).empty());
  EXPECT_EQ(all<DescribeTable>(step(lineage, ChainKnown{}, {})).size(), 1U);
}

TEST(Lineage, RowsFollowOnlyFromDurablePages) {
  Script script;
  script.shard("p");
  auto effects = step(script.lineage, ChainKnown{}, script.now);
  effects = step(script.lineage, TableDescribed{"s1"}, script.now);
  effects =
      step(script.lineage, ShardsListed{{{"s1", true, {}}, script.streams["s1"], {}}}, script.now);
  ASSERT_EQ(all<Enter>(effects).size(), 1U);
  EXPECT_TRUE(step(script.lineage, RowsListed{script.now, {}}, script.now).empty());
  effects = step(script.lineage, EnterAnswered{false}, script.now);
  EXPECT_TRUE(effects.empty());
  // Another's page stood there: it took the number.
  effects = step(script.lineage, EntryKnown{ShardOpened{1, "s1", "q", {}, false}}, script.now);
  effects = step(script.lineage, LineageTick{}, script.now + kEnterAgain);
  ASSERT_EQ(all<Enter>(effects).size(), 1U);
  EXPECT_EQ(std::get<ShardOpened>(all<Enter>(effects).front().entry).number, 2U);
  effects = step(script.lineage, EnterAnswered{true}, script.now);
  effects = step(script.lineage, RowsListed{script.now, {}}, script.now);
  EXPECT_EQ(all<MakeRow>(effects).size(), 2U);
}

TEST(Lineage, AParentThatWasNeverKnownIsAGapExceptAtTheFirstListing) {
  Script script;
  script.shard("first", "long-gone");
  script.take_over();
  EXPECT_TRUE(script.chain.empty());  // not believed at once
  script.live(4s);
  EXPECT_TRUE(script.chain.empty());
  script.live(2s);
  ASSERT_EQ(script.chain.size(), 1U);
  EXPECT_FALSE(script.opened("first")->gap);
  script.shard("later", "unseen");
  script.live(17s);
  ASSERT_EQ(script.chain.size(), 2U);
  EXPECT_TRUE(script.opened("later")->gap);
  EXPECT_FALSE(script.opened("later")->parent);
}

TEST(Lineage, AListingThatLacksTheParentForAWhileIsNotBelieved) {
  Script script;
  script.shard("p");
  script.take_over();
  script.live(1s);
  script.shard("child", "between");
  script.shard("grandchild", "child");
  script.now = script.now + 10s;
  script.carry_out(step(script.lineage, LineageTick{}, script.now));
  EXPECT_EQ(script.chain.size(), 1U);
  script.live(3s);
  EXPECT_EQ(script.chain.size(), 1U);
  script.shard("between", "p");
  script.live(2s);
  ASSERT_EQ(script.chain.size(), 4U);
  EXPECT_EQ(script.opened("between")->parent, ShardNumber{1});
  EXPECT_EQ(script.opened("child")->parent, script.opened("between")->number);
  EXPECT_FALSE(script.opened("child")->gap);
}

TEST(Lineage, WhatOneListingShowedIsThereForTheNextThatDoesNot) {
  Lineage lineage;
  MonotonicInstant now{};
  (void)step(lineage, ChainKnown{}, now);
  (void)step(lineage, TableDescribed{"s1"}, now);
  const StreamFacts stream{"s1", true, {}};
  // Three shards; the first is being entered when the next listing leaves out the second, the parent of the third.
  const StreamShard p{"p", {}, "1", {}}, q{"q", "p", "1", {}}, r{"r", "q", "1", {}};
  (void)step(lineage, ShardsListed{{stream, {p, q, r}, {}}}, now);
  now = now + kListShardsEvery;
  (void)step(lineage, LineageTick{}, now);
  (void)step(lineage, TableDescribed{"s1"}, now);
  (void)step(lineage, ShardsListed{{stream, {p, r}, {}}}, now);
  std::vector<std::string> entered;
  for (int times = 0; times < 3; ++times) {
    const auto effects = step(lineage, EnterAnswered{true}, now);
    for (const auto& enter : all<Enter>(effects))
      entered.push_back(std::get<ShardOpened>(enter.entry).shard);
  }
  EXPECT_EQ(entered, (std::vector<std::string>{"q", "r"}));
}

TEST(Lineage, AKnownParentIsClosedByItsReaderAlone) {
  Script script;
  script.shard("p"), script.shard("child", "p");
  script.take_over();
  script.live(1s);
  script.streams["s1"].erase(script.streams["s1"].begin());  // listed no more
  script.live(60s);
  EXPECT_TRUE(script.waits(2));
  script.finish(1);
  script.live(2s);
  EXPECT_FALSE(script.waits(2));
}

TEST(Lineage, AStreamThatFollowsAnotherWaitsUntilThatIsDrained) {
  Script script;
  script.shard("old");
  script.take_over();
  script.live(1s);
  script.newest = "s2";
  script.shard("new", {}, "s2");
  script.live(12s);
  ASSERT_NE(script.opened("new"), nullptr);
  EXPECT_EQ(script.opened("new")->stream, "s2");
  EXPECT_TRUE(script.opened("new")->gap);  // what was written between the two is in neither
  EXPECT_TRUE(script.waits(2));
  // A child of the old one that nobody had seen yet comes before the new stream, too.
  script.shard("old-child", "old");
  script.finish(1);
  script.live(12s);
  ASSERT_NE(script.opened("old-child"), nullptr);
  EXPECT_TRUE(script.waits(2));
  EXPECT_FALSE(script.waits(script.opened("old-child")->number));
  script.finish(script.opened("old-child")->number);
  script.live(4s);
  EXPECT_TRUE(script.waits(2));  // a shard that was not listed yet may still come
  script.live(4s);
  EXPECT_FALSE(script.waits(2));
  // When the old stream is gone for good, the next root owner needs nothing of it.
  script.streams.erase("s1");
  script.take_over();
  script.shard("new-2", {}, "s2");
  script.live(12s);
  EXPECT_FALSE(script.waits(script.opened("new-2")->number));
}

TEST(Lineage, RowsThatVanishOrAreDamagedComeBack) {
  Script script;
  script.shard("p"), script.shard("child", "p");
  script.take_over();
  script.live(1s);
  script.rows.erase("shard/1");
  script.live(1s);
  EXPECT_TRUE(script.rows.contains("shard/1"));
  script.rows["shard/2"] = {"shard/2", 7, "garbage"};
  script.live(2s);
  EXPECT_EQ(script.rows["shard/2"].revision, 7U);  // whoever held it must first see that
  script.live(6s);
  EXPECT_TRUE(script.waits(2));
  EXPECT_EQ(script.rows["shard/2"].revision, 8U);
  // Rows of no shard, or of one that is closed, go when nobody owns them.
  script.rows["shard/9"] = {"shard/9", 1, encode_row(ShardRow{9, {}, false, false})};
  script.rows["shard/8"] = {"shard/8", 1, encode_row(ShardRow{8, "w", false, false})};
  script.live(1s);
  EXPECT_FALSE(script.rows.contains("shard/9"));
  EXPECT_TRUE(script.rows.contains("shard/8"));
}

TEST(Lineage, ShardsThatAreTheirOwnAncestorsAreToldOfAndRead) {
  Script script;
  script.shard("a", "b"), script.shard("b", "a"), script.shard("c", "c");
  script.take_over();
  script.live(1s);
  EXPECT_EQ(script.chain.size(), 3U);
  EXPECT_FALSE(script.problems.empty());
}

TEST(Lineage, AListThatDoesNotEndIsLeft) {
  Lineage lineage;
  (void)step(lineage, ChainKnown{}, {});
  auto effects = step(lineage, TableDescribed{"s1"}, {});
  std::size_t pages = 0;
  while (!all<ListShards>(effects).empty()) {
    ASSERT_LE(++pages, kListingPagesMax);
    const auto name = "s" + std::to_string(pages);
    effects = step(lineage, ShardsListed{{{"s1", true, {}}, {{name, {}, "1", {}}}, name}}, {});
  }
  EXPECT_EQ(all<LineageProblem>(effects).size(), 1U);
  EXPECT_TRUE(all<Enter>(effects).empty());  // what a part of a listing says is not believed
}

TEST(Lineage, AGapAtAShardsEndIsEnteredWithIt) {
  Script script;
  script.shard("p");
  script.take_over();
  script.live(2s);
  script.finish(1, true);
  script.live(1s);
  EXPECT_EQ(script.chain.back(), LineageEntry(ShardClosed{1, true}));
}

TEST(Lineage, NumbersCanBeUsedUp) {
  Script script;
  script.chain.push_back(ShardOpened{4294967295, "s1", "last", {}, false});
  script.shard("last"), script.shard("one-more", "last");
  script.take_over();
  script.live(1s);
  EXPECT_EQ(script.chain.size(), 1U);
  EXPECT_FALSE(script.problems.empty());
}

TEST(Lineage, LooksAgainEveryTenSecondsAndAtOnceWhenAShardIsFinished) {
  Script script;
  script.shard("p");
  script.take_over();
  script.live(1s);
  EXPECT_GT(script.lineage.next_tick() - script.now, 8s);
  script.shard("child", "p");
  script.finish(1);
  script.live(1s);
  EXPECT_NE(script.opened("child"), nullptr);
  EXPECT_EQ(script.opened("child")->parent, ShardNumber{1});
}

}  // namespace
}  // namespace pawl::guard
