// What every LeaseStore must do. A test file of an implementation includes this and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Memory, LeaseStoreConformance, testing::Values(make_memory_harness));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "port/conformance/run_awaitable.h"
#include "port/lease_store.h"

namespace pawl {

class LeaseStoreHarness {
 public:
  virtual ~LeaseStoreHarness() = default;
  // Two ways to the same rows, none of which is there at first: workers are several. Faults are of store() alone.
  virtual LeaseStore& store() = 0;
  virtual LeaseStore& other() = 0;
  // The next write is refused: not done, and known not to be.
  virtual void refuse_next_write() = 0;
  // The next write is tried, its answer is lost, and it is not repeated.
  virtual void lose_next_answer() = 0;
  // The next write is lost before it is tried, nobody knows where, and it is not repeated.
  virtual void lose_next_request() = 0;
  // The next write is tried, its answer is lost, and it is repeated.
  virtual void repeat_next_write() = 0;
};

using LeaseStoreHarnessFactory = std::unique_ptr<LeaseStoreHarness> (*)();

class LeaseStoreConformance : public testing::TestWithParam<LeaseStoreHarnessFactory> {
 protected:
  void SetUp() override {
    const Status made = run_awaitable(store().create_if_absent());
    ASSERT_TRUE(made.ok()) << made.error().to_string();
  }
  LeaseStore& store() { return harness_->store(); }
  LeaseStore& other() { return harness_->other(); }
  LeaseOutcome put(const std::string& name, std::uint64_t expected, const std::string& value) {
    const auto result = run_awaitable(store().put(name, expected, value));
    EXPECT_EQ(result.why.empty(), result.outcome == LeaseOutcome::kDone) << result.why;
    return result.outcome;
  }
  LeaseOutcome erase(const std::string& name, std::uint64_t expected) {
    return run_awaitable(store().erase(name, expected)).outcome;
  }
  LeaseOutcome other_put(const std::string& name, std::uint64_t expected,
                         const std::string& value) {
    return run_awaitable(other().put(name, expected, value)).outcome;
  }
  std::optional<LeaseRow> get(const std::string& name) {
    auto row = run_awaitable(other().get(name));
    EXPECT_TRUE(row.ok()) << row.error().to_string();
    return row.ok() ? *row : std::nullopt;
  }
  std::vector<std::string> names(const std::string& prefix) {
    const auto rows = run_awaitable(store().list(prefix));
    EXPECT_TRUE(rows.ok()) << rows.error().to_string();
    std::vector<std::string> found;
    if (!rows.ok()) return found;
    for (const auto& row : *rows) found.push_back(row.name);
    return found;
  }
  // All at once, on one executor.
  static void run_all(std::vector<Awaitable<void>> coroutines) {
    boost::asio::io_context context;
    for (auto& coroutine : coroutines) {
      boost::asio::co_spawn(context, std::move(coroutine), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
    }
    context.run();
  }

  static Awaitable<void> put_one(LeaseStore& store, std::string value, LeaseOutcome& outcome) {
    const LeaseResult result = co_await store.put("row", 1, std::move(value));
    outcome = result.outcome;
  }
  // Adds one `times` times to the number that the row's value is, however often another is faster.
  static Awaitable<void> count_up(LeaseStore& store, int times) {
    while (times > 0) {
      const auto row = co_await store.get("count");
      EXPECT_TRUE(row.ok());
      if (!row.ok()) co_return;
      const auto number = row->has_value() ? std::stoi((*row)->value) : 0;
      const std::uint64_t revision = row->has_value() ? (*row)->revision : 0;
      const LeaseResult result = co_await store.put("count", revision, std::to_string(number + 1));
      EXPECT_TRUE(result.outcome == LeaseOutcome::kDone ||
                  result.outcome == LeaseOutcome::kConflict)
          << result.why;
      if (result.outcome == LeaseOutcome::kDone) --times;
    }
  }

  std::unique_ptr<LeaseStoreHarness> harness_ = GetParam()();
};

TEST_P(LeaseStoreConformance, AnEmptyStoreHasNothing) {
  EXPECT_TRUE(names("").empty());
  EXPECT_EQ(get("worker/1"), std::nullopt);
  EXPECT_EQ(erase("worker/1", 1), LeaseOutcome::kConflict);
  EXPECT_TRUE(run_awaitable(store().create_if_absent()).ok());  // it is there
}

TEST_P(LeaseStoreConformance, EachWriteNeedsTheRevisionBeforeIt) {
  EXPECT_EQ(put("root", 1, "a"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("root", 0, "a"), LeaseOutcome::kDone);
  EXPECT_EQ(get("root"), (LeaseRow{"root", 1, "a"}));
  EXPECT_EQ(put("root", 0, "b"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("root", 2, "b"), LeaseOutcome::kConflict);
  EXPECT_EQ(get("root"), (LeaseRow{"root", 1, "a"}));
  EXPECT_EQ(other_put("root", 1, "b"), LeaseOutcome::kDone);
  EXPECT_EQ(put("root", 1, "c"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("root", 2, "c"), LeaseOutcome::kDone);
  EXPECT_EQ(get("root"), (LeaseRow{"root", 3, "c"}));
}

TEST_P(LeaseStoreConformance, ARowIsErasedAtItsRevisionOnly) {
  ASSERT_EQ(put("worker/1", 0, "a"), LeaseOutcome::kDone);
  ASSERT_EQ(put("worker/1", 1, "b"), LeaseOutcome::kDone);
  EXPECT_EQ(erase("worker/1", 1), LeaseOutcome::kConflict);
  EXPECT_EQ(erase("worker/1", 0), LeaseOutcome::kConflict);
  EXPECT_EQ(erase("worker/1", 2), LeaseOutcome::kDone);
  EXPECT_EQ(get("worker/1"), std::nullopt);
  EXPECT_EQ(erase("worker/1", 2), LeaseOutcome::kConflict);
  // A beat of somebody whose row is gone.
  EXPECT_EQ(put("worker/1", 2, "c"), LeaseOutcome::kConflict);
  EXPECT_EQ(put("worker/1", 0, "d"), LeaseOutcome::kDone);
  EXPECT_EQ(get("worker/1"), (LeaseRow{"worker/1", 1, "d"}));
}

TEST_P(LeaseStoreConformance, ListsByPrefixInByteOrder) {
  for (const char* const name : {"worker/b", "shard/2", "worker/a", "shard/10", "root", "worker",
                                 "worker/\xC3\xA9", "worker0", "Worker/c"})
    ASSERT_EQ(put(name, 0, name), LeaseOutcome::kDone);
  using testing::ElementsAre;
  EXPECT_THAT(names("worker/"), ElementsAre("worker/a", "worker/b", "worker/\xC3\xA9"));
  EXPECT_THAT(names("shard/"), ElementsAre("shard/10", "shard/2"));
  EXPECT_THAT(names("x"), ElementsAre());
  EXPECT_THAT(names(""), ElementsAre("Worker/c", "root", "shard/10", "shard/2", "worker",
                                     "worker/a", "worker/b", "worker/\xC3\xA9", "worker0"));
  const auto rows = run_awaitable(store().list("root"));
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(*rows, ElementsAre(LeaseRow{"root", 1, "root"}));
}

TEST_P(LeaseStoreConformance, NamesAndValuesUpToTheirMost) {
  const std::string name(kLeaseNameMax, 'n');
  // What needs escapes in JSON, and is twice as long there.
  std::string value = "\"\\\n\t\x01\x7F\xF0\x9F\x90\xBE";
  value.resize(kLeaseValueMax, '"');
  ASSERT_EQ(put(name, 0, value), LeaseOutcome::kDone);
  EXPECT_EQ(get(name), (LeaseRow{name, 1, value}));
  ASSERT_EQ(put("empty", 0, ""), LeaseOutcome::kDone);
  EXPECT_EQ(get("empty"), (LeaseRow{"empty", 1, ""}));
  EXPECT_EQ(put(name + "n", 0, "v"), LeaseOutcome::kNotDone);
  EXPECT_EQ(put("", 0, "v"), LeaseOutcome::kNotDone);
  EXPECT_EQ(put("long", 0, value + "v"), LeaseOutcome::kNotDone);
  EXPECT_THAT(names("long"), testing::IsEmpty());
}

TEST_P(LeaseStoreConformance, OfManyWritersAtOneRevisionOneWins) {
  constexpr std::size_t kWriters = 16;
  ASSERT_EQ(put("row", 0, "start"), LeaseOutcome::kDone);
  std::vector<LeaseOutcome> outcomes(kWriters, LeaseOutcome::kUnknown);
  std::vector<Awaitable<void>> writers;
  for (std::size_t i = 0; i < kWriters; ++i) {
    writers.push_back(
        put_one(i % 2 == 0 ? store() : other(), "writer " + std::to_string(i), outcomes[i]));
  }
  run_all(std::move(writers));
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), LeaseOutcome::kDone), 1);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), LeaseOutcome::kConflict),
            static_cast<std::ptrdiff_t>(kWriters - 1));
  const auto winner = std::find(outcomes.begin(), outcomes.end(), LeaseOutcome::kDone);
  EXPECT_EQ(get("row"),
            (LeaseRow{"row", 2, "writer " + std::to_string(winner - outcomes.begin())}));
}

