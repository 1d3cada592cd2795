// The verifier against archives that this test makes itself, line by line, from the format's page
// alone: sound ones, and forgeries of every part.
#include "audit/verifier.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/archive_builder_test.h"
#include "audit/history.h"

namespace pawl::audit {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::string kTable = "0000000000000001";
const std::string kShard = kTable + "-0000";

// Table "t": item a has versions 0 to 3 (the last a removal) and comes back as 4; item b has 0.
Builder sound_archive(bool is_signed = true) {
  Builder builder(is_signed);
  builder.create_table(kTable, "t");
  builder.page(kShard, {{"a", 0, "INSERT", "", "x0", ""}, {"a", 1, "MODIFY", "x0", "x1", ""}});
  builder.page(kShard, {{"b", 0, "INSERT", "", "y0", ""}, {"a", 2, "MODIFY", "x1", "x2", ""}});
  builder.page(kShard, {{"a", 3, "REMOVE", "x2", "", ""}, {"a", 4, "INSERT", "", "x4", ""}});
  builder.checkpoint();
  builder.tip();
  return builder;
}

TEST(Verifier, SoundArchive) {
  auto builder = sound_archive();
  for (const bool is_deep : {false, true}) {
    const auto report = run(builder.archive, [&](auto& options) { options.deep = is_deep; });
    EXPECT_TRUE(report.sound()) << all_text(report);
    EXPECT_EQ(report.versions, 6U);
    EXPECT_EQ(report.items, 2U);
    EXPECT_EQ(report.tables.at("t").versions, 6U);
    EXPECT_EQ(report.tables.at("t").items, 2U);
    EXPECT_EQ(report.unsealed, 0U);
    EXPECT_TRUE(report.signatures_checked);
    EXPECT_EQ(report.first->to_string(), instant_at(1));
    EXPECT_EQ(report.last->to_string(), instant_at(6));
    EXPECT_TRUE(report.head.has_value());
  }
}

TEST(Verifier, SpillsToDiskWithTheSameVerdict) {
  Builder builder;
  builder.create_table(kTable, "t");
  for (int p = 0; p < 60; ++p) {
    std::vector<TestChange> changes;
    for (int i = 0; i < 500; ++i) {
      changes.push_back(
          {fmt::format("item-{:08}", (p * 500 + i) * 7919 % 30000), 0, "INSERT", "", "x", ""});
    }
    builder.page(kShard, changes);
  }
  builder.archive.files.erase("t/item-00000042-0.json");
  const auto report = run(builder.archive, [](auto& options) { options.memory_max = 1; });
  EXPECT_EQ(report.items, 30000U);
  EXPECT_EQ(report.findings_total, 1U);
  EXPECT_THAT(all_text(report), HasSubstr("item-00000042"));
}

TEST(Verifier, NamesAMissingObjectByTableItemAndVersion) {
  auto builder = sound_archive();
  builder.archive.files.erase("t/a-2.json");
  const auto report = run(builder.archive);
  ASSERT_EQ(report.findings_total, 1U) << all_text(report);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kMissingObject);
  EXPECT_EQ(report.findings[0].table, "t");
  EXPECT_EQ(report.findings[0].item, R"({"id":{"S":"a"}})");
  EXPECT_EQ(report.findings[0].version, 2U);
}

TEST(Verifier, AChangedByteIsFoundByADeepCheckOnly) {
  auto builder = sound_archive();
  replace(builder.archive.files["t/a-1.json"], "x1", "z1");
  EXPECT_TRUE(run(builder.archive).sound());
  const auto report = run(builder.archive, deep);
  EXPECT_THAT(kinds(report), Contains(FindingKind::kAlteredObject));
}

TEST(Verifier, AChangedSizeIsFoundAtOnce) {
  auto builder = sound_archive();
  builder.archive.files["t/a-1.json"].pop_back();
  EXPECT_THAT(kinds(run(builder.archive)), testing::ElementsAre(FindingKind::kAlteredObject));
}

TEST(Verifier, UnsealedObjectsAreNotWrong) {
  auto builder = sound_archive();
  builder.archive.files["t/a-5.json"] = builder.body(kShard, 7, {"a", 5, "MODIFY", "x4", "x5", ""});
  builder.archive.files[".suspect/t/a-5.json"] = "anything";
  builder.archive.files[".pawl/tmp/0001"] = "half";
  const auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.unsealed, 1U);
}

