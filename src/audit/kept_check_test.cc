// What `pawl verify` makes of a bucket that keeps what was replaced or deleted in it: what is explained, and what is damage.
#include <gmock/gmock.h>

#include "audit/history.h"
#include "audit/kept_builder_test.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(KeptCheck, WhatWasRewrittenIsKeptAndNoDamage) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "longer");
  for (const bool whole : {false, true}) {
    const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
    EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
    EXPECT_EQ(report.kept, 1);
    EXPECT_EQ(report.kept_bytes, 3);
    EXPECT_EQ(report.rewritten, 1);
    EXPECT_EQ(report.deleted, 0);
    EXPECT_EQ(report.kept_unsealed, 0);
    ASSERT_EQ(report.kept_versions.size(), 1);
    EXPECT_EQ(
        to_text(report.kept_versions[0]),
        R"(table users, item {"id":{"S":"a"}}, version 1: theirs/a-1 was rewritten, and what )"
        "it held is kept as .pawl/kept/0000000000000001 since " +
            instant_at(2001));
    EXPECT_THAT(proves(report), Contains(HasSubstr("or what that held is kept")));
    EXPECT_THAT(to_json(report), HasSubstr(R"("rewritten":1,"deleted":0)"));
  }
}

TEST(KeptCheck, WithoutAnEntryItIsDamage) {
  KeptBuilder builder;
  builder.archive.files["theirs/a-1"] = "longer";
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kAlteredObject));
  builder.archive.files.erase("theirs/a-1");
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(KeptCheck, OtherBytesOfTheSameSizeShowWithDeep) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "two");
  EXPECT_EQ(run(builder.archive).rewritten, 0);
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  EXPECT_EQ(report.rewritten, 1);
}

TEST(KeptCheck, WhatWasDeletedIsKept) {
  KeptBuilder builder;
  builder.remove("theirs/a-1");
  for (const bool whole : {false, true}) {
    const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
    EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
    EXPECT_EQ(report.rewritten, 0);
    EXPECT_EQ(report.deleted, 1);
    EXPECT_THAT(to_text(report.kept_versions.at(0)), HasSubstr("was deleted"));
  }
}

TEST(KeptCheck, OnlyTheSameContentOfTheSameNameExplains) {
  for (const auto& [object, content] : std::vector<std::pair<std::string, std::string>>{
           {"theirs/a-1", "two"}, {"theirs/a-1", "another"}, {"theirs/a-11", "one"}}) {
    KeptBuilder builder;
    builder.keep(object, content, {.by = "longer"});
    builder.kept_page();
    builder.archive.files["theirs/a-1"] = "longer";
    builder.archive.files[object] = "longer";
    const auto report = run(builder.archive, deep);
    EXPECT_THAT(kinds(report), ElementsAre(FindingKind::kAlteredObject)) << object << content;
    EXPECT_EQ(report.rewritten, 0);
  }
}

TEST(KeptCheck, EachContentOfANameIsFound) {
  KeptBuilder builder;
  for (int i = 0; i < 20; ++i) builder.rewrite("theirs/a-1", "content " + std::to_string(i));
  for (int i = 0; i < 20; ++i) builder.rewrite("theirs/a-2", "content " + std::to_string(i));
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  EXPECT_EQ(report.kept, 40);
  EXPECT_EQ(report.rewritten, 2);
}

TEST(KeptCheck, OfSeveralThatHeldTheSameTheLastTells) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "longer");
  builder.rewrite("theirs/a-1", "one");
  builder.keep("theirs/a-1", "one", {.deleted = true, .second = 1500});  // a clock that went back
  builder.kept_page();
  builder.archive.files.erase("theirs/a-1");
  auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  ASSERT_EQ(report.kept_versions.size(), 1);
  EXPECT_EQ(report.kept_versions[0].kept, KeptBuilder::path(3));
  EXPECT_EQ(report.kept_versions[0].at->to_string(), instant_at(1500));
  EXPECT_EQ(report.deleted, 1);
  EXPECT_EQ(report.rewritten, 0);
  // What is not there explains nothing: then the one before does.
  builder.archive.files.erase(KeptBuilder::path(3));
  report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), ElementsAre(FindingKind::kMissingObject));
  EXPECT_EQ(report.kept_versions.at(0).kept, KeptBuilder::path(1));
}

TEST(KeptCheck, AKeptObjectThatIsMissingIsDamage) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "longer");
  builder.archive.files.erase(KeptBuilder::path(1));
  const auto report = run(builder.archive);
  EXPECT_THAT(kinds(report),
              UnorderedElementsAre(FindingKind::kMissingObject, FindingKind::kAlteredObject));
  EXPECT_THAT(all_text(report), HasSubstr("object .pawl/kept/0000000000000001, chain kept"));
  EXPECT_THAT(all_text(report), HasSubstr("theirs/a-1"));
}