TEST_P(LeaseStoreConformance, NoWriteOfManyIsLost) {
  constexpr int kWriters = 4;
  constexpr int kTimes = 10;
  std::vector<Awaitable<void>> writers;
  for (int i = 0; i < kWriters; ++i)
    writers.push_back(count_up(i % 2 == 0 ? store() : other(), kTimes));
  run_all(std::move(writers));
  EXPECT_EQ(get("count"),
            (LeaseRow{"count", kWriters * kTimes, std::to_string(kWriters * kTimes)}));
}

TEST_P(LeaseStoreConformance, WhatIsRefusedIsNotDone) {
  ASSERT_EQ(put("row", 0, "a"), LeaseOutcome::kDone);
  harness_->refuse_next_write();
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kNotDone);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 1, "a"}));
  harness_->refuse_next_write();
  EXPECT_EQ(erase("row", 1), LeaseOutcome::kNotDone);
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kDone);
}

TEST_P(LeaseStoreConformance, WhatIsNotAnsweredIsUnknown) {
  harness_->lose_next_answer();
  EXPECT_EQ(put("row", 0, "a"), LeaseOutcome::kUnknown);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 1, "a"}));
  harness_->lose_next_request();
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kUnknown);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 1, "a"}));
  harness_->lose_next_answer();
  EXPECT_EQ(put("row", 7, "b"), LeaseOutcome::kUnknown);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 1, "a"}));
  harness_->lose_next_answer();
  EXPECT_EQ(erase("row", 1), LeaseOutcome::kUnknown);
  EXPECT_EQ(get("row"), std::nullopt);
}