TEST(Verifier, UnlistedObjects) {
  auto builder = sound_archive();
  builder.archive.files["t/stranger.txt"] = "hello";
  builder.archive.files["t/copy.json"] = builder.archive.files["t/a-0.json"];
  EXPECT_THAT(kinds(run(builder.archive)),
              testing::ElementsAre(FindingKind::kUnlistedObject, FindingKind::kUnlistedObject));
}

TEST(Verifier, HashedNames) {
  auto builder = sound_archive();
  const auto hashed = ".pawl/hashed/" + sha256("t/a-1.json").to_hex();
  builder.archive.files[hashed] = builder.archive.files["t/a-1.json"];
  builder.archive.files[hashed + ".name"] = "t/a-1.json";
  builder.archive.files[hashed + ".name.new"] = "t/a-";  // a crash
  builder.archive.files.erase("t/a-1.json");
  EXPECT_TRUE(run(builder.archive, deep).sound());
  builder.archive.files[".pawl/hashed/" + sha256("other").to_hex()] = "x";
  EXPECT_THAT(kinds(run(builder.archive)), testing::ElementsAre(FindingKind::kUnlistedObject));
}

TEST(Verifier, ATornLastLineIsNotWrong) {
  auto builder = sound_archive();
  builder.archive.files[Builder::volume(kShard)] += "1234 - {\"half";
  const auto report = run(builder.archive);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.torn_pages, 1U);
}

TEST(Verifier, HolesInVersionsAndDuplicates) {
  Builder builder;
  builder.create_table(kTable, "t");
  builder.page(kShard, {{"a", 0, "INSERT", "", "x", ""},
                        {"a", 3, "MODIFY", "x", "y", ""},
                        {"a", 3, "MODIFY", "y", "z", "t/twice.json"},
                        {"b", 0, "MODIFY", "", "x", ""},
                        {"c", 1, "INSERT", "", "x", ""}});
  EXPECT_THAT(
      kinds(run(builder.archive)),
      testing::UnorderedElementsAre(FindingKind::kMissingChange, FindingKind::kDuplicateChange,
                                    FindingKind::kOutOfOrder, FindingKind::kMissingChange));
}

TEST(Verifier, OneObjectForTwoChanges) {
  Builder builder;
  builder.create_table(kTable, "t");
  builder.page(kShard,
               {{"a", 0, "INSERT", "", "x", "t/same"}, {"a", 1, "MODIFY", "x", "y", "t/same"}});
  EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kListedTwice));
}

TEST(Verifier, DeepChecksTheImageChain) {
  Builder builder;
  builder.create_table(kTable, "t");
  builder.page(kShard, {{"a", 0, "INSERT", "", "x0", ""}, {"a", 1, "MODIFY", "other", "x1", ""}});
  EXPECT_TRUE(run(builder.archive).sound());
  EXPECT_THAT(kinds(run(builder.archive, deep)), testing::ElementsAre(FindingKind::kMissingChange));
}

TEST(Verifier, APageThatLiesAboutItsBodyIsFound) {
  auto builder = sound_archive();
  // The body of a change of another item, with a page that was made for it.
  const auto body = builder.body(kShard, 7, {"z", 9, "INSERT", "", "q", ""});
  builder.archive.files["t/a-5.json"] = body;
  builder.raw_page(
      kShard, 7, 7,
      fmt::format(
          R"({{"sequence":7,"key":{{"id":{{"S":"a"}}}},"version":5,"kind":"MODIFY","instant":"{}","object":"t/a-5.json","size":{},"sha256":"{}"}})",
          instant_at(7), body.size(), sha256(body).to_hex()));
  EXPECT_TRUE(run(builder.archive).sound());
  EXPECT_THAT(kinds(run(builder.archive, deep)), testing::ElementsAre(FindingKind::kAlteredObject));
}

