// The verifier on the histories of guarded tables' items: holes, gaps that explain them, and their order over chains.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/guarded_builder_test.h"
#include "audit/history.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(GuardedItems, HolesInVersionsAreFound) {
  const auto hole = [](const std::string& next_old, const std::string& next_new,
                       const std::string& kind = "MODIFY") {
    auto builder =
        one_chain({{"a", "10", "MODIFY", "1:x", "2:y"}, {"a", "11", kind, next_old, next_new}});
    return run(builder.archive);
  };
  EXPECT_TRUE(hole("2:y", "3:y").sound());
  const auto one = hole("3:y", "4:y");
  ASSERT_THAT(kinds(one), ElementsAre(FindingKind::kMissingChange));
  EXPECT_EQ(one.findings[0].version, 3U);
  EXPECT_EQ(one.findings[0].table, "users");
  EXPECT_EQ(one.findings[0].item, R"({"id":{"S":"a"}})");
  EXPECT_EQ(one.findings[0].chain, chain(1));
  EXPECT_EQ(one.findings[0].sequence, 2U);
  EXPECT_THAT(all_text(hole("8:y", "9:y")), HasSubstr("versions 3 to 8 are missing"));
  EXPECT_THAT(kinds(hole("1:y", "2:y")), ElementsAre(FindingKind::kDuplicateChange));
  EXPECT_THAT(kinds(hole("0:y", "1:y")), ElementsAre(FindingKind::kOutOfOrder));
  // A removal repeats the version that it removes.
  EXPECT_TRUE(hole("2:y", "", "REMOVE").sound());
  EXPECT_THAT(all_text(hole("3:y", "", "REMOVE")), HasSubstr("this version is missing"));
  EXPECT_THAT(all_text(hole("5:y", "", "REMOVE")), HasSubstr("versions 3 to 5 are missing"));
}

TEST(GuardedItems, KindsMustFit) {
  EXPECT_THAT(
      shallow_kinds(one_chain({{"a", "10", "INSERT", "", ":x"}, {"a", "11", "INSERT", "", ":y"}})),
      ElementsAre(FindingKind::kMissingChange));
  EXPECT_THAT(shallow_kinds(one_chain(
                  {{"a", "10", "REMOVE", "5:x", ""}, {"a", "11", "MODIFY", "5:x", "6:y"}})),
              ElementsAre(FindingKind::kMissingChange));
  EXPECT_THAT(shallow_kinds(
                  one_chain({{"a", "10", "REMOVE", "5:x", ""}, {"a", "11", "REMOVE", "5:x", ""}})),
              ElementsAre(FindingKind::kMissingChange));
  // A removal of what is not there, as some engines report it.
  EXPECT_THAT(
      deep_kinds(one_chain({{"a", "10", "REMOVE", "5:x", ""}, {"a", "11", "REMOVE", "", ""}})),
      IsEmpty());
  // Anew, from any version.
  EXPECT_THAT(
      deep_kinds(one_chain({{"a", "10", "REMOVE", "5:x", ""}, {"a", "11", "INSERT", "", "3:y"}})),
      IsEmpty());
}

TEST(GuardedItems, DeepChecksTheImageChain) {
  auto builder =
      one_chain({{"a", "10", "INSERT", "", ":x"}, {"a", "11", "MODIFY", ":other", ":y"}});
  const auto report = run(builder.archive);
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.untied, 1U);
  EXPECT_THAT(assumes(report), Contains(HasSubstr("1 change of guarded tables is tied")));
  EXPECT_THAT(deep_kinds(builder), ElementsAre(FindingKind::kMissingChange));
  // With versions as well: a change that did not count up.
  EXPECT_THAT(deep_kinds(one_chain(
                  {{"a", "10", "MODIFY", "1:x", "2:y"}, {"a", "11", "MODIFY", "2:other", "3:y"}})),
              ElementsAre(FindingKind::kMissingChange));
  // Over a split.
  GuardedBuilder split;
  split.open(1);
  split.page(1, {{"a", "10", "INSERT", "", ":x"}});
  split.close(1);
  split.open_child(2, 1);
  split.page(2, {{"a", "11", "MODIFY", ":other", ":y"}});
  EXPECT_THAT(deep_kinds(split), ElementsAre(FindingKind::kMissingChange));
}

TEST(GuardedItems, AViewWithoutOldImagesTiesNothing) {
  auto builder = one_chain({{"a", "10", "INSERT", "", ":x"}, {"a", "11", "MODIFY", "", ":y"}});
  const auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.untied, 1U);
}

