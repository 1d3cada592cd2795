#include "bucket/kept_recorder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "bucket/bucket_listing.h"
#include "bucket/own_fixture_test.h"
#include "bucket/own_ledger_store.h"
#include "ledger/page_format.h"

namespace pawl::bucket {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KeptRecorderTest : public testing::Test {
 protected:
  KeptRecorderTest() {
    own_.run(Supervise{"b"});
    open();
  }
  // As at a start.
  void open() {
    recorder_.emplace(
        own_.ports(), [this] { return std::make_unique<OwnLedgerStore>(own_.ports(), "b"); },
        KeptRecorderOptions{"b", "00000000000000aa"});
  }
  void restart() {
    own_.restart();
    open();
  }
  void put(const std::string& key, const std::string& bytes, BodyKind kind = BodyKind::kInline) {
    EXPECT_EQ(own_.run(own_.buckets.put("b", key, kind, bytes)).refusal, Refusal::kNone);
  }
  void remove(const std::string& key) { own_.run(DeleteObjects{"b", {{key, std::nullopt}}}); }
  Status catch_up() { return run_awaitable(recorder_->catch_up()); }
  std::vector<std::string> pages() {
    OwnLedgerStore ledger(own_.ports(), "b");
    std::vector<std::string> found;
    EXPECT_TRUE(run_awaitable(ledger.read("kept", [&found](std::string_view line) {
                  found.emplace_back(line.substr(line.find('{')));
                  return true;
                })).ok());
    return found;
  }
  static std::string by(const std::string& content) {
    return fmt::format(R"("by":{{"size":{},"sha256":"{}"}}}})", content.size(),
                       sha256(content).to_hex());
  }
  // The names of the kept objects that pages list, in their order.
  std::vector<std::string> entered() {
    std::vector<std::string> names;
    const auto all = pages();
    for (const std::string& page : all) {
      const std::string_view mark = R"("kept":")";
      for (auto at = page.find(mark); at != std::string::npos; at = page.find(mark, at + 1))
        names.push_back(page.substr(at + mark.size(), kept_key(1).size()));
    }
    return names;
  }
  std::vector<std::string> kept() {
    ListQuery query;
    query.prefix = kKeptPrefix;
    std::vector<std::string> names;
    const auto page = list_objects(own_.buckets.memory, "b", query).value();
    for (const auto& object : page.entries) names.push_back(object.key);
    return names;
  }

  OwnBuckets own_;
  std::optional<KeptRecorder> recorder_;
};

TEST_F(KeptRecorderTest, EntersWhatWasReplacedAndWhatWasDeleted) {
  put("a", "one");
  own_.buckets.clock.set({1'800'000'001'000'000});
  put("a", "two");
  own_.buckets.clock.set({1'800'000'002'000'000});
  remove("a");
  ASSERT_TRUE(catch_up().ok());
  EXPECT_THAT(
      pages(),
      ElementsAre(
          R"({"format":"pawl-kept/1","archive":"00000000000000aa","chain":"kept","page":0,"previous":")" +
          Digest{}.to_hex() +
          R"(","instant":"2027-01-15T08:00:02.000000Z","first":1,"last":2,"kept":[)"
          R"({"sequence":1,"object":"a","size":3,"sha256":")" +
          sha256("one").to_hex() +
          R"(","kept":".pawl/kept/0000000000000001","replaced":"2027-01-15T08:00:01.000000Z"},)"
          R"({"sequence":2,"object":"a","size":3,"sha256":")" +
          sha256("two").to_hex() +
          R"(","kept":".pawl/kept/0000000000000002","deleted":"2027-01-15T08:00:02.000000Z"}]})"
          "\n"));
  const KeptStatus status = recorder_->status();
  EXPECT_EQ(status.kept, 2U);
  EXPECT_EQ(status.kept_bytes, 6U);
  EXPECT_EQ(status.entered, 2U);
}

