#include "function/function_runner.h"

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

class Runner : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = FunctionCatalog::open({store_, time_.clock(), random_, {}}, {});
    ASSERT_TRUE(opened.ok());
    catalog_ = *std::move(opened);
    RuntimePlaces places;
    places.find_program = [](std::string_view name) { return "/usr/bin/" + std::string(name); };
    RunnerOptions options;
    options.processes_max = 2;
    runner_ = std::make_unique<FunctionRunner>(
        RunnerPorts{time_.clock(), random_, processes_, log_, *catalog_, places,
                    [](const FunctionPtr&, const std::function<void(Result<std::string>)>& done) {
                      done(std::string("/code"));
                    }},
        options);
    for (const char* const name : {"one", "two", "three", "four"}) {
      ASSERT_TRUE(catalog_->create(record_named(name), "zip").ok());
    }
    boost::asio::co_spawn(time_.executor(), runner_->run(),
                          [this](const std::exception_ptr&) { returned_ = true; });
    time_.run_ready();
  }

  void TearDown() override {
    runner_->stop();
    time_.run_ready();
    for (std::size_t i = 0; i < processes_.started.size(); ++i) {
      if (process(i).alive) exit(i);
    }
    EXPECT_TRUE(returned_);
  }

  std::shared_ptr<InvocationResult> call(const std::string& name) {
    auto result = std::make_shared<InvocationResult>();
    FunctionCall call;
    call.function = name;
    call.payload = "{}";
    call.done = [this, result](InvocationResult ended) {
      ++ended_;
      *result = std::move(ended);
    };
    runner_->submit(std::move(call));
    time_.run_ready();
    return result;
  }
  TestProcesses::Running& process(std::size_t i) { return *processes_.started.at(i); }
  void ready(std::size_t i) {
    process(i).listener->on_ready();
    time_.run_for(std::chrono::milliseconds(1));
  }
  void answer(std::size_t i) {
    process(i).listener->on_response("1");
    time_.run_for(std::chrono::milliseconds(1));
  }
  void exit(std::size_t i) {
    process(i).listener->on_exit({true, 9, false});
    time_.run_for(std::chrono::milliseconds(1));
  }

  VirtualTime time_;
  MemoryKeyValueStore store_;
  TestRandom random_;
  TestProcesses processes_;
  TestLog log_;
  std::unique_ptr<FunctionCatalog> catalog_;
  std::unique_ptr<FunctionRunner> runner_;
  int ended_ = 0;
  bool returned_ = false;
};

TEST_F(Runner, WhoIsIdleTheLongestMakesRoomForAnotherFunction) {
  for (const std::size_t i : {0U, 1U}) {
    call(i == 0 ? "one" : "two");
    ready(i);
    answer(i);
    ready(i);
  }
  const auto third = call("three");
  EXPECT_EQ(ended_, 2) << "it waits";
  EXPECT_TRUE(process(0).killed);
  EXPECT_FALSE(process(1).killed);
  EXPECT_EQ(processes_.started.size(), 2U) << "no more than two at any time";
  const auto fourth = call("four");
  EXPECT_TRUE(process(1).killed) << "each waits for one of its own";
  EXPECT_EQ(call("one")->outcome, Outcome::kThrottled) << "nobody is idle any more";
  exit(1);
  ASSERT_EQ(processes_.started.size(), 3U);
  exit(0);
  ASSERT_EQ(processes_.started.size(), 4U);
  for (const std::size_t i : {2U, 3U}) {
    ready(i);
    answer(i);
  }
  EXPECT_EQ(third->outcome, Outcome::kReturned);
  EXPECT_EQ(fourth->outcome, Outcome::kReturned);
  EXPECT_EQ(ended_, 5);
}

TEST_F(Runner, WhoIsAtWorkMakesNoRoom) {
  for (const std::size_t i : {0U, 1U}) {
    call(i == 0 ? "one" : "two");
    ready(i);
  }
  const auto third = call("three");
  EXPECT_EQ(third->outcome, Outcome::kThrottled);
  EXPECT_THAT(third->why, HasSubstr("no room"));
  EXPECT_FALSE(process(0).killed || process(1).killed);
}

// What was killed for it is gone, and a start that was due (after one that failed) has taken the place.
TEST_F(Runner, ACallWhoseRoomWasTakenAsksAnew) {
  call("one");
  exit(0);
  const auto waits = call("one");  // for its start, in a while
  for (const std::size_t i : {1U, 2U}) {
    call(i == 1 ? "two" : "three");
    ready(i);
    answer(i);
    ready(i);
  }
  const auto fourth = call("four");
  EXPECT_TRUE(process(1).killed);
  time_.run_for(seconds(1));
  ASSERT_EQ(processes_.started.size(), 4U) << "the one that was due";
  ready(3);
  exit(1);
  EXPECT_TRUE(process(2).killed) << "another one that is idle";
  exit(2);
  ASSERT_EQ(processes_.started.size(), 5U);
  ready(4);
  answer(4);
  EXPECT_EQ(fourth->outcome, Outcome::kReturned);
  answer(3);
  EXPECT_EQ(waits->outcome, Outcome::kReturned);
}

TEST_F(Runner, ACallThatWaitsForRoomIsToldOfTheEnd) {
  for (const std::size_t i : {0U, 1U}) {
    call(i == 0 ? "one" : "two");
    ready(i);
    answer(i);
    ready(i);
  }
  const auto third = call("three");
  EXPECT_TRUE(process(0).killed);
  runner_->stop();
  time_.run_ready();
  EXPECT_EQ(ended_, 3);
  EXPECT_EQ(third->outcome, Outcome::kNotRun);
  EXPECT_FALSE(returned_) << "processes are dying";
  exit(0);
  exit(1);
  EXPECT_TRUE(returned_);
}

}  // namespace
}  // namespace pawl::function
