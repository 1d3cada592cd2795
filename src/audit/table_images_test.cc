#include "audit/table_images.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "audit/image_spool.h"
#include "port/conformance/run_awaitable.h"

namespace pawl::audit {
namespace {

using Source = Recovery::Source;

const NamePattern& logs() {
  static const NamePattern pattern = *NamePattern::parse("logs/{hashid}-{_version}.log");
  return pattern;
}

Gap gap(std::string_view head, std::uint64_t from, std::uint64_t to, std::uint64_t table_version) {
  return {Gap::Kind::kTail, {head, ".log"}, {from, to}, table_version, {}};
}

class FakeTable final : public SourceTable {
 public:
  std::vector<std::string> items;  // of a scan: one a page
  std::vector<std::string> attributes_asked;
  std::map<std::string, std::string> by_key;
  std::vector<std::string> keys_asked;

  Awaitable<Result<SourceTableFacts>> describe() override { co_return SourceTableFacts{}; }
  Awaitable<Result<std::optional<std::string>>> get(std::string) override {
    co_return std::optional<std::string>{};
  }
  Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string> keys) override {
    EXPECT_LE(keys.size(), 100U);
    std::vector<std::optional<std::string>> answers;
    for (auto& key : keys) {
      const auto found = by_key.find(key);
      if (found == by_key.end()) {
        answers.emplace_back();
      } else {
        answers.emplace_back(found->second);
      }
      keys_asked.push_back(std::move(key));
    }
    co_return answers;
  }
  Awaitable<Result<SourceItems>> scan(std::uint32_t segment, std::uint32_t segments,
                                      std::string after,
                                      std::vector<std::string> attributes) override {
    attributes_asked = std::move(attributes);
    SourceItems page;
    const auto at = after.empty() ? segment : std::stoul(after);
    if (at < items.size()) page.items = {items[at]};
    if (at + segments < items.size()) page.next = std::to_string(at + segments);
    co_return page;
  }
};

SourceTableFacts facts_of(char type, std::optional<SourceKey> sort = {}) {
  SourceTableFacts facts;
  facts.partition = {"hashid", type};
  facts.sort = std::move(sort);
  return facts;
}

TEST(TableImages, AskForItemsByTheirKeys) {
  for (const char type : {'S', 'N'}) {
    FakeTable table;
    const auto key = fmt::format(R"({{"hashid":{{"{}":"7"}}}})", type);
    table.by_key[key] =
        fmt::format(R"({{"hashid":{{"{}":"7"}},"_version":{{"N":"2"}},"x":{{"S":"y"}}}})", type);
    ImageSpool spool(2 << 20, "/tmp");
    GapRecovery recovery(logs(), 1 << 20, &spool);
    ASSERT_TRUE(recovery.add(gap("logs/7-", 1, 2, 2)).ok());
    ASSERT_TRUE(recovery.add(gap("logs/8-", 1, 2, 2)).ok());
    const auto facts = facts_of(type);
    TableImages images(table, facts, logs(), recovery, [](std::uint64_t) {});
    ASSERT_TRUE(images.plan().ok());
    EXPECT_FALSE(images.nothing_needed());
    ASSERT_FALSE(images.needs_scan());
    ASSERT_TRUE(run_awaitable(images.get()).ok());
    EXPECT_EQ(table.keys_asked.size(), 2U);
    EXPECT_EQ(table.keys_asked.front(), key);
    ASSERT_TRUE(spool.begin_taking().ok());
    std::string found;
    Recovery where;
    where.version = 2;
    where.source = Source::kTable;
    EXPECT_TRUE(*spool.take(0, where, found));
    EXPECT_EQ(found, table.by_key[key]);
    EXPECT_FALSE(*spool.take(1, where, found));
  }
}

TEST(TableImages, ScanWhereANameDoesNotTellTheKey) {
  const auto two = *NamePattern::parse("{hashid}-{sort}-{_version}", "_version");
  FakeTable table;
  table.items = {R"({"hashid":{"S":"a-b"},"sort":{"S":"c"},"_version":{"N":"1"},"x":{"S":"y"}})"};
  ImageSpool spool(2 << 20, "/tmp");
  GapRecovery recovery(two, 1 << 20, &spool);
  ASSERT_TRUE(recovery.add({Gap::Kind::kTail, {"a-b-c-", ""}, {1, 1}, std::uint64_t{1}, {}}).ok());
  const auto facts = facts_of('S', SourceKey{"sort", 'S'});
  TableImages images(table, facts, two, recovery, [](std::uint64_t) {});
  ASSERT_TRUE(images.plan().ok());
  ASSERT_TRUE(images.needs_scan());
  for (const std::uint32_t segment : {0U, 1U})
    ASSERT_TRUE(run_awaitable(images.segment(segment, 2)).ok());
  EXPECT_THAT(table.attributes_asked, testing::IsEmpty());  // all
  ASSERT_TRUE(spool.begin_taking().ok());
  std::string found;
  Recovery where;
  where.version = 1;
  where.source = Source::kTable;
  EXPECT_TRUE(*spool.take(0, where, found));
  EXPECT_EQ(found, table.items[0]);
}

TEST(TableImages, AskForAHundredAtOnce) {
  FakeTable table;
  GapRecovery recovery(logs(), 1 << 20);
  for (int i = 0; i < 250; ++i)
    ASSERT_TRUE(recovery.add(gap(fmt::format("logs/{:03}-", i), 0, 0, 0)).ok());
  const auto facts = facts_of('S');
  TableImages images(table, facts, logs(), recovery, [](std::uint64_t) {});
  ASSERT_TRUE(images.plan().ok());
  ASSERT_TRUE(run_awaitable(images.get()).ok());
  EXPECT_EQ(table.keys_asked.size(), 250U);
}

TEST(TableImages, NothingIsAskedThatTheStreamHas) {
  FakeTable table;
  GapRecovery recovery(logs(), 1 << 20);
  ASSERT_TRUE(recovery.add(gap("logs/A-", 1, 2, 2)).ok());
  StreamRecord record;
  record.sequence = "1";
  record.new_image = R"({"hashid":{"S":"A"},"_version":{"N":"2"}})";
  ASSERT_TRUE(recovery.see("s", record).ok());
  const auto facts = facts_of('S');
  TableImages images(table, facts, logs(), recovery, [](std::uint64_t) {});
  ASSERT_TRUE(images.plan().ok());
  EXPECT_TRUE(images.nothing_needed());
}

}  // namespace
}  // namespace pawl::audit