TEST_P(LeaseStoreConformance, ARepeatedWriteFindsItself) {
  harness_->repeat_next_write();
  EXPECT_EQ(put("row", 0, "a"), LeaseOutcome::kDone);
  harness_->repeat_next_write();
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kDone);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 2, "b"}));
  harness_->repeat_next_write();
  EXPECT_EQ(erase("row", 2), LeaseOutcome::kDone);
  EXPECT_EQ(get("row"), std::nullopt);
}

TEST_P(LeaseStoreConformance, ARepeatedWriteTakesNobodyElsesForItsOwn) {
  ASSERT_EQ(put("row", 0, "a"), LeaseOutcome::kDone);
  ASSERT_EQ(other_put("row", 1, "other's"), LeaseOutcome::kDone);
  harness_->repeat_next_write();
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kConflict);
  harness_->repeat_next_write();
  EXPECT_EQ(erase("row", 1), LeaseOutcome::kConflict);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 2, "other's"}));
  // It went on: this write may have been there before it.
  ASSERT_EQ(other_put("row", 2, "other's again"), LeaseOutcome::kDone);
  harness_->repeat_next_write();
  EXPECT_EQ(put("row", 1, "b"), LeaseOutcome::kUnknown);
  EXPECT_EQ(get("row"), (LeaseRow{"row", 3, "other's again"}));
}

}  // namespace pawl
