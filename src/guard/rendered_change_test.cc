#include "guard/rendered_change.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace pawl::guard {
namespace {

RenderedChange change(const std::function<void(StreamRecord&)>& adjust = {}) {
  const GuardedTable table{"00000000000000aa",
                           "test",
                           {1},
                           "arn",
                           {"users", {{"id", item::Type::kString}, std::nullopt}},
                           archive::NameTemplate::parse("{id}-{v}").value(),
                           "v",
                           true};
  StreamRecord record;
  record.sequence = "100000000000000000007";
  record.kind = StreamChangeKind::kModify;
  record.created = {1'700'000'000'123'456};
  record.keys = R"({"id":{"S":"A"}})";
  record.new_image = R"({"id":{"S":"A"},"v":{"N":"3"}})";
  record.old_image = R"({"id":{"S":"A"},"v":{"N":"2"}})";
  if (adjust) adjust(record);
  return render_change(table, {{1}, 1}, {5}, record, std::nullopt).value();
}

// What an older copy of a table has under a number, when it has grown past its ledger.
TEST(RenderedChange, AnEntryTellsOfItsOwnChangeAndOfNoOther) {
  auto entered = change().entry;
  EXPECT_TRUE(tells_of(entered, change()));
  const std::vector<std::function<void(StreamRecord&)>> others{
      [](auto& record) { record.sequence = "100000000000000000008"; },
      [](auto& record) { record.kind = StreamChangeKind::kInsert; },
      [](auto& record) { ++record.created.microseconds; },
      [](auto& record) { record.keys = R"({"id":{"S":"B"}})"; },
      [](auto& record) { record.new_image = R"({"id":{"S":"A"},"v":{"N":"4"}})"; },
  };
  for (std::size_t i = 0; i < others.size(); ++i)
    EXPECT_FALSE(tells_of(entered, change(others[i]))) << i;
  // What became of its object is its page's affair.
  entered.object = "A-3";
  entered.foreign = true;
  entered.size = 1;
  entered.sha256 = sha256("x");
  EXPECT_TRUE(tells_of(entered, change()));
  // As a page gives it back.
  const ledger::ShardPage page{"00000000000000aa", {{1}, 1}, {1}, {}, {}, {entered}};
  const auto parsed = ledger::parse_page(ledger::encode_page(page));
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(tells_of(parsed->entries.back(), change()));
}

}  // namespace
}  // namespace pawl::guard
