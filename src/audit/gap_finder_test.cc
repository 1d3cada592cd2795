#include "audit/gap_finder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/gap_list.h"

namespace pawl::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Found {
  std::vector<std::string> holes;  // "A-1: 3-4", in order
  GapTotals totals;
  NameCounts counts;
};

std::string to_line(const NamePattern& pattern, const Gap& gap) {
  const char* const kinds[] = {"", " (tail)", " (no object)"};
  return fmt::format("{}: {}-{}{}", pattern.label(gap.item), gap.versions.from, gap.versions.to,
                     kinds[static_cast<int>(gap.kind)]);
}

using Table = std::map<std::pair<std::string, std::string>, std::uint64_t>;

// Tells sorted `names` in parts that end at `cuts` (sorted, "" left out), all parts at once by turns.
Result<Found> find(const NamePattern& pattern, const std::vector<std::string>& names,
                   std::vector<std::string> cuts = {}, GapFinderOptions options = {},
                   const Table* table = nullptr) {
  GapList list(table != nullptr, options.first_version, 4 << 20, "/tmp");
  GapFinder finder(pattern, options, list);
  struct Telling {
    GapFinder::Part* part;
    std::string until;
    std::vector<std::string> names;
    std::size_t at = 0;
  };
  std::vector<Telling> tellings;
  std::string after;
  cuts.emplace_back();
  for (const auto& cut : cuts) {
    Telling telling{finder.begin(after), cut, {}};
    for (const auto& name : names) {
      if (name > after && (cut.empty() || name <= cut)) telling.names.push_back(name);
    }
    tellings.push_back(std::move(telling));
    after = cut;
  }
  for (bool more = true; more;) {
    more = false;
    for (auto& telling : tellings) {
      if (telling.part == nullptr) continue;
      more = true;
      if (telling.at < telling.names.size()) {
        PAWL_TRY(finder.add(*telling.part, telling.names[telling.at++]));
      } else {
        PAWL_TRY(finder.end(std::exchange(telling.part, nullptr), telling.until));
      }
    }
  }
  PAWL_TRY(finder.finish());
  if (table != nullptr) {
    for (const auto& [item, version] : *table)
      PAWL_TRY(list.table_item({item.first, item.second}, version));
  }
  Found found;
  PAWL_ASSIGN_OR_RETURN(found.totals, list.drain([&](const Gap& gap) {
    found.holes.push_back(to_line(pattern, gap));
    return ok();
  }));
  found.counts = finder.counts();
  return found;
}