TEST(KeptCheck, AKeptObjectThatWasAlteredIsDamage) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "longer");
  builder.archive.files[KeptBuilder::path(1)] = "onE";
  EXPECT_THAT(kinds(run(builder.archive)), IsEmpty());  // as long as it was: only --deep reads it
  EXPECT_THAT(kinds(run(builder.archive, deep)),
              ElementsAre(FindingKind::kAlteredObject, FindingKind::kAlteredObject));
  builder.archive.files[KeptBuilder::path(1)] = "o";
  EXPECT_THAT(kinds(run(builder.archive)),
              ElementsAre(FindingKind::kAlteredObject, FindingKind::kAlteredObject));
}

TEST(KeptCheck, AKeptObjectIsCheckedThoughNothingNeedsIt) {
  KeptBuilder builder;
  builder.keep("their/own", "extra", {.deleted = true});
  builder.kept_page();
  EXPECT_THAT(kinds(run(builder.archive)), IsEmpty());
  builder.archive.files.erase(KeptBuilder::path(1));
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(KeptCheck, AnyByteOfAKeptPageThatIsAlteredIsSeen) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "longer");
  const std::string volume = ".pawl/ledger/kept/00000000.pages";
  const auto whole = builder.archive.files[volume];
  for (std::size_t i = 0; i + 1 < whole.size(); i += kNextByte) {
    auto archive = builder.archive;
    archive.files[volume][i] = static_cast<char>(whole[i] ^ 1);
    const auto report = run(archive);
    EXPECT_FALSE(report.sound()) << i;
    EXPECT_THAT(all_text(report), HasSubstr("chain kept")) << i;
  }
}

TEST(KeptCheck, PagesThatAreRemovedOrRepeatedAreSeen) {
  KeptBuilder builder;
  for (const auto* content : {"longer", "longer still", "the longest"})
    builder.rewrite("theirs/a-1", content);
  const auto volume = [](int i) { return fmt::format(".pawl/ledger/kept/{:08}.pages", i); };
  auto removed = builder.archive;
  removed.files.erase(volume(1));
  EXPECT_THAT(kinds(run(removed)), Contains(FindingKind::kBrokenChain));
  auto repeated = builder.archive;
  repeated.files[volume(2)] = repeated.files[volume(1)];
  EXPECT_THAT(kinds(run(repeated)), Contains(FindingKind::kBrokenChain));
  // Nothing names the chain's end, but what it explained is still explained: its objects are there.
  auto cut = builder.archive;
  cut.files.erase(volume(2));
  const auto report = run(cut);
  EXPECT_THAT(kinds(report), IsEmpty());
  EXPECT_EQ(report.kept_unsealed, 1);
}

TEST(KeptCheck, EntriesThatAreMalformedAreDamage) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("size":3)", R"("size":-3)"},
           {R"("kept":".pawl/kept/)", R"("kept":"pawl/kept/)"},
           {R"("replaced":)", R"("moved":)"},
           {R"("replaced":)", R"("deleted":)"},  // and by something
           {R"("by":{"size":6)", R"("by":{"size":-6)"},
           {R"("by":{"size":6,"sha256":")", R"("by":{"size":6,"sha256":"x)"},
           {R"("by":{"size":6,)", R"("by":{)"},
           {R"("sequence":1)", R"("sequence":2)"},
           {R"("object":"theirs)", R"("object":"\u0000theirs)"},
           {R"(pawl-kept/1)", R"(pawl-kept/9)"},
           {R"("chain":"kept")", R"("chain":"root")"},
           {R"("archive":"00)", R"("archive":"ff)"},
           {R"("last":1)", R"("last":2)"}}) {
    KeptBuilder builder;
    builder.rewrite("theirs/a-1", "longer");
    auto& volume = builder.archive.files[".pawl/ledger/kept/00000000.pages"];
    auto json = volume.substr(volume.find('{'));
    json.pop_back();
    replace(json, from, to);
    volume = builder.line(json, true);
    EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kDamagedPage)) << to;
  }
}

TEST(KeptCheck, TwoEntriesMayNotClaimOneKeptObject) {
  KeptBuilder builder;
  builder.keep("theirs/a-1", "one", {.deleted = true});
  builder.keep("theirs/a-2", "one", {.deleted = true, .as = 1});
  builder.kept_page();
  EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kDamagedPage));
}