TEST_F(KeptRecorderTest, SaysWhatTookThePlaceWhereThatStandsThereStill) {
  for (const auto kind : {BodyKind::kInline, BodyKind::kStored, BodyKind::kFile}) {
    const auto name = "a" + std::to_string(static_cast<int>(kind));
    put(name, "one");
    put(name, "two", kind);
    ASSERT_TRUE(catch_up().ok());
    EXPECT_THAT(pages().back(), HasSubstr(by("two")));
  }
  put("a0", "three");
  put("a0", "four");
  ASSERT_TRUE(catch_up().ok());
  // Of "two" nobody says what took its place: that is the entry behind it.
  EXPECT_THAT(pages().back(), HasSubstr(R"(0004","replaced":"2027-01-15T08:00:00.000000Z"},{)"));
  EXPECT_THAT(pages().back(), HasSubstr(by("four")));
}

// All in one round's instant, or with the same bytes again: what took the place is told by the commit, not by times or tags.
TEST_F(KeptRecorderTest, WhatStandsThereLaterTookAnothersPlace) {
  put("a", "one");
  put("a", "two");
  put("a", "two");  // provably the same: it goes on
  put("b", "one");
  put("b", "two");
  remove("b");
  put("b", "two");  // where nothing stood
  ASSERT_TRUE(catch_up().ok());
  const std::string page = pages().back();
  const auto at = page.find(by("two"));
  ASSERT_NE(at, std::string::npos) << page;
  EXPECT_LT(at, page.find(kept_key(2)));
  EXPECT_EQ(page.find("\"by\"", at + 1), std::string::npos) << page;
}

TEST_F(KeptRecorderTest, WhatTookThePlaceAndCanNotBeReadStopsItToo) {
  put("a", "one");
  put("a", "two", BodyKind::kFile);
  const auto there = own_.buckets.store->object("b", "a").value();
  ASSERT_TRUE(own_.buckets.files.remove(there->place.number).ok());
  EXPECT_FALSE(catch_up().ok());
  EXPECT_THAT(entered(), IsEmpty());
  put("a", "three");
  put("a", "four");
  EXPECT_FALSE(catch_up().ok());  // now it is what is kept that can't be read
  EXPECT_THAT(entered(), ElementsAre(kept_key(1)));
}

TEST_F(KeptRecorderTest, WithNothingKeptNothingIsWritten) {
  put("a", "one");
  put("b", "two");
  ASSERT_TRUE(catch_up().ok());
  EXPECT_THAT(pages(), IsEmpty());
}

TEST_F(KeptRecorderTest, GoesOnAfterARestartWhereItsLastPageEnds) {
  for (const auto kind : {BodyKind::kInline, BodyKind::kStored, BodyKind::kFile})
    put("a", "x" + std::to_string(static_cast<int>(kind)), kind);
  ASSERT_TRUE(catch_up().ok());
  put("a", "y");
  restart();
  put("a", "z");
  ASSERT_TRUE(catch_up().ok());
  ASSERT_TRUE(catch_up().ok());
  EXPECT_EQ(pages().size(), 2U);
  EXPECT_EQ(entered(), kept());
  EXPECT_EQ(entered().size(), 4U);
}

TEST_F(KeptRecorderTest, APageHoldsSoManyAndTheNextGoesOn) {
  const int all = 5000;
  for (int i = 0; i <= all; ++i) put("a", "content " + std::to_string(i));
  ASSERT_TRUE(catch_up().ok());
  EXPECT_EQ(pages().size(), 2U);
  EXPECT_EQ(entered().size(), static_cast<std::size_t>(all));
}

// Names that are long, and longer as JSON: a page is closed by bytes, and no more than one and a little is ever in hand.
TEST_F(KeptRecorderTest, APageHoldsSoManyBytes) {
  const std::string name(kObjectKeyBytesMax - 1, '\x01');
  const int all = 1500;
  for (int i = 0; i <= all; ++i) put(name + static_cast<char>('a' + i % 2), std::to_string(i));
  for (const char last : {'a', 'b'}) remove(name + last);
  ASSERT_TRUE(catch_up().ok());
  const auto all_pages = pages();
  EXPECT_GE(all_pages.size(), 3U);
  for (const std::string& page : all_pages) {
    EXPECT_LE(page.size(), ledger::kPageEntryBytesMax + 1000);
  }
  EXPECT_EQ(entered().size(), static_cast<std::size_t>(all + 1));
}

TEST_F(KeptRecorderTest, WhatCanNotBeReadStopsItThereAndSaysWhy) {
  put("a", "one");
  put("a", "two", BodyKind::kFile);
  put("a", "three");
  put("a", "four");
  const auto second = own_.buckets.store->object("b", kept_key(2)).value();
  ASSERT_TRUE(own_.buckets.files.remove(second->place.number).ok());
  EXPECT_FALSE(catch_up().ok());
  EXPECT_FALSE(catch_up().ok());
  EXPECT_THAT(entered(), ElementsAre(kept_key(1)));
}

TEST_F(KeptRecorderTest, ABucketThatIsNotSupervisedIsTold) {
  own_.run(CreateBucket{"other", "us-east-1"});
  KeptRecorder recorder(own_.ports(),
                        [this] { return std::make_unique<OwnLedgerStore>(own_.ports(), "other"); },
                        {"other", "00000000000000aa"});
  const Status status = run_awaitable(recorder.catch_up());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
}

TEST_F(KeptRecorderTest, AChainOfAnotherArchiveIsNotGoneOnWith) {
  put("a", "one");
  put("a", "two");
  ASSERT_TRUE(catch_up().ok());
  KeptRecorder other(own_.ports(),
                     [this] { return std::make_unique<OwnLedgerStore>(own_.ports(), "b"); },
                     {"b", "00000000000000bb"});
  const Status status = run_awaitable(other.catch_up());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
}

// Every run of a few commands in which up to two writes fail, or are unknown and the process ends: in the end each kept object is
// entered, once.
TEST(KeptRecorderExploration, WhateverFailsAllIsEnteredOnce) {
  ExhaustiveFaultPlan plan(2);
  std::size_t runs = 0;
  do {
    SCOPED_TRACE("plan " + plan.trace());
    OwnBuckets own;
    own.run(Supervise{"b"});
    own.buckets.memory.set_fault_plan(&plan);
    std::optional<KeptRecorder> recorder;
    const auto open = [&] {
      recorder.emplace(
          own.ports(), [&own] { return std::make_unique<OwnLedgerStore>(own.ports(), "b"); },
          KeptRecorderOptions{"b", "00000000000000aa"});
    };
    open();
    const auto restart_if_ended = [&](const std::function<void()>& work) {
      try {
        work();
      } catch (const ProcessEnded&) {
        recorder.reset();
        own.restart();
        open();
      }
    };
    const auto submit = [&](Action action) {
      restart_if_ended([&] {
        if (!own.buckets.submit(std::move(action))->has_value()) throw ProcessEnded();
      });
    };
    const auto catch_up = [&] {
      restart_if_ended([&] { static_cast<void>(run_awaitable(recorder->catch_up()).ok()); });
    };
    submit(own.buckets.put("b", "a", BodyKind::kInline, "one"));
    submit(own.buckets.put("b", "a", BodyKind::kStored, "two"));
    catch_up();
    submit(own.buckets.put("b", "a", BodyKind::kFile, "three"));
    submit(DeleteObjects{"b", {{"a", std::nullopt}}});
    catch_up();
    own.buckets.memory.set_fault_plan(nullptr);
    ASSERT_TRUE(run_awaitable(recorder->catch_up()).ok());
    const auto supervision = own.buckets.store->bucket("b").value()->supervised;
    OwnLedgerStore ledger(own.ports(), "b");
    std::string all;
    std::uint64_t pages = 0;
    ASSERT_TRUE(run_awaitable(ledger.read("kept", [&](std::string_view line) {
                  all += line;
                  EXPECT_THAT(std::string(line),
                              HasSubstr("\"page\":" + std::to_string(pages++) + ","));
                  return true;
                })).ok());
    for (std::uint64_t number = 1; number <= supervision->kept_objects; ++number) {
      const auto at = all.find(kept_key(number));
      EXPECT_NE(at, std::string::npos);
      EXPECT_EQ(all.find(kept_key(number), at + 1), std::string::npos);
    }
    EXPECT_EQ(recorder->status().entered, supervision->kept_objects);
    ++runs;
  } while (plan.next_run() && !testing::Test::HasFailure());
  EXPECT_GT(runs, 100U);
}

}  // namespace
}  // namespace pawl::bucket
