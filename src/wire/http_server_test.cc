#include "wire/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

// Answers with method, target and body; "/late" from another thread, "/never" not at all, "/drop" by dropping
// the completion, "/slow" after more than a second in which it keeps the I/O thread.
class EchoHandler : public HttpHandler {
 public:
  ~EchoHandler() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void handle(const HttpRequest& request, Completion completion) override {
    ++calls;
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = std::string(request.method) + " " + std::string(request.target) + " " +
                    std::string(request.body.substr(0, 100)) + "|" +
                    std::to_string(request.body.size());
    if (request.target == "/drop") return;
    if (request.target == "/slow") std::this_thread::sleep_for(1200ms);  // longer than a tick
    const std::lock_guard lock(mutex_);
    if (request.target == "/never") {
      held_.push_back(std::move(completion));
    } else if (request.target == "/late") {
      threads_.emplace_back(
          [completion = std::move(completion), response = std::move(response)]() mutable {
            std::this_thread::sleep_for(20ms);
            completion.answer(std::move(response));
          });
    } else {
      completion.answer(std::move(response));
    }
  }
  void answer_held() {
    const std::lock_guard lock(mutex_);
    for (Completion& completion : held_) {
      HttpResponse response;
      response.body = "held";
      completion.answer(std::move(response));
    }
    held_.clear();
  }

  std::atomic<int> calls{0};

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<Completion> held_;
};

// A plain blocking client.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Until `end` has been seen, or the server has closed.
  std::string read_until(std::string_view end) {
    char buffer[4096];
    while (input_.find(end) == std::string::npos) {
      const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) {
        closed = got == 0 || errno == ECONNRESET;
        return std::exchange(input_, {});
      }
      input_.append(buffer, static_cast<std::size_t>(got));
    }
    const std::size_t size = input_.find(end) + end.size();
    std::string result = input_.substr(0, size);
    input_.erase(0, size);
    return result;
  }
  std::string read_to_close() { return read_until("\x01never sent\x01"); }

  bool connected = false;
  bool closed = false;

 private:
  int socket_;
  std::string input_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    options.port = 0;
    auto started = HttpServer::start(options, handler);
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    server = std::move(started).value();
  }
  std::string ask(const std::string& request) {
    Client client(server->port());
    client.send(request);
    return client.read_to_close();
  }
  void expect_alive() {
    Client client(server->port());
    client.send("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_until("|0"), HasSubstr("GET /alive"));
  }

  EchoHandler handler;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, KeepsConnectionsAlive) {
  start();
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = client.read_until("hi|2");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nx-amzn-RequestId: "));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 12\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\nPOST /a hi|2"));
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  Client client(server->port());
  std::string all;
  for (int i = 0; i < 40; ++i) {
    // Every third is answered late, from another thread.
    const std::string target = i % 3 == 0 ? "/late" : "/" + std::to_string(i);
    all += "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n" +
           std::to_string(1000 + i);
  }
  client.send(all);
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(client.read_until("|4"), HasSubstr(" " + std::to_string(1000 + i) + "|4"));
  }
}

TEST_F(HttpServerTest, TakesChunkedBodiesByteByByte) {
  start();
  Client client(server->port());
  const std::string request =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: v\r\n\r\n";
  for (const char byte : request) client.send({&byte, 1});
  EXPECT_THAT(client.read_until("|7"), HasSubstr("POST /c abcdefg|7"));
}

TEST_F(HttpServerTest, SaysContinueToThoseWhoWait) {
  start();
  Client client(server->port());
  client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.read_until("|2"), HasSubstr("POST /e ok|2"));
}

