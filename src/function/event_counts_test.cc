// What is counted of asynchronous invocations: as they come and go, are given up, and after a start.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fault/manual_clock.h"
#include "fault/memory_key_value_store.h"
#include "function/event_queue.h"
#include "function/function_fixture_test.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using Waiting = std::map<std::uint64_t, std::uint64_t>;

// Waits by asking again at each turn of the loop.
class TurningAlarm final : public Alarm {
 public:
  explicit TurningAlarm(Clock& clock) : clock_(clock) {}
  void ring() override { rung_ = true; }
  Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
    while (!rung_ && clock_.monotonic() < deadline)
      co_await boost::asio::post(boost::asio::use_awaitable);
    co_return std::exchange(rung_, false) ? Woken::kRung : Woken::kDeadline;
  }

 private:
  Clock& clock_;
  bool rung_ = false;
};

class TurningClock final : public Clock {
 public:
  Instant now() override { return clock_.now(); }
  MonotonicInstant monotonic() override { return clock_.monotonic(); }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<TurningAlarm>(*this); }
  void advance(Duration by) { clock_.advance(by); }

 private:
  ManualClock clock_;
};

class Events : public testing::Test {
 protected:
  Events() { open(); }
  ~Events() override { close(); }

  void open() {
    auto opened = EventQueue::open(
        {store_, clock_, log_,
         [this](std::string_view name) -> FunctionPtr {
           if (deleted_) return nullptr;
           return std::make_shared<const FunctionRecord>(record(name == "archive" ? 7 : 8));
         },
         [this](FunctionCall call) { calls_.push_back(std::move(call)); },
         [](const std::function<void()>& work) { work(); },
         [this](std::uint64_t id) { discarded_.push_back(id); },
         [](const std::string& why) { FAIL() << why; }});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    queue_ = std::move(*opened);
    boost::asio::co_spawn(context_, queue_->run(), boost::asio::detached);
  }
  void close() {
    queue_->stop();
    turn();
    calls_.clear();
  }
  void turn() {
    context_.restart();
    for (int i = 0; i < 50; ++i) context_.poll_one();
  }
  static FunctionRecord record(std::uint64_t id) {
    FunctionRecord function = record_named(id == 7 ? "archive" : "other");
    function.id = id;
    return function;
  }
  void add(std::uint64_t id) {
    const Status added = queue_->add(record(id), "request", "trace", "{}");
    ASSERT_TRUE(added.ok());
    turn();
  }
  void end_all(Outcome outcome) {
    InvocationResult result;
    result.outcome = outcome;
    for (FunctionCall& call : std::exchange(calls_, {})) call.done(result);
    turn();
  }

  boost::asio::io_context context_;
  MemoryKeyValueStore store_;
  TurningClock clock_;
  TestLog log_;
  std::vector<FunctionCall> calls_;
  std::vector<std::uint64_t> discarded_;
  bool deleted_ = false;
  std::unique_ptr<EventQueue> queue_;
};

TEST_F(Events, AreCountedUntilTheyAreDone) {
  EXPECT_EQ(queue_->waiting(), Waiting{});
  for (int i = 0; i < 6; ++i) add(7);
  add(8);
  EXPECT_EQ(queue_->waiting(), (Waiting{{7, 6}, {8, 1}}));
  EXPECT_EQ(calls_.size(), kEventsUnderWayMax + 1);
  end_all(Outcome::kReturned);
  EXPECT_EQ(queue_->waiting(), (Waiting{{7, 2}}));
  close();
  queue_.reset();
  open();
  EXPECT_EQ(queue_->waiting(), (Waiting{{7, 2}})) << "read again at a start";
  turn();
  end_all(Outcome::kReturned);
  EXPECT_EQ(queue_->waiting(), Waiting{});
  EXPECT_TRUE(discarded_.empty());
}

TEST_F(Events, OneThatIsGivenUpIsSaid) {
  add(7);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(queue_->waiting(), (Waiting{{7, 1}})) << "attempt " << attempt;
    ASSERT_EQ(calls_.size(), 1U);
    end_all(Outcome::kFailed);
    clock_.advance(std::chrono::minutes(3));
    turn();
  }
  EXPECT_EQ(queue_->waiting(), Waiting{});
  EXPECT_EQ(discarded_, std::vector<std::uint64_t>{7});
}

TEST_F(Events, OfADeletedFunctionGo) {
  deleted_ = true;
  add(7);
  EXPECT_TRUE(calls_.empty());
  EXPECT_EQ(queue_->waiting(), Waiting{});
}

}  // namespace
}  // namespace pawl::function
