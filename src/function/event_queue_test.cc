#include "function/event_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "drill/virtual_time.h"
#include "fault/memory_key_value_store.h"
#include "function/function_fixture_test.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using std::chrono::seconds;
using testing::HasSubstr;

class Queue : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override { close(); }

  void open() {
    auto opened =
        EventQueue::open({store_,
                          time_.clock(),
                          log_,
                          [this](std::string_view) { return function_; },
                          [this](FunctionCall call) { calls_.push_back(std::move(call)); },
                          [this](const std::function<void()>& work) {
                            if (!hold_work_) return work();
                            work_.push_back(work);
                          },
                          [](std::uint64_t) {},
                          {}});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    queue_ = *std::move(opened);
    returned_ = false;
    boost::asio::co_spawn(time_.executor(), queue_->run(),
                          [this](const std::exception_ptr&) { returned_ = true; });
    time_.run_ready();
  }
  void close() {
    queue_->stop();
    time_.run_ready();
    EXPECT_TRUE(returned_);
  }
  // As after a crash: what was not synced is gone.
  void again() {
    close();
    calls_.clear();
    store_.crash();
    open();
  }

  Status add(std::string payload) {
    auto added = queue_->add(*function_, "id-" + payload, "", payload);
    time_.run_ready();
    return added;
  }
  void end(std::size_t i, Outcome outcome) {
    InvocationResult result;
    result.outcome = outcome;
    result.why = "because";
    const auto done = calls_.at(i).done;
    done(std::move(result));
    time_.run_ready();
  }
  static FunctionPtr function() {
    auto record = record_named("archive");
    return std::make_shared<const FunctionRecord>(std::move(record));
  }

  VirtualTime time_;
  MemoryKeyValueStore store_;
  TestLog log_;
  FunctionPtr function_ = function();
  std::vector<FunctionCall> calls_;
  std::vector<std::function<void()>> work_;
  bool hold_work_ = false;
  std::unique_ptr<EventQueue> queue_;
  bool returned_ = false;
};

TEST_F(Queue, WhatWasAcceptedIsBegunAgainAfterACrash) {
  ASSERT_TRUE(add("1").ok());
  ASSERT_TRUE(add("2").ok());
  ASSERT_EQ(calls_.size(), 2U);
  again();
  ASSERT_EQ(calls_.size(), 2U);
  EXPECT_EQ(calls_[0].payload, "1");
  EXPECT_EQ(calls_[0].request_id, "id-1");
  end(0, Outcome::kReturned);
  end(1, Outcome::kReturned);
  EXPECT_EQ(queue_->size(), 0U);
  EXPECT_EQ(store_.size(KeySpace::kChanges), 0U);
}

TEST_F(Queue, FourAtOnceAndTheOthersAsTheyEnd) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(add(std::to_string(i)).ok());
  EXPECT_EQ(calls_.size(), 4U);
  end(0, Outcome::kReturned);
  EXPECT_EQ(calls_.size(), 5U);
  end(1, Outcome::kFailed);
  EXPECT_EQ(calls_.size(), 6U);
  for (const std::size_t i : {2U, 3U, 4U, 5U}) end(i, Outcome::kReturned);
  EXPECT_EQ(queue_->size(), 1U);
  time_.run_for(seconds(59));
  EXPECT_EQ(calls_.size(), 6U);
  time_.run_for(seconds(2));
  ASSERT_EQ(calls_.size(), 7U);
  EXPECT_EQ(calls_[6].payload, "1");
}

TEST_F(Queue, AThirdFailureDiscardsAndSaysSo) {
  ASSERT_TRUE(add("1").ok());
  end(0, Outcome::kFailed);
  time_.run_for(seconds(61));
  end(1, Outcome::kTimedOut);
  time_.run_for(seconds(121));
  end(2, Outcome::kExited);
  EXPECT_EQ(queue_->size(), 0U);
  EXPECT_TRUE(log_.has("DISCARDED RequestId: id-1 after 3 attempts: because"));
}

// What was done as the server ended must not be done again by the next one.
TEST_F(Queue, WhatEndsAfterStopIsForgottenIfItWasDone) {
  for (const char* const payload : {"1", "2", "3"}) ASSERT_TRUE(add(payload).ok());
  hold_work_ = true;
  queue_->stop();
  end(0, Outcome::kReturned);
  end(1, Outcome::kExited);
  end(2, Outcome::kFailed);
  for (const auto& work : std::exchange(work_, {})) work();
  hold_work_ = false;
  time_.run_for(seconds(1));
  calls_.clear();
  open();
  ASSERT_EQ(calls_.size(), 1U) << "the one that was killed; the one that failed waits";
  EXPECT_EQ(calls_[0].payload, "2");
  EXPECT_EQ(queue_->size(), 2U);
}

TEST_F(Queue, NothingIsBegunAfterStop) {
  queue_->stop();
  ASSERT_TRUE(add("1").ok());
  time_.run_for(seconds(10));
  EXPECT_TRUE(calls_.empty());
  calls_.clear();
  open();
  EXPECT_EQ(calls_.size(), 1U);
}

TEST_F(Queue, ARefusalNamesTheFunctionAndWhy) {
  ASSERT_TRUE(add("0").ok());
  end(0, Outcome::kThrottled);
  std::size_t taken = 1;
  Status last = ok();
  while ((last = add("x")).ok()) ++taken;
  EXPECT_EQ(taken, kEventsMax / 2);
  EXPECT_EQ(last.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(last.error().to_string(),
              HasSubstr("5000 asynchronous invocations of function archive"));
  EXPECT_THAT(last.error().to_string(), HasSubstr("because"));
  EXPECT_EQ(calls_.size(), 1U) << "it was throttled: nobody is tried before its second";
  auto other = record_named("other");
  other.id = 99;
  EXPECT_TRUE(queue_->add(other, "id", "", "{}").ok()) << "it is in nobody's way";
}

}  // namespace
}  // namespace pawl::function