TEST_F(HttpServerTest, TakesABodyOfSixteenMebibytesAndRefusesMore) {
  start();
  Client client(server->port());
  const std::string body(kHttpBodyBytesMax, 'b');
  client.send("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  client.send(body);
  EXPECT_THAT(client.read_until("|16777216"), HasSubstr("POST /big"));
  EXPECT_THAT(ask("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\nbbb"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(handler.calls, 1);
  // Chunked, the size shows only on the way; the client is still sending when it is refused.
  Client chunked(server->port());
  chunked.send("POST /big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 17 && chunked.send("100000\r\n" + body.substr(0, 1024 * 1024) + "\r\n");
       ++i) {
  }
  EXPECT_THAT(chunked.read_to_close(), StartsWith("HTTP/1.1 413 "));
  expect_alive();
}

TEST_F(HttpServerTest, BoundsWhatAllBodiesHoldTogether) {
  HttpServerOptions options;
  options.held_body_bytes_max = 1024 * 1024;
  start(options);
  Client client(server->port());
  client.send("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  client.send(std::string(2 * 1024 * 1024, 'b'));
  EXPECT_THAT(client.read_to_close(), StartsWith("HTTP/1.1 503 "));
  expect_alive();
}

struct Hostile {
  const char* name;
  std::string request;
  const char* status;
};

class HostileRequests : public HttpServerTest, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostileRequests, AreRefusedAndTheConnectionEnds) {
  start();
  const std::string answer = ask(GetParam().request);
  EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + GetParam().status));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(handler.calls, 0);
  expect_alive();
}

std::string with_headers(const std::string& headers) {
  return "POST / HTTP/1.1\r\n" + headers + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Http, HostileRequests,
    ::testing::Values(
        Hostile{"TwoHosts", with_headers("Host: a\r\nHost: b\r\n"), "400"},
        Hostile{"NoHost", with_headers("Accept: x\r\n"), "400"},
        Hostile{"ObsFold", with_headers("Host: a\r\nX-A: b\r\n c\r\n"), "400"},
        Hostile{"ObsFoldFirst", with_headers(" Host: a\r\n"), "400"},
        Hostile{"LengthAndEncoding",
                with_headers("Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n") +
                    "0\r\n\r\n",
                "400"},
        Hostile{"TwoLengths",
                with_headers("Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n") + "abc",
                "400"},
        Hostile{"ListLength", with_headers("Host: a\r\nContent-Length: 3, 3\r\n") + "abc", "400"},
        Hostile{"SignedLength", with_headers("Host: a\r\nContent-Length: +3\r\n") + "abc", "400"},
        Hostile{"NegativeLength", with_headers("Host: a\r\nContent-Length: -1\r\n"), "400"},
        Hostile{"HugeLength", with_headers("Host: a\r\nContent-Length: 99999999999999999999\r\n"),
                "400"},
        Hostile{"OddEncoding", with_headers("Host: a\r\nTransfer-Encoding: xchunked\r\n"), "400"},
        Hostile{"GzipChunked",
                with_headers("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
                "400"},
        Hostile{"Identity", with_headers("Host: a\r\nTransfer-Encoding: identity\r\n"), "400"},
        Hostile{"TwoEncodings",
                with_headers(
                    "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") +
                    "0\r\n\r\n",
                "400"},
        Hostile{"OldChunked",
                "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        Hostile{"BareLineFeed", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "400"},
        Hostile{"BareReturn", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", "400"},
        Hostile{"Nul", std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29), "400"},
        Hostile{"SpaceBeforeColon", with_headers("Host : a\r\n"), "400"},
        Hostile{"NoVersion", "GET /\r\nHost: a\r\n\r\n", "400"},
        Hostile{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
        Hostile{"Garbage", std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), "400"},
        Hostile{"OtherExpectation", with_headers("Host: a\r\nExpect: miracles\r\n"), "417"},
        Hostile{"HugeHeader", with_headers("Host: a\r\nX: " + std::string(20'000, 'x') + "\r\n"),
                "431"},
        Hostile{"EndlessHeader", "GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x'), "431"},
        Hostile{"BadChunkSize",
                with_headers("Host: a\r\nTransfer-Encoding: chunked\r\n") + "zz\r\nabc\r\n", "400"},
        Hostile{"ManyHeaders",
                [] {
                  std::string headers = "Host: a\r\n";
                  for (int i = 0; i < 200; ++i) headers += "H" + std::to_string(i) + ": v\r\n";
                  return with_headers(headers);
                }(),
                "431"}),
    [](const auto& hostile) { return std::string(hostile.param.name); });

TEST_F(HttpServerTest, HalfSentRequestsAndEarlyDisconnectsHarmNobody) {
  start();
  const std::string request =
      "POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789";
  for (std::size_t size = 0; size < request.size(); size += 3) {
    Client client(server->port());
    client.send(std::string_view(request).substr(0, size));
  }
  {
    Client client(server->port());  // gone before its answer is made
    client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  expect_alive();
}

TEST_F(HttpServerTest, SlowRequestsRunOutOfTime) {
  HttpServerOptions options;
  options.header_max = 200ms;
  options.idle_max = 60'000ms;
  start(options);
  Client slow(server->port());
  slow.send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(slow.read_to_close(), "");
  EXPECT_TRUE(slow.closed);
  expect_alive();
}

TEST_F(HttpServerTest, IdleConnectionsAreClosed) {
  HttpServerOptions options;
  options.idle_max = 200ms;
  start(options);
  Client idle(server->port());
  EXPECT_EQ(idle.read_to_close(), "");
  EXPECT_TRUE(idle.closed);
}

TEST_F(HttpServerTest, OneConnectionTooManyIsTold) {
  HttpServerOptions options;
  options.connections_max = 2;
  start(options);
  Client first(server->port());
  Client second(server->port());
  first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  first.read_until("|0");
  second.read_until("|0");
  Client third(server->port());
  EXPECT_THAT(third.read_to_close(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, ADroppedCompletionClosesWithoutAnAnswer) {
  start();
  EXPECT_EQ(ask("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

TEST_F(HttpServerTest, ClosesWhenTheClientAsksForIt) {
  start();
  EXPECT_THAT(ask("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("Connection: close"));
  EXPECT_THAT(ask("GET /x HTTP/1.0\r\n\r\n"), HasSubstr("GET /x"));
}

TEST_F(HttpServerTest, StopLetsRequestsUnderWayBeAnswered) {
  start();
  Client client(server->port());
  Client idle(server->port());
  client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  while (handler.calls == 0) std::this_thread::sleep_for(1ms);
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    handler.answer_held();
  });
  server->stop(30'000ms);
  later.join();
  EXPECT_THAT(client.read_to_close(), HasSubstr("held"));
  EXPECT_EQ(idle.read_to_close(), "");
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(HttpServerTest, AnswersAfterTheStopAreDropped) {
  start();
  Client client(server->port());
  client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  while (handler.calls == 0) std::this_thread::sleep_for(1ms);
  server->stop(0ms);
  server.reset();
  handler.answer_held();
  EXPECT_EQ(client.read_to_close(), "");
}

// The loop's own timer runs out while the handler keeps the loop, and the stop is queued before the timer's handler: a
// server that armed it once more would never end.
TEST_F(HttpServerTest, StopsWhenItsTimerIsDue) {
  start();
  Client client(server->port());
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  while (handler.calls == 0) std::this_thread::sleep_for(1ms);
  auto stopped = std::async(std::launch::async, [&] { server->stop(0ms); });
  if (stopped.wait_for(20s) != std::future_status::ready) {
    std::fprintf(stderr, "the server does not stop\n");
    std::abort();  // its thread can't be ended otherwise
  }
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(HttpServerTest, SeveralThreadsServeTogether) {
  HttpServerOptions options;
  options.io_threads = 3;
  start(options);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      Client client(server->port());
      for (int n = 0; n < 50; ++n) {
        client.send(n % 10 == 0 ? "GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
                                : "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
        if (client.read_until("|0").find("GET /") != std::string::npos) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 300);
}

TEST_F(HttpServerTest, ATakenPortIsSaid) {
  start();
  HttpServerOptions options;
  options.port = server->port();
  const auto second = HttpServer::start(options, handler);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  options.host = "no.such.host";
  EXPECT_EQ(HttpServer::start(options, handler).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace pawl::wire
