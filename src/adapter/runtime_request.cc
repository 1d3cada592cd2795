#include "adapter/runtime_request.h"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <string_view>

#include "port/function_host.h"

namespace pawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::buffer_body>;

constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Browsers say Sec-Fetch-* with every request to loopback, also those that say no Origin.
bool is_of_web_page(const Parser& parser) {
  if (parser.get().count(http::field::origin) != 0) return true;
  for (const auto& field : parser.get()) {
    if (boost::beast::iequals(field.name_string().substr(0, 10), "Sec-Fetch-")) return true;
  }
  return false;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

void take_header(const Parser& parser, const std::string& address, RuntimeRequest& into) {
  const auto& header = parser.get();
  into.method = header.method();
  into.target = view_of(header.target());
  into.keep_alive = parser.is_header_done() && parser.keep_alive();
  into.forbidden = is_of_web_page(parser) || view_of(header[http::field::host]) != address;
  if (into.forbidden) into.keep_alive = false;
}

}  // namespace

asio::awaitable<bool> read_runtime_request(asio::ip::tcp::socket& socket,
                                           boost::beast::flat_buffer& buffer,
                                           const std::string& address, RuntimeRequest& into) {
  into = RuntimeRequest();
  Parser parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(kPassedOverMax);
  error_code ec;
  co_await http::async_read_header(socket, buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, ec));
  if (ec && ec != http::error::body_limit) co_return false;
  take_header(parser, address, into);
  const bool waits = boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
  const bool large = ec || parser.content_length().value_or(0) > FunctionHost::kPayloadMax;
  // What is far too large is not read; who waits to be told to go on need not send it.
  if (ec || (waits && large)) {
    into.too_large = true;
    into.keep_alive = false;
    co_return true;
  }
  if (into.forbidden) co_return true;
  if (waits) {
    const asio::const_buffer go_on(kContinue.data(), kContinue.size());
    co_await asio::async_write(socket, go_on, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
  }
  std::string piece(parser.is_done() ? 0 : kPieceBytes, '\0');
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    co_await http::async_read(socket, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, ec));
    if (ec == http::error::body_limit) {  // in chunks, whose sum it did not say
      into.keep_alive = false;
      into.too_large = true;
      break;
    }
    if (ec && ec != http::error::need_buffer) co_return false;
    const std::size_t came = piece.size() - parser.get().body().size;
    if (into.body.size() + came > FunctionHost::kPayloadMax) into.too_large = true;
    if (!into.too_large) into.body.append(piece, 0, came);
  }
  if (into.too_large) into.body = std::string();
  co_return true;
}

bool hung_up(asio::ip::tcp::socket& socket) {
  char byte = 0;
  const auto size = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace pawl
