#include "audit/table_search.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "audit/image_spool.h"
#include "audit/table_item.h"
#include "port/conformance/run_awaitable.h"

namespace pawl::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Source = Recovery::Source;

const NamePattern& logs() {
  static const NamePattern pattern = *NamePattern::parse("logs/{hashid}-{_version}.log");
  return pattern;
}

std::string image(std::string_view key, std::uint64_t version) {
  return fmt::format(R"({{"hashid":{{"S":"{}"}},"_version":{{"N":"{}"}}}})", key, version);
}

// Waits end at once, and time goes on by them.
class QuickClock final : public Clock {
 public:
  Instant now() override { return {now_}; }
  MonotonicInstant monotonic() override { return {now_}; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<QuickAlarm>(*this); }

 private:
  class QuickAlarm final : public Alarm {
   public:
    explicit QuickAlarm(QuickClock& clock) : clock_(clock) {}
    void ring() override {}
    Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
      clock_.now_ = std::max(clock_.now_, deadline.microseconds);
      co_return Woken::kDeadline;
    }

   private:
    QuickClock& clock_;
  };
  std::int64_t now_ = 1'000'000'000'000;
};

// Shards are lists of pages; a page is records or an error. An iterator is "SHARD/PAGE/MADE"; one that has expired stays so.
class FakeStream final : public TableStream {
 public:
  struct Page {
    std::vector<StreamRecord> records;
    std::optional<StreamErrorKind> error;  // once, then the records
  };
  struct Shard {
    bool open = false;
    std::vector<Page> pages;
    std::optional<StreamErrorKind> denied;  // of its iterator
  };
  std::map<std::string, Shard> shards_there;
  std::set<std::string> expired;
  int made = 0;

  Awaitable<StreamResult<StreamShardPage>> shards(std::string arn, std::string after) override {
    StreamShardPage page;
    page.stream = {std::move(arn), true, StreamView::kNewAndOldImages};
    const auto at = shards_there.upper_bound(after);  // one a page
    if (at != shards_there.end()) {
      page.shards.push_back({at->first, "", "1", at->second.open ? "" : "9"});
      if (std::next(at) != shards_there.end()) page.last_shard = at->first;
    }
    co_return page;
  }
  Awaitable<StreamResult<std::string>> iterator(std::string, std::string shard,
                                                StreamPosition position) override {
    auto& of = shards_there.at(shard);
    if (of.denied) co_return StreamError{*of.denied, "no iterator for " + shard, ""};
    std::size_t page = 0;
    if (position.at == StreamPosition::At::kAfter) {
      for (std::size_t i = 0; i < of.pages.size(); ++i) {
        for (const auto& record : of.pages[i].records) {
          if (record.sequence == position.sequence) page = i + 1;
        }
      }
    }
    co_return fmt::format("{}/{}/{}", shard, page, ++made);
  }
  Awaitable<StreamResult<StreamRecordPage>> records(std::string iterator, std::size_t) override {
    if (expired.contains(iterator))
      co_return StreamError{StreamErrorKind::kExpiredIterator, "expired", ""};
    const auto slash = iterator.find('/');
    auto& of = shards_there.at(iterator.substr(0, slash));
    const auto number = std::stoul(iterator.substr(slash + 1));
    StreamRecordPage answer;
    if (number >= of.pages.size()) {
      if (of.open) answer.next_iterator = iterator;
      co_return answer;
    }
    auto& page = of.pages[number];
    const auto error = std::exchange(page.error, std::nullopt);
    if (error == StreamErrorKind::kExpiredIterator) expired.insert(iterator);
    if (error) co_return StreamError{*error, "as told", ""};
    answer.records = page.records;
    answer.next_iterator = fmt::format("{}/{}/{}", iterator.substr(0, slash), number + 1, ++made);
    if (!of.open && number + 1 == of.pages.size()) answer.next_iterator.clear();
    co_return answer;
  }
};