const NamePattern& logs() {
  static const NamePattern pattern = *NamePattern::parse("logs/{hashid}-{_version}.log");
  return pattern;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

TEST(GapFinder, FindsTheArticlesHole) {
  const auto found = *find(logs(), sorted({"logs/A000001-0.log", "logs/A000001-1.log",
                                           "logs/A000001-2.log", "logs/A000001-5.log"}));
  EXPECT_THAT(found.holes, ElementsAre("A000001: 3-4"));
  EXPECT_EQ(found.totals.missing, 2U);
  EXPECT_EQ(found.counts.items, 1U);
  EXPECT_EQ(found.counts.versions, 4U);
}

TEST(GapFinder, ByteOrderIsNotTheOrderOfNumbers) {
  std::vector<std::string> names;
  for (int version = 0; version <= 1234; ++version) {
    if (version != 9 && version != 10 && version != 100 && version != 999)
      names.push_back(fmt::format("logs/A-{}.log", version));
  }
  names.push_back("logs/A-1-0.log");  // among the others'
  names.push_back("logs/A-1-1-2.log");
  const auto found = *find(logs(), sorted(names));
  EXPECT_THAT(found.holes, ElementsAre("A: 9-10", "A: 100-100", "A: 999-999", "A-1-1: 0-1"));
  EXPECT_EQ(found.counts.items, 3U);
}

TEST(GapFinder, StartsAtTheFirstVersionThatIsAskedFor) {
  const auto names = sorted({"logs/A-2.log", "logs/A-5.log", "logs/B-0.log"});
  EXPECT_THAT(find(logs(), names, {}, {.first_version = 1})->holes,
              ElementsAre("A: 1-1", "A: 3-4"));
  EXPECT_THAT(find(logs(), names, {}, {.first_version = 4})->holes, ElementsAre("A: 4-4"));
  EXPECT_THAT(find(logs(), names, {}, {.first_version = 9})->holes, IsEmpty());
}

TEST(GapFinder, TheLastVersionThereIs) {
  const auto found =
      *find(logs(), sorted({"logs/A-18446744073709551615.log", "logs/B-18446744073709551615.log"}));
  EXPECT_THAT(found.holes, ElementsAre("A: 0-18446744073709551614", "B: 0-18446744073709551614"));
  EXPECT_EQ(found.totals.missing, UINT64_MAX);  // of twice as many
}

TEST(GapFinder, TakesLeadingZerosWhereAllAgree) {
  EXPECT_THAT(find(logs(), sorted({"logs/A-000.log", "logs/A-001.log", "logs/A-003.log",
                                   "logs/A-012.log", "logs/A-100.log", "logs/A-1001.log"}))
                  ->holes,
              ElementsAre("A: 2-2", "A: 4-11", "A: 13-99", "A: 101-1000"));
  const auto mixed =
      *find(logs(), sorted({"logs/A-0.log", "logs/A-1.log", "logs/A-07.log", "logs/B-01.log",
                            "logs/B-001.log", "logs/C-1.log", "logs/C-0.log"}));
  EXPECT_THAT(mixed.holes, IsEmpty());
  EXPECT_EQ(mixed.counts.mixed_zeros, 3U);
  EXPECT_EQ(mixed.counts.mixed_zeros_item, "A");
  EXPECT_EQ(mixed.counts.items, 2U);
  std::vector<std::string> many;
  for (int version = 0; version < 100; version += 2)
    many.push_back(fmt::format("logs/A-{:04}.log", version));
  EXPECT_EQ(find(logs(), many)->totals.holes, 49U);
  EXPECT_THAT(find(logs(), many, {}, {.pending_holes_max = 48}).error().to_string(),
              HasSubstr("more than 48"));
}

TEST(GapFinder, CountsWhatIsOdd) {
  const auto found = *find(
      logs(), sorted({".pawl/archive.json", "logs/", "logs/A-0.log", "logs/A-1.log.removed-1",
                      "logs/A-2.log", "logs/A-2.log.removed-7",
                      "logs/A-2.log~00000000000000ab-0001-7", "logs/A-~3.log", "logs/readme.txt",
                      "logs/x", "logs/y", "logs/z", "logs/A-99999999999999999999.log"}));
  EXPECT_THAT(found.holes, IsEmpty());
  EXPECT_EQ(found.counts.names, 13U);
  EXPECT_EQ(found.counts.versions, 3U);
  EXPECT_EQ(found.counts.folders, 1U);
  EXPECT_EQ(found.counts.other.count, 4U);
  EXPECT_THAT(found.counts.other.examples, ElementsAre("logs/readme.txt", "logs/x", "logs/y"));
  EXPECT_THAT(found.counts.too_large.examples, ElementsAre("logs/A-99999999999999999999.log"));
  EXPECT_EQ(found.counts.pawl_ledger, 1U);
  EXPECT_EQ(found.counts.pawl_removals, 2U);
  EXPECT_EQ(found.counts.pawl_others, 2U);
}

TEST(GapFinder, RefusesAnotherOrder) {
  for (const auto& names : {std::vector<std::string>{"logs/B-0.log", "logs/A-0.log"},
                            std::vector<std::string>{"logs/A-0.log", "logs/A-0.log"}}) {
    EXPECT_THAT(find(logs(), names).error().to_string(), HasSubstr("not in byte order"));
  }
}

TEST(GapFinder, SortsWhereTheVersionIsNotLast) {
  const auto pattern = *NamePattern::parse("{v}/{id}.json", "v");
  const auto found = *find(pattern, sorted({"0/a.json", "0/b.json", "1/a.json", "10/a.json",
                                            "2/a.json", "2/b.json", "3/c"}));
  EXPECT_THAT(found.holes, ElementsAre("a: 3-9", "b: 1-1"));
  EXPECT_EQ(found.counts.other.count, 1U);
}

TEST(GapList, ATableAheadAndBehind) {
  const auto names = sorted({"logs/A-0.log", "logs/A-2.log", "logs/B-0.log", "logs/B-1.log",
                             "logs/C-0.log", "logs/D-5.log"});
  const Table table = {{{"logs/A-", ".log"}, 4},
                       {{"logs/B-", ".log"}, 0},
                       {{"logs/D-", ".log"}, 5},
                       {{"logs/E-", ".log"}, 1}};
  const auto found = *find(logs(), names, {}, {}, &table);
  EXPECT_THAT(found.holes, ElementsAre("A: 1-1", "A: 3-4 (tail)", "D: 0-4", "E: 0-1 (no object)"));
  EXPECT_EQ(found.totals.only_in_bucket, 1U);
  EXPECT_EQ(found.totals.table_behind, 1U);
  EXPECT_EQ(found.totals.no_object, 1U);
  EXPECT_EQ(found.totals.table_items, 4U);
  EXPECT_EQ(found.totals.items, 3U);
  EXPECT_EQ(found.totals.missing, 1U + 2 + 5 + 2);
}

TEST(GapFinder, TakesWhatWasPutBack) {
  const auto found = *find(
      logs(),
      sorted({"logs/A-0.log", "logs/A-1.log~repaired", "logs/A-2.log", "logs/A-2.log~repaired",
              "logs/A-10.log~repaired", "logs/A-1-0.log~repaired", "logs/A-1-1.log", "logs/B-0.log",
              "logs/B-0.log.removed-7~repaired", "logs/B-1.log.removed-1~repaired",
              "logs/A-3.log~repaired~repaired", "logs/readme~repaired"}));
  EXPECT_THAT(found.holes, ElementsAre("A: 3-9"));
  EXPECT_EQ(found.counts.versions, 8U);
  EXPECT_EQ(found.counts.repaired, 4U);  // A 1 and 10, A-1 0, and B 1, which is a deletion
  EXPECT_EQ(found.counts.pawl_removals, 2U);
  EXPECT_EQ(found.counts.pawl_others, 2U);
  EXPECT_EQ(found.counts.other.count, 0U);
}

TEST(GapFinder, ATemplateMayEndAsARepairedName) {
  const auto pattern = *NamePattern::parse("{id}-{v}~repaired");
  const auto found =
      *find(pattern, sorted({"A-0~repaired", "A-2~repaired", "A-1~repaired~repaired"}));
  EXPECT_THAT(found.holes, IsEmpty());
  EXPECT_EQ(found.counts.repaired, 1U);
}

TEST(GapList, TellsHowVersionsAreWritten) {
  const auto names = sorted({"logs/A-001.log", "logs/B-7.log", "logs/B-10.log", "logs/C-10.log"});
  GapList list(true, 0, 4 << 20, "/tmp");
  GapFinder finder(logs(), {}, list);
  auto* const part = finder.begin("");
  for (const auto& name : names) ASSERT_TRUE(finder.add(*part, name).ok());
  ASSERT_TRUE(finder.end(part, "").ok());
  ASSERT_TRUE(finder.finish().ok());
  EXPECT_EQ(finder.counts().zero_led_items, 1U);
  std::vector<std::string> lines;
  ASSERT_TRUE(list.drain([&](const Gap& gap) {
                    lines.push_back(fmt::format("{} {}/{}", to_line(logs(), gap),
                                                gap.digits.zero_led, gap.digits.least));
                    return ok();
                  })
                  .ok());
  EXPECT_THAT(lines, ElementsAre("A: 0-0 3/3", "B: 0-6 0/1", "B: 8-9 0/1", "C: 0-9 0/2"));
}

// What a set of numbers says of each item: the brute force.
// `by_repair`: how many versions there are only as "NAME~repaired".
std::vector<std::string> expected(const NamePattern& pattern, const std::vector<std::string>& names,
                                  std::uint64_t first, std::uint64_t& by_repair) {
  struct Texts {
    std::map<std::uint64_t, std::set<std::size_t>> zero_led;  // version: widths
    std::set<std::uint64_t> plain;
    std::set<std::pair<bool, std::uint64_t>> own;  // zero-led or not: under their own name
  };
  std::map<std::pair<std::string, std::string>, Texts> items;
  for (const auto& name : names) {
    const auto repaired = name.rfind("~repaired");  // of no key here
    const auto match = pattern.match(std::string_view(name).substr(0, repaired));
    if (match.kind != NameMatch::Kind::kVersion) continue;
    auto& texts = items[{std::string(match.item.head), std::string(match.item.tail)}];
    if (match.zero_led) {
      texts.zero_led[match.version].insert(match.digits);
    } else {
      texts.plain.insert(match.version);
    }
    if (repaired == std::string::npos) texts.own.insert({match.zero_led, match.version});
  }
  std::vector<std::string> holes;
  for (auto& [item, texts] : items) {
    std::set<std::size_t> widths;
    for (const auto& [version, of] : texts.zero_led) widths.insert(of.begin(), of.end());
    const bool agree =
        widths.size() <= 1 && (widths.empty() || texts.plain.empty() ||
                               std::to_string(*texts.plain.begin()).size() >= *widths.begin());
    auto there = texts.plain;
    if (agree) {
      for (const auto& [version, of] : texts.zero_led) there.insert(version);
    }
    for (const auto version : there) {
      const bool zero_led = !texts.plain.contains(version);
      by_repair += texts.own.contains({zero_led, version}) ? 0 : 1;
    }
    std::uint64_t due = first;
    for (const auto version : there) {
      if (version > due) {
        holes.push_back(to_line(
            pattern, {Gap::Kind::kBetween, {item.first, item.second}, {due, version - 1}, {}, {}}));
      }
      due = std::max(due, version + 1);
    }
  }
  return holes;
}

RC_GTEST_PROP(GapFinderProperty, FindsWhatASetOfNumbersSays, ()) {
  const auto text = *rc::gen::element<std::string>("{a}-{v}", "{a}-{v}-0", "l/{a}-{v}.l", "{v}-{a}",
                                                   "{a}-{v}-{b}");
  const auto pattern = *NamePattern::parse(text, "v");
  const auto key = rc::gen::element<std::string>("A", "A-1", "A-1-1", "A-10", "B", "-", "0", "1-0");
  const auto version = rc::gen::weightedOneOf<std::string>(
      {{8, rc::gen::map(rc::gen::inRange(0, 30), [](int n) { return std::to_string(n); })},
       {3, rc::gen::map(rc::gen::inRange(0, 1200), [](int n) { return std::to_string(n); })},
       {1, rc::gen::map(rc::gen::inRange(0, 120), [](int n) { return fmt::format("{:03}", n); })},
       {1, rc::gen::element<std::string>("00", "01", "x", "")}});
  const bool padded = *rc::gen::inRange(0, 4) == 0;
  std::set<std::string> unique;
  const auto count = *rc::gen::inRange(0, 120);
  for (int i = 0; i < count; ++i) {
    const auto name = pattern.name_of([&](const std::string&) { return std::optional(*key); });
    auto digits = *version;
    if (padded && digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
    const int put_back = *rc::gen::inRange(0, 8);  // instead of its own, beside it, or not
    if (put_back != 0) unique.insert(name->first + digits + name->second);
    if (put_back < 2) unique.insert(name->first + digits + name->second + "~repaired");
  }
  const std::vector<std::string> names(unique.begin(), unique.end());
  // Cuts at names, and between them.
  std::set<std::string> cuts;
  const auto cut_count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < cut_count && !names.empty(); ++i) {
    auto cut = names[*rc::gen::inRange<std::size_t>(0, names.size())];
    cut.resize(*rc::gen::inRange<std::size_t>(1, cut.size() + 1));
    if (*rc::gen::inRange(0, 2) == 0) cut += *rc::gen::element('~', '-', '5');
    cuts.insert(cut);
  }
  const std::uint64_t first = *rc::gen::inRange<std::uint64_t>(0, 3);
  const auto found = find(pattern, names, {cuts.begin(), cuts.end()}, {.first_version = first});
  RC_ASSERT(found.ok());
  std::uint64_t by_repair = 0;
  RC_ASSERT(found->holes == expected(pattern, names, first, by_repair));
  RC_ASSERT(found->counts.repaired == by_repair);
  RC_ASSERT(found->counts.names == names.size());
}

}  // namespace
}  // namespace pawl::audit
