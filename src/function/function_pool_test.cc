#include "function/function_pool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/manual_clock.h"
#include "function/function_fixture_test.h"
#include "function/invocation_text.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

class Pool : public testing::Test {
 protected:
  Pool() {
    RuntimePlaces places;
    places.endpoint = "http://127.0.0.1:8000";
    places.python_path = "/runtime/python";
    places.find_program = [](std::string_view name) { return "/usr/bin/" + std::string(name); };
    ports_ = std::make_unique<PoolPorts>(
        PoolPorts{clock_, random_, processes_, log_, places,
                  [this](const FunctionPtr&, std::function<void(Result<std::string>)> done) {
                    if (hold_code_) return held_.push_back(std::move(done));
                    done(code_);
                  },
                  PoolLimits{}, [](std::function<void()> work) { work(); }, [] {}});
    pool_ = std::make_shared<FunctionPool>(function("1"), *ports_, meter_);
  }

  static FunctionPtr function(std::string revision) {
    auto record = record_named("archive");
    record.revision = std::move(revision);
    return std::make_shared<const FunctionRecord>(std::move(record));
  }

  std::shared_ptr<InvocationResult> call(std::string payload = "{}") {
    auto result = std::make_shared<InvocationResult>();
    FunctionCall call;
    call.function = "archive";
    call.payload = std::move(payload);
    call.begun = [this] {
      ++begun_;
      for (const auto& process : processes_.started) given_before_ += process->given.size();
    };
    call.done = [this, result](InvocationResult ended) {
      ++ended_;
      *result = std::move(ended);
    };
    pool_->call(std::move(call), true);
    return result;
  }

  TestProcesses::Running& process(std::size_t i) { return *processes_.started.at(i); }
  void exit(std::size_t i, ProcessEnd end) { process(i).listener->on_exit(end); }

  ManualClock clock_;
  TestRandom random_;
  TestProcesses processes_;
  TestLog log_;
  Result<std::string> code_{std::string("/code")};
  bool hold_code_ = false;
  std::vector<std::function<void(Result<std::string>)>> held_;
  std::unique_ptr<PoolPorts> ports_;
  std::shared_ptr<FunctionMeter> meter_ = std::make_shared<FunctionMeter>();
  std::shared_ptr<FunctionPool> pool_;
  int ended_ = 0;
  int begun_ = 0;                 // calls that a process was given
  std::size_t given_before_ = 0;  // how many had been given to processes when that was said, summed
};

TEST_F(Pool, ACallStartsAProcessAndTheNextOneFindsItWarm) {
  const auto first = call("{\"n\":1}");
  ASSERT_EQ(processes_.started.size(), 1U);
  EXPECT_THAT(process(0).spec.command, ElementsAre("/usr/bin/python3.11", "-u", ""));
  clock_.advance(std::chrono::milliseconds(120));
  process(0).listener->on_ready();
  ASSERT_EQ(process(0).given.size(), 1U);
  EXPECT_EQ(process(0).given[0].payload, "{\"n\":1}");
  EXPECT_EQ(process(0).given[0].function_arn,
            "arn:aws:lambda:us-east-1:000000000000:function:archive");
  EXPECT_EQ(process(0).given[0].deadline_ms, clock_.now().microseconds / 1000 + 3000);
  process(0).listener->on_line(OutputStream::kStdout, "hello");
  process(0).listener->on_response("\"done\"");
  EXPECT_EQ(first->outcome, Outcome::kReturned);
  EXPECT_EQ(first->payload, "\"done\"");
  EXPECT_THAT(first->log_tail, HasSubstr("hello\n"));
  EXPECT_THAT(first->log_tail, HasSubstr("Init Duration: 120.00 ms"));
  const std::string id = first->request_id;
  EXPECT_TRUE(log_.has("archive platform " + id + ": START RequestId: " + id));
  EXPECT_TRUE(log_.has("archive stdout " + id + ": hello"));
  EXPECT_TRUE(log_.has("archive platform " + id + ": END RequestId: " + id));
  process(0).listener->on_ready();
  const auto second = call();
  process(0).listener->on_error("{\"errorMessage\":\"no\"}");
  EXPECT_EQ(second->outcome, Outcome::kFailed);
  EXPECT_EQ(second->payload, "{\"errorMessage\":\"no\"}");
  EXPECT_EQ(processes_.started.size(), 1U);
  EXPECT_THAT(second->log_tail, testing::Not(HasSubstr("Init Duration")));
}