TEST(KeptCheck, ATornPageBeforeAnotherVolumeIsDamage) {
  KeptBuilder builder;
  for (const auto* content : {"longer", "longer still", "the longest"})
    builder.rewrite("theirs/a-1", content);
  for (const int torn : {0, 1}) {
    const auto volume = fmt::format(".pawl/ledger/kept/{:08}.pages", torn);
    auto cut = builder.archive;
    cut.files[volume].resize(cut.files[volume].size() - 2);
    EXPECT_THAT(kinds(run(cut)), Contains(FindingKind::kDamagedPage)) << torn;
    auto altered = builder.archive;
    altered.files[volume].back() = '\v';
    EXPECT_THAT(kinds(run(altered)), Contains(FindingKind::kDamagedPage)) << torn;
  }
}

// Only what goes on where the chain ends can be what nobody has entered yet.
TEST(KeptCheck, WhatOthersPutBelowTheFolderExplainsNothing) {
  for (const auto* name :
       {"foo", "0000000000000002", "0000000000000000", "1", "a/0000000000000001"}) {
    KeptBuilder builder;
    builder.archive.files["theirs/a-1"] = "longer";
    builder.archive.files[fmt::format(".pawl/kept/{}", name)] = "one";
    const auto report = run(builder.archive);
    EXPECT_FALSE(report.sound()) << name;
    EXPECT_EQ(report.kept_unsealed, 0) << name;
  }
}

TEST(KeptCheck, WhatIsNotEnteredYetExplainsOneNameOnly) {
  KeptBuilder builder;
  builder.archive.files["theirs/a-1"] = "longer";
  builder.keep("theirs/a-3", "one", {.deleted = true});  // enters nothing of the other two
  builder.kept_page();
  builder.archive.files[KeptBuilder::path(2)] = "one";
  EXPECT_TRUE(run(builder.archive).sound());
  EXPECT_EQ(run(builder.archive).rewritten, 1);
}

TEST(KeptCheck, WhatIsKeptAndNotEnteredYetIsNotWrong) {
  KeptBuilder builder;
  builder.archive.files["theirs/a-1"] = "longer";
  builder.archive.files["theirs/a-2"] = "longer, too";
  builder.archive.files[KeptBuilder::path(1)] = "one";
  builder.archive.files[KeptBuilder::path(2)] = "second";
  for (const bool whole : {false, true}) {
    const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
    EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
    EXPECT_EQ(report.kept, 0);
    EXPECT_EQ(report.kept_unsealed, 2);
    EXPECT_EQ(report.rewritten, 2);
    EXPECT_FALSE(report.kept_versions.at(0).at.has_value());
  }
  builder.archive.files[KeptBuilder::path(1)] = "onE";
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kAlteredObject));
}

TEST(KeptCheck, PawlsOwnObjectsAreReadWhereTheyAreKept) {
  KeptBuilder builder;
  const std::string name = "users/1-3~repaired";
  builder.rewrite(name, "somebody's idea");
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  EXPECT_EQ(report.rewritten, 1);
  EXPECT_EQ(report.items, 1);
  // Its page vouches for its bytes, the kept chain for others: then they are not what the shard's page says.
  KeptBuilder other;
  auto body = other.archive.files[name];
  body.replace(body.find("\"z\""), 3, "\"q\"");
  other.keep(name, body, {.by = "somebody's idea"});
  other.kept_page();
  other.archive.files[name] = "somebody's idea";
  EXPECT_THAT(kinds(run(other.archive, deep)), ElementsAre(FindingKind::kAlteredObject));
}

TEST(KeptCheck, WhatNeverCameIsNotExplained) {
  GuardedBuilder builder(true);
  builder.open(1);
  builder.page(1, {{.item = "a",
                    .source = "9",
                    .kind = "INSERT",
                    .new_value = "1:x",
                    .theirs = "one",
                    .mark = R"(,"missing":true)"}});
  builder.end();
  builder.archive.files[KeptBuilder::path(1)] = "one";
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(KeptCheck, HistoryShowsWhatWasThere) {
  KeptBuilder builder;
  builder.rewrite("theirs/a-1", "two");
  builder.remove("theirs/a-2");
  HistoryOptions options;
  options.key = "a";
  for (const auto& [version, body] :
       std::vector<std::pair<std::uint64_t, std::string>>{{1, "one"}, {2, "second"}}) {
    options.version = version;
    const auto found = item_history(builder.archive, options);
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    ASSERT_EQ(found->size(), 1);
    EXPECT_EQ((*found)[0].body, body);
    EXPECT_EQ((*found)[0].kept, KeptBuilder::path(version));
    EXPECT_EQ((*found)[0].object, fmt::format("theirs/a-{}", version));
  }
}

}  // namespace
}  // namespace pawl::audit::guarded
