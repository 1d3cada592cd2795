#include "audit/name_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace pawl::audit {
namespace {

using Kind = NameMatch::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

NamePattern parsed(std::string_view text, std::string_view version = {}) {
  auto pattern = NamePattern::parse(text, version);
  EXPECT_TRUE(pattern.ok()) << pattern.error().to_string();
  return *std::move(pattern);
}

// "head|version|tail", or why not.
std::string matched(const NamePattern& pattern, std::string_view name) {
  const auto match = pattern.match(name);
  switch (match.kind) {
    case Kind::kOther:
      return "other";
    case Kind::kAmbiguous:
      return "ambiguous";
    case Kind::kTooLarge:
      return "too large";
    case Kind::kVersion:
      break;
  }
  return std::string(match.item.head) + "|" + std::to_string(match.version) + "|" +
         std::string(match.item.tail);
}

TEST(NamePattern, TellsVersionFromKey) {
  const auto logs = parsed("logs/{hashid}-{_version}.log");
  EXPECT_EQ(logs.version_attribute(), "_version");
  EXPECT_TRUE(logs.version_is_last());
  EXPECT_EQ(matched(logs, "logs/A000001-5.log"), "logs/A000001-|5|.log");
  EXPECT_EQ(matched(logs, "logs/A-1-0.log"), "logs/A-1-|0|.log");
  EXPECT_EQ(matched(logs, "logs/-1.log-2.log"), "logs/-1.log-|2|.log");
  EXPECT_EQ(matched(logs, "logs/山田/x-18446744073709551615.log"),
            "logs/山田/x-|18446744073709551615|.log");
  EXPECT_EQ(matched(logs, "logs/A-18446744073709551616.log"), "too large");
  EXPECT_EQ(matched(logs, "logs/A-" + std::string(39, '0') + ".log"), "too large");
  for (const char* name : {"", "logs/", "logs/A-.log", "logs/-1.log", "logs/A1.log", "logs/A-1.LOG",
                           "log/A-1.log", "logs/A-1.log ", "logs/A-x.log", "logs/A-1a.log"}) {
    EXPECT_EQ(matched(logs, name), "other") << name;
  }
}

TEST(NamePattern, TakesTheVersionAnywhere) {
  const auto first = parsed("{v}/{id}.json", "v");
  EXPECT_FALSE(first.version_is_last());
  EXPECT_EQ(matched(first, "3/7/8.json"), "|3|/7/8.json");
  EXPECT_EQ(matched(first, "x3/7.json"), "other");
  const auto middle = parsed("{pk}/{v}/{sk}.json", "v");
  EXPECT_EQ(matched(middle, "a/3/b.json"), "a/|3|/b.json");
  EXPECT_EQ(matched(middle, "a/3/4/b.json"), "ambiguous");
  EXPECT_EQ(matched(middle, "/3/b.json"), "other");
  EXPECT_EQ(matched(middle, "a/3/.json"), "other");
  const auto alone = parsed("backup2{n}0.tar");
  EXPECT_EQ(matched(alone, "backup2170.tar"), "backup2|17|0.tar");
  EXPECT_EQ(matched(alone, "backup20.tar"), "other");
  const auto repeated = parsed("{id}/{id}-{v}");
  EXPECT_EQ(matched(repeated, "a/a-007"), "a/a-|7|");
  EXPECT_TRUE(repeated.match("a/a-007").zero_led);
  EXPECT_EQ(repeated.match("a/a-007").digits, 3);
  EXPECT_FALSE(repeated.match("a/a-0").zero_led);
}

TEST(NamePattern, RefusesWhatTellsNothing) {
  const auto refused = [](std::string_view text, std::string_view version = {},
                          const std::vector<std::string>& keys = {}) {
    const auto pattern = NamePattern::parse(text, version, keys);
    return pattern.ok() ? std::string("accepted") : pattern.error().message;
  };
  EXPECT_THAT(refused("{a}{version}"), HasSubstr("where {a} ends and {version} begins"));
  EXPECT_THAT(refused("{v}{a}", "v"), HasSubstr("where {v} ends and {a} begins"));
  EXPECT_THAT(refused("{a}-0{v}"), HasSubstr("a digit stands before"));
  EXPECT_THAT(refused("{v}0/{a}", "v"), HasSubstr("a digit stands behind"));
  EXPECT_THAT(refused("{v}-{a}-{v}"), HasSubstr("more than once"));
  EXPECT_THAT(refused("{a}-{v}", "w"), HasSubstr("has no {w}"));
  EXPECT_THAT(refused("{a}-{b}", "", {"a", "b"}), HasSubstr("where is the version"));
  EXPECT_THAT(refused("{a}-{b}-{c}", "", {"a"}), HasSubstr("--version-attribute"));
  for (const std::string& text : {std::string(), std::string("logs/x.log"), std::string("{}"),
                                  std::string("{a"), std::string("a}"), std::string("{a{b}}"),
                                  std::string("{a}-{v}\n"), std::string(513, 'a') + "{v}"}) {
    EXPECT_NE(refused(text), "accepted") << text;
  }
  EXPECT_EQ(NamePattern::parse("{v}/{id}", "", {"id"})->version_attribute(), "v");
}

TEST(NamePattern, NamesItemsForPeople) {
  const auto logs = parsed("logs/{hashid}-{_version}.log");
  EXPECT_EQ(logs.label({"logs/A-1-", ".log"}), "A-1");
  const auto two = parsed("{pk}/{sk}/{v}");
  EXPECT_EQ(two.label({"a/b/", ""}), "a/b/{v}");
  EXPECT_THAT(*two.key_of({"a/b/", ""}), ElementsAre(Pair("pk", "a"), Pair("sk", "b")));
  EXPECT_EQ(two.key_of({"a/b/c/", ""}), std::nullopt);
  EXPECT_THAT(*parsed("{v}/{id}.json", "v").key_of({"", "/7.json"}), ElementsAre(Pair("id", "7")));
  const auto name = two.name_of([](const std::string& attribute) {
    return attribute == "pk" ? std::optional<std::string>("x/y") : std::optional<std::string>("z");
  });
  EXPECT_EQ(name, std::pair(std::string("x/y/z/"), std::string()));
  EXPECT_EQ(two.name_of([](const std::string&) { return std::optional<std::string>(); }),
            std::nullopt);
}

TEST(NamePattern, KnowsPawlsOwnNames) {
  using Own = PawlName::Kind;
  EXPECT_EQ(pawl_name_of(".pawl/archive.json").kind, Own::kLedger);
  EXPECT_EQ(pawl_name_of("a/.pawl/tip").kind, Own::kLedger);
  EXPECT_EQ(pawl_name_of("a.pawl/tip").kind, Own::kNone);
  EXPECT_EQ(pawl_name_of(".pawl/probe").kind, Own::kProbe);
  EXPECT_EQ(pawl_name_of("a/.pawl/probe").kind, Own::kProbe);
  EXPECT_EQ(pawl_name_of(".pawl/ledger/probe").kind, Own::kLedger);
  for (const char* base : {"logs/A-3.log", "A-3.log.removed-4", "A~repaired", "x"}) {
    const auto name = std::string(base) + "~repaired";
    EXPECT_EQ(pawl_name_of(name).kind, Own::kRepaired) << name;
    EXPECT_EQ(pawl_name_of(name).base, base) << name;
  }
  const auto removal = pawl_name_of("logs/A-3.log.removed-4");
  EXPECT_EQ(removal.kind, Own::kRemoval);
  EXPECT_EQ(removal.base, "logs/A-3.log");
  EXPECT_EQ(removal.number, 4U);
  for (const char* name : {"A-3~00000000000000ab-0001-7", "A-3~00000000000000ab-0001-7~2"}) {
    EXPECT_EQ(pawl_name_of(name).kind, Own::kFallback) << name;
    EXPECT_EQ(pawl_name_of(name).base, "A-3") << name;
  }
  EXPECT_EQ(pawl_name_of("a~" + std::string(64, 'f')).kind, Own::kShortened);
  for (const char* name :
       {"", "~repaired", "A~repaired2", "7", "A~1-0", "A-3.log", ".removed-4", "~1", "~1~1~1",
        "A~00000000000000ab-0001-", "A~0000000000000000-0001-7"}) {
    EXPECT_EQ(pawl_name_of(name).kind, Own::kNone) << name;
  }
}

TEST(NamePattern, SuggestsATemplateThatFits) {
  EXPECT_EQ(suggest_template({"logs/A000001-1.log", "logs/B-x-20.log"}),
            "logs/{key}-{version}.log");
  EXPECT_EQ(suggest_template({"users/A/7.json", "users/B/10.json"}), "users/{key}/{version}.json");
  EXPECT_EQ(suggest_template({"logs/A-1.log", "other"}), "");
  EXPECT_EQ(suggest_template({"{a}-1"}), "");
  EXPECT_EQ(suggest_template({"12"}), "");
  EXPECT_EQ(suggest_template({}), "");
}

// Written as Python would, a name is matched as the version of the item that it was written for, whatever the values.
RC_GTEST_PROP(NamePatternProperty, ANameIsReadAsItWasWritten, ()) {
  const auto text = *rc::gen::element<std::string>("logs/{a}-{v}.log", "{a}/{v}", "x{v}",
                                                   "{a}-{b}_{v}~", "{a}{b}:{v}9", "9{a}.{v}-0.log");
  const auto pattern = parsed(text, "v");
  const auto value = [] {
    return *rc::gen::nonEmpty(
        rc::gen::container<std::string>(rc::gen::element('-', '.', '/', '0', '1', 'a', '_', '{')));
  };
  const auto a = value();
  const auto b = value();
  const auto version = *rc::gen::arbitrary<std::uint64_t>();
  const auto name = pattern.name_of(
      [&](const std::string& attribute) { return std::optional(attribute == "a" ? a : b); });
  const auto whole = name->first + std::to_string(version) + name->second;
  const auto match = pattern.match(whole);
  RC_ASSERT(match.kind == Kind::kVersion);
  RC_ASSERT(match.version == version);
  RC_ASSERT(match.item.head == name->first);
  RC_ASSERT(match.item.tail == name->second);
}

// Every way to read a name, by trying them all: literal, value, literal, …
void readings(std::string_view rest, std::size_t literal, const std::vector<std::string>& literals,
              std::size_t version, std::size_t at,
              std::vector<std::pair<std::size_t, std::size_t>>& found,
              std::pair<std::size_t, std::size_t> place) {
  if (!rest.starts_with(literals[literal])) return;
  rest.remove_prefix(literals[literal].size());
  at += literals[literal].size();
  if (literal + 1 == literals.size()) {
    if (rest.empty() && std::find(found.begin(), found.end(), place) == found.end())
      found.push_back(place);
    return;
  }
  for (std::size_t size = 1; size <= rest.size(); ++size) {
    if (literal == version) {
      if (rest[size - 1] < '0' || rest[size - 1] > '9') break;
      place = {at, size};
    }
    readings(rest.substr(size), literal + 1, literals, version, at + size, found, place);
  }
}

RC_GTEST_PROP(NamePatternProperty, AgreesWithTryingEverything, ()) {
  struct Case {
    std::string text;
    std::vector<std::string> literals;
    std::size_t version;
  };
  const std::vector<Case> cases = {{"{a}-{v}-{b}", {"", "-", "-", ""}, 1},
                                   {"{v}-{a}", {"", "-", ""}, 0},
                                   {"a{a}{b}-{v}a", {"a", "", "-", "a"}, 2},
                                   {"{a}-{b}-{v}-{c}-{d}", {"", "-", "-", "-", "-", ""}, 2},
                                   {"1{v}1", {"1", "1"}, 0}};
  const auto& chosen = cases[*rc::gen::inRange<std::size_t>(0, cases.size())];
  const auto pattern = parsed(chosen.text, "v");
  const auto name =
      *rc::gen::container<std::string>(rc::gen::element('-', '-', '0', '1', '1', 'a'));
  if (name.size() > 14) return;
  std::vector<std::pair<std::size_t, std::size_t>> found;
  readings(name, 0, chosen.literals, chosen.version, 0, found, {});
  const auto match = pattern.match(name);
  if (found.empty()) {
    RC_ASSERT(match.kind == Kind::kOther);
  } else if (found.size() > 1) {
    RC_ASSERT(match.kind == Kind::kAmbiguous);
  } else {
    RC_ASSERT(match.kind == Kind::kVersion);
    RC_ASSERT(match.item.head.size() == found.front().first);
    RC_ASSERT(match.item.tail.size() == name.size() - found.front().first - found.front().second);
  }
}

}  // namespace
}  // namespace pawl::audit