StreamRecord record(std::string sequence, std::string_view key, std::optional<std::uint64_t> before,
                    std::optional<std::uint64_t> after, std::int64_t seconds) {
  StreamRecord made;
  made.sequence = std::move(sequence);
  made.created = {seconds * 1'000'000};
  if (before) made.old_image = image(key, *before);
  if (after) made.new_image = image(key, *after);
  return made;
}

Gap gap(std::string_view head, std::uint64_t from, std::uint64_t to,
        std::optional<std::uint64_t> table_version = {}) {
  return {Gap::Kind::kBetween, {head, ".log"}, {from, to}, table_version, {}};
}

std::vector<std::string> drained(GapRecovery& recovery) {
  static constexpr const char* kNames[] = {"stream", "old-image", "table"};
  std::vector<std::string> lines;
  EXPECT_TRUE(recovery
                  .drain([&](const Gap& hole, const std::vector<Recovery>& ways, std::size_t) {
                    auto line = fmt::format("{} {}-{}:", logs().label(hole.item),
                                            hole.versions.from, hole.versions.to);
                    for (const auto& way : ways) {
                      line +=
                          fmt::format(" {} {}", way.version, kNames[static_cast<int>(way.source)]);
                      if (way.until)
                        line += fmt::format("@{}", way.until->microseconds / 1'000'000 - 86'400);
                    }
                    lines.push_back(line);
                    return ok();
                  })
                  .ok());
  return lines;
}

TEST(TableItem, IsReadAsTheFunctionWritesIt) {
  const auto item = read_table_item(logs(), image("A-1", 7));
  ASSERT_TRUE(item);
  EXPECT_EQ(item->head, "logs/A-1-");
  EXPECT_EQ(item->tail, ".log");
  EXPECT_EQ(item->version, 7U);
  EXPECT_EQ(read_table_item(logs(), R"({"hashid":{"N":"12"},"_version":{"S":"0"}})")->head,
            "logs/12-");
  for (const char* json :
       {"", "[]", "{}", "{", R"({"hashid":{"S":"A"}})", R"({"_version":{"N":"1"}})",
        R"({"hashid":{"S":"A"},"_version":{"N":"-99"}})", R"({"hashid":{"S":"A"},"_version":7})",
        R"({"hashid":{"S":"A"},"_version":{"N":"1.5"}})",
        R"({"hashid":{"B":"QQ=="},"_version":{"N":"1"}})",
        R"({"hashid":{"S":"A"},"_version":{"N":"18446744073709551616"}})"}) {
    EXPECT_FALSE(read_table_item(logs(), json)) << json;
  }
}

TEST(GapRecovery, FindsEachWayBack) {
  GapRecovery recovery(logs(), 1 << 20);
  ASSERT_TRUE(recovery.add(gap("logs/A-", 3, 4)).ok());
  ASSERT_TRUE(recovery.add(gap("logs/A-", 7, 9, 9)).ok());
  ASSERT_TRUE(recovery.add(gap("logs/B-", 0, 0)).ok());
  const auto see = [&](const StreamRecord& seen) { ASSERT_TRUE(recovery.see("s", seen).ok()); };
  see(record("1", "A", 2, 3, 100));
  see(record("2", "A", 3, 4, 200));
  see(record("3", "A", 4, 5, 300));
  see(record("4", "A", 4, 5, 250));  // the same image again, and older
  see(record("5", "A", 8, {}, 400));
  see(record("6", "C", 0, 1, 400));
  see(record("7", "B", {}, 1, 400));
  StreamRecord damaged;
  damaged.new_image = "{";
  see(damaged);
  EXPECT_EQ(recovery.unreadable(), 1U);
  EXPECT_THAT(drained(recovery),
              ElementsAre("A 3-4: 3 stream@100 3 old-image@200 4 stream@200 4 old-image@300",
                          "A 7-9: 8 old-image@400 9 table", "B 0-0:"));
}

TEST(GapRecovery, IsBounded) {
  GapRecovery recovery(logs(), 4 << 10);
  Status status = ok();
  for (int i = 0; i < 1000 && status.ok(); ++i)
    status = recovery.add(gap(fmt::format("logs/{:04}-", i), 1, 1));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().to_string(), HasSubstr("--no-stream"));
}

