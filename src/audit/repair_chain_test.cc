// The verifier on repair chains of guarded tables: sound ones, and forgeries of every part.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/guarded_builder_test.h"
#include "audit/history.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string place(std::uint32_t number, std::uint64_t sequence) {
  return fmt::format(R"({{"shard":"{}","sequence":{}}})", chain(number), sequence);
}

// Between the first two changes of chain 1, by which GuardedBuilder tells the time.
const std::string kBetween = R"("after":)" + place(1, 1) + R"(,"before":)" + place(1, 2);
const std::string kToTable = R"("after":)" + place(1, 2);

std::string lost(const std::string& where, const std::string& what, std::uint64_t since,
                 const std::string& until) {
  return fmt::format(R"("key":{{"id":{{"S":"a"}}}},{},"lost":{{{}{}"since":"{}","until":"{}"}})",
                     where, what, what.empty() ? "" : ",", GuardedBuilder::time_of(since), until);
}
std::string lost_between(const std::string& what) {
  return lost(kBetween, what, 1, GuardedBuilder::time_of(2));
}

struct RepairBuilder : GuardedBuilder {
  // What was put back: stores its object, returns its entry but for the sequence number.
  std::string put(const std::string& where, const std::string& value, const std::string& how) {
    const auto colon = value.find(':');
    const auto version = colon == 0 ? "" : value.substr(0, colon);
    const auto name = "users/a-" + value.substr(0, colon);
    const auto body = fmt::format(
        R"({{"format":"pawl-repair/1","table":"users","name":"{}","version":{},"source":"{}","image":{}}})"
        "\n",
        name, version.empty() ? "null" : version, how, image("a", value));
    archive.files[name + "~repaired"] = body;
    return fmt::format(
        R"("key":{{"id":{{"S":"a"}}}},{},{}"object":"{}~repaired","size":{},"sha256":"{}","repaired":"{}")",
        where, version.empty() ? "" : fmt::format(R"("version":{},)", version), name, body.size(),
        sha256(body).to_hex(), how);
  }

  void repairs(const std::vector<std::string>& entries) {
    auto& state = chains[chain(0)];
    const auto first = state.last + 1;
    std::string text;
    for (const auto& entry : entries) {
      text +=
          fmt::format(R"({}{{"sequence":{},{}}})", text.empty() ? "" : ",", ++state.last, entry);
    }
    const auto json = fmt::format(
        R"({{"format":"pawl-repair-page/1","archive":"{}","chain":"{}","page":{},"previous":"{}","instant":"{}","first":{},"last":{},"repairs":[{}]}})",
        kId, chain(0), state.pages, state.previous.to_hex(), instant_at(5000), first, state.last,
        text);
    archive.files[volume(chain(0))] += line(json, state.pages == 0);
    state.previous = sha256(json);
    ++state.pages;
  }
};

// Item a has version 2, then a gap, and then version 9, whose old image is version 8.
RepairBuilder with_gap(const Guarded& next = {"a", "50", "MODIFY", "8:w", "9:z", "10"}) {
  RepairBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "10", "MODIFY", "1:x", "2:y"}, next});
  builder.end();
  return builder;
}

RepairBuilder repaired() {
  auto builder = with_gap();
  builder.repairs({lost_between(R"("from":3,"to":7)"), builder.put(kBetween, "8:w", "old-image")});
  builder.repairs({lost(kToTable, R"("from":10,"to":11)", 2, instant_at(4000)),
                   builder.put(kToTable, "12:t", "table")});
  return builder;
}

std::vector<FindingKind> both_kinds(RepairBuilder& builder) {
  const auto shallow = kinds(run(builder.archive));
  const auto all = kinds(run(builder.archive, deep));
  EXPECT_LE(shallow.size(), all.size());
  return all;
}

TEST(RepairChain, SoundAndTold) {
  auto builder = repaired();
  for (const bool is_deep : {false, true}) {
    const auto report = run(builder.archive, [&](auto& options) { options.deep = is_deep; });
    EXPECT_TRUE(report.sound()) << all_text(report);
    EXPECT_EQ(report.versions, 2U);
    EXPECT_EQ(report.items, 1U);
    EXPECT_EQ(report.put_back, 2U);
    EXPECT_EQ(report.lost, 2U);
    EXPECT_EQ(report.open_holes, 0U);
    ASSERT_EQ(report.known_lost.size(), 2U);
    EXPECT_THAT(to_text(report.known_lost[0]), HasSubstr("versions 3 to 7, between "));
    EXPECT_THAT(to_text(report.known_lost[0]), HasSubstr(R"(item {"id":{"S":"a"}})"));
    EXPECT_THAT(to_json(report), HasSubstr(R"("sequence":3,"from":10,"to":11,"removed":false)"));
    EXPECT_THAT(assumes(report), Contains(HasSubstr("2 versions were put back")));
  }
}