TEST_F(Pool, ACallIsBegunWhenAProcessIsGivenItAndNoSooner) {
  call();
  EXPECT_EQ(begun_, 0) << "it waits for its process";
  process(0).listener->on_ready();
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(given_before_, 0U) << "said before the function can have done anything";
  process(0).listener->on_response("1");
  call();
  EXPECT_EQ(begun_, 1) << "the process is not ready yet";
  process(0).listener->on_ready();
  EXPECT_EQ(begun_, 2);
}

TEST_F(Pool, ACallWhoseProcessEndsAtItsStartIsNotBegun) {
  const auto result = call();
  exit(0, {false, 1, false});
  EXPECT_EQ(result->outcome, Outcome::kFailed);
  EXPECT_EQ(begun_, 0);
}

TEST_F(Pool, ATimeOutIsToldWhenTheProcessIsGone) {
  const auto result = call();
  process(0).listener->on_ready();
  clock_.advance(std::chrono::seconds(3));
  pool_->tick();
  EXPECT_TRUE(process(0).killed);
  EXPECT_EQ(ended_, 0) << "it may still do something";
  process(0).listener->on_response("\"late\"");
  EXPECT_EQ(ended_, 0);
  exit(0, {true, 9, false});
  EXPECT_EQ(result->outcome, Outcome::kTimedOut);
  EXPECT_THAT(result->payload, HasSubstr("Task timed out after 3.00 seconds"));
  EXPECT_FALSE(process(0).alive);
}

TEST_F(Pool, AProcessThatEndsTakesItsCallAlong) {
  const auto result = call();
  process(0).listener->on_ready();
  exit(0, {false, 3, false});
  EXPECT_EQ(result->outcome, Outcome::kExited);
  EXPECT_EQ(
      result->payload,
      error_document("Runtime.ExitError", "RequestId: " + result->request_id +
                                              " Error: Runtime exited with error: exit status 3"));
}

TEST_F(Pool, WhatEndsAtItsStartFailsTheCall) {
  const auto result = call();
  process(0).listener->on_start_error("{\"errorType\":\"Runtime.ImportModuleError\"}");
  exit(0, {false, 1, false});
  EXPECT_EQ(result->outcome, Outcome::kFailed);
  EXPECT_EQ(result->payload, "{\"errorType\":\"Runtime.ImportModuleError\"}");
}

// As the runner does: it looks at the clock after the instant that it was told, never at it.
TEST_F(Pool, ACallThatWaitsForAStartGetsItHoweverLateTheTickComes) {
  call();
  exit(0, {false, 1, false});
  const auto waits = call();
  ASSERT_EQ(processes_.started.size(), 1U) << "after a start that failed the next one waits";
  const auto due = pool_->next_tick();
  ASSERT_TRUE(due);
  clock_.advance(std::chrono::seconds(20));
  ASSERT_EQ(pool_->next_tick(), due);
  pool_->tick();
  ASSERT_EQ(processes_.started.size(), 2U);
  process(1).listener->on_ready();
  process(1).listener->on_response("1");
  EXPECT_EQ(waits->outcome, Outcome::kReturned);
}

TEST_F(Pool, WhatCannotBeStartedIsNotRun) {
  processes_.refusal = "no such interpreter";
  const auto result = call();
  EXPECT_EQ(result->outcome, Outcome::kNotRun);
  EXPECT_THAT(result->why, HasSubstr("no such interpreter"));
  EXPECT_TRUE(result->payload.empty());
  code_ = Error{ErrorCode::kCorrupt, "the code is damaged", ""};
  processes_.refusal.clear();
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(call()->why, HasSubstr("the code is damaged"));
}

