// The verifier on ledgers of guarded tables: sound ones, and forgeries of every part.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/guarded_builder_test.h"

namespace pawl::audit::guarded {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(GuardedVerifier, SoundArchive) {
  auto builder = sound_archive();
  for (const bool is_deep : {false, true}) {
    const auto report = run(builder.archive, [&](auto& options) { options.deep = is_deep; });
    EXPECT_TRUE(report.sound()) << all_text(report);
    EXPECT_EQ(report.versions, 7U);
    EXPECT_EQ(report.items, 2U);
    EXPECT_EQ(report.tables.at("users").items, 2U);
    EXPECT_EQ(report.guarded_tables, 1U);
    EXPECT_EQ(report.gaps, 0U);
    EXPECT_EQ(report.untied, is_deep ? 0U : 1U);  // b has no versions
    EXPECT_THAT(proves(report), Contains(HasSubstr("guarded: ")));
    EXPECT_THAT(assumes(report), Contains(HasSubstr("what was before the first read")));
  }
}

TEST(GuardedVerifier, EveryFlippedByteOfTheLedgerIsFound) {
  const auto original = sound_archive();
  for (const std::string& file :
       {Builder::volume(chain(1)), Builder::volume(chain(3)),
        std::string(".pawl/ledger/root/00000000.pages"), std::string(".pawl/tip")}) {
    const auto size = original.archive.files.at(file).size();
    for (std::size_t i = 0; i < size; i += kNextByte) {
      auto damaged = original.archive;
      auto& byte = damaged.files[file][i];
      byte = static_cast<char>(byte ^ 1);
      ASSERT_FALSE(run(damaged).sound()) << file << " byte " << i;
    }
  }
}

TEST(GuardedVerifier, AMissingChainIsFound) {
  for (const std::uint32_t number : {1U, 2U, 3U}) {
    auto builder = sound_archive();
    builder.archive.files.erase(Builder::volume(chain(number)));
    EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kCutOff)) << number;
  }
  // Of a closed chain the closing alone tells it.
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "9", "MODIFY", "6:x", "7:y"}});
  builder.close(1);
  EXPECT_TRUE(run(builder.archive).sound());
  builder.archive.files.erase(Builder::volume(chain(1)));
  EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kCutOff));
}

TEST(GuardedVerifier, EveryRemovedPageIsFound) {
  const auto original = sound_archive();
  for (const std::uint32_t number : {1U, 2U, 3U}) {
    const auto file = Builder::volume(chain(number));
    std::vector<std::string> lines;
    for (std::string rest = original.archive.files.at(file); !rest.empty();) {
      lines.push_back(rest.substr(0, rest.find('\n') + 1));
      rest.erase(0, lines.back().size());
    }
    for (std::size_t removed = 0; removed < lines.size(); ++removed) {
      auto damaged = original.archive;
      damaged.files[file].clear();
      for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i != removed) damaged.files[file] += lines[i];
      }
      EXPECT_FALSE(run(damaged).sound()) << number << " page " << removed;
    }
  }
}

TEST(GuardedVerifier, AMissingObjectIsFound) {
  auto builder = sound_archive();
  builder.archive.files.erase("users/3-1");
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kMissingObject));
}

TEST(GuardedVerifier, RecordsOutOfOrderOrTwiceAreFound) {
  EXPECT_THAT(
      shallow_kinds(one_chain({{"a", "10", "INSERT", "", ":x"}, {"b", "9", "INSERT", "", ":x"}})),
      ElementsAre(FindingKind::kOutOfOrder));
  EXPECT_THAT(
      shallow_kinds(one_chain({{"a", "10", "INSERT", "", ":x"}, {"b", "10", "INSERT", "", ":x"}})),
      ElementsAre(FindingKind::kDuplicateChange));
  // Over pages too.
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "10", "INSERT", "", ":x"}});
  builder.page(1, {{"b", "10", "INSERT", "", ":x"}});
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kDuplicateChange));
  // In Pawl's own order, but another than the service's: an item's change before the one that it follows.
  EXPECT_THAT(shallow_kinds(one_chain(
                  {{"a", "10", "MODIFY", "2:x", "3:y"}, {"a", "11", "MODIFY", "1:x", "2:x"}})),
              ElementsAre(FindingKind::kOutOfOrder));
}

