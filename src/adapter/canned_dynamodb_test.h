// A DynamoDB that answers what the test says, in virtual time: nothing is sent.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapter/dynamodb_client.h"
#include "base/crc.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {

// Time passes only by waiting, and then at once.
class JumpingClock final : public Clock {
 public:
  Instant now() override { return {1'790'000'000'000'000 + at_.microseconds}; }
  MonotonicInstant monotonic() override { return at_; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<Jump>(at_); }

 private:
  class Jump final : public Alarm {
   public:
    explicit Jump(MonotonicInstant& at) : at_(at) {}
    void ring() override {}
    Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
      at_ = std::max(at_, deadline);
      co_return Woken::kDeadline;
    }

   private:
    MonotonicInstant& at_;
  };
  MonotonicInstant at_;
};

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return next_++; }

 private:
  std::uint64_t next_ = 1;
};

class CannedDynamoDb final : public RemoteInterference {
 public:
  struct Sent {
    std::string operation;
    std::string body;
  };

  std::optional<HttpReply> before(const SignedRequest& request) override {
    sent.push_back({request.name, std::string(request.body)});
    if (replies_.empty()) {
      ADD_FAILURE() << "more requests than answers: " << request.name;
      return HttpReply{HttpReply::Kind::kAnswered, 400, {}, "{}", {}};
    }
    auto reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }
  void after(const SignedRequest& /*request*/, HttpReply& /*reply*/) override {}

  CannedDynamoDb& answers(std::string body) {
    auto checksum = std::to_string(crc32(body));
    return then(
        {HttpReply::Kind::kAnswered, 200, {{"x-amz-crc32", checksum}}, std::move(body), {}});
  }
  CannedDynamoDb& refuses(const std::string& code, unsigned status = 400) {
    return then({HttpReply::Kind::kAnswered,
                 status,
                 {{"date", "Sun, 22 Nov 2026 18:00:00 GMT"}},
                 R"({"__type":"com.amazonaws#)" + code + R"(","message":"as canned"})",
                 {}});
  }
  CannedDynamoDb& is_silent() {
    return then({HttpReply::Kind::kNoAnswer, 0, {}, {}, "lost by the test"});
  }
  CannedDynamoDb& then(HttpReply reply) {
    replies_.push_back(std::move(reply));
    return *this;
  }
  bool used_up() const { return replies_.empty(); }

  std::vector<Sent> sent;

 private:
  std::deque<HttpReply> replies_;
};

class CannedDynamoDbTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override { EXPECT_TRUE(canned_.used_up()) << "fewer requests than answers"; }

  void open() {
    AwsSurroundings from;
    from.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    from.file = [](const std::string&) -> Result<std::optional<std::string>> {
      return std::optional<std::string>{};
    };
    SignedClientOptions options;
    options.interference = &canned_;
    options.may_send = may_send_;
    auto client = DynamoDbClient::open("http://127.0.0.1:1", from, clock_, random_, options);
    ASSERT_TRUE(client.ok()) << client.error().to_string();
    client_ = std::move(client).value();
  }

  std::map<std::string, std::string> variables_{{"HOME", "/nowhere"},
                                                {"AWS_ACCESS_KEY_ID", "K"},
                                                {"AWS_SECRET_ACCESS_KEY", "S"},
                                                {"AWS_EC2_METADATA_DISABLED", "true"}};
  JumpingClock clock_;
  CountingRandom random_;
  CannedDynamoDb canned_;
  std::function<bool(const SignedRequest&)> may_send_;
  std::unique_ptr<DynamoDbClient> client_;
};

}  // namespace pawl