std::vector<std::string> told(const std::vector<HistoryEntry>& history) {
  std::vector<std::string> texts;
  for (const auto& entry : history) {
    const auto number = [](std::optional<std::uint64_t> value) {
      return value ? std::to_string(*value) : "?";
    };
    texts.push_back(entry.lost ? fmt::format("LOST {}-{}", number(entry.from), number(entry.to))
                               : fmt::format("{} {}", entry.kind, number(entry.version)));
  }
  return texts;
}

TEST(RepairChain, IsInTheItemsHistory) {
  auto builder = repaired();
  HistoryOptions options;
  options.key = "a";
  auto history = item_history(builder.archive, options);
  ASSERT_TRUE(history.ok()) << history.error().to_string();
  EXPECT_THAT(told(*history), ElementsAre("MODIFY 2", "LOST 3-7", "PUT-BACK 8", "MODIFY 9",
                                          "LOST 10-11", "PUT-BACK 12"));
  // The builder's service has a clock that goes back.
  EXPECT_EQ((*history)[1].instant, (*history)[3].instant);
  EXPECT_EQ((*history)[1].until, (*history)[0].instant);
  EXPECT_FALSE((*history)[5].until.has_value());
  // An item of which nothing is asked has nothing of it.
  options.key = "b";
  EXPECT_THAT(*item_history(builder.archive, options), IsEmpty());

  options.key = "a";
  for (const std::uint64_t version : {3U, 7U}) {
    options.version = version;
    EXPECT_THAT(told(*item_history(builder.archive, options)), ElementsAre("LOST 3-7"));
  }
  options.version = 8;
  history = item_history(builder.archive, options);
  ASSERT_THAT(told(*history), ElementsAre("PUT-BACK 8"));
  EXPECT_THAT((*history)[0].image, HasSubstr(R"("_version":{"N":"8"})"));
  options.version.reset();

  // Nothing tells when within its hole a version was there: all that may have been.
  options.at = Instant::parse(instant_at(4000));
  EXPECT_THAT(told(*item_history(builder.archive, options)),
              ElementsAre("MODIFY 9", "LOST 10-11", "PUT-BACK 12"));
}

TEST(RepairChain, AHoleThatNobodyWentThroughIsOpen) {
  auto builder = with_gap();
  auto report = run(builder.archive);
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.open_holes, 1U);
  EXPECT_THAT(assumes(report), Contains(HasSubstr("pawl guard repair")));
  // Half of it.
  builder.repairs({lost_between(R"("from":3,"to":7)")});
  EXPECT_EQ(run(builder.archive).open_holes, 1U);
  builder.repairs({builder.put(kBetween, "8:w", "old-image")});
  report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.open_holes, 0U);
  // No change is missing: none to go through.
  builder = with_gap({"a", "50", "MODIFY", "2:y", "3:z", "10"});
  EXPECT_EQ(run(builder.archive).open_holes, 0U);
}

TEST(RepairChain, ChangesThatComeAfterTheTableWasLookedAt) {
  // What the table was seen to have explains the hole to the next change, also where no gap is entered.
  RepairBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "10", "MODIFY", "1:x", "2:y"}, {"a", "50", "MODIFY", "8:w", "9:z"}});
  builder.end();
  EXPECT_THAT(both_kinds(builder), ElementsAre(FindingKind::kMissingChange));
  const std::string where = R"("after":)" + place(1, 1);
  builder.repairs(
      {lost(where, R"("from":3,"to":7)", 1, instant_at(4000)), builder.put(where, "8:w", "table")});
  auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.open_holes, 0U);
  // What is called lost there, and came after all, is not lost.
  builder = with_gap();
  builder.repairs({lost(where, R"("from":3,"to":9)", 1, instant_at(4000))});
  EXPECT_THAT(both_kinds(builder), ElementsAre(FindingKind::kFalseRepair));
  EXPECT_THAT(all_text(run(builder.archive)), HasSubstr("version 9 is not lost: change 2"));
}

