#include "adapter/runtime_api.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <vector>

#include "adapter/posix_file.h"

namespace pawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kNext = "/2018-06-01/runtime/invocation/next";

class Heard final : public ProcessListener {
 public:
  void on_ready() override { ++ready; }
  void on_response(std::string payload) override { responses.push_back(std::move(payload)); }
  void on_error(std::string document) override { errors.push_back(std::move(document)); }
  void on_start_error(std::string document) override { errors.push_back(std::move(document)); }
  void on_line(OutputStream, std::string_view) override {}
  void on_exit(const ProcessEnd&) override {}

  int ready = 0;
  std::vector<std::string> responses;
  std::vector<std::string> errors;
};

// For what comes at once on a quiet machine.
constexpr std::chrono::seconds kPatience{120};

class RuntimeApiTest : public testing::Test {
 protected:
  RuntimeApiTest() {
    auto made = RuntimeApi::listen(context_.get_executor(), heard_);
    EXPECT_TRUE(made.ok());
    api_ = *std::move(made);
    api_->serve_only(::getpid());
  }

  bool pump(const std::function<bool()>& until, std::chrono::milliseconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!until() && std::chrono::steady_clock::now() < end) {
      context_.restart();
      context_.run_for(std::chrono::milliseconds(5));
    }
    return until();
  }
  void pump_for(int milliseconds) {
    pump([] { return false; }, std::chrono::milliseconds(milliseconds));
  }

  FileDescriptor connect() const {
    FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(api_->address().substr(10))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<::sockaddr*>(&to), sizeof to), 0);  // NOLINT
    return client;
  }
  std::string request(const std::string& method, const std::string& path,
                      const std::string& fields = "", const std::string& body = "") const {
    return method + " " + path + " HTTP/1.1\r\nHost: " + api_->address() + "\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  void send(const FileDescriptor& client, std::string_view text) {
    const bool sent = pump(
        [&] {
          const auto size =
              ::send(client.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
          if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
          return text.empty();
        },
        kPatience);
    EXPECT_TRUE(sent);
  }
  // What comes until `until` is in it, or the end; "" if nothing comes.
  std::string receive(const FileDescriptor& client, const std::string& until = "\r\n\r\n") {
    std::string text;
    bool ended = false;
    pump(
        [&] {
          std::array<char, 65536> piece;  // NOLINT
          const auto size = ::recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT);
          if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
          if (size == 0 || (size < 0 && errno != EAGAIN)) ended = true;
          return ended || text.find(until) != std::string::npos;
        },
        kPatience);
    return ended && text.empty() ? "closed" : text;
  }
  void give(const std::string& id, std::string payload = "1") {
    api_->give({id, std::move(payload), "trace", "arn", 1});
  }
  bool wait_ready(int times) {
    return pump([&] { return heard_.ready == times; }, kPatience);
  }
  // Has `client` the invocation `id`, as the first there is.
  void hand_out(const FileDescriptor& client, const std::string& id) {
    send(client, request("GET", kNext));
    ASSERT_TRUE(wait_ready(1));
    give(id);
    ASSERT_THAT(receive(client, "\r\n\r\n1"), HasSubstr("Lambda-Runtime-Aws-Request-Id: " + id));
  }

  boost::asio::io_context context_{1};
  Heard heard_;
  std::unique_ptr<RuntimeApi> api_;
};

