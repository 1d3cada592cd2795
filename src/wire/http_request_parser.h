// From bytes to one HTTP/1.1 request, without a socket: Boost.Beast's parser behind strict gates.
//
// Beast 1.81 is lenient where leniency lets two readers of one message disagree about it (request
// smuggling, RFC 9112 sections 5.2, 6.1, 6.3 and 3.2): it accepts odd Transfer-Encoding values, several
// Host headers and folded header lines. Each of these is refused here with 400 and the connection ends.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "wire/http_message.h"

namespace pawl::wire {

inline constexpr std::size_t kHttpHeaderBytesMax = 16 * 1024;       // request line and headers
inline constexpr std::size_t kHttpHeadersMax = 100;                 // of them
inline constexpr std::size_t kHttpBodyBytesMax = 16 * 1024 * 1024;  // decoded

// One at a time; reset() between requests. Not thread-safe.
class HttpRequestParser {
 public:
  explicit HttpRequestParser(std::size_t body_bytes_max = kHttpBodyBytesMax);
  ~HttpRequestParser();
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  enum class State {
    kHead,  // the header is not complete
    kPlan,  // the header is, and the body is large or of unknown length: plan_body() says how much is taken
    kBody,      // the body is not complete
    kComplete,  // request() is whole
    kRefused,   // error_status() and error_message() say why; the connection must end
  };

  // Takes as much of `bytes` as belongs to this request and returns how many. What is not taken must be
  // given again, with more behind it.
  std::size_t feed(std::string_view bytes);
  State state() const { return state_; }

  // Goes from kPlan to kBody, or refuses: nothing of the body has been taken.
  void plan_body(std::uint64_t bytes_max);
  // What has come of the body; the next pieces come after it. For a body that is received in pieces.
  std::string take_body();

  // From kPlan on. The views are into this parser and live until reset(); `peer` and `id` are the
  // session's to fill in.
  HttpRequest& request() { return request_; }
  // Whether the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  std::size_t body_bytes() const { return body_.size(); }

  unsigned error_status() const { return error_status_; }
  std::string_view error_message() const { return error_message_; }

  void reset();

 private:
  class Beast;

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  bool gate_headers();
  void complete();
  std::size_t refuse(unsigned status, std::string_view message);

  const std::size_t body_bytes_max_;
  std::unique_ptr<Beast> beast_;
  State state_ = State::kHead;
  std::string head_;  // request line and headers; the views of request_ point into it
  std::string body_;  // decoded
  HttpRequest request_;
  bool expects_continue_ = false;
  std::uint64_t body_left_ = 0;  // of what may come yet
  unsigned error_status_ = 0;
  std::string_view error_message_;
};

}  // namespace pawl::wire
