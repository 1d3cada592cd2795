// What `pawl history` shows of a version, and what it only tells: a content that is not what its page says is no content.
#include <gmock/gmock.h>

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

// Larger than what is shown of it.
TEST_F(KeptHistory, AllOfALargeObjectIsCompared) {
  const std::string large(std::size_t{17} << 20, 'x');
  GuardedBuilder other(true);
  other.open(1);
  other.page(1,
             {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = large}});
  other.end();
  builder.archive = other.archive;
  EXPECT_EQ(version(1).content, Content::kWhole);
  builder.archive.files["theirs/a-1"].back() = 'y';
  EXPECT_EQ(version(1).content, Content::kAltered);
  builder.archive.files["theirs/a-1"].back() = 'x';
  builder.archive.files["theirs/a-1"].push_back('x');
  EXPECT_EQ(version(1).content, Content::kAltered);
}

}  // namespace
}  // namespace pawl::audit::guarded
