// The real store that these tests use: the endpoint, bucket and credentials that run.py puts into the environment.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "adapter/real_clock_test.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "adapter/system_random.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {

inline const char* test_endpoint() {
  const char* const endpoint = std::getenv("PAWL_TEST_S3_ENDPOINT");
  PAWL_ASSERT(endpoint != nullptr);  // run.py sets it
  return endpoint;
}

// Fails requests whose key has `part` in it.
class FailingRequests final : public RemoteInterference {
 public:
  std::string method = "PUT";
  std::string part;
  int before_next = 0;  // so many are not sent
  int lost_next = 0;    // of so many the answer is lost

  std::optional<HttpReply> before(const SignedRequest& request) override {
    if (!matches(request) || before_next == 0) return std::nullopt;
    --before_next;
    return HttpReply{HttpReply::Kind::kNotSent, 0, {}, {}, "cut off by the test"};
  }
  void after(const SignedRequest& request, HttpReply& reply) override {
    if (!matches(request) || lost_next == 0) return;
    --lost_next;
    reply = {HttpReply::Kind::kNoAnswer, 0, {}, {}, "lost by the test"};
  }

 private:
  bool matches(const SignedRequest& request) const {
    return request.method == method && request.name.find(part) != std::string::npos;
  }
};

// A prefix of its own in the test bucket. Stays there: the bucket goes with its store.
class TestBucket {
 public:
  TestBucket() : location_{bucket(), "t" + std::to_string(random_.next())} { open(); }

  // A new client, as after a restart.
  void open(SignedClientOptions options = {}) {
    client_.reset();
    options.interference = &failing;
    auto client = S3Client::open(location_, test_endpoint(), AwsSurroundings::of_process(), clock,
                                 random_, options);
    PAWL_ASSERT(client.ok());
    client_ = std::move(client).value();
  }
  S3Client& client() { return *client_; }
  S3Archive archive() {
    auto archive = run_awaitable(open_s3_archive(*client_, random_, clock.now()));
    EXPECT_TRUE(archive.ok()) << archive.error().to_string();
    return archive.ok() ? *archive : S3Archive{};
  }

  RealClock clock;
  FailingRequests failing;

 private:
  static std::string bucket() {
    const char* const name = std::getenv("PAWL_TEST_S3_BUCKET");
    return name == nullptr ? "pawl-test" : name;
  }

  SystemRandom random_;
  S3Location location_;
  std::unique_ptr<S3Client> client_;
};

}  // namespace pawl