TEST(GuardedVerifier, AGapMustBeAPlaceBeforeItsChange) {
  const auto second = [](const std::string& gap) {
    auto builder =
        one_chain({{"a", "10", "INSERT", "", ":x"}, {"b", "50", "INSERT", "", ":x", gap}});
    return kinds(run(builder.archive));
  };
  EXPECT_THAT(second("10"), IsEmpty());
  EXPECT_THAT(second("12"), IsEmpty());  // a record that was read and is not archived: a probe
  for (const char* wrong : {"", "9", "50", "51", "010", "x"}) {
    EXPECT_THAT(second(wrong), Contains(FindingKind::kDamagedPage)) << wrong;
  }
  EXPECT_THAT(shallow_kinds(one_chain({{"a", "10", "INSERT", "", ":x", ""}})), IsEmpty());
}

TEST(GuardedVerifier, AlteredBodiesAreFound) {
  const auto altered = [](const std::string& from, const std::string& to) {
    auto builder = sound_archive();
    replace(builder.archive.files["users/1-1"], from, to);
    return kinds(run(builder.archive, deep));
  };
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{R"("source":"9")", R"("source":"8")"},
                                                        {R"({"S":"y"})", R"({"S":"z"})"},
                                                        {R"("version":7)", R"("version":6)"},
                                                        {"pawl-version/2", "pawl-version/1"}}) {
    EXPECT_THAT(altered(from, to), Contains(FindingKind::kAlteredObject)) << from;
  }
}

