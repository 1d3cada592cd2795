#include "table/store_reader.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "table/committer_fixture_test.h"
#include "table/item_format.h"

namespace pawl::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreReaderTest : public CommitterTest {
 protected:
  StoreReaderTest() {
    create("users");
    create("sorted", true, 4);
    for (const char* id : {"A", "B"}) {
      for (int at : {10, -3, 2, 7}) {
        write(put(R"({"id":{"S":")" + std::string(id) + R"("},"seq":{"N":")" + std::to_string(at) +
                      R"("},"even":{"BOOL":)" + (at % 2 == 0 ? "true" : "false") + "}}",
                  "sorted"));
      }
    }
  }
  PageRequest query(std::string_view text, std::string_view values,
                    const std::string& table = "sorted") {
    PageRequest request;
    request.table = table;
    auto placeholders = expression::Placeholders::make({}, item_of(values));
    EXPECT_TRUE(placeholders.ok());
    auto parsed = expression::KeyCondition::parse(
        text, tables.catalog->view()->find(table)->record.definition.schema, *placeholders);
    EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
    request.key_condition = *parsed;
    return request;
  }
  PageRequest query_a() { return query("id = :id", R"({":id":{"S":"A"}})"); }
  PageRequest query_a(std::string_view sort, const std::string& more) {
    return query("id = :id AND " + std::string(sort), R"({":id":{"S":"A"},)" + more + "}");
  }
  Page page(const PageRequest& request) {
    auto result = tables.reader->page(request);
    if (auto* failure = std::get_if<Failure>(&result)) {
      ADD_FAILURE() << failure->message;
      return {};
    }
    return std::get<Page>(std::move(result));
  }
  std::string refusal(const PageRequest& request) {
    const auto result = tables.reader->page(request);
    const auto* failure = std::get_if<Failure>(&result);
    return failure ? failure->message : "done";
  }
  static std::vector<std::string> ats(const Page& page) {
    std::vector<std::string> found;
    for (const auto& item : page.items)
      found.push_back(item.at("seq").as<item::Number>().to_string());
    return found;
  }
};

TEST_F(StoreReaderTest, AQueryWalksAPartitionInTheOrderOfItsSortKeys) {
  const Page all = page(query_a());
  EXPECT_THAT(ats(all), ElementsAre("-3", "2", "7", "10"));
  EXPECT_EQ(all.count, 4U);
  EXPECT_EQ(all.scanned_count, 4U);
  EXPECT_FALSE(all.last_evaluated_key);
  PageRequest backward = query_a();
  backward.forward = false;
  EXPECT_THAT(ats(page(backward)), ElementsAre("10", "7", "2", "-3"));
  EXPECT_THAT(ats(page(query("id = :id", R"({":id":{"S":"nobody"}})"))), IsEmpty());
}

TEST_F(StoreReaderTest, EverySortCondition) {
  const std::string x = R"(":x":{"N":"2"})";
  EXPECT_THAT(ats(page(query_a("seq = :x", x))), ElementsAre("2"));
  EXPECT_THAT(ats(page(query_a("seq < :x", x))), ElementsAre("-3"));
  EXPECT_THAT(ats(page(query_a("seq <= :x", x))), ElementsAre("-3", "2"));
  EXPECT_THAT(ats(page(query_a("seq > :x", x))), ElementsAre("7", "10"));
  EXPECT_THAT(ats(page(query_a("seq >= :x", x))), ElementsAre("2", "7", "10"));
  EXPECT_THAT(ats(page(query_a("seq BETWEEN :x AND :y", x + R"(,":y":{"N":"9"})"))),
              ElementsAre("2", "7"));
  PageRequest backward = query_a("seq < :x", x);
  backward.forward = false;
  EXPECT_THAT(ats(page(backward)), ElementsAre("-3"));
}

TEST_F(StoreReaderTest, APrefixOfStringsAndOfBytes) {
  TableDefinition definition;
  definition.name = "text";
  definition.schema.partition = {"id", item::Type::kString};
  definition.schema.sort = item::KeyAttribute{"seq", item::Type::kBinary};
  ASSERT_TRUE(do_action(CreateTable{definition})->done());
  // a, a\0, ab, a\xFF\xFF, b, \xFF, \xFF\xFF
  for (const char* at : {"YQ==", "YQA=", "YWI=", "Yf//", "Yg==", "/w==", "//8="}) {
    ASSERT_TRUE(
        write(put(R"({"id":{"S":"A"},"seq":{"B":")" + std::string(at) + R"("}})", "text"))->done());
  }
  const auto starting_with = [this](const std::string& prefix) {
    return page(query("id = :id AND begins_with(seq, :p)",
                      R"({":id":{"S":"A"},":p":{"B":")" + prefix + R"("}})", "text"))
        .count;
  };
  EXPECT_EQ(starting_with("YQ=="), 4U);
  EXPECT_EQ(starting_with("YWI="), 1U);
  EXPECT_EQ(starting_with("/w=="), 2U);
  EXPECT_EQ(starting_with("Yf8="), 1U);
  EXPECT_EQ(starting_with("YQA="), 1U);
}

