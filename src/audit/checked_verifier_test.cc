// What `pawl verify` and `pawl history` make of a table whose objects somebody else writes and Pawl checks: presence, size and
// digest of their objects, no look into them, and Pawl's own in the place of those that did not come.
#include <gmock/gmock.h>

#include "audit/guarded_builder_test.h"
#include "audit/history.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kRepaired = R"(,"repaired":"guard check")";
const std::string kMissing = R"(,"missing":true)";

// Of item a: versions 1 and 2 somebody else's, 3 put in by Pawl, and its removal, too.
GuardedBuilder checked_archive() {
  GuardedBuilder builder(true);
  builder.open(1);
  builder.page(
      1, {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = "one"},
          {.item = "a",
           .source = "10",
           .kind = "MODIFY",
           .old_value = "1:x",
           .new_value = "2:y",
           .theirs = "no JSON {"},
          {.item = "a",
           .source = "11",
           .kind = "MODIFY",
           .old_value = "2:y",
           .new_value = "3:z",
           .mark = kRepaired},
          {.item = "a", .source = "12", .kind = "REMOVE", .old_value = "3:z", .mark = kRepaired}});
  return builder;
}

TEST(CheckedTable, IsSoundWhateverTheirObjectsSay) {
  auto builder = checked_archive();
  builder.end();
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  EXPECT_EQ(report.versions, 4);
  EXPECT_EQ(report.foreign, 2);
  EXPECT_EQ(report.repaired, 2);
  EXPECT_EQ(report.others, 0);
  EXPECT_THAT(proves(report), ::testing::Contains(HasSubstr("what somebody else wrote")));
}

TEST(CheckedTable, TheirObjectsMustBeThereAsTheyWereEntered) {
  auto builder = checked_archive();
  builder.end();
  auto gone = builder.archive;
  gone.files.erase("theirs/a-1");
  EXPECT_THAT(kinds(run(gone)), ElementsAre(FindingKind::kMissingObject));
  auto longer = builder.archive;
  longer.files["theirs/a-1"] = "longer";
  EXPECT_THAT(kinds(run(longer)), ElementsAre(FindingKind::kAlteredObject));
  auto other = builder.archive;
  other.files["theirs/a-1"] = "two";
  EXPECT_THAT(kinds(run(other)), IsEmpty());  // as long as it was: only --deep reads it
  const auto report = run(other, deep);
  EXPECT_THAT(kinds(report), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(all_text(report), HasSubstr("written again"));
}

TEST(CheckedTable, LargeObjectsAreHashedToTheirEnd) {
  std::string large(9'000'000, 'x');
  GuardedBuilder builder(true);
  builder.open(1);
  builder.page(
      1, {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = large}});
  builder.end();
  EXPECT_THAT(kinds(run(builder.archive, deep)), IsEmpty());
  builder.archive.files["theirs/a-1"].back() = 'y';
  EXPECT_THAT(kinds(run(builder.archive, deep)), ElementsAre(FindingKind::kAlteredObject));
}

TEST(CheckedTable, PawlsObjectsAreReadAsEver) {
  auto builder = checked_archive();
  builder.end();
  auto& body = builder.archive.files["users/1-3~repaired"];
  body.replace(body.find("\"z\""), 3, "\"q\"");
  EXPECT_THAT(kinds(run(builder.archive, deep)), ElementsAre(FindingKind::kAlteredObject));
}

TEST(CheckedTable, AnObjectThatDidNotComeIsNamed) {
  const auto build = [](bool later) {
    GuardedBuilder builder(true);
    builder.open(1);
    builder.page(1,
                 {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x", .theirs = "1"},
                  {.item = "a",
                   .source = "10",
                   .kind = "MODIFY",
                   .old_value = "1:x",
                   .new_value = "2:y",
                   .theirs = "2",
                   .mark = kMissing}});
    if (!later) builder.archive.files.erase("theirs/a-2");
    builder.end();
    return builder;
  };
  for (const bool later : {false, true}) {
    auto builder = build(later);
    for (const bool whole : {false, true}) {
      const auto report = whole ? run(builder.archive, deep) : run(builder.archive);
      EXPECT_THAT(kinds(report), ElementsAre(FindingKind::kMissingObject)) << later << whole;
      EXPECT_THAT(all_text(report), HasSubstr(later ? "came later" : "is not there now"));
    }
  }
}

TEST(CheckedTable, OneNameForTwoChangesHoldsTheLaterOne) {
  GuardedBuilder builder(true);
  builder.open(1);
  builder.page(
      1, {{.item = "a", .source = "9", .kind = "INSERT", .new_value = "0:x", .theirs = "old"},
          {.item = "a", .source = "10", .kind = "REMOVE", .old_value = "0:x", .mark = kRepaired}});
  builder.page(
      1, {{.item = "a", .source = "11", .kind = "INSERT", .new_value = "0:y", .theirs = "new"}});
  builder.end();
  EXPECT_THAT(kinds(run(builder.archive)), IsEmpty());
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_EQ(report.findings[0].sequence, 1);
}

TEST(CheckedTable, ObjectsThatNoPageListsAreTheirs) {
  auto builder = checked_archive();
  builder.archive.files["before/it-all"] = "began";
  builder.archive.files["else~repaired"] = "their own idea of a name";
  // What a worker put as it was fenced: a listed change once more, and one that is not listed yet.
  const Guarded listed{.item = "a", .source = "9", .kind = "INSERT", .new_value = "1:x"};
  builder.archive.files["theirs/a-1~repaired"] = GuardedBuilder::body(chain(1), 1, listed);
  builder.archive.files["theirs/b-1~repaired"] = GuardedBuilder::body(chain(1), 5, listed);
  builder.end();
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), IsEmpty()) << all_text(report);
  EXPECT_EQ(report.others, 3);
  EXPECT_EQ(report.unsealed, 1);
}

TEST(CheckedTable, OnlyItsPagesMayListWhatIsNotPawls) {
  for (const auto& [is_checked, mark] : std::vector<std::pair<bool, std::string>>{
           {false, R"(,"foreign":true)"},
           {false, kMissing},
           {true, R"(,"foreign":false)"},
           {true, R"(,"foreign":true,"repaired":"guard check")"},
           {true, R"(,"foreign":true,"missing":true)"},
           {true, R"(,"redelivered":true)"},
           {true, R"(,"foreign":true,"redelivered":false)"}}) {
    GuardedBuilder builder(is_checked);
    builder.open(1);
    builder.page(1, {{.item = "a",
                      .source = "9",
                      .kind = "INSERT",
                      .new_value = "1:x",
                      .theirs = "theirs",
                      .mark = mark}});
    builder.end();
    EXPECT_THAT(kinds(run(builder.archive)), ::testing::Contains(FindingKind::kDamagedPage))
        << mark;
  }
}

TEST(CheckedTable, HistoryShowsTheirContentAsItIs) {
  auto builder = checked_archive();
  builder.end();
  HistoryOptions options;
  options.key = "a";
  options.version = 2;
  auto found = item_history(builder.archive, options);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1);
  EXPECT_TRUE((*found)[0].foreign);
  EXPECT_EQ((*found)[0].body, "no JSON {");
  EXPECT_EQ((*found)[0].image, "");
  options.version = 3;
  found = item_history(builder.archive, options);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2);  // and the removal
  EXPECT_FALSE((*found)[0].foreign);
  EXPECT_THAT((*found)[0].image, HasSubstr("\"z\""));
}

}  // namespace
}  // namespace pawl::audit::guarded