// Nothing of it has run: not an attempt.
TEST_F(Pool, CodeThatIsNotReadyInTimeIsNotRun) {
  hold_code_ = true;
  const auto result = call();
  clock_.advance(std::chrono::seconds(60));
  pool_->tick();
  EXPECT_EQ(result->outcome, Outcome::kNotRun);
  EXPECT_THAT(result->why, HasSubstr("its code was not ready within 60 s"));
  EXPECT_TRUE(result->payload.empty());
  EXPECT_TRUE(log_.has("its code was not ready within 60 s"));
  held_.at(0)(code_);
  EXPECT_TRUE(processes_.started.empty());
}

TEST_F(Pool, AProcessThatHangsAtItsStartFailsTheCall) {
  const auto result = call();
  clock_.advance(std::chrono::seconds(10));
  pool_->tick();
  exit(0, {true, 9, false});
  EXPECT_EQ(result->outcome, Outcome::kFailed);
  EXPECT_THAT(result->payload, HasSubstr("it did not start within 10 s"));
}

TEST_F(Pool, AReservedConcurrencyOfNothingEndsWhatWaits) {
  const auto waits = call();
  auto record = *function("2");
  record.settings.concurrency = 0;
  pool_->replaced(std::make_shared<const FunctionRecord>(std::move(record)));
  EXPECT_EQ(waits->outcome, Outcome::kThrottled);
  EXPECT_EQ(waits->why, "its reserved concurrency is 0");
}

TEST_F(Pool, NewCodeIsRunByNewProcesses) {
  call();
  process(0).listener->on_ready();
  pool_->replaced(function("2"));
  EXPECT_FALSE(process(0).killed) << "its call goes on";
  process(0).listener->on_response("1");
  process(0).listener->on_ready();
  EXPECT_TRUE(process(0).killed);
  call();
  EXPECT_EQ(processes_.started.size(), 2U);
  EXPECT_EQ(ended_, 1);
}

// "starting/idle/busy/ending calls/waiting"
std::string text_of(const ProcessFigures& now) {
  return fmt::format("{}/{}/{}/{} {}/{}", now.starting, now.idle, now.busy, now.ending, now.calls,
                     now.waiting);
}

