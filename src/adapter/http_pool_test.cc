#include "adapter/http_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "adapter/asio_alarm.h"
#include "adapter/aws_credential_source.h"
#include "port/conformance/run_awaitable.h"

namespace pawl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

// Answers each request (without a body) as a function of its first line; one thread a connection.
class TinyServer {
 public:
  using Answer = std::function<std::string(const std::string& head)>;  // "" = close without one

  explicit TinyServer(Answer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this] {
      for (;;) {
        tcp::socket socket(context_);
        boost::system::error_code error;
        acceptor_.accept(socket, error);
        if (error || stopping_) return;
        ++connections;
        workers_.emplace_back([this, peer = std::move(socket)]() mutable { serve(peer); });
      }
    });
  }
  ~TinyServer() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket wake(context_);
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    for (auto& worker : workers_) worker.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::atomic<int> connections = 0;

 private:
  void serve(tcp::socket& socket) {
    std::string buffer;
    for (;;) {
      boost::system::error_code error;
      const auto size = asio::read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", error);
      if (error) return;
      const std::string text = answer_(buffer.substr(0, size));
      buffer.erase(0, size);
      if (text.empty()) return;
      asio::write(socket, asio::buffer(text), error);
      if (error) return;
    }
  }

  Answer answer_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> workers_;
  std::thread thread_;
};

std::string ok_answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

HttpCall get(const std::string& url) {
  HttpCall call;
  call.method = "GET";
  call.url = url;
  return call;
}

TEST(HttpPool, AnswersWithStatusHeadersAndBody) {
  TinyServer server([](const std::string& head) {
    EXPECT_THAT(head, HasSubstr("GET /a/../%7Eb?x=y HTTP/1.1"));
    EXPECT_THAT(head, HasSubstr("X-Mine: 1"));
    return ok_answer("hello");
  });
  HttpPool pool;
  auto call = get(server.url() + "/a/../%7Eb?x=y");
  call.headers = {{"X-Mine", "1"}};
  const auto reply = run_awaitable(pool.send(call));
  EXPECT_EQ(reply.kind, HttpReply::Kind::kAnswered);
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.header("etag"), "\"x\"");
  EXPECT_EQ(reply.body, "hello");
}

TEST(HttpPool, KeepsConnections) {
  TinyServer server([](const std::string&) { return ok_answer(""); });
  {
    HttpPool pool;
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(run_awaitable(pool.send(get(server.url()))).status, 200U);
    EXPECT_EQ(server.connections, 1);
  }
}

