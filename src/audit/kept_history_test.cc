// What `pawl history` shows of a version, and what it only tells: a content that is not what its page says is no content.
#include <gmock/gmock.h>

#include <utility>

#include "audit/body_facts.h"
#include "audit/history.h"
#include "audit/kept_builder_test.h"

namespace pawl::audit::guarded {
namespace {

class KeptHistory : public ::testing::Test {
 protected:
  HistoryEntry version(std::uint64_t number) {
    HistoryOptions options;
    options.key = "a";
    options.version = number;
    const auto found = item_history(builder.archive, options);
    EXPECT_TRUE(found.ok() && found->size() == 1);
    return found.ok() && found->size() == 1 ? (*found)[0] : HistoryEntry{};
  }
  using Content = HistoryEntry::Content;
  KeptBuilder builder;
};

TEST_F(KeptHistory, WhatIsKeptAndAlteredIsToldAndNotShown) {
  builder.rewrite("theirs/a-1", "longer");
  EXPECT_EQ(version(1).content, Content::kWhole);
  builder.archive.files[KeptBuilder::path(1)] = "onE";
  auto found = version(1);
  EXPECT_EQ(found.content, Content::kAltered);
  EXPECT_EQ(found.body, "");
  EXPECT_EQ(found.kept, KeptBuilder::path(1));
  builder.archive.files.erase(KeptBuilder::path(1));
  EXPECT_EQ(version(1).content, Content::kAltered);  // by what is there now
  builder.archive.files.erase("theirs/a-1");
  EXPECT_EQ(version(1).content, Content::kMissing);
}

TEST_F(KeptHistory, OfTwoThatHeldTheSameTheOneThatHoldsItStillIsTaken) {
  builder.rewrite("theirs/a-1", "longer");
  builder.rewrite("theirs/a-1", "one");
  builder.rewrite("theirs/a-1", "longer still");
  EXPECT_EQ(version(1).kept, KeptBuilder::path(3));
  builder.archive.files[KeptBuilder::path(3)] = "onE";
  EXPECT_EQ(version(1).kept, KeptBuilder::path(1));
  EXPECT_EQ(version(1).body, "one");
  EXPECT_EQ(version(1).content, Content::kWhole);
}

TEST_F(KeptHistory, WhatIsThereAndIsNotWhatItsPageSaysIsToldToo) {
  EXPECT_EQ(version(2).content, Content::kWhole);
  builder.archive.files["theirs/a-2"] = "secomd";
  EXPECT_EQ(version(2).content, Content::kAltered);
  EXPECT_EQ(version(2).body, "");
  auto& ours = builder.archive.files["users/1-3~repaired"];
  EXPECT_EQ(version(3).content, Content::kWhole);
  EXPECT_NE(version(3).image, "");
  ours.push_back(' ');
  EXPECT_EQ(version(3).content, Content::kAltered);
  EXPECT_EQ(version(3).image, "");
}

// The chain is about a second behind, or stopped: there is no page yet that says what is kept.
TEST_F(KeptHistory, WhatIsKeptAndNotEnteredYetIsShown) {
  builder.archive.files["theirs/a-1"] = "longer";
  builder.archive.files[KeptBuilder::path(1)] = "one";
  builder.archive.files[KeptBuilder::path(2)] = "second";
  builder.archive.files.erase("theirs/a-2");
  for (const auto& [number, body] :
       std::vector<std::pair<std::uint64_t, std::string>>{{1, "one"}, {2, "second"}}) {
    const auto found = version(number);
    EXPECT_EQ(found.content, Content::kWhole) << number;
    EXPECT_EQ(found.body, body);
    EXPECT_EQ(found.kept, KeptBuilder::path(number));
  }
  builder.archive.files[KeptBuilder::path(1)] = "onE";
  builder.archive.files[KeptBuilder::path(2)] = "seconds";
  EXPECT_EQ(version(1).content, Content::kAltered);
  EXPECT_EQ(version(1).kept, "");
  EXPECT_EQ(version(2).content, Content::kMissing);
}

TEST_F(KeptHistory, WhatIsPawlsOwnIsReadWhereItIsKeptAndNotEnteredYet) {
  auto& ours = builder.archive.files["users/1-3~repaired"];
  const auto image = version(3).image;
  builder.archive.files[KeptBuilder::path(1)] = std::exchange(ours, "somebody's idea");
  EXPECT_EQ(version(3).content, Content::kWhole);
  EXPECT_EQ(version(3).image, image);
  EXPECT_NE(image, "");
}

TEST_F(KeptHistory, OnlyWhatGoesOnWhereTheChainEndsIsLookedAt) {
  builder.rewrite("theirs/a-2", "longer");
  builder.archive.files["theirs/a-1"] = "longer, too";
  builder.archive.files[KeptBuilder::path(3)] = "one";  // behind a hole
  builder.archive.files[".pawl/kept/2"] = "one";
  builder.archive.files[".pawl/kept/a/0000000000000002"] = "one";
  EXPECT_EQ(version(1).content, Content::kAltered);
  builder.archive.files[KeptBuilder::path(2)] = "its end";
  EXPECT_EQ(version(1).content, Content::kWhole);
  EXPECT_EQ(version(1).kept, KeptBuilder::path(3));
  EXPECT_EQ(version(2).kept, KeptBuilder::path(1));
}

// What its entry names is gone or altered, but the name held the same again.
TEST_F(KeptHistory, WhatIsNotEnteredYetStandsInForWhatIsEntered) {
  builder.rewrite("theirs/a-1", "longer");
  builder.archive.files[KeptBuilder::path(1)] = "onE";
  builder.archive.files[KeptBuilder::path(2)] = "longer";
  builder.archive.files[KeptBuilder::path(3)] = "one";
  EXPECT_EQ(version(1).content, Content::kWhole);
  EXPECT_EQ(version(1).kept, KeptBuilder::path(3));
}

TEST_F(KeptHistory, BeyondItsLimitItSaysNeitherDamagedNorWhole) {
  builder.archive.files["theirs/a-1"] = "longer";
  for (std::uint64_t i = 1; i < kKeptLooksMax; ++i)
    builder.archive.files[KeptBuilder::path(i)] = "two";
  builder.archive.files[KeptBuilder::path(kKeptLooksMax)] = "one";
  EXPECT_EQ(version(1).content, Content::kWhole);
  EXPECT_EQ(version(1).kept, KeptBuilder::path(kKeptLooksMax));
  builder.archive.files[KeptBuilder::path(kKeptLooksMax)] = "two";
  EXPECT_EQ(version(1).content, Content::kAltered);  // all were looked at
  builder.archive.files[KeptBuilder::path(kKeptLooksMax + 1)] = "one";
  EXPECT_EQ(version(1).content, Content::kUnsettled);
  EXPECT_EQ(version(1).body, "");
  builder.archive.files[KeptBuilder::path(1)] = "of another size: that needs no look";
  EXPECT_EQ(version(1).content, Content::kWhole);
}

// An archive of one version, with this content.
void fill(KeptBuilder& builder, const std::string& content) {
  GuardedBuilder other(true);
  other.open(1);
  other.page(
      1, {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = content}});
  other.end();
  builder.archive = other.archive;
}

// As large as what is shown of it, which is then still what its page says.
TEST_F(KeptHistory, WhatHasGrownBehindWhatIsShownIsAltered) {
  for (const std::size_t more : {0U, 1U}) {
    const std::string content(kBodySizeMax + more, 'x');
    fill(builder, content);
    EXPECT_EQ(version(1).content, Content::kWhole) << more;
    EXPECT_EQ(version(1).body.size(), kBodySizeMax);
    builder.archive.files["theirs/a-1"].push_back('x');
    EXPECT_EQ(version(1).content, Content::kAltered) << more;
    EXPECT_EQ(version(1).body, "");
    builder.archive.files[KeptBuilder::path(1)] = content;
    EXPECT_EQ(version(1).content, Content::kWhole) << more;
    EXPECT_EQ(version(1).kept, KeptBuilder::path(1));
  }
}

// Larger than what is shown of it.
TEST_F(KeptHistory, AllOfALargeObjectIsCompared) {
  fill(builder, std::string(std::size_t{17} << 20, 'x'));
  EXPECT_EQ(version(1).content, Content::kWhole);
  builder.archive.files["theirs/a-1"].back() = 'y';
  EXPECT_EQ(version(1).content, Content::kAltered);
  builder.archive.files["theirs/a-1"].back() = 'x';
  builder.archive.files["theirs/a-1"].push_back('x');
  EXPECT_EQ(version(1).content, Content::kAltered);
}

}  // namespace
}  // namespace pawl::audit::guarded