TEST_F(Pool, ItsMeterFollows) {
  const auto now = [this] { return text_of(meter_->figures().now); };
  call();
  call();
  EXPECT_EQ(now(), "2/0/0/0 0/2");
  process(0).listener->on_ready();
  process(1).listener->on_ready();
  EXPECT_EQ(now(), "0/0/2/0 2/0");
  clock_.advance(std::chrono::milliseconds(70));
  process(0).listener->on_response("1");
  EXPECT_EQ(now(), "0/0/2/0 1/0");
  process(0).listener->on_ready();
  EXPECT_EQ(now(), "0/1/1/0 1/0");
  clock_.advance(std::chrono::seconds(3));
  pool_->tick();
  EXPECT_EQ(now(), "0/1/0/1 1/0");
  exit(1, {true, 9, false});
  EXPECT_EQ(now(), "0/1/0/0 0/0");
  const FunctionFigures figures = meter_->figures();
  EXPECT_EQ(figures.count(Outcome::kReturned), 1U);
  EXPECT_EQ(figures.count(Outcome::kTimedOut), 1U);
  EXPECT_EQ(figures.durations.total_ms, 70U + 3'070U);
  ASSERT_TRUE(figures.last_failure);
  EXPECT_THAT(figures.last_failure->why, HasSubstr("Task timed out after 3.00 seconds"));
  for (int i = 0; i < 5; ++i) call();
  EXPECT_EQ(meter_->figures().count(Outcome::kThrottled), 1U);
  EXPECT_EQ(meter_->figures().durations.count(), 2U) << "what was not begun took no time";
}

TEST_F(Pool, MoreThanItsProcessesIsThrottled) {
  for (int i = 0; i < 4; ++i) call();
  EXPECT_EQ(call()->outcome, Outcome::kThrottled);
  EXPECT_EQ(processes_.started.size(), 4U);
}

TEST_F(Pool, CodeThatComesTooLateStartsNothing) {
  hold_code_ = true;
  const auto result = call();
  pool_->stop();
  EXPECT_EQ(result->outcome, Outcome::kNotRun);
  EXPECT_TRUE(pool_->ended());
  held_.at(0)(code_);
  EXPECT_TRUE(processes_.started.empty());
}

TEST_F(Pool, StopKillsWhatIsUnderWay) {
  const auto result = call();
  process(0).listener->on_ready();
  pool_->stop();
  EXPECT_TRUE(process(0).killed);
  EXPECT_FALSE(pool_->ended());
  exit(0, {true, 9, false});
  EXPECT_EQ(result->outcome, Outcome::kExited);
  EXPECT_TRUE(pool_->ended());
}

TEST_F(Pool, TheLogTailIsBounded) {
  const auto result = call();
  process(0).listener->on_ready();
  for (int i = 0; i < 1'000; ++i)
    process(0).listener->on_line(OutputStream::kStderr, "line after line");
  process(0).listener->on_response("1");
  EXPECT_EQ(result->log_tail.size(), 4'096U);
  EXPECT_THAT(result->log_tail, HasSubstr("REPORT"));
}

TEST_F(Pool, WhoMustMendWhatCannotBeStartedIsSaid) {
  ports_->places.find_program = [](std::string_view) { return std::string(); };
  const auto runtime = call();
  EXPECT_EQ(runtime->obstacle, InvocationResult::Obstacle::kRuntime);
  EXPECT_THAT(runtime->why, HasSubstr("install python3"));
  auto record = *function("2");
  record.settings.runtime = "provided.al2023";
  pool_->replaced(std::make_shared<const FunctionRecord>(std::move(record)));
  processes_.refusal = "starting /code/bootstrap: Permission denied";
  const auto code = call();
  EXPECT_EQ(code->outcome, Outcome::kNotRun);
  EXPECT_EQ(code->obstacle, InvocationResult::Obstacle::kCode);
  EXPECT_THAT(code->why, HasSubstr("an executable file `bootstrap`"));
  processes_.refusal = "starting /code/bootstrap: Resource temporarily unavailable";
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(call()->obstacle, InvocationResult::Obstacle::kServer);
  code_ = Error{ErrorCode::kCorrupt, "the code is damaged", ""};
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(call()->obstacle, InvocationResult::Obstacle::kServer);
}

TEST(Environment, AFunctionsOwnValuesAndLambdasOwn) {
  RuntimePlaces places;
  places.python_path = "/site";
  places.home = "/code-root/no-home";
  places.endpoint = "http://127.0.0.1:1";
  auto function = record_named("archive");
  function.settings.environment["AWS_ENDPOINT_URL"] = "http://elsewhere";
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : environment_of(function, "/code", "stream", places)) {
    EXPECT_TRUE(all.emplace(name, value).second) << name << " is there twice";
  }
  EXPECT_EQ(all["PYTHONPATH"], "/site:/opt");
  EXPECT_EQ(all["AWS_ENDPOINT_URL"], "http://elsewhere");
  EXPECT_EQ(all["BUCKET"], "history");
  EXPECT_EQ(all["HOME"], "/code-root/no-home") << "never where others may write";
  EXPECT_EQ(all["PYTHONNOUSERSITE"], "1");
  EXPECT_EQ(all["_HANDLER"], "handler.lambda_handler");
  EXPECT_EQ(all["LAMBDA_TASK_ROOT"], "/code");
  for (const auto& [name, value] : all) {
    if (name.starts_with("AWS_LAMBDA_")) {
      EXPECT_TRUE(is_reserved_variable(name)) << name;
    }
  }
}

TEST(Runtimes, AreKnownByTheirNames) {
  EXPECT_EQ(runtime_family("python3.11"), RuntimeFamily::kPython);
  EXPECT_EQ(runtime_family("nodejs20.x"), RuntimeFamily::kNode);
  EXPECT_EQ(runtime_family("provided.al2023"), RuntimeFamily::kProvided);
  for (const char* const other :
       {"python2.7", "python3.", "python3.x", "nodejs.x", "nodejs20", "java21", ""}) {
    EXPECT_FALSE(runtime_family(other)) << other;
  }
}

}  // namespace
}  // namespace pawl::function