TEST_F(StoreReaderTest, LimitsAndStartKeysPageThroughAll) {
  for (const bool forward : {true, false}) {
    PageRequest request = query_a();
    request.forward = forward;
    request.limit = 1;
    std::vector<std::string> seen;
    for (int pages = 0; pages < 10; ++pages) {
      const Page one = page(request);
      for (const std::string& at : ats(one)) seen.push_back(at);
      if (!one.last_evaluated_key) break;
      request.exclusive_start_key = one.last_evaluated_key;
    }
    std::vector<std::string> expected{"-3", "2", "7", "10"};
    if (!forward) std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(StoreReaderTest, AStartKeyNeedNotExist) {
  PageRequest request = query_a();
  request.exclusive_start_key = item_of(R"({"id":{"S":"A"},"seq":{"N":"5"}})");
  EXPECT_THAT(ats(page(request)), ElementsAre("7", "10"));
  request.forward = false;
  EXPECT_THAT(ats(page(request)), ElementsAre("2", "-3"));
}

TEST_F(StoreReaderTest, AStartKeyThatIsNoneOfTheWalkIsRefused) {
  PageRequest request = query_a();
  request.exclusive_start_key = item_of(R"({"id":{"S":"B"},"seq":{"N":"5"}})");
  EXPECT_THAT(refusal(request), HasSubstr("outside query boundaries"));
  request.exclusive_start_key = item_of(R"({"id":{"S":"A"}})");
  EXPECT_THAT(refusal(request), HasSubstr("The provided starting key is invalid"));
  request = query_a("seq < :x", R"(":x":{"N":"2"})");
  request.exclusive_start_key = item_of(R"({"id":{"S":"A"},"seq":{"N":"5"}})");
  EXPECT_THAT(refusal(request), HasSubstr("does not match the range key predicate"));
}

TEST_F(StoreReaderTest, FiltersProjectionsAndCounts) {
  PageRequest request = query_a();
  request.filter =
      condition("even = :t", expression::Condition::Kind::kFilter, R"({":t":{"BOOL":true}})");
  expression::Placeholders none;
  request.projection = *expression::Projection::parse("seq", none);
  const Page filtered = page(request);
  EXPECT_THAT(ats(filtered), ElementsAre("2", "10"));
  EXPECT_EQ(json_of(filtered.items[0]), R"({"seq":{"N":"2"}})");
  EXPECT_EQ(filtered.count, 2U);
  EXPECT_EQ(filtered.scanned_count, 4U);
  request.count_only = true;
  EXPECT_THAT(page(request).items, IsEmpty());
  EXPECT_EQ(page(request).count, 2U);
  request.limit = 1;
  const Page limited = page(request);
  EXPECT_EQ(limited.count, 0U) << "the limit counts what was looked at";
  EXPECT_TRUE(limited.last_evaluated_key);
  request.filter =
      condition("seq = :t", expression::Condition::Kind::kFilter, R"({":t":{"BOOL":true}})");
  EXPECT_EQ(
      refusal(request),
      "Filter Expression can only contain non-primary key attributes: Primary key attribute: seq");
}

TEST_F(StoreReaderTest, APageEndsAtOneMegabyte) {
  const std::string value(300 * 1024, 'x');
  for (int i = 0; i < 5; ++i) {
    write(put(R"({"id":{"S":"L"},"seq":{"N":")" + std::to_string(i) + R"("},"v":{"S":")" + value +
                  R"("}})",
              "sorted"));
  }
  PageRequest request = query("id = :id", R"({":id":{"S":"L"}})");
  request.count_only = true;
  const Page first = page(request);
  EXPECT_EQ(first.count, 4U) << "the item that crosses the megabyte is the page's last";
  ASSERT_TRUE(first.last_evaluated_key);
  request.exclusive_start_key = first.last_evaluated_key;
  const Page second = page(request);
  EXPECT_EQ(second.count, 1U);
  EXPECT_FALSE(second.last_evaluated_key);
}