TEST(Verifier, EveryFlippedByteOfTheLedgerIsFound) {
  const auto original = sound_archive();
  for (const std::string& file :
       {Builder::volume(kShard), std::string(".pawl/ledger/root/00000000.pages"),
        std::string(".pawl/tip")}) {
    const auto size = original.archive.files.at(file).size();
    for (std::size_t i = 0; i < size; i += kNextByte) {
      auto damaged = original.archive;
      auto& byte = damaged.files[file][i];
      byte = static_cast<char>(byte ^ 1);
      const auto report = run(damaged);
      // A flipped last newline only makes the line torn, which the tip or the checkpoint then
      // tells.
      ASSERT_FALSE(report.sound()) << file << " byte " << i;
    }
  }
}

TEST(Verifier, EveryRemovedPageIsFound) {
  const auto original = sound_archive();
  const std::string file = Builder::volume(kShard);
  std::vector<std::string> lines;
  std::string rest = original.archive.files.at(file);
  while (!rest.empty()) {
    lines.push_back(rest.substr(0, rest.find('\n') + 1));
    rest.erase(0, lines.back().size());
  }
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t removed = 0; removed < lines.size(); ++removed) {
    auto damaged = original.archive;
    damaged.files[file].clear();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i != removed) damaged.files[file] += lines[i];
    }
    EXPECT_FALSE(run(damaged).sound()) << removed;
  }
}

TEST(Verifier, ARewrittenTailNeedsTheKey) {
  // Somebody without the key removes version 4, rewrites the last page, the checkpoint and the tip.
  Builder forged;
  forged.create_table(kTable, "t");
  forged.page(kShard, {{"a", 0, "INSERT", "", "x0", ""}});
  const auto honest_root = forged.archive.files[".pawl/ledger/root/00000000.pages"];
  Builder unsigned_forgery(false);
  unsigned_forgery.create_table(kTable, "t");
  unsigned_forgery.page(kShard, {{"a", 0, "INSERT", "", "x0", ""}});
  unsigned_forgery.checkpoint();
  unsigned_forgery.tip();
  // Without a key the forgery is internally sound, and the report says that it assumes honesty…
  const auto naive = run(unsigned_forgery.archive);
  EXPECT_TRUE(naive.sound()) << all_text(naive);
  EXPECT_THAT(assumes(naive), Contains(HasSubstr("not signed")));
  // …with the key pinned it is found.
  const auto pinned =
      run(unsigned_forgery.archive, [](auto& options) { options.public_key = std::string(kKey); });
  EXPECT_THAT(kinds(pinned), Contains(FindingKind::kBadSignature));
}

TEST(Verifier, AHeadKeptElsewhereExcludesTruncation) {
  auto full = sound_archive();
  const auto head = run(full.archive).head;
  ASSERT_TRUE(head.has_value());
  const auto ask = [&](auto& options) { options.head = head; };
  const auto same = run(full.archive, ask);
  EXPECT_TRUE(same.sound());
  EXPECT_TRUE(same.head_found);
  // Later the archive goes on; the head still holds.
  full.page(kShard, {{"a", 5, "MODIFY", "x4", "x5", ""}});
  full.checkpoint();
  full.tip();
  EXPECT_TRUE(run(full.archive, ask).head_found);
  // An older copy, tip and all, does not have it.
  Builder older;
  older.create_table(kTable, "t");
  older.page(kShard, {{"a", 0, "INSERT", "", "x0", ""}, {"a", 1, "MODIFY", "x0", "x1", ""}});
  older.checkpoint();
  older.tip();
  EXPECT_TRUE(run(older.archive).sound());
  EXPECT_THAT(kinds(run(older.archive, ask)), testing::ElementsAre(FindingKind::kNotProven));
}

TEST(Verifier, UntilNeedsAPageOrAHeartbeat) {
  auto builder = sound_archive();
  const auto until = [](std::uint64_t second) {
    return [second](VerifyOptions& options) { options.until = Instant::parse(instant_at(second)); };
  };
  EXPECT_TRUE(run(builder.archive, until(1000)).sound());
  EXPECT_THAT(kinds(run(builder.archive, until(1001))),
              testing::ElementsAre(FindingKind::kNotProven));
  builder.archive.files.erase(".pawl/tip");
  EXPECT_TRUE(run(builder.archive, until(6)).sound());
  EXPECT_FALSE(run(builder.archive, until(7)).sound());
}

