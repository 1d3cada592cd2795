// An archive is listed by the rules of buckets: the same names in both give the same pages, whatever is asked.
#include <gtest/gtest.h>

#include "bucket/bucket_fixture_test.h"
#include "fault/fault_plan.h"
#include "fault/memory_object_shelf.h"

namespace pawl::bucket {
namespace {

std::string text_of(const Page<ListedObject>& page) {
  std::string text;
  for (const auto& entry : page.entries)
    text += entry.key + " " + std::to_string(entry.record.bytes) + "\n";
  for (const auto& prefix : page.prefixes) text += prefix + "\n";
  return text + (page.truncated ? "more behind " + page.last : "whole");
}

TEST(ShelfListing, IsTheListingOfABucket) {
  SeededRandom random(7);
  const std::vector<std::string> parts{"a", "b", "b-1", "b!", "\xC3\xA4", "\xFF"};
  std::uint64_t pages = 0;
  for (int round = 0; round < 60; ++round) {
    Buckets buckets;
    MemoryObjectShelf shelf;
    buckets.run(CreateBucket{"b", "r"});
    std::vector<std::string> names;
    for (std::uint64_t i = random.below(30); i > 0; --i) {
      std::string name = parts[random.below(parts.size())];
      for (std::uint64_t deeper = random.below(4); deeper > 0; --deeper)
        name += "/" + parts[random.below(parts.size())];
      buckets.submit(buckets.put("b", name, BodyKind::kInline, name));
      shelf.put(name, name);
      names.push_back(name);
    }
    buckets.store->committer().run_round();
    for (int query_number = 0; query_number < 60; ++query_number) {
      ListQuery query;
      const auto piece_of_a_name = [&]() -> std::string {
        if (names.empty() || random.below(3) == 0) return "";
        const std::string& name = names[random.below(names.size())];
        return name.substr(0, random.below(name.size() + 1));
      };
      query.prefix = piece_of_a_name();
      query.delimiter = std::vector<std::string>{"", "/", "-", "b/"}[random.below(4)];
      query.after = piece_of_a_name();
      query.max = 1 + random.below(6);
      SCOPED_TRACE("prefix '" + query.prefix + "' delimiter '" + query.delimiter + "' after '" +
                   query.after + "'");
      for (bool more = true; more;) {
        const auto wanted = list_objects(buckets.memory, "b", query).value();
        const auto found = list_shelf(shelf, query).value();
        ASSERT_EQ(text_of(found), text_of(wanted));
        more = wanted.truncated;
        query.after = wanted.last;
        ++pages;
      }
    }
  }
  EXPECT_GT(pages, 4000U);
}

}  // namespace
}  // namespace pawl::bucket