TEST(GuardedVerifier, APageThatLiesAboutItsBodyIsFound) {
  const Guarded truth{"a", "10", "MODIFY", "1:x", "2:y"};
  const auto lies = [&](const std::function<void(Guarded&)>& change) {
    GuardedBuilder builder;
    builder.open(1);
    auto lie = truth;
    change(lie);
    const auto content = GuardedBuilder::body(chain(1), 1, truth);
    builder.archive.files["users/1-1"] = content;
    builder.raw_page(chain(1), 1, 1, builder.entry(1, 1, lie, content));
    EXPECT_TRUE(run(builder.archive).sound());
    return deep_kinds(builder);
  };
  EXPECT_THAT(lies([](auto&) {}), IsEmpty());
  EXPECT_THAT(lies([](auto& lie) { lie.source = "11"; }), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(lies([](auto& lie) { lie.lie = 3; }), ElementsAre(FindingKind::kAlteredObject));
  EXPECT_THAT(lies([](auto& lie) { lie.new_value = ":y"; }),
              ElementsAre(FindingKind::kAlteredObject));
}

TEST(GuardedVerifier, AVersionThatIsNotTheImagesIsFound) {
  Guarded change{"a", "10", "MODIFY", "1:x", "2:y"};
  change.lie = 3;  // in the page and in the body
  EXPECT_THAT(shallow_kinds(one_chain({change})), IsEmpty());
  EXPECT_THAT(deep_kinds(one_chain({change})), ElementsAre(FindingKind::kAlteredObject));
  change = {"a", "10", "REMOVE", "4:x", ""};
  EXPECT_THAT(deep_kinds(one_chain({change})), IsEmpty());
  // What is no whole number is no version.
  for (const char* none : {"-1", "1.5", "9007199254740993", "1E2"}) {
    Guarded odd{"a", "10", "INSERT", "", fmt::format("{}:x", none)};
    GuardedBuilder builder;
    builder.open(1);
    auto content = GuardedBuilder::body(chain(1), 1, {"a", "10", "INSERT", "", ":x"});
    replace(content, R"({"id":{"S":"a"},"v")",
            fmt::format(R"({{"_version":{{"N":"{}"}},"id":{{"S":"a"}},"v")", none));
    builder.archive.files["users/1-1"] = content;
    builder.raw_page(chain(1), 1, 1, builder.entry(1, 1, {"a", "10", "INSERT", "", ":x"}, content));
    EXPECT_THAT(deep_kinds(builder), IsEmpty()) << none;
  }
}

TEST(GuardedVerifier, ClosedShardsMustBeComplete) {
  const auto closed = [](std::uint64_t last, std::uint64_t pages, bool right_digest = true) {
    GuardedBuilder builder;
    builder.open(1);
    builder.page(1, {{"a", "9", "INSERT", "", ":x"}, {"b", "10", "INSERT", "", ":x"}});
    builder.close(1, last, pages, right_digest ? builder.chains[chain(1)].previous : sha256("x"));
    return kinds(run(builder.archive));
  };
  EXPECT_THAT(closed(2, 1), IsEmpty());
  EXPECT_THAT(closed(3, 1), ElementsAre(FindingKind::kCutOff));
  EXPECT_THAT(closed(1, 1), ElementsAre(FindingKind::kCutOff));
  EXPECT_THAT(closed(2, 2), ElementsAre(FindingKind::kCutOff));
  EXPECT_THAT(closed(0, 0), ElementsAre(FindingKind::kCutOff));
  EXPECT_THAT(closed(2, 1, false), ElementsAre(FindingKind::kBrokenChain));
  EXPECT_THAT(closed(2, 0), Contains(FindingKind::kDamagedRoot));
  // A shard that never had a record.
  GuardedBuilder quiet;
  quiet.open(1);
  quiet.close(1, 0, 0, {});
  EXPECT_TRUE(run(quiet.archive).sound());
}

TEST(GuardedVerifier, EventsMustFit) {
  const auto with = [](const std::function<void(GuardedBuilder&)>& forge) {
    GuardedBuilder builder;
    builder.open(1);
    builder.page(1, {{"a", "9", "INSERT", "", ":x"}});
    forge(builder);
    return kinds(run(builder.archive));
  };
  const auto damaged = ElementsAre(FindingKind::kDamagedRoot);
  EXPECT_THAT(with([](auto&) {}), IsEmpty());
  EXPECT_THAT(with([](auto& b) { b.guard(kTable, "users"); }), damaged);
  EXPECT_THAT(with([](auto& b) { b.create_table(kTable, "users"); }), damaged);
  EXPECT_THAT(with([](auto& b) { b.open(1); }), damaged);
  EXPECT_THAT(with([](auto& b) { b.open(0); }), damaged);  // out of the order of opening
  EXPECT_THAT(with([](auto& b) { b.open(2, "", "shardId-1"); }), damaged);  // a second chain for it
  EXPECT_THAT(with([](auto& b) { b.close(2, 0, 0, {}); }), damaged);
  EXPECT_THAT(with([](auto& b) { b.close(1), b.close(1); }), damaged);
  EXPECT_THAT(with([](auto& b) {
                b.root(R"({"type":"shard-opened","incarnation":"00000000000000f2",)"
                       R"("shard":"00000000000000f2-0001","stream":"s","source":"x"})");
              }),
              damaged);
  EXPECT_THAT(with([](auto& b) {
                b.root(R"({"type":"shard-opened","incarnation":"00000000000000f1",)"
                       R"("shard":"00000000000000f2-0002","stream":"s","source":"x"})");
              }),
              damaged);
  // Pawl's own tables have no shards that are opened.
  EXPECT_THAT(with([](auto& b) {
                b.create_table("00000000000000f3", "own");
                b.root(R"({"type":"shard-opened","incarnation":"00000000000000f3",)"
                       R"("shard":"00000000000000f3-0001","stream":"s","source":"x"})");
              }),
              damaged);
}

TEST(GuardedVerifier, AnUnannouncedChainIsFound) {
  auto builder = sound_archive();
  builder.page(4, {{"q", "7", "INSERT", "", ":x"}});
  EXPECT_THAT(kinds(run(builder.archive)), ElementsAre(FindingKind::kDamagedRoot));
}

TEST(GuardedVerifier, ManyChains) {
  GuardedBuilder builder;
  for (std::uint32_t number = 0xfffe; number < 0x10002; ++number) {
    number == 0xfffe ? builder.open(number) : builder.open_child(number, number - 1);
    const auto version = number - 0xfffe;
    builder.page(number, {{"a", std::to_string(number), "MODIFY", fmt::format("{}:x", version),
                           fmt::format("{}:x", version + 1)}});
    builder.close(number);
  }
  const auto report = run(builder.archive, deep);
  EXPECT_TRUE(report.sound()) << all_text(report);
  EXPECT_EQ(report.versions, 4U);
}

TEST(GuardedVerifier, OneSortOfEntryATable) {
  auto builder = sound_archive();
  builder.create_table("00000000000000f3", "own");
  const std::string own = "00000000000000f3-0000";
  Guarded change{"a", "9", "INSERT", "", "0:x"};
  const auto content = GuardedBuilder::body(own, 1, change);
  auto entry = builder.entry(9, 1, change, content);
  builder.archive.files["users/9-1"] = content;
  builder.raw_page(own, 1, 1, entry);
  EXPECT_THAT(kinds(run(builder.archive)), Contains(FindingKind::kDamagedPage));
  // And the other way round.
  auto other = one_chain({{"a", "9", "INSERT", "", "0:x"}});
  const auto second = GuardedBuilder::body(chain(1), 2, change);
  other.archive.files["users/1-2"] = second;
  auto plain = other.entry(1, 2, change, second);
  replace(plain, R"("source":"9",)", "");
  other.raw_page(chain(1), 2, 2, plain);
  EXPECT_THAT(kinds(run(other.archive)), Contains(FindingKind::kDamagedPage));
}

TEST(GuardedVerifier, MalformedEntriesAreFound) {
  const auto forged = [](const std::string& from, const std::string& to) {
    GuardedBuilder builder;
    builder.open(1);
    const Guarded change{"a", "9", "INSERT", "", "0:x"};
    const auto content = GuardedBuilder::body(chain(1), 1, change);
    builder.archive.files["users/1-1"] = content;
    auto entry = builder.entry(1, 1, change, content);
    replace(entry, from, to);
    builder.raw_page(chain(1), 1, 1, entry);
    return kinds(run(builder.archive));
  };
  EXPECT_THAT(forged("", ""), IsEmpty());
  const auto source = R"("source":"9")";
  for (const std::string wrong :
       {R"("source":"09")", R"("source":"")", R"("source":9)", R"("source":"9x")"}) {
    EXPECT_THAT(forged(source, wrong), Contains(FindingKind::kDamagedPage)) << wrong;
  }
  EXPECT_THAT(forged(source, R"("source":")" + std::string(41, '9') + R"(")"),
              Contains(FindingKind::kDamagedPage));
  for (const std::string wrong :
       {R"("version":"0")", R"("version":-1)", R"("version":9007199254740993)"}) {
    EXPECT_THAT(forged(R"("version":0)", wrong), Contains(FindingKind::kDamagedPage)) << wrong;
  }
}

TEST(GuardedVerifier, UntilAsksOnlyShardsThatAreOpen) {
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "9", "INSERT", "", ":x"}});
  builder.close(1);
  builder.chains.erase(chain(1));  // the tip lists open shards
  builder.open_child(2, 1);
  builder.page(2, {{"a", "10", "MODIFY", ":x", ":y"}});
  builder.end();
  const auto until = [](std::uint64_t second) {
    return [second](VerifyOptions& options) { options.until = Instant::parse(instant_at(second)); };
  };
  EXPECT_TRUE(run(builder.archive, until(1000)).sound());
  EXPECT_THAT(kinds(run(builder.archive, until(1001))), ElementsAre(FindingKind::kNotProven));
}

}  // namespace
}  // namespace pawl::audit::guarded
