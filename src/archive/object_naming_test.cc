#include "archive/object_naming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "archive/name_rules_test.h"

namespace pawl::archive {
namespace {

using ::testing::HasSubstr;

constexpr ShardId kShard{{0x9f86d081884c7d65}, 3};

NamedTable users() {
  NamedTable table{"users", {}};
  table.schema.partition = {"hashid", item::Type::kString};
  return table;
}

item::Change change_of(std::string id, std::uint64_t sequence = 101, std::uint64_t version = 3) {
  item::Change change;
  change.shard = kShard;
  change.sequence = {sequence};
  change.version = Version{version};
  change.kind = item::ChangeKind::kModify;
  change.key["hashid"] = item::String{std::move(id)};
  change.new_image = change.key;
  return change;
}

std::string render(std::string_view text, const item::Change& change,
                   const NamedTable& table = users()) {
  const auto names = NameTemplate::parse(text);
  EXPECT_TRUE(names.ok()) << names.error().to_string();
  return names->render(table, change);
}

TEST(NameTemplate, RendersTheArticlesNames) {
  auto change = change_of("A000001");
  (*change.new_image)["_version"] = item::Number(7);
  EXPECT_EQ(render("logs/{hashid}-{_version}.log", change), "logs/A000001-7.log");
  EXPECT_EQ(render(kDefaultTemplate, change), "users/A000001-3.json");
  EXPECT_EQ(render("{shard}/{sequence}-{kind}", change), "9f86d081884c7d65-0003/101-modify");
}

TEST(NameTemplate, RemovalsAndMissingAttributesAreToldApart) {
  auto change = change_of("A");
  (*change.new_image)["empty"] = item::String{""};
  (*change.new_image)["list"] = item::List{};
  EXPECT_EQ(render("{hashid}-{none}", change), "A-~3");
  EXPECT_EQ(render("{hashid}-{empty}", change), "A-~3");
  EXPECT_EQ(render("{hashid}-{list}", change), "A-~3");
  change.kind = item::ChangeKind::kRemove;
  change.old_image = std::exchange(change.new_image, std::nullopt);
  (*change.old_image)["_version"] = item::Number(7);
  EXPECT_EQ(render("logs/{hashid}-{_version}.log", change), "logs/A-7.log.removed-3");
}

TEST(NameTemplate, KeysAreJoinedAndBinaryIsBase64Url) {
  NamedTable table = users();
  table.schema.sort = item::KeyAttribute{"at", item::Type::kBinary};
  auto change = change_of("A/B");
  change.key["at"] = item::Binary{"\xFB\xFF\xFE?"};
  EXPECT_EQ(render(kDefaultTemplate, change, table), "users/A%2FB~~-__-Pw-3.json");
}

TEST(NameTemplate, GuardedChangesAreToldApartByTheirSource) {
  const std::string padded = "0000000000000000000100000000003498069978";
  auto change = change_of("A");
  change.source = "100000000003498069978";
  EXPECT_EQ(render(kDefaultTemplate, change), "users/A-3.json");
  EXPECT_EQ(render("{hashid}-{none}", change), "A-~3");
  EXPECT_EQ(render("{hashid}/{source}", change), "A/" + padded);
  change.version.reset();
  EXPECT_EQ(render(kDefaultTemplate, change), "users/A-~" + padded + ".json");
  EXPECT_EQ(render("{hashid}-{none}", change), "A-~" + padded);
  change.kind = item::ChangeKind::kRemove;
  change.old_image = std::exchange(change.new_image, std::nullopt);
  EXPECT_EQ(render("{hashid}", change), "A.removed-" + padded);
  change.version = Version{7};
  EXPECT_EQ(render("{hashid}", change), "A.removed-7");
}

TEST(NameTemplate, SourceIsAnAttributeInPawlsOwnTables) {
  auto change = change_of("A");
  EXPECT_EQ(render("{hashid}-{source}", change), "A-~3");
  (*change.new_image)["source"] = item::String{"web"};
  EXPECT_EQ(render("{hashid}-{source}", change), "A-web");
}

TEST(NameTemplate, HostileValuesStayInTheirComponent) {
  EXPECT_EQ(render("{hashid}/{version}", change_of("..")), "%2E./3");
  EXPECT_EQ(render("a/{hashid}/{version}", change_of("../../etc/passwd")),
            "a/%2E.%2F..%2Fetc%2Fpasswd/3");
  EXPECT_EQ(render("{hashid}-{version}", change_of(".pawl")), "%2Epawl-3");
  EXPECT_EQ(render("{hashid}-{version}", change_of("%2F~\x7F\x01")), "%252F%7E%7F%01-3");
  EXPECT_EQ(render("{hashid}-{version}", change_of(std::string("a\0b", 3))), "a%00b-3");
}

TEST(NameTemplate, WhoIsNotPawlTakesValuesAsTheyAre) {
  const auto theirs = [](const std::string& id,
                         std::string_view text = "logs/{hashid}-{version}.log") {
    return NameTemplate::parse(text)->render_as_it_is(users(), change_of(id));
  };
  EXPECT_EQ(theirs("A000001"), "logs/A000001-3.log");
  EXPECT_EQ(theirs("a/b~c%d .e"), "logs/a/b~c%d .e-3.log");
  EXPECT_EQ(theirs(std::string(300, 'x')), "logs/" + std::string(300, 'x') + "-3.log");
  for (const std::string no_path : {"", "a//b", "/", "a/../b", "..", "a/./b", "a\nb"}) {
    const auto name = theirs("x/" + no_path + "/y");
    EXPECT_EQ(name, std::nullopt) << no_path;
  }
  EXPECT_EQ(theirs(std::string(1100, 'x')), std::nullopt);
  EXPECT_EQ(theirs(".pawl/archive", "{hashid}.json"), std::nullopt);
  auto removal = change_of("a/b");
  removal.kind = item::ChangeKind::kRemove;
  removal.old_image = removal.new_image;
  EXPECT_EQ(NameTemplate::parse("{hashid}")->render_as_it_is(users(), removal), "a/b.removed-3");
  EXPECT_EQ(repaired_name("a"), "a~repaired");
}

TEST(NameTemplate, TellsTheLastAttribute) {
  const auto last = [](std::string_view text) {
    return NameTemplate::parse(text)->last_attribute();
  };
  EXPECT_EQ(last("logs/{hashid}-{_version}.log"), "_version");
  EXPECT_EQ(last("{_version}/{hashid}"), "hashid");
  EXPECT_EQ(last("{hashid}-{version}"), std::nullopt);
}

TEST(NameTemplate, LongComponentsAndNamesKeepTheirDifference) {
  const std::string common(250, 'x');
  const auto one = render("{hashid}-{version}", change_of(common + "1"));
  const auto two = render("{hashid}-{version}", change_of(common + "2"));
  EXPECT_NE(one, two);
  EXPECT_EQ(one.size(), kComponentPrefix + 65);
  EXPECT_EQ(one.substr(0, kComponentPrefix + 1), std::string(kComponentPrefix, 'x') + "~");
  // Cut at a character: "é" is two bytes, the first of them odd here.
  std::string accents = "x";
  for (int i = 0; i < 150; ++i) accents += "\xC3\xA9";
  EXPECT_EQ(render("{hashid}", change_of(accents)).substr(119, 2),
            std::string("~") + render("{hashid}", change_of(accents))[120]);
  const auto deep = "{hashid}/{hashid}/{hashid}/{hashid}/{hashid}/{hashid}/{version}";
  const auto long_one = render(deep, change_of(std::string(190, 'y')));
  EXPECT_LE(long_one.size(), kNameBytesMax);
  EXPECT_EQ(long_one.size(), 3 * 191 + 65U);
  EXPECT_NE(long_one, render(deep, change_of(std::string(190, 'y'), 101, 4)));
}

TEST(NameTemplate, FallbacksAreOfOneChangeOnly) {
  EXPECT_EQ(fallback_name("a", kShard, {7}, 0), "a");
  EXPECT_EQ(fallback_name("a", kShard, {7}, 1), "a~9f86d081884c7d65-0003-7");
  EXPECT_EQ(fallback_name("a", kShard, {7}, 2), "a~9f86d081884c7d65-0003-7~2");
}

TEST(NameTemplate, WrongTemplatesSayWhatIsWrong) {
  const std::map<std::string, std::string> wrong = {
      {"", "empty"},
      {"/a{x}", "starts with '/'"},
      {"a//{x}", "empty component"},
      {"{x}/", "ends with '/'"},
      {"a{x", "without its '}'"},
      {"a}b{x}", "without its '{'"},
      {"{}", "empty braces"},
      {"{a{b}}", "inside"},
      {"abc", "no braces"},
      {"../{x}", "starts with '.'"},
      {".pawl/{x}", "starts with '.'"},
      {".suspect/{x}", "starts with '.'"},
      {"a/.{x}", "starts with '.'"},
      {"a~{x}", "'~'"},
      {"a%2F{x}", "'%'"},
      {"a\n{x}", "control"},
      {std::string(600, 'a') + "{x}", "512"},
      {"{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}", "16"},
  };
  for (const auto& [text, why] : wrong) {
    const auto names = NameTemplate::parse(text);
    ASSERT_FALSE(names.ok()) << text;
    EXPECT_EQ(names.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(names.error().message, HasSubstr(why)) << text;
  }
}

// Values that try to look like what Pawl adds, like paths, and like each other.
rc::Gen<std::string> hostile_values() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
          "a", "b", "~", "%", "/", ".", "..", "-", "1", "3", "~~", "%2F", "%2E", "\x01", "\x7F",
          "\xC3\xA9", ".pawl", ".removed-3", "9f86d081884c7d65-0003-", std::string(90, 'z'))),
      [](const std::vector<std::string>& parts) {
        std::string text;
        for (const auto& part : parts) text += part;
        return text;
      });
}