TEST(Verifier, AMissingChainIsFound) {
  auto builder = sound_archive();
  builder.archive.files.erase(Builder::volume(kShard));
  const auto report = run(builder.archive);
  EXPECT_THAT(kinds(report), Contains(FindingKind::kCutOff));
}

TEST(Verifier, AnUnannouncedChainIsFound) {
  auto builder = sound_archive();
  builder.page("0000000000000002-0000", {{"q", 0, "INSERT", "", "x", ""}});
  EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kDamagedRoot));
}

TEST(Verifier, DeletedTablesMustBeComplete) {
  for (const std::uint64_t last : {6U, 7U}) {
    auto builder = sound_archive();
    builder.root(fmt::format(
        R"({{"type":"table-deleted","incarnation":"{}","shards":[{{"shard":"{}","last":{},"pages":3,"digest":"{}"}}]}})",
        kTable, kShard, last, builder.chains[kShard].previous.to_hex()));
    EXPECT_EQ(run(builder.archive).sound(), last == 6) << last;
  }
}

TEST(Verifier, AdoptedTablesGoOnFromTheFork) {
  auto builder = sound_archive();
  const std::string child = "0000000000000009";
  // The data directory was restored at sequence 4: item a at version 2, item b at version 0.
  builder.create_table(
      child, "t",
      fmt::format(R"(,"parent":{{"incarnation":"{}","forks":[{{"shard":"{}","sequence":4}}]}})",
                  kTable, kShard));
  builder.page(child + "-0000", {{"a", 3, "MODIFY", "x2", "n3", "t/a-3.json~1"},
                                 {"b", 1, "MODIFY", "y0", "n1", ""},
                                 {"c", 0, "INSERT", "", "n0", ""}});
  const auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.superseded, 2U);
  EXPECT_EQ(report.items, 3U);
  // Going on as if the superseded changes counted is a hole.
  auto wrong = sound_archive();
  wrong.create_table(
      child, "t",
      fmt::format(R"(,"parent":{{"incarnation":"{}","forks":[{{"shard":"{}","sequence":4}}]}})",
                  kTable, kShard));
  wrong.page(child + "-0000", {{"a", 5, "MODIFY", "x4", "n5", ""}});
  EXPECT_THAT(kinds(run(wrong.archive)), testing::ElementsAre(FindingKind::kMissingChange));
}

TEST(Verifier, NoArchiveIsAnErrorAndNotAVerdict) {
  MemoryArchive empty;
  VerifyOptions options;
  options.check_signature = fake_check;
  EXPECT_EQ(verify(empty, options).error().code, ErrorCode::kNotFound);
  auto newer = sound_archive();
  newer.archive.files[".pawl/archive.json"] =
      R"({"format":"pawl-archive/2","archive":"00000000000000aa"})";
  EXPECT_EQ(verify(newer.archive, options).error().code, ErrorCode::kInvalid);
}

TEST(History, ListsTheVersionsOfOneItem) {
  auto builder = sound_archive();
  HistoryOptions options;
  options.key = "a";
  const auto history = item_history(builder.archive, options);
  ASSERT_TRUE(history.ok()) << history.error().to_string();
  ASSERT_EQ(history->size(), 5U);
  EXPECT_EQ((*history)[3].kind, "REMOVE");
  EXPECT_EQ((*history)[4].version, 4U);
  EXPECT_EQ((*history)[4].object, "t/a-4.json");

  options.version = 1;
  const auto one = item_history(builder.archive, options);
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_THAT((*one)[0].body, HasSubstr("x1"));

  options.version.reset();
  options.at = Instant::parse(instant_at(4));  // sequence 4: version 2
  const auto then = item_history(builder.archive, options);
  ASSERT_TRUE(then.ok());
  ASSERT_EQ(then->size(), 1U);
  EXPECT_EQ((*then)[0].version, 2U);

  options.at.reset();
  options.key = R"({"id":{"S":"b"}})";
  EXPECT_EQ(item_history(builder.archive, options)->size(), 1U);
  options.key = "nobody";
  EXPECT_EQ(item_history(builder.archive, options)->size(), 0U);
}

}  // namespace
}  // namespace pawl::audit
