// Bodies that come and go in pieces, over real sockets.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "wire/http_server.h"

namespace pawl::wire {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// "/refuse": before the body; "/stop": at its second piece; else it is received, and its size, pieces and last byte told.
class Receiver final : public BodyReceiver {
 public:
  explicit Receiver(bool stops) : stops_(stops) {}
  ~Receiver() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void receive(std::string piece, More more) override {
    take(piece);
    if (stops_ && pieces_ == 2) {
      HttpResponse response;
      response.status = 400;
      response.body = "stopped";
      return more(std::move(response));
    }
    if (pieces_ % 2 == 0) return more(std::nullopt);  // at once, or from another thread
    threads_.emplace_back([more = std::move(more)] { more(std::nullopt); });
  }
  void complete(std::string rest, Completion completion) override {
    take(rest);
    HttpResponse response;
    response.body = std::to_string(bytes_) + " bytes, last " + last_;
    completion.answer(std::move(response));
  }

 private:
  void take(const std::string& piece) {
    ++pieces_;
    bytes_ += piece.size();
    EXPECT_LT(piece.size(), 300'000U);
    if (!piece.empty()) last_ = piece.back();
  }
  const bool stops_;
  std::size_t pieces_ = 0, bytes_ = 0;
  char last_ = '-';
  std::vector<std::thread> threads_;
};

// Pieces of 1,000 bytes, from another thread; ends early if told.
class Source final : public BodySource {
 public:
  explicit Source(int fails_at) : fails_at_(fails_at) {}
  ~Source() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void read(std::function<void(std::optional<std::string>)> done) override {
    threads_.emplace_back([done = std::move(done), fail = count_ == fails_at_, count = count_] {
      if (fail) return done(std::nullopt);
      done(std::string(1000, static_cast<char>('a' + count)));
    });
    ++count_;
  }

 private:
  const int fails_at_;
  int count_ = 0;
  std::vector<std::thread> threads_;
};

class Handler final : public HttpHandler {
 public:
  void handle(const HttpRequest& request, Completion completion) override {
    HttpResponse response;
    if (request.target == "/source" || request.target == "/broken") {
      sources_.push_back(std::make_shared<Source>(request.target == "/broken" ? 3 : -1));
      response.source = sources_.back();
      response.length = 5000;
    } else if (request.method == "HEAD") {
      response.length = 12345;
    } else {
      response.body = "collected " + std::to_string(request.body.size());
    }
    completion.answer(std::move(response));
  }
  BodyPlan plan_body(const HttpRequest& request) override {
    BodyPlan plan;
    if (request.target == "/collect") return plan;
    if (request.target == "/refuse") {
      plan.refusal.emplace();
      plan.refusal->status = 404;
      plan.refusal->body = "refused";
      return plan;
    }
    receivers_.push_back(std::make_shared<Receiver>(request.target == "/stop"));
    plan.receiver = receivers_.back();
    plan.bytes_max = 50'000'000;
    return plan;
  }

 private:
  std::vector<std::shared_ptr<Receiver>> receivers_;
  std::vector<std::shared_ptr<Source>> sources_;
};

class HttpBodies : public ::testing::Test {
 protected:
  HttpBodies() {
    HttpServerOptions options;
    options.port = 0;
    server_ = HttpServer::start(options, handler_).value();
  }
  ~HttpBodies() override { server_->stop(std::chrono::milliseconds(100)); }

  // Everything that comes back until the server closes.
  std::string exchange(const std::string& head, const std::string& body = {}) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval limit{20, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const std::string all = head + "Host: x\r\nConnection: close\r\n\r\n" + body;
    std::thread writer([&] {
      for (std::size_t sent = 0; sent < all.size();) {
        const ssize_t put = ::send(socket, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) break;
        sent += static_cast<std::size_t>(put);
      }
    });
    std::string received;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
      received.append(buffer, static_cast<std::size_t>(got));
    ::shutdown(socket, SHUT_RDWR);
    writer.join();
    ::close(socket);
    return received;
  }
  std::string put(const std::string& target, const std::string& body) {
    return exchange(
        "PUT " + target + " HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
        body);
  }

  Handler handler_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpBodies, ALargeBodyIsReceivedInPieces) {
  EXPECT_THAT(put("/", std::string(5'000'000, 'x') + "y"), EndsWith("5000001 bytes, last y"));
  EXPECT_THAT(put("/", std::string(65'537, 'x')), EndsWith("65537 bytes, last x"));
}

TEST_F(HttpBodies, ASmallOneIsNot) {
  EXPECT_THAT(put("/", std::string(65'536, 'x')), EndsWith("collected 65536"));
}

TEST_F(HttpBodies, OneOfUnknownLengthIsPlanned) {
  const std::string head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_THAT(exchange(head, "3\r\nabc\r\n0\r\n\r\n"), EndsWith("3 bytes, last c"));
}

TEST_F(HttpBodies, CollectedOnesKeepTheirBound) {
  EXPECT_THAT(put("/collect", std::string(1'000'000, 'x')), EndsWith("collected 1000000"));
  EXPECT_THAT(exchange("PUT /collect HTTP/1.1\r\nContent-Length: 16777217\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange("PUT / HTTP/1.1\r\nContent-Length: 50000001\r\n"),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpBodies, ARefusalComesBeforeTheBodyOrInItsMiddle) {
  const auto refused =
      exchange("PUT /refuse HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(refused, HasSubstr("Connection: close"));
  EXPECT_THAT(put("/stop", std::string(600'000, 'x')), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpBodies, AnAnswerComesInPieces) {
  const auto answer = exchange("GET /source HTTP/1.1\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5000\r\n"));
  std::string body;
  for (char c = 'a'; c <= 'e'; ++c) body += std::string(1000, c);
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + body));
}

TEST_F(HttpBodies, ASourceThatFailsEndsTheConnectionShort) {
  EXPECT_THAT(exchange("GET /broken HTTP/1.1\r\n"), EndsWith(std::string(1000, 'c')));
}

TEST_F(HttpBodies, AHeadSaysTheLengthAlone) {
  EXPECT_THAT(exchange("HEAD / HTTP/1.1\r\n"), HasSubstr("Content-Length: 12345\r\n"));
}

}  // namespace
}  // namespace pawl::wire