// What is drained is what the spool gives, in that order.
TEST(GapRecovery, KeepsTheImages) {
  ImageSpool spool(2 << 20, "/tmp");
  GapRecovery recovery(logs(), 1 << 20, &spool);
  ASSERT_TRUE(recovery.add(gap("logs/A-", 3, 4)).ok());
  ASSERT_TRUE(recovery.add(gap("logs/B-", 0, 1, 1)).ok());
  ASSERT_TRUE(recovery.add(gap("logs/C-", 5, 5, 5)).ok());
  ASSERT_TRUE(recovery.add(gap("logs/D-", 5, 6, 6)).ok());
  ASSERT_TRUE(recovery.see("s", record("3", "A", 4, 5, 300)).ok());
  ASSERT_TRUE(recovery.see("s", record("1", "A", 2, 3, 100)).ok());
  ASSERT_TRUE(recovery.see("s", record("2", "A", 3, 4, 200)).ok());
  ASSERT_TRUE(recovery.see("s", record("4", "D", {}, 6, 200)).ok());
  std::vector<std::string> asked;
  ASSERT_TRUE(recovery
                  .only_in_table([&](ItemName item) {
                    asked.push_back(logs().label(item));
                    return ok();
                  })
                  .ok());
  EXPECT_THAT(asked, ElementsAre("B", "C"));
  ASSERT_TRUE(recovery.see_table(image("B", 1)).ok());
  ASSERT_TRUE(recovery.see_table(image("C", 6)).ok());  // written meanwhile
  ASSERT_TRUE(spool.begin_taking().ok());
  std::vector<std::string> lines;
  const auto take = [&](const Gap& hole, const std::vector<Recovery>& ways, std::size_t number) {
    for (const auto& way : ways) {
      std::string found;
      const bool there = *spool.take(number, way, found);
      EXPECT_TRUE(!there || found == image(logs().label(hole.item), way.version)) << found;
      lines.push_back(fmt::format("{} {} {}{}", logs().label(hole.item), way.version,
                                  name_of(way.source), there ? "" : " gone"));
    }
    return ok();
  };
  ASSERT_TRUE(recovery.drain(take).ok());
  EXPECT_THAT(lines, ElementsAre("A 3 stream", "A 3 old-image", "A 4 stream", "A 4 old-image",
                                 "B 1 table", "C 5 table gone", "D 6 stream", "D 6 table gone"));
}

StreamSummary searched(FakeStream& stream, GapRecovery& recovery) {
  QuickClock clock;
  StreamSearch search(stream, clock, recovery, [](std::uint64_t) {});
  EXPECT_TRUE(run_awaitable(search.find_shards("arn")).ok());
  EXPECT_TRUE(run_awaitable(search.work()).ok());
  return search.summary();
}

TEST(StreamSearch, ReadsEveryShardToItsEnd) {
  GapRecovery recovery(logs(), 1 << 20);
  ASSERT_TRUE(recovery.add(gap("logs/A-", 1, 9)).ok());
  FakeStream stream;
  stream.shards_there["closed"].pages = {
      {{record("1", "A", 0, 1, 10)}, {}}, {{}, {}}, {{}, {}}, {{record("2", "A", 1, 2, 11)}, {}}};
  stream.shards_there["open"] = {
      true, {{{record("3", "A", 2, 3, 12)}, {}}, {{}, {}}, {{record("4", "A", 3, 4, 13)}, {}}}, {}};
  // Records of after the start end an open shard: 1,000,000 s is when the search starts.
  stream.shards_there["open and busy"] = {
      true,
      {{{record("5", "A", 4, 5, 1'000'001)}, {}}, {{record("6", "A", 5, 6, 1'000'002)}, {}}},
      {}};
  const auto summary = searched(stream, recovery);
  EXPECT_EQ(summary.shards, 3U);
  EXPECT_EQ(summary.records, 5U);
  EXPECT_EQ(summary.oldest, (Instant{10'000'000}));
  EXPECT_EQ(summary.shards_unread, 0U);
  EXPECT_THAT(drained(recovery)[0], HasSubstr("2 stream@11"));
  EXPECT_THAT(drained(recovery)[0], testing::Not(HasSubstr("6 stream")));
}