TEST_F(RuntimeApiTest, ServesItsProcessAlone) {
  const ::pid_t stranger = ::fork();
  if (stranger == 0) {
    ::pause();
    ::_exit(0);
  }
  api_->serve_only(stranger);
  const auto client = connect();
  send(client, request("GET", kNext));
  EXPECT_EQ(receive(client), "closed");
  EXPECT_EQ(heard_.ready, 0);
  ::kill(stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
  api_->serve_only(::getpid());
  hand_out(connect(), "one");
}

TEST_F(RuntimeApiTest, RefusesWebPages) {
  for (const std::string field :
       {"Origin: http://x", "Sec-Fetch-Site: none", "sec-fetch-mode: x"}) {
    const auto client = connect();
    send(client, request("GET", kNext, field + "\r\n"));
    EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 403")) << field;
  }
  EXPECT_EQ(heard_.ready, 0);
}

TEST_F(RuntimeApiTest, AnotherProcessThatAsksDoesNotEndTheCall) {
  const auto client = connect();
  hand_out(client, "one");
  const ::pid_t other = ::fork();
  if (other == 0) {
    const auto mine = connect();
    const std::string text = request("GET", kNext);
    static_cast<void>(!::write(mine.get(), text.data(), text.size()));
    std::array<char, 64> answer{};
    const auto size = ::read(mine.get(), answer.data(), answer.size());
    const std::string_view heard(answer.data(),
                                 static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    ::_exit(heard.starts_with("HTTP/1.1 403") ? 0 : 1);
  }
  int status = -1;
  pump([&] { return ::waitpid(other, &status, WNOHANG) == other; }, kPatience);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(heard_.ready, 1);
  send(client, request("POST", "/2018-06-01/runtime/invocation/one/response", "", "5"));
  EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(heard_.responses, ElementsAre("5"));
}

TEST_F(RuntimeApiTest, WhoHasOneAndAsksIsTold) {
  const auto first = connect();
  hand_out(first, "one");
  const auto second = connect();  // kept open: whose a socket was can't be told of one that is gone
  send(second, request("GET", kNext));
  EXPECT_TRUE(wait_ready(2)) << "the same process: the listener ends it";
}

TEST_F(RuntimeApiTest, AskingAgainTakesThePlaceOfWhoWaited) {
  auto first = connect();
  send(first, request("GET", kNext));
  ASSERT_TRUE(wait_ready(1));
  const auto second = connect();
  send(second, request("GET", kNext));
  EXPECT_THAT(receive(first), StartsWith("HTTP/1.1 403"));
  give("one");
  EXPECT_THAT(receive(second), HasSubstr("Request-Id: one"));
  EXPECT_EQ(heard_.ready, 1);
}

TEST_F(RuntimeApiTest, WhatNobodyWaitsForIsKept) {
  {
    const auto gone = connect();
    send(gone, request("GET", kNext));
    ASSERT_TRUE(wait_ready(1));
  }
  give("one");
  pump_for(50);
  const auto client = connect();
  send(client, request("GET", kNext));
  EXPECT_THAT(receive(client), HasSubstr("Request-Id: one"));
  EXPECT_EQ(heard_.ready, 1);
}

TEST_F(RuntimeApiTest, AnInvocationThatCouldNotBeWrittenIsKept) {
  {
    const auto gone = connect();
    const int small = 4096;
    ::setsockopt(gone.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    send(gone, request("GET", kNext));
    ASSERT_TRUE(wait_ready(1));
    give("one", std::string(6 << 20, ' ') + "1");
    pump_for(50);  // it is being written
  }
  pump_for(50);
  const auto client = connect();
  send(client, request("GET", kNext));
  EXPECT_THAT(receive(client), HasSubstr("Request-Id: one"));
  EXPECT_EQ(heard_.ready, 1);
}

TEST_F(RuntimeApiTest, AnAnswerThatIsTooLargeIsReadAndTheConnectionGoesOn) {
  const auto client = connect();
  hand_out(client, "one");
  send(client, request("POST", "/2018-06-01/runtime/invocation/one/response", "",
                       std::string(20 << 20, ' ')));
  EXPECT_THAT(receive(client, "}"), StartsWith("HTTP/1.1 413"));
  ASSERT_EQ(heard_.errors.size(), 1U);
  EXPECT_THAT(heard_.errors[0], HasSubstr("ResponseSizeTooLarge"));
  send(client, request("GET", kNext));
  EXPECT_TRUE(wait_ready(2));
}

TEST_F(RuntimeApiTest, SaysWhenToContinue) {
  const auto client = connect();
  hand_out(client, "one");
  const std::string all = request("POST", "/2018-06-01/runtime/invocation/one/response",
                                  "Expect: 100-continue\r\n", "5");
  send(client, all.substr(0, all.size() - 1));
  EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 100"));
  send(client, "5");
  EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 202"));
}

TEST_F(RuntimeApiTest, WhatIsNoTextBecomesADocumentAllTheSame) {
  const auto client = connect();
  hand_out(client, "one");
  const std::string body = std::string(1022, 'x') + "\xe3\x83\xa6 \xff";
  send(client, request("POST", "/2018-06-01/runtime/invocation/one/error", "", body));
  EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 202"));
  send(client, request("POST", "/2018-06-01/runtime/init/error", "", "\xff{"));
  EXPECT_THAT(receive(client), StartsWith("HTTP/1.1 202"));
  ASSERT_EQ(heard_.errors.size(), 2U);
  simdjson::dom::parser parser;
  for (const auto& document : heard_.errors) {
    EXPECT_EQ(parser.parse(document).error(), simdjson::SUCCESS) << document;
  }
  EXPECT_THAT(heard_.errors[0], testing::Not(HasSubstr("\xe3")));
  EXPECT_THAT(heard_.errors[1], HasSubstr("\xef\xbf\xbd{"));
}

TEST_F(RuntimeApiTest, GoesOnAfterDescriptorsHaveRunOut) {
  const auto client = connect();
  ::rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The lowest number that is free is what comes next.
  const int free = ::dup(client.get());
  ::close(free);
  ::rlimit none = before;
  none.rlim_cur = static_cast<::rlim_t>(free);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  pump_for(50);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  hand_out(client, "one");
}

}  // namespace
}  // namespace pawl