TEST(RepairChain, RemovalsAndTablesWithoutVersions) {
  // Removed and anew meanwhile: versions may begin anywhere.
  auto builder = with_gap({"a", "50", "MODIFY", "1:w", "2:z", "10"});
  EXPECT_EQ(run(builder.archive).open_holes, 1U);
  builder.repairs({lost_between(R"("removed":true)"), builder.put(kBetween, "1:w", "old-image")});
  EXPECT_THAT(both_kinds(builder), IsEmpty());
  EXPECT_EQ(run(builder.archive).open_holes, 0U);
  // Without the removal version 1 can't come after version 2.
  builder = with_gap({"a", "50", "MODIFY", "1:w", "2:z", "10"});
  builder.repairs({builder.put(kBetween, "1:w", "old-image")});
  EXPECT_THAT(both_kinds(builder), ElementsAre(FindingKind::kFalseRepair));
  // Inserted while it exists.
  builder = with_gap({"a", "50", "INSERT", "", "0:z", "10"});
  builder.repairs({lost_between(R"("removed":true)")});
  EXPECT_THAT(both_kinds(builder), IsEmpty());
  // No versions: only images tell.
  RepairBuilder without;
  without.open(1);
  without.page(1, {{"a", "10", "MODIFY", ":x", ":y"}, {"a", "50", "MODIFY", ":w", ":z", "10"}});
  without.end();
  EXPECT_EQ(run(without.archive).open_holes, 0U);
  EXPECT_EQ(run(without.archive, deep).open_holes, 1U);
  without.repairs({lost_between(""), without.put(kBetween, ":w", "old-image")});
  EXPECT_THAT(both_kinds(without), IsEmpty());
  EXPECT_EQ(run(without.archive, deep).open_holes, 0U);
}

TEST(RepairChain, FalseEntriesAreFound) {
  const auto finds = [](const std::vector<std::string>& entries, const std::string& why) {
    auto builder = with_gap();
    builder.repairs(entries);
    const auto report = run(builder.archive, deep);
    EXPECT_THAT(kinds(report), Contains(FindingKind::kFalseRepair)) << why;
    EXPECT_THAT(all_text(report), HasSubstr(why));
    EXPECT_THAT(all_text(report), HasSubstr("chain " + chain(0) + ", sequence 1"));
  };
  finds({lost_between(R"("from":2,"to":7)")}, "version 2 is not after version 2");
  finds({lost_between(R"("from":3,"to":9)")}, "version 9 is not before change 2");
  finds({lost(kBetween, R"("from":3,"to":7)", 2, GuardedBuilder::time_of(2))}, "`since`");
  finds({lost(kBetween, R"("from":3,"to":7)", 1, instant_at(4000))}, "`until`");
  finds({lost(R"("after":)" + place(1, 1) + R"(,"before":)" + place(1, 3), R"("from":3,"to":7)", 1,
              GuardedBuilder::time_of(2))},
        "it does not stand between two changes");
  finds({lost(R"("after":)" + place(2, 1), "", 1, instant_at(4000))},
        "it does not stand between two changes");
  // Of an item that has no changes at all.
  auto other = lost_between("");
  replace(other, R"("S":"a")", R"("S":"b")");
  finds({other}, "it does not stand between two changes");
  // Twice.
  auto builder = repaired();
  builder.repairs({lost_between(R"("from":7,"to":7)")});
  EXPECT_THAT(both_kinds(builder), ElementsAre(FindingKind::kFalseRepair));
  // Where no gap is entered.
  RepairBuilder tight;
  tight.open(1);
  tight.page(1, {{"a", "10", "MODIFY", "1:x", "2:y"}, {"a", "50", "MODIFY", "2:y", "3:z"}});
  tight.end();
  tight.repairs({lost_between("")});
  EXPECT_THAT(all_text(run(tight.archive)), HasSubstr("no gap was entered"));
  EXPECT_THAT(both_kinds(tight), ElementsAre(FindingKind::kFalseRepair));
}