RC_GTEST_PROP(NameTemplateProperty, EveryNameIsLegal, ()) {
  const auto text =
      *rc::gen::element<std::string>("logs/{hashid}-{_version}.log", "{table}/{key}-{version}.json",
                                     "{a}/{b}/{hashid}", "{a}{b}{hashid}", "x{a}/{hashid}{b}");
  auto change = change_of(*hostile_values());
  (*change.new_image)["a"] = item::String{*hostile_values()};
  (*change.new_image)["b"] = item::String{*hostile_values()};
  const auto name = render(text, change);
  RC_ASSERT(name.size() <= kNameBytesMax);
  RC_ASSERT(illegal_name(name) == "");
  RC_ASSERT(illegal_name(fallback_name(name, change.shard, {~0ULL}, kFallbacksMax)) == "");
}

// Where the template tells key and version apart, so do the names: no value can imitate another's.
RC_GTEST_PROP(NameTemplateProperty, KeysAndVersionsNeverShareAName, ()) {
  NamedTable table = users();
  table.schema.sort = item::KeyAttribute{"at", item::Type::kString};
  std::map<std::string, std::string> owners;
  for (int i = 0; i < 20; ++i) {
    const auto version = *rc::gen::inRange<std::uint64_t>(0, 4);
    auto change = change_of(*hostile_values(), 101, version);
    change.key["at"] = item::String{*hostile_values()};
    const auto& id = change.key["hashid"].as<item::String>().text;
    const auto& at = change.key["at"].as<item::String>().text;
    if (id.empty() || at.empty()) continue;  // no key of the service is empty
    const auto owner = std::to_string(id.size()) + id + "|" + at + "|" + std::to_string(version);
    const auto [place, added] = owners.try_emplace(render(kDefaultTemplate, change, table), owner);
    RC_ASSERT(place->second == owner);
  }
}

RC_GTEST_PROP(NameTemplateProperty, FallbacksNeverShareAName, ()) {
  std::map<std::string, std::pair<std::uint64_t, std::uint32_t>> owners;
  for (int i = 0; i < 20; ++i) {
    const auto sequence = *rc::gen::inRange<std::uint64_t>(1, 30);
    const auto attempt = *rc::gen::inRange<std::uint32_t>(1, kFallbacksMax + 1);
    const auto name = render("{hashid}", change_of("x" + *hostile_values()));
    const auto owner = std::pair(sequence, attempt);
    const auto [place, added] =
        owners.try_emplace(fallback_name(name, kShard, {sequence}, attempt), owner);
    RC_ASSERT(place->second == owner);
  }
}

}  // namespace
}  // namespace pawl::archive
