#include "archive/object_body.h"

#include <gtest/gtest.h>

namespace pawl::archive {
namespace {

item::Change modify() {
  item::Change change;
  change.shard = {{0x9f86d081884c7d65}, 3};
  change.sequence = {101};
  change.key["hashid"] = item::String{"A000001"};
  change.version = Version{3};
  change.kind = item::ChangeKind::kModify;
  change.instant = *Instant::parse("2026-11-22T18:00:00.123456Z");
  change.trace = "0AB";
  change.old_image = change.key;
  (*change.old_image)["v"] = item::Number(2);
  change.new_image = change.key;
  (*change.new_image)["v"] = item::Number(3);
  return change;
}

// Bytes that must never change: objects of old archives are put again from change records.
TEST(ObjectBody, IsWhatTheDocumentSays) {
  EXPECT_EQ(
      render_body("users", modify()),
      R"({"format":"pawl-version/1","table":"users","incarnation":"9f86d081884c7d65",)"
      R"("shard":"9f86d081884c7d65-0003","sequence":101,"key":{"hashid":{"S":"A000001"}},"version":3,)"
      R"("kind":"MODIFY","instant":"2026-11-22T18:00:00.123456Z","trace":"0AB",)"
      R"("new":{"hashid":{"S":"A000001"},"v":{"N":"3"}},"old":{"hashid":{"S":"A000001"},"v":{"N":"2"}}})"
      "\n");
  auto insert = modify();
  insert.kind = item::ChangeKind::kInsert;
  insert.old_image.reset();
  EXPECT_TRUE(render_body("users", insert)
                  .ends_with(R"(,"old":null})"
                             "\n"));
}

TEST(ObjectBody, IsReadBack) {
  for (const auto kind :
       {item::ChangeKind::kInsert, item::ChangeKind::kModify, item::ChangeKind::kRemove}) {
    auto change = modify();
    change.kind = kind;
    if (kind == item::ChangeKind::kInsert) change.old_image.reset();
    if (kind == item::ChangeKind::kRemove) change.new_image.reset();
    const auto parsed = parse_body(render_body("users", change));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(parsed->table, "users");
    EXPECT_EQ(parsed->change, change);
  }
}

item::Change guarded() {
  auto change = modify();
  change.source = "100000000003498069978";
  change.body_format = item::kGuardedBodyFormat;
  change.trace.clear();
  return change;
}

TEST(ObjectBody, OfAGuardedTableIsWhatTheDocumentSays) {
  auto change = guarded();
  EXPECT_EQ(
      render_body("users", change),
      R"({"format":"pawl-version/2","table":"users","incarnation":"9f86d081884c7d65",)"
      R"("shard":"9f86d081884c7d65-0003","sequence":101,"source":"100000000003498069978",)"
      R"("key":{"hashid":{"S":"A000001"}},"version":3,"kind":"MODIFY","instant":"2026-11-22T18:00:00.123456Z",)"
      R"("new":{"hashid":{"S":"A000001"},"v":{"N":"3"}},"old":{"hashid":{"S":"A000001"},"v":{"N":"2"}}})"
      "\n");
  change.version.reset();
  change.old_image.reset();  // a stream of new images only
  EXPECT_NE(render_body("users", change).find(R"("version":null,)"), std::string::npos);
  for (const auto& one : {guarded(), change}) {
    const auto parsed = parse_body(render_body("users", one));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(parsed->change, one);
  }
}

TEST(ObjectBody, DamageInAGuardedOneIsAnError) {
  const auto body = render_body("users", guarded());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("source":"1)", R"("source":"01)"},
           {R"("source":"100000000003498069978")", R"("source":7)"},
           {R"("source":"100000000003498069978",)", ""},
           {R"("version":3)", R"("version":9007199254740993)"},
           {R"("version":3,)", ""},
           {"pawl-version/2", "pawl-version/3"}}) {
    auto wrong = body;
    wrong.replace(wrong.find(from), from.size(), to);
    EXPECT_FALSE(parse_body(wrong).ok()) << to;
  }
  auto plain = render_body("users", modify());
  plain.replace(plain.find(R"("version":3)"), 11, R"("version":null)");
  EXPECT_FALSE(parse_body(plain).ok());
}

TEST(ObjectBody, DamageIsAnError) {
  const auto body = render_body("users", modify());
  for (std::size_t size = 0; size + 1 < body.size(); size += 7)
    EXPECT_FALSE(parse_body(body.substr(0, size)).ok());
  auto other = body;
  other.replace(other.find("MODIFY"), 6, "MODIFI");
  EXPECT_FALSE(parse_body(other).ok());
}

}  // namespace
}  // namespace pawl::archive
