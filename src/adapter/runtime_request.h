// One request to the runtime API, read: bounded, whatever a user's code sends. See runtime_api.h.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/verb.hpp>
#include <string>

namespace pawl {

struct RuntimeRequest {
  boost::beast::http::verb method{};
  std::string target;
  std::string body;  // at most FunctionHost::kPayloadMax
  bool keep_alive = false;
  bool too_large = false;  // the body was more; `body` is empty
  bool forbidden = false;  // it names another host, or comes from a web page; the body is not read
};

// Reads the next one; false: there is none, the connection is to be closed. Answers Expect: 100-continue. What is beyond the body's
// maximum is read and passed over, so that the client comes to read its answer, up to kPassedOverMax: then, keep_alive is false.
// `address` is what Host must say. Both references must live until it is done.
inline constexpr std::size_t kPassedOverMax = 64 << 20;
boost::asio::awaitable<bool> read_runtime_request(boost::asio::ip::tcp::socket& socket,
                                                  boost::beast::flat_buffer& buffer,
                                                  const std::string& address, RuntimeRequest& into);

// Whether the other end is closed: nobody is there any more to read an answer.
bool hung_up(boost::asio::ip::tcp::socket& socket);

}  // namespace pawl