TEST_F(StoreReaderTest, NoPageFollowsTheLastKeyThatTheConditionAllows) {
  write(put(R"({"id":{"S":"one"},"seq":{"N":"1"}})", "sorted"));
  const auto goes_on = [&](const std::string& condition, bool forward) {
    PageRequest request =
        query("id = :id AND " + condition, R"({":id":{"S":"one"},":n":{"N":"1"}})");
    request.limit = 1;
    request.forward = forward;
    return page(request).last_evaluated_key.has_value();
  };
  EXPECT_FALSE(goes_on("seq = :n", true));
  EXPECT_FALSE(goes_on("seq <= :n", true));
  EXPECT_FALSE(goes_on("seq >= :n", false));
  EXPECT_TRUE(goes_on("seq <= :n", false));
  EXPECT_TRUE(goes_on("seq >= :n", true));
}

TEST_F(StoreReaderTest, SegmentsCoverATableOnce) {
  for (int i = 0; i < 200; ++i) write(put(R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  for (const std::uint32_t total : {1U, 2U, 3U, 7U, 1000U, 1'000'000U}) {
    std::map<std::string, int> seen;
    std::uint32_t used = 0;
    const std::uint32_t stride = total > 1000 ? 0 : 1;
    for (std::uint32_t segment = 0; segment < total && stride > 0; segment += stride) {
      PageRequest request;
      request.table = "users";
      request.segment = segment;
      request.total_segments = total;
      const Page found = page(request);
      used += found.items.empty() ? 0 : 1;
      for (const auto& item : found.items) seen[item.at("id").as<item::String>().text] += 1;
    }
    if (stride == 0) {  // too many to walk: the ends only
      PageRequest request;
      request.table = "users";
      request.segment = total - 1;
      request.total_segments = total;
      EXPECT_EQ(refusal(request), "done");
      request.segment = total;
      EXPECT_THAT(refusal(request), HasSubstr("must be less than parameter TotalSegments"));
      continue;
    }
    EXPECT_EQ(seen.size(), 200U) << total;
    EXPECT_TRUE(
        std::all_of(seen.begin(), seen.end(), [](const auto& one) { return one.second == 1; }));
    EXPECT_GT(used, total / 10) << "evenly enough";
  }
}

TEST_F(StoreReaderTest, AScanSegmentRefusesAStartKeyOfAnother) {
  for (int i = 0; i < 20; ++i) write(put(R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  PageRequest request;
  request.table = "users";
  request.total_segments = 2;
  request.limit = 1;
  const Page first = page(request);
  ASSERT_TRUE(first.last_evaluated_key);
  request.exclusive_start_key = first.last_evaluated_key;
  EXPECT_EQ(refusal(request), "done");
  request.segment = 1;
  EXPECT_THAT(refusal(request), HasSubstr("with correct Segment"));
}

TEST_F(StoreReaderTest, ManyKeysOfManyTablesInOrder) {
  write(put(R"({"id":{"S":"A"}})"));
  const auto result =
      tables.reader->get_many({{"sorted", item_of(R"({"id":{"S":"A"},"seq":{"N":"2"}})")},
                               {"users", item_of(R"({"id":{"S":"no"}})")},
                               {"users", item_of(R"({"id":{"S":"A"}})")}});
  const auto& items = std::get<0>(result);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_TRUE(items[0]);
  EXPECT_FALSE(items[1]);
  EXPECT_EQ(json_of(*items[2]), R"({"id":{"S":"A"}})");
  EXPECT_TRUE(std::holds_alternative<Failure>(
      tables.reader->get_many({{"nobody", item_of(R"({"id":{"S":"A"}})")}})));
  EXPECT_TRUE(std::holds_alternative<Failure>(
      tables.reader->get_many({{"users", item_of(R"({"no":{"S":"A"}})")}})));
}

TEST_F(StoreReaderTest, NamesAreListedInOrderAfterAStart) {
  create("alpha");
  EXPECT_THAT(tables.reader->list("", 2), ElementsAre("alpha", "sorted"));
  EXPECT_THAT(tables.reader->list("sorted", 5), ElementsAre("users"));
}

TEST(ItemFormat, PartitionsShareTheHashesEvenly) {
  EXPECT_EQ(partition_of(0, 4), 0);
  EXPECT_EQ(partition_of(UINT64_MAX, 4), 3);
  EXPECT_EQ(partition_of(UINT64_MAX / 2, 4), 1);
  EXPECT_EQ(partition_of(UINT64_MAX, 1), 0);
  EXPECT_EQ(partition_of(UINT64_MAX, 1024), 1023);
  EXPECT_EQ(after_prefix(std::string("a\xFF")), "b");
  EXPECT_EQ(after_prefix(std::string("\xFF\xFF")), "");
}

}  // namespace
}  // namespace pawl::table
