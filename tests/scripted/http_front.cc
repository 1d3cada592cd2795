#include "http_front.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace scripted {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Failure = boost::system::error_code;

constexpr std::uint64_t kBodyMax = 256ULL << 20;
constexpr std::uint32_t kHeaderMax = 64 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// One connection: read, wait, answer, read. One thing is under way at a time, so no two of its handlers meet.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, Dispatcher& dispatcher)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), dispatcher_(&dispatcher) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(kBodyMax);
    parser_->header_limit(kHeaderMax);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](Failure failure, std::size_t) {
                              if (!failure) self->read_body();
                            });
  }

 private:
  void read_body() {
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      asio::async_write(socket_, asio::buffer(kContinue),
                        [self = shared_from_this()](Failure failure, std::size_t) {
                          if (!failure) self->read_rest();
                        });
    } else {
      read_rest();
    }
  }

  void read_rest() {
    if (parser_->is_done()) return arrived();
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](Failure failure, std::size_t) {
                       if (!failure) self->arrived();
                     });
  }

  void take_request() {
    const auto& message = parser_->get();
    const auto header = [&message](std::string_view name) {
      const auto value = message[beast::string_view(name.data(), name.size())];
      return std::string_view(value.data(), value.size());
    };
    const std::string_view whole(message.target().data(), message.target().size());
    const std::size_t question = whole.find('?');
    request_ = {};
    request_.method = {message.method_string().data(), message.method_string().size()};
    request_.path = whole.substr(0, question);
    request_.query = question == std::string_view::npos ? "" : whole.substr(question + 1);
    request_.body = message.body();
    request_.authorization = header("authorization");
    request_.target = header("x-amz-target");
    request_.amz_date = header("x-amz-date");
    request_.content_sha256 = header("x-amz-content-sha256");
    request_.checksum_sha256 = header("x-amz-checksum-sha256");
    request_.content_md5 = header("content-md5");
    request_.if_match = header("if-match");
    request_.if_none_match = header("if-none-match");
    request_.range = header("range");
    request_.copy_source = header("x-amz-copy-source");
  }

  void arrived() {
    take_request();
    ticket_ = dispatcher_->begin(request_);
    if (ticket_.effects.delay_ms <= 0) return answer();
    timer_.expires_after(
        std::chrono::microseconds(static_cast<std::int64_t>(ticket_.effects.delay_ms * 1000)));
    timer_.async_wait([self = shared_from_this()](Failure) { self->answer(); });
  }

  void answer() {
    reply_ = dispatcher_->finish(ticket_, request_);
    if (reply_.drop) {
      Failure ignored;
      socket_.close(ignored);
      return;
    }
    const bool keep = parser_->get().keep_alive();
    const bool head = request_.method == "HEAD";
    if (head && !reply_.head) reply_.length = reply_.body.size();
    if (head) reply_.body.clear();
    const auto reason =
        http::obsolete_reason(http::int_to_status(static_cast<unsigned>(reply_.status)));
    head_ = fmt::format("HTTP/1.1 {} {}\r\nServer: pawl-scripted\r\nContent-Type: {}\r\n{}{}",
                        reply_.status, std::string_view(reason.data(), reason.size()),
                        reply_.content_type, reply_.headers, keep ? "" : "Connection: close\r\n");
    // 204 has no body and no length (RFC 9110, section 8.6).
    if (reply_.status != 204)
      head_ += fmt::format("Content-Length: {}\r\n", head ? reply_.length : reply_.body.size());
    head_ += "\r\n";
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_),
                                                     asio::buffer(reply_.body)};
    asio::async_write(socket_, parts,
                      [self = shared_from_this(), keep](Failure failure, std::size_t) {
                        if (!failure && keep) self->read();
                      });
  }

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  Dispatcher* dispatcher_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  Dispatcher::Ticket ticket_;
  Reply reply_;
  std::string head_;
};

void accept(asio::ip::tcp::acceptor& acceptor, Dispatcher& dispatcher) {
  acceptor.async_accept([&acceptor, &dispatcher](Failure failure, asio::ip::tcp::socket socket) {
    if (failure == asio::error::operation_aborted) return;
    if (!failure) {
      Failure ignored;
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket), dispatcher)->read();
    }
    accept(acceptor, dispatcher);
  });
}

}  // namespace

void serve(Dispatcher& dispatcher, std::uint16_t port, unsigned threads) {
  asio::io_context context(static_cast<int>(threads));
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  accept(acceptor, dispatcher);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&context](Failure, int) { context.stop(); });
  fmt::print("listening on http://127.0.0.1:{}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back([&context] { context.run(); });
  context.run();
}

}  // namespace scripted