TEST(GuardedItems, AnEnteredGapExplainsAHoleAndIsTold) {
  const std::vector<Guarded> with_gap = {{"a", "10", "MODIFY", "1:x", "2:y"},
                                         {"a", "50", "MODIFY", "8:w", "9:z", "10"}};
  auto builder = one_chain(with_gap);
  for (const bool is_deep : {false, true}) {
    const auto report = run(builder.archive, [&](auto& options) { options.deep = is_deep; });
    EXPECT_TRUE(report.sound()) << all_text(report);
    ASSERT_EQ(report.gaps, 1U);
    EXPECT_EQ(report.known_gaps[0].chain, chain(1));
    EXPECT_EQ(report.known_gaps[0].sequence, 2U);
    EXPECT_EQ(report.known_gaps[0].after, "10");
    EXPECT_EQ(report.known_gaps[0].before, "50");
    EXPECT_THAT(
        assumes(report),
        Contains(HasSubstr(
            "trimmed before they were read, or never shown: 1 gap, named table users, chain " +
            chain(1))));
    EXPECT_THAT(proves(report), Contains(HasSubstr("but where a gap is entered")));
    EXPECT_THAT(
        to_json(report),
        HasSubstr(fmt::format(
            R"("known_gaps":[{{"table":"users","chain":"{}","sequence":2,"after":"10","before":"50"}}])",
            chain(1))));
  }
  auto removed = with_gap;
  removed[1].gap.reset();
  EXPECT_THAT(shallow_kinds(one_chain(removed)), ElementsAre(FindingKind::kMissingChange));
  // Without versions a deep check sees the same.
  removed = {{"a", "10", "MODIFY", ":x", ":y"}, {"a", "50", "MODIFY", ":w", ":z"}};
  EXPECT_THAT(deep_kinds(one_chain(removed)), ElementsAre(FindingKind::kMissingChange));
}

TEST(GuardedItems, AGapAtAShardsEndExplainsAHoleToItsChild) {
  const auto archive = [](const std::string& more) {
    GuardedBuilder builder;
    builder.open(1);
    builder.page(1, {{"a", "10", "INSERT", "", "0:x"}, {"b", "11", "INSERT", "", "0:x"}});
    builder.close(1, more);
    builder.open_child(2, 1);
    builder.page(2, {{"a", "50", "MODIFY", "3:y", "4:z"}});
    builder.end();
    return builder;
  };
  auto builder = archive(R"(,"gap":true)");
  const auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  ASSERT_EQ(report.gaps, 1U);
  EXPECT_EQ(report.known_gaps[0].sequence, 3U);
  EXPECT_THAT(assumes(report), Contains(HasSubstr("after its last change, where the shard ended")));
  EXPECT_THAT(deep_kinds(archive("")), ElementsAre(FindingKind::kMissingChange));
}

TEST(GuardedItems, AGapCountsForEveryItemThatSpansIt) {
  const auto changes = [](std::size_t gap_at) {
    std::vector<Guarded> all = {{"b", "5", "INSERT", "", "0:x"},
                                {"a", "10", "MODIFY", "1:x", "2:y"},
                                {"b", "50", "MODIFY", "0:x", "1:x"},
                                {"a", "60", "MODIFY", "8:w", "9:z"},
                                {"b", "70", "MODIFY", "1:x", "2:x"}};
    if (gap_at > 0) all[gap_at].gap = all[gap_at - 1].source;
    return all;
  };
  EXPECT_THAT(deep_kinds(one_chain(changes(2))),
              IsEmpty());  // entered with b's change, between a's
  EXPECT_THAT(deep_kinds(one_chain(changes(3))), IsEmpty());
  // Before or after both of a's changes it explains nothing.
  EXPECT_THAT(deep_kinds(one_chain(changes(1))), ElementsAre(FindingKind::kMissingChange));
  EXPECT_THAT(deep_kinds(one_chain(changes(4))), ElementsAre(FindingKind::kMissingChange));
}

// Item a goes from chain 1 at version 2 to chain 3 at version 9, by way of chain 2.
GuardedBuilder over_chains(const std::string& where) {
  GuardedBuilder builder;
  const auto gap = [&](const std::string& place, const char* after) {
    return where == place ? std::optional<std::string>(after) : std::nullopt;
  };
  builder.open(1, where == "before all" ? R"(,"gap":true)" : "");
  builder.page(1, {{"a", "10", "MODIFY", "1:x", "2:y", gap("at a", "")},
                   {"b", "20", "INSERT", "", ":x", gap("parent's tail", "10")}});
  builder.close(1);
  builder.open_child(2, 1, where == "opening between" ? R"(,"gap":true)" : "");
  builder.page(2, {{"c", "30", "INSERT", "", ":x", gap("between", "")}});
  builder.close(2);
  builder.open_child(3, 2, where == "opening" ? R"(,"gap":true)" : "");
  builder.page(3, {{"c", "40", "MODIFY", ":x", ":y", gap("child's head", "")},
                   {"a", "50", "MODIFY", "8:w", "9:z", gap("at the change", "40")},
                   {"c", "60", "MODIFY", ":y", ":z", gap("after all", "50")}});
  builder.end();
  return builder;
}

