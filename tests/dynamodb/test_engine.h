// The real engine that these tests use: its endpoint and credentials are those that run.py puts into the environment.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>

#include "adapter/dynamodb_client.h"
#include "adapter/real_clock_test.h"
#include "adapter/system_random.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {

// Does to the next writes, attempt by attempt, what it was told to do.
class FailingWrites final : public RemoteInterference {
 public:
  enum class Do { kPass, kCutOff, kLoseRequest, kLoseAnswer, kDamageAnswer };
  std::deque<Do> next;

  std::optional<HttpReply> before(const SignedRequest& request) override {
    const bool write = request.name == "PutItem" || request.name == "DeleteItem";
    now_ = write && !next.empty() ? next.front() : Do::kPass;
    if (write && !next.empty()) next.pop_front();
    if (now_ == Do::kCutOff)
      return HttpReply{HttpReply::Kind::kNotSent, 0, {}, {}, "cut off by the test"};
    if (now_ == Do::kLoseRequest)
      return HttpReply{HttpReply::Kind::kNoAnswer, 0, {}, {}, "lost by the test"};
    return std::nullopt;
  }
  void after(const SignedRequest& /*request*/, HttpReply& reply) override {
    if (now_ == Do::kLoseAnswer)
      reply = {HttpReply::Kind::kNoAnswer, 0, {}, {}, "lost by the test"};
    if (now_ == Do::kDamageAnswer) {
      EXPECT_FALSE(reply.header("x-amz-crc32").empty());
      ASSERT_FALSE(reply.body.empty());
      reply.body[0] ^= 1;
    }
  }

 private:
  Do now_ = Do::kPass;
};

// A client of the engine.
class TestEngine {
 public:
  explicit TestEngine(SignedClientOptions options = {}) {
    const char* const endpoint = std::getenv("PAWL_TEST_DYNAMODB_ENDPOINT");
    PAWL_ASSERT(endpoint != nullptr);  // run.py sets it
    options.interference = &failing;
    auto opened =
        DynamoDbClient::open(endpoint, AwsSurroundings::of_process(), clock_, random_, options);
    PAWL_ASSERT(opened.ok());
    client_ = std::move(opened).value();
  }

  DynamoDbClient& client() { return *client_; }
  std::string new_name() { return "t" + std::to_string(random_.next()); }
  // What the adapters never do themselves: changes to somebody else's table.
  void call(std::string operation, std::string body) {
    const auto answer =
        run_awaitable(client_->call({DynamoDbApi::kTables, std::move(operation), std::move(body)}));
    ASSERT_TRUE(answer.done()) << answer.why;
  }

  FailingWrites failing;

 private:
  RealClock clock_;
  SystemRandom random_;
  std::unique_ptr<DynamoDbClient> client_;
};

}  // namespace pawl