TEST(StreamSearch, LivesWithWhatStreamsAnswer) {
  GapRecovery recovery(logs(), 1 << 20);
  ASSERT_TRUE(recovery.add(gap("logs/A-", 1, 9)).ok());
  FakeStream stream;
  stream.shards_there["a"].pages = {
      {{record("1", "A", {}, 1, 10)}, {}},
      {{record("2", "A", {}, 2, 11)}, StreamErrorKind::kExpiredIterator},
      {{record("3", "A", {}, 3, 11)}, StreamErrorKind::kThrottled}};
  stream.shards_there["b"].denied = StreamErrorKind::kDenied;
  stream.shards_there["c"].denied = StreamErrorKind::kNotFound;
  stream.shards_there["d"].denied = StreamErrorKind::kThrottled;
  const auto summary = searched(stream, recovery);
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.shards_unread, 2U);
  EXPECT_EQ(summary.why_unread, "no iterator for b");
  EXPECT_THAT(drained(recovery), ElementsAre("A 1-9: 1 stream@10 2 stream@11 3 stream@11"));
}

// A scan in pages of one.
class FakeTable final : public SourceTable {
 public:
  std::vector<std::string> items;
  std::vector<std::string> attributes_asked;
  Awaitable<Result<SourceTableFacts>> describe() override { co_return SourceTableFacts{}; }
  Awaitable<Result<std::optional<std::string>>> get(std::string) override {
    co_return std::optional<std::string>{};
  }
  Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string>) override {
    co_return std::vector<std::optional<std::string>>{};
  }
  Awaitable<Result<SourceItems>> scan(std::uint32_t segment, std::uint32_t segments,
                                      std::string after,
                                      std::vector<std::string> attributes) override {
    attributes_asked = std::move(attributes);
    SourceItems page;
    const auto at = after.empty() ? segment : std::stoul(after);
    if (at < items.size() && !items[at].empty()) page.items = {items[at]};
    if (at + segments < items.size()) page.next = std::to_string(at + segments);
    co_return page;
  }
};

TEST(TableScan, TellsEachItem) {
  FakeTable table;
  table.items = {image("A", 4), "", image("B", 0), R"({"hashid":{"S":"C"}})", image("D", 1)};
  GapList list(true, 0, 4 << 20, "/tmp");
  ASSERT_TRUE(list.item({"logs/A-", ".log"}, 2, {}).ok());
  ASSERT_TRUE(list.item({"logs/B-", ".log"}, 0, {}).ok());
  TableScan scan(table, logs(), list, [](std::uint64_t) {});
  for (const std::uint32_t segment : {0U, 1U})
    ASSERT_TRUE(run_awaitable(scan.segment(segment, 2)).ok());
  EXPECT_THAT(table.attributes_asked, ElementsAre("hashid", "_version"));
  EXPECT_EQ(scan.items(), 4U);
  EXPECT_EQ(scan.unnamed(), 1U);
  std::vector<std::string> holes;
  ASSERT_TRUE(list.drain([&](const Gap& hole) {
                    holes.push_back(fmt::format("{} {}-{} of {}", logs().label(hole.item),
                                                hole.versions.from, hole.versions.to,
                                                *hole.table_version));
                    return ok();
                  })
                  .ok());
  EXPECT_THAT(holes, ElementsAre("A 3-4 of 4", "D 0-1 of 1"));
}

}  // namespace
}  // namespace pawl::audit
