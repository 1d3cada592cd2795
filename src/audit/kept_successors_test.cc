// Whether what stands under a name is what its kept entries lead to: nothing else vouches for it.
#include "audit/kept_successors.h"

#include <gmock/gmock.h>

#include "audit/kept_builder_test.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kName = "theirs/a-1";

TEST(KeptSuccessors, AReplacedObjectWhereNothingStandsIsDamage) {
  KeptBuilder builder;
  builder.rewrite(kName, "longer");
  builder.archive.files.erase(kName);
  for (const bool whole : {false, true}) {
    const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
    ASSERT_THAT(kinds(report), ElementsAre(FindingKind::kMissingObject)) << all_text(report);
    EXPECT_THAT(all_text(report), HasSubstr("object theirs/a-1, chain kept"));
    EXPECT_THAT(all_text(report), HasSubstr("something took its place at " + instant_at(2001) +
                                            ", and nothing is there now"));
    EXPECT_EQ(report.findings[0].sequence, 1);
    EXPECT_EQ(report.rewritten, 1);  // what the version was is kept all the same
  }
}

TEST(KeptSuccessors, WhereALaterEntrySaysDeletedNothingStandsRightly) {
  KeptBuilder builder;
  builder.rewrite(kName, "longer");
  builder.remove(kName);
  for (const bool whole : {false, true}) {
    const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
    EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  }
  // And whatever is put where nothing stands is its writer's affair.
  builder.archive.files[kName] = "anew";
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
  builder.rewrite(kName, "anew, longer");
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
  builder.archive.files.erase(kName);
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(KeptSuccessors, WhatStandsThereMustBeWhatTookThePlace) {
  KeptBuilder builder;
  builder.rewrite(kName, "longer");
  builder.archive.files[kName] = "LONGER";
  EXPECT_THAT(kinds(run(builder.archive)), IsEmpty());  // as long: only --deep reads it
  const auto report = run(builder.archive, deep);
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::kAlteredObject)) << all_text(report);
  EXPECT_THAT(all_text(report), HasSubstr("object theirs/a-1, chain kept"));
  for (const auto* content : {"", "longer than that", "one"}) {
    builder.archive.files[kName] = content;
    EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kAlteredObject)) << content;
  }
}

TEST(KeptSuccessors, AnEmptyObjectIsAnObject) {
  KeptBuilder builder;
  builder.rewrite(kName, "");
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
  builder.rewrite(kName, "longer");
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
}

TEST(KeptSuccessors, ANameThatNoPageListsIsCheckedToo) {
  KeptBuilder builder;
  builder.archive.files["their/own"] = "1";
  builder.rewrite("their/own", "22");
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
  builder.archive.files.erase("their/own");
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(KeptSuccessors, WhatConsolesMakeFoldersOfIsNotLookedFor) {
  KeptBuilder builder;
  builder.keep("their/folder/", "1", {.by = ""});
  builder.kept_page();
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
}

TEST(KeptSuccessors, EachEntryHoldsWhatTookThePlaceOfTheOneBefore) {
  KeptBuilder builder;
  builder.rewrite(kName, "longer");
  builder.keep("theirs/a-2", "second", {.by = "other"});
  builder.archive.files["theirs/a-2"] = "other";
  builder.keep(kName, "LONGER", {.by = "last"});
  builder.kept_page();
  builder.archive.files[kName] = "last";
  const auto report = run(builder.archive);
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::kAlteredObject)) << all_text(report);
  EXPECT_THAT(all_text(report), HasSubstr("object .pawl/kept/0000000000000003, chain kept"));
  EXPECT_THAT(all_text(report), HasSubstr("entry 1 says that something else"));
}

// What displaced it was displaced itself before the entry was made: then another entry has to come.
TEST(KeptSuccessors, AnEntryThatDoesNotSayByWhatIsFollowedByOneOfItsName) {
  KeptBuilder builder;
  builder.keep(kName, "one", {});
  builder.keep(kName, "between", {.by = "longer"});
  builder.kept_page();
  builder.archive.files[kName] = "longer";
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());

  KeptBuilder cut;
  cut.keep(kName, "one", {});
  cut.kept_page();
  cut.archive.files[kName] = "longer";
  EXPECT_THAT(kinds(run(cut.archive)), ElementsAre(FindingKind::kMissingObject));
  EXPECT_THAT(all_text(run(cut.archive)), HasSubstr("is kept nowhere"));
  cut.archive.files[KeptBuilder::path(2)] = "between";  // not entered yet
  EXPECT_THAT(kinds(run(cut.archive, deep)), IsEmpty());
}

TEST(KeptSuccessors, WhatWasDisplacedAndNotEnteredYetIsKnownByItsBytes) {
  KeptBuilder builder;
  builder.rewrite(kName, "longer");
  builder.archive.files[KeptBuilder::path(2)] = "longer";
  for (const bool there : {true, false}) {
    if (there) builder.archive.files[kName] = "the longest";
    if (!there) builder.archive.files.erase(kName);
    const auto report = run(builder.archive, deep);
    EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
    EXPECT_EQ(report.kept_unsealed, 1);
    builder.archive.files[KeptBuilder::path(2)] = "LONGER";
    EXPECT_EQ(kinds(run(builder.archive, deep)).size(), 1U) << there;
    builder.archive.files[KeptBuilder::path(2)] = "longer";
  }
}

// A server at work: when what stands there is looked at, it has just been written once more.
class AtWork final : public ArchiveView {
 public:
  explicit AtWork(KeptBuilder& builder) : builder_(builder) {}
  std::string describe() const override { return "at work"; }
  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    if (prefix.empty() && ++times_ == 2) builder_.rewrite(kName, "written meanwhile");
    return builder_.archive.list(prefix, visit);
  }
  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    return builder_.archive.read(name, offset, size_max);
  }

 private:
  KeptBuilder& builder_;
  int times_ = 0;
};

TEST(KeptSuccessors, AServerThatGoesOnMeanwhileIsNoDamage) {
  for (const bool whole : {false, true}) {
    KeptBuilder builder;
    builder.rewrite(kName, "longer");
    AtWork archive(builder);
    VerifyOptions options;
    options.check_signature = fake_check;
    options.deep = whole;
    const auto report = verify(archive, options);
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(kinds(*report), IsEmpty()) << all_text(*report);
    EXPECT_EQ(report->kept_unsealed, 1);
  }
}

}  // namespace
}  // namespace pawl::audit::guarded