TEST(HttpPool, RunsManyAtOnce) {
  std::atomic<int> waiting = 0;
  TinyServer server([&](const std::string&) {
    ++waiting;
    for (int i = 0; waiting < 8 && i < 60'000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return ok_answer("");
  });
  HttpPool pool;
  asio::io_context context;
  int answered = 0;
  const auto one = [&]() -> Awaitable<void> {
    if ((co_await pool.send(get(server.url()))).status == 200) ++answered;
  };
  for (int i = 0; i < 8; ++i) asio::co_spawn(context, one(), asio::detached);
  context.run();
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(waiting, 8);
}

TEST(HttpPool, TellsWhatWasNotSentFromWhatWasNotAnswered) {
  std::string refused_url;
  {
    TinyServer gone([](const std::string&) { return ""; });
    refused_url = gone.url();
  }
  HttpPool pool;
  EXPECT_EQ(run_awaitable(pool.send(get(refused_url))).kind, HttpReply::Kind::kNotSent);
  EXPECT_EQ(run_awaitable(pool.send(get("ftp://127.0.0.1/"))).kind, HttpReply::Kind::kNotSent);
  TinyServer closes([](const std::string&) { return ""; });
  EXPECT_EQ(run_awaitable(pool.send(get(closes.url()))).kind, HttpReply::Kind::kNoAnswer);
  TinyServer half(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"; });
  auto call = get(half.url());
  call.timeout = std::chrono::milliseconds(200);
  EXPECT_EQ(run_awaitable(pool.send(call)).kind, HttpReply::Kind::kNoAnswer);
}

TEST(HttpPool, AsksRightBeforeItSends) {
  std::atomic<int> answered = 0;
  const TinyServer server([&answered](const std::string&) {
    ++answered;
    return ok_answer("");
  });
  HttpPool pool;
  bool may = true;
  for (const bool expected : {true, false, true}) {  // also over a connection that was kept
    auto call = get(server.url() + "/");
    call.may_send = [&may] { return may; };
    may = expected;
    const auto reply = run_awaitable(pool.send(std::move(call)));
    EXPECT_EQ(reply.kind, expected ? HttpReply::Kind::kAnswered : HttpReply::Kind::kNotSent);
  }
  EXPECT_EQ(answered, 2);
}

TEST(HttpPool, BoundsTheAnswer) {
  TinyServer server([](const std::string&) { return ok_answer(std::string(5000, 'x')); });
  HttpPool pool;
  auto call = get(server.url());
  call.answer_bytes_max = 5000;
  EXPECT_EQ(run_awaitable(pool.send(call)).kind, HttpReply::Kind::kAnswered);
  call.answer_bytes_max = 4999;
  const auto reply = run_awaitable(pool.send(call));
  EXPECT_EQ(reply.kind, HttpReply::Kind::kTooLarge);
  EXPECT_EQ(reply.status, 200U);
}

// A wall clock that tests set.
class SetClock final : public Clock {
 public:
  std::atomic<std::int64_t> wall{0};
  std::atomic<std::int64_t> mono{0};
  Instant now() override { return {wall}; }
  MonotonicInstant monotonic() override { return {mono}; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<AsioAlarm>(); }
};

TEST(AwsCredentialSource, TakesTheInstancesAndRenewsThem) {
  std::atomic<int> given = 0;
  std::atomic<bool> fails = false;
  TinyServer server([&](const std::string& head) -> std::string {
    if (fails) return "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    if (head.starts_with("PUT /latest/api/token ")) {
      EXPECT_THAT(head, HasSubstr("X-aws-ec2-metadata-token-ttl-seconds: 300"));
      return ok_answer("the-token");
    }
    EXPECT_THAT(head, HasSubstr("X-aws-ec2-metadata-token: the-token"));
    if (head.starts_with("GET /latest/meta-data/iam/security-credentials/ "))
      return ok_answer("role-x\n");
    EXPECT_THAT(head, HasSubstr("GET /latest/meta-data/iam/security-credentials/role-x "));
    return ok_answer(R"({"Code":"Success","AccessKeyId":"K)" + std::to_string(++given) +
                     R"(","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-22T18:00:00Z"})");
  });
  HttpPool pool;
  SetClock clock;
  const auto at = [](const char* text) { return Instant::parse(text)->microseconds; };
  clock.wall = at("2026-11-22T17:00:00Z");
  AwsSettings settings;
  settings.service =
      AwsCredentialService{AwsCredentialService::Kind::kInstance, server.url(), {}, {}};
  AwsCredentialSource source(settings, AwsSurroundings::of_process(), pool, clock);
  const auto current = [&] {
    const auto credentials = run_awaitable(source.current());
    return credentials.ok() ? credentials->key_id : credentials.error().to_string();
  };
  EXPECT_EQ(current(), "K1");
  EXPECT_EQ(current(), "K1");
  clock.wall = at("2026-11-22T17:56:00Z");  // within five minutes of the end: asked anew
  EXPECT_EQ(current(), "K2");
  fails = true;  // what is there serves until its end
  EXPECT_EQ(current(), "K2");
  clock.wall = at("2026-11-22T18:00:01Z");
  EXPECT_THAT(current(), HasSubstr("credentials"));
  fails = false;
  clock.mono = kRenewRetry.count() + 1;
  EXPECT_THAT(current(), HasSubstr("credentials"));  // what is given out has expired, too
  clock.wall = at("2026-11-22T17:00:00Z");
  clock.mono = 10 * kRenewRetry.count();
  source.expired("K0");
  const int before = given;
  const auto now = current();
  source.expired(now);  // the service said so
  const auto renewed = current();
  EXPECT_EQ(renewed, "K" + std::to_string(given));
  EXPECT_GT(given, before);
}

TEST(AwsCredentialSource, AsksTheContainersAgentWithItsToken) {
  TinyServer server([](const std::string& head) {
    EXPECT_THAT(head, HasSubstr("GET /creds "));
    EXPECT_THAT(head, HasSubstr("Authorization: from-the-file"));
    return ok_answer(
        R"({"AccessKeyId":"K","SecretAccessKey":"S","Token":"T","Expiration":"2999-01-01T00:00:00Z"})");
  });
  HttpPool pool;
  SetClock clock;
  AwsSettings settings;
  settings.service = AwsCredentialService{
      AwsCredentialService::Kind::kContainer, server.url() + "/creds", {}, "/token"};
  AwsSurroundings from;
  from.file = [](const std::string&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>("from-the-file\n");
  };
  AwsCredentialSource source(settings, from, pool, clock);
  EXPECT_EQ(run_awaitable(source.current())->key_id, "K");
}

}  // namespace
}  // namespace pawl