TEST(GuardedItems, AGapAnywhereBetweenTwoChainsExplainsAHole) {
  EXPECT_THAT(deep_kinds(over_chains("nowhere")), ElementsAre(FindingKind::kMissingChange));
  for (const char* where : {"parent's tail", "opening between", "between", "opening",
                            "child's head", "at the change"}) {
    auto builder = over_chains(where);
    const auto report = run(builder.archive, deep);
    EXPECT_TRUE(report.sound()) << where << all_text(report);
    EXPECT_EQ(report.gaps, 1U) << where;
  }
  for (const char* where : {"before all", "at a", "after all"}) {
    EXPECT_THAT(deep_kinds(over_chains(where)), ElementsAre(FindingKind::kMissingChange)) << where;
  }
}

TEST(GuardedItems, ParentsComeBeforeTheirChildrenWhateverTheNumbers) {
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "500", "MODIFY", "1:x", "2:y"}});
  builder.close(1);
  builder.open_child(2, 1);
  builder.page(2, {{"a", "90", "MODIFY", "2:y", "3:z"}});
  EXPECT_THAT(deep_kinds(builder), IsEmpty());
}

TEST(GuardedItems, ChainsWithoutLineageAreOrderedBySource) {
  // Found in one listing, the younger first; their parents were trimmed.
  const auto archive = [](const std::string& young, const std::string& old) {
    GuardedBuilder builder;
    builder.open(1);
    builder.open(2);
    builder.open_child(3, 1);
    builder.page(1, {{"a", young, "MODIFY", "2:y", "3:z"}});
    builder.page(2, {{"a", old, "MODIFY", "1:x", "2:y"}});
    builder.page(3, {{"a", "1000", "MODIFY", "3:z", "4:z"}});
    return builder;
  };
  EXPECT_THAT(deep_kinds(archive("100", "99")), IsEmpty());
  EXPECT_THAT(deep_kinds(archive("99", "100")), Contains(FindingKind::kOutOfOrder));
}

TEST(GuardedItems, AWrongParentIsFound) {
  const auto archive = [](const std::string& parent_of_2, const std::string& parent_of_3) {
    GuardedBuilder builder;
    builder.open(1);
    builder.page(1, {{"a", "10", "MODIFY", "1:x", "2:y"}});
    builder.open(2, parent_of_2);
    builder.open(3, parent_of_3);
    // The later change has the smaller number, so only the lineage orders them.
    builder.page(2, {{"a", "5", "MODIFY", "2:y", "3:z"}});
    builder.page(3, {{"a", "4", "MODIFY", "3:z", "4:z"}});
    return builder;
  };
  const auto parent = [](std::uint32_t number) {
    return fmt::format(R"(,"parent":"{}")", chain(number));
  };
  EXPECT_THAT(deep_kinds(archive(parent(1), parent(2))), IsEmpty());
  EXPECT_THAT(deep_kinds(archive(parent(1), parent(1))), Contains(FindingKind::kMissingChange));
  EXPECT_THAT(deep_kinds(archive(parent(1), "")), Contains(FindingKind::kOutOfOrder));
  EXPECT_THAT(deep_kinds(archive(parent(3), parent(2))), Contains(FindingKind::kDamagedRoot));
  EXPECT_THAT(deep_kinds(archive(parent(2), parent(2))), Contains(FindingKind::kDamagedRoot));
  EXPECT_THAT(deep_kinds(archive(R"(,"parent":"00000000000000f2-0001")", parent(2))),
              Contains(FindingKind::kDamagedRoot));
  EXPECT_THAT(deep_kinds(archive(R"(,"parent":7)", parent(2))),
              Contains(FindingKind::kDamagedRoot));
}

TEST(GuardedHistory, IsInOrderOverChains) {
  GuardedBuilder builder;
  builder.open(1);
  builder.open(2);  // older than 1
  builder.open_child(3, 1);
  builder.page(1, {{"a", "100", "MODIFY", "2:y", "3:z"}, {"b", "101", "INSERT", "", ":x"}});
  builder.page(2, {{"a", "98", "INSERT", "", "1:x"}, {"a", "99", "MODIFY", "1:x", "2:y"}});
  builder.page(3, {{"a", "5", "MODIFY", "3:z", ":z"}, {"a", "6", "REMOVE", ":z", ""}});
  HistoryOptions options;
  options.key = "a";
  const auto history = item_history(builder.archive, options);
  ASSERT_TRUE(history.ok()) << history.error().to_string();
  std::vector<std::string> sources;
  for (const auto& entry : *history) sources.push_back(entry.source);
  EXPECT_THAT(sources, ElementsAre("98", "99", "100", "5", "6"));
  EXPECT_EQ((*history)[2].version, 3U);
  EXPECT_FALSE((*history)[3].version.has_value());

  options.version = 2;
  const auto one = item_history(builder.archive, options);
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_THAT((*one)[0].image, HasSubstr(R"("_version":{"N":"2"})"));
}

}  // namespace
}  // namespace pawl::audit::guarded
