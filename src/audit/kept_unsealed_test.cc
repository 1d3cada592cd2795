// What is kept and not entered yet: which objects that can be, how many are read, and which name each explains.
#include "audit/kept_unsealed.h"

#include <gmock/gmock.h>

#include "audit/archive_builder_test.h"

namespace pawl::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Tells which objects are read, and lists in another order than that of the names.
class Watched final : public ArchiveView {
 public:
  MemoryArchive archive;
  std::vector<std::string> reads;

  std::string describe() const override { return "watched"; }
  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    for (auto file = archive.files.rbegin(); file != archive.files.rend(); ++file) {
      if (file->first.starts_with(prefix) && !visit({file->first, file->second.size()})) break;
    }
    return ok();
  }
  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    reads.emplace_back(name);
    return archive.read(name, offset, size_max);
  }
};

class Unsealed : public ::testing::Test {
 protected:
  void keep(std::uint64_t number, const std::string& content) {
    view.archive.files[kept_name(number)] = content;
  }
  std::vector<std::string> list(KeptUnsealed& unsealed, std::uint64_t entered) {
    std::vector<std::string> others;
    EXPECT_TRUE(unsealed
                    .list(entered,
                          [&others](const ArchiveView::Entry& entry) -> Status {
                            others.emplace_back(entry.name);
                            return ok();
                          })
                    .ok());
    return others;
  }
  static std::string find(KeptUnsealed& unsealed, std::string_view name,
                          const std::string& content) {
    const auto found = unsealed.find(name, {content.size(), sha256(content)});
    EXPECT_TRUE(found.ok());
    return found.ok() ? found->value_or("nowhere") : "failed";
  }
  Watched view;
};

TEST_F(Unsealed, IsWhatGoesOnWhereTheChainEnds) {
  for (std::uint64_t number = 1; number <= 12; ++number) keep(number, "x");
  keep(14, "y");
  view.archive.files[".pawl/kept/foo"] = "y";
  view.archive.files[".pawl/kept/0000000000000010y"] = "y";
  view.archive.files[".pawl/kept/10"] = "y";
  view.archive.files[".pawl/kept/99999999999999999999999"] = "y";
  KeptUnsealed unsealed(view);
  EXPECT_EQ(list(unsealed, 8).size(), 12U);  // eight that are entered, and what is nobody's
  EXPECT_EQ(unsealed.count(), 4U);
  EXPECT_EQ(find(unsealed, "a", "x"), kept_name(9));
  EXPECT_EQ(find(unsealed, "a", "y"), "nowhere");
}

TEST_F(Unsealed, IsNothingWhereTheChainHasAllOrItsNextIsNotThere) {
  keep(1, "x");
  keep(3, "x");
  for (const std::uint64_t entered : {1U, 3U, 4U}) {
    KeptUnsealed unsealed(view);
    list(unsealed, entered);
    EXPECT_EQ(unsealed.count(), 0U) << entered;
    EXPECT_EQ(find(unsealed, "a", "x"), "nowhere");
  }
  EXPECT_THAT(view.reads, IsEmpty());
}

TEST_F(Unsealed, EachExplainsOneName) {
  keep(1, "x");
  keep(2, "x");
  KeptUnsealed unsealed(view);
  list(unsealed, 0);
  EXPECT_EQ(find(unsealed, "a", "x"), kept_name(1));
  EXPECT_EQ(find(unsealed, "b", "x"), kept_name(2));
  EXPECT_EQ(find(unsealed, "c", "x"), "nowhere");
  EXPECT_EQ(find(unsealed, "a", "x"), kept_name(1));
  EXPECT_EQ(find(unsealed, "b", "x"), kept_name(2));
}

TEST_F(Unsealed, IsReadOnceAndOnlyWhereItsSizeIsAskedFor) {
  keep(1, "xx");
  keep(2, "x");
  keep(3, "y");
  keep(4, "z");
  KeptUnsealed unsealed(view);
  list(unsealed, 0);
  EXPECT_EQ(find(unsealed, "a", "y"), kept_name(3));
  EXPECT_EQ(find(unsealed, "b", "x"), kept_name(2));
  EXPECT_THAT(view.reads, ElementsAre(kept_name(2), kept_name(3)));
  EXPECT_EQ(find(unsealed, "c", "0"), "nowhere");
  EXPECT_EQ(find(unsealed, "c", "1"), "nowhere");
  EXPECT_EQ(find(unsealed, "c", "three"), "nowhere");
  EXPECT_THAT(view.reads, ElementsAre(kept_name(2), kept_name(3), kept_name(4)));
}

TEST_F(Unsealed, TheLimitIsOfAllSizesTogether) {
  keep(1, "x");
  keep(2, "xx");
  keep(3, "y");
  keep(4, "yy");
  KeptUnsealed unsealed(view, 3);
  list(unsealed, 0);
  EXPECT_EQ(find(unsealed, "a", "z"), "nowhere");
  EXPECT_FALSE(unsealed.has_unread(1));
  EXPECT_EQ(find(unsealed, "b", "yy"), "nowhere");
  EXPECT_TRUE(unsealed.has_unread(2));
  EXPECT_FALSE(unsealed.has_unread(3));
  EXPECT_EQ(find(unsealed, "c", "xx"), kept_name(2));
  EXPECT_EQ(view.reads.size(), 3U);
}

TEST_F(Unsealed, WhatIsGoneMeanwhileIsPassedOver) {
  keep(1, "x");
  keep(2, "y");
  KeptUnsealed unsealed(view);
  list(unsealed, 0);
  view.archive.files.erase(kept_name(1));
  EXPECT_EQ(find(unsealed, "a", "y"), kept_name(2));
  EXPECT_EQ(find(unsealed, "b", "x"), "nowhere");
}

TEST_F(Unsealed, WhoHearsOfOthersMayFail) {
  keep(1, "x");
  keep(2, "x");
  KeptUnsealed unsealed(view);
  const auto listed = unsealed.list(1, [](const ArchiveView::Entry&) -> Status {
    return Error{ErrorCode::kUnavailable, "full", {}};
  });
  EXPECT_FALSE(listed.ok());
}

}  // namespace
}  // namespace pawl::audit