TEST(RepairChain, FalseImagesAreFound) {
  // Another image than the next change's old one.
  auto builder = with_gap();
  builder.repairs({builder.put(kBetween, "8:other", "old-image")});
  EXPECT_THAT(kinds(run(builder.archive)), IsEmpty());
  EXPECT_THAT(kinds(run(builder.archive, deep)), ElementsAre(FindingKind::kFalseRepair));
  // An insertion has none.
  builder = with_gap({"a", "50", "INSERT", "", "0:z", "10"});
  builder.repairs({lost_between(R"("removed":true)"), builder.put(kBetween, "8:w", "old-image")});
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kFalseRepair));
  // The object is gone, another, of another item, of another version, under another name.
  builder = repaired();
  builder.archive.files.erase("users/a-8~repaired");
  EXPECT_THAT(both_kinds(builder), ElementsAre(FindingKind::kMissingObject));
  const auto altered = [](const std::string& from, const std::string& to) {
    auto forged = with_gap();
    auto entry = forged.put(kBetween, "8:w", "old-image");
    auto& body = forged.archive.files["users/a-8~repaired"];
    const auto before = sha256(body).to_hex();
    replace(body, from, to);
    replace(entry, before, sha256(body).to_hex());
    forged.repairs({entry});
    return kinds(run(forged.archive, deep));
  };
  EXPECT_THAT(altered(R"("S":"a")", R"("S":"b")"), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(altered(R"("N":"8")", R"("N":"7")"), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(altered(R"("version":8)", R"("version":7)"),
              ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(altered(R"("name":"users/a-8")", R"("name":"users/a-7")"),
              ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(altered(R"("table":"users")", R"("table":"other")"),
              ElementsAre(FindingKind::kAlteredObject));
  // One that no page lists yet: a run broke off.
  builder = with_gap();
  (void)builder.put(kBetween, "8:w", "old-image");
  EXPECT_THAT(both_kinds(builder), IsEmpty());
  EXPECT_EQ(run(builder.archive).unsealed, 1U);
}

TEST(RepairChain, MalformedEntriesAreDamage) {
  const auto damaged = [](const std::string& from, const std::string& to, bool of_put = false) {
    auto builder = with_gap();
    auto entry = of_put ? builder.put(kBetween, "8:w", "old-image")
                        : lost_between(R"("from":3,"to":7,"removed":true)");
    replace(entry, from, to);
    builder.repairs({entry});
    EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kDamagedPage)) << from;
  };
  damaged(R"("after")", R"("Xfter")");
  damaged(chain(1), chain(0));
  damaged(chain(1), "00000000000000f2-0001");
  damaged(R"("sequence":1)", R"("sequence":0)");
  damaged(R"("before":{)", R"("before":{"x":{},)" + std::string(R"("shard":1,)"));
  damaged(R"("from":3)", R"("from":8)");
  damaged(R"("from":3)", R"("from":-3)");
  damaged(R"("to":7)", R"("To":7)");
  damaged(R"("removed":true)", R"("removed":false)");
  damaged(R"("since")", R"("Since")");
  damaged(R"("lost")", R"("object":"x","lost")");
  damaged(R"("key":{"id":{"S":"a"}})", R"("key":1)");
  damaged(R"("repaired":"old-image")", R"("repaired":"table")", true);
  damaged(R"("version":8)", R"("version":18446744073709551615)", true);
  damaged(R"("object":"users/a-8~repaired")", R"("object":"")", true);
  damaged(R"("sha256":")", R"("sha256":"0)", true);
}

TEST(RepairChain, EveryFlippedByteIsFound) {
  const auto original = repaired();
  const auto file = Builder::volume(chain(0));
  const auto size = original.archive.files.at(file).size();
  // But for the last newline: a chain whose end nothing names may be torn there.
  for (std::size_t i = 0; i + 1 < size; i += kNextByte) {
    auto damaged = original.archive;
    auto& byte = damaged.files[file][i];
    byte = static_cast<char>(byte ^ 1);
    ASSERT_FALSE(run(damaged).sound()) << "byte " << i;
  }
}

TEST(RepairChain, OnlyGuardedTablesHaveOne) {
  // In another table chain 0 is a shard's.
  Builder own;
  own.create_table("00000000000000f2", "t");
  own.page("00000000000000f2-0000", {{"a", 0, "INSERT", "", "x", ""}});
  EXPECT_TRUE(run(own.archive).sound());
  // And a guarded one can't open it as a shard.
  GuardedBuilder builder;
  builder.open(0);
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kDamagedRoot));
}

TEST(RepairChain, PagesMustFollow) {
  auto builder = repaired();
  auto& volume = builder.archive.files[Builder::volume(chain(0))];
  const auto second = volume.find('\n') + 1;
  auto without_first = builder.archive;
  without_first.files[Builder::volume(chain(0))] = volume.substr(second);
  EXPECT_THAT(kinds(run(without_first)), Contains(FindingKind::kBrokenChain));
  auto twice = builder.archive;
  twice.files[Builder::volume(chain(0))] += volume.substr(second);
  EXPECT_THAT(kinds(run(twice)), Contains(FindingKind::kBrokenChain));
  auto torn = builder.archive;
  torn.files[Builder::volume(chain(0))].pop_back();
  EXPECT_THAT(kinds(run(torn)), Each(Not(FindingKind::kDamagedPage)));
  EXPECT_EQ(run(torn).torn_pages, 1U);
}

}  // namespace
}  // namespace pawl::audit::guarded
