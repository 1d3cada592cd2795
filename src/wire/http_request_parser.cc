#include "wire/http_request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>
#include <utility>

namespace pawl::wire {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
// Beast's string_view is boost's own type.
std::string_view std_view(boost::beast::string_view view) { return {view.data(), view.size()}; }

constexpr std::string_view kTooLarge =
    "The body is larger than this operation takes (16 MiB, or 5 GiB of an object).";
constexpr std::size_t kBodyKept = 64 * 1024;  // a larger buffer is given back between requests

// A request line and header lines, each ended by CR LF, none folded (obs-fold), no stray control bytes.
// Returns what is wrong, or an empty view.
std::string_view gate_raw_head(std::string_view head) {
  bool line_start = false;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (line_start && (c == ' ' || c == '\t')) return "A header line is folded (obs-fold).";
    line_start = false;
    if (c == '\r') {
      if (i + 1 >= head.size() || head[i + 1] != '\n') return "A carriage return stands alone.";
      ++i;
      line_start = true;
    } else if (c == '\n') {
      return "A line feed stands alone.";
    } else if (c == '\0') {
      return "A header has a NUL byte.";
    }
  }
  return {};
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

class HttpRequestParser::Beast {
 public:
  explicit Beast(HttpRequestParser& owner) : owner_(owner) {}

  void restart() {
    parser_.emplace(owner_);
    parser_->header_limit(kHttpHeaderBytesMax);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // HttpRequestParser counts
    parser_->eager(true);
  }

  std::size_t put(std::string_view bytes, error_code& ec) {
    return parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  }
  void put_eof(error_code& ec) { parser_->put_eof(ec); }
  const auto& parser() const { return *parser_; }

 private:
  class Parser : public http::basic_parser<true> {
   public:
    explicit Parser(HttpRequestParser& owner) : owner_(owner) {}

   private:
    void on_request_impl(http::verb, boost::beast::string_view method,
                         boost::beast::string_view target, int, error_code&) override {
      owner_.request_.method = std_view(method);
      owner_.request_.target = std_view(target);
    }
    void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                       error_code& ec) override {
      if (header_done_) return;  // trailers: nobody asked for them
      if (owner_.request_.headers.size() >= kHttpHeadersMax) {
        ec = http::error::header_limit;
        return;
      }
      owner_.request_.headers.push_back({std_view(name), std_view(value)});
    }
    void on_header_impl(error_code&) override { header_done_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
      // The declared length alone costs nothing: beyond this the buffer grows with what really arrives.
      if (length) owner_.body_.reserve(std::min<std::size_t>(*length, kBodyKept) + kBodyPadding);
    }
    std::size_t on_body_impl(boost::beast::string_view body, error_code& ec) override {
      return take(body, ec);
    }
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                   error_code& ec) override {
      return take(body, ec);
    }
    void on_finish_impl(error_code&) override {}
    void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

    std::size_t take(boost::beast::string_view body, error_code& ec) {
      if (body.size() > owner_.body_left_) {
        ec = http::error::body_limit;
        return 0;
      }
      owner_.body_left_ -= body.size();
      owner_.body_.append(body.data(), body.size());
      return body.size();
    }

    HttpRequestParser& owner_;
    bool header_done_ = false;
  };

  HttpRequestParser& owner_;
  std::optional<Parser> parser_;
};

HttpRequestParser::HttpRequestParser(std::size_t body_bytes_max)
    : body_bytes_max_(body_bytes_max), beast_(std::make_unique<Beast>(*this)) {
  reset();
}

HttpRequestParser::~HttpRequestParser() = default;

void HttpRequestParser::reset() {
  beast_->restart();
  state_ = State::kHead;
  head_.clear();
  body_.clear();
  if (body_.capacity() > 2 * kBodyKept) body_.shrink_to_fit();
  request_.headers.clear();
  request_.body = {};
  expects_continue_ = false;
}

std::size_t HttpRequestParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  if (state_ == State::kHead) taken = feed_head(bytes);
  if (state_ == State::kBody) taken += feed_body(bytes.substr(taken));
  return taken;
}

std::size_t HttpRequestParser::refuse(unsigned status, std::string_view message) {
  state_ = State::kRefused;
  error_status_ = status;
  error_message_ = message;
  return 0;
}

std::size_t HttpRequestParser::feed_head(std::string_view bytes) {
  // Empty lines before a request line are skipped (RFC 9112, 2.2), but not for ever.
  std::size_t skipped = 0;
  while (skipped < 4 && bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
  bytes.remove_prefix(skipped);
  const std::size_t end = bytes.substr(0, kHttpHeaderBytesMax).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kHttpHeaderBytesMax) {
      return refuse(431, "The request line and headers are larger than 16 KiB.");
    }
    return 0;
  }
  head_.assign(bytes.substr(0, end + 4));
  if (const std::string_view wrong = gate_raw_head(head_); !wrong.empty())
    return refuse(400, wrong);

  error_code ec;
  beast_->put(head_, ec);
  if (ec && ec != http::error::need_more) {
    if (ec == http::error::header_limit)
      return refuse(431, "The request has more than 100 headers.");
    if (ec == http::error::bad_version)
      return refuse(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    return refuse(400, "The request is not well-formed HTTP/1.1.");
  }
  if (!beast_->parser().is_header_done())
    return refuse(400, "The request is not well-formed HTTP/1.1.");
  if (!gate_headers()) return 0;
  request_.keep_alive = beast_->parser().keep_alive();
  const auto length = beast_->parser().content_length();
  state_ = State::kBody;
  body_left_ = body_bytes_max_;
  if (beast_->parser().is_done()) {
    complete();
  } else if (!length || *length > kSmallBodyBytesMax) {
    state_ = State::kPlan;
  }
  return skipped + end + 4;
}

void HttpRequestParser::plan_body(std::uint64_t bytes_max) {
  body_left_ = bytes_max;
  state_ = State::kBody;
  const auto length = beast_->parser().content_length();
  if (length && *length > bytes_max) refuse(413, kTooLarge);
}

std::string HttpRequestParser::take_body() { return std::exchange(body_, std::string()); }

bool HttpRequestParser::gate_headers() {
  const std::string_view request_line = std::string_view(head_).substr(0, head_.find('\r'));
  const bool http_1_1 = request_line.ends_with("HTTP/1.1");
  std::size_t hosts = 0, lengths = 0, encodings = 0;
  bool encoding_is_chunked = true, length_is_number = true;
  for (const HttpHeader& header : request_.headers) {
    switch (header.name.size()) {
      case 4:
        if (equal_ignoring_case(header.name, "host")) ++hosts;
        break;
      case 6:
        if (equal_ignoring_case(header.name, "expect")) {
          if (!equal_ignoring_case(header.value, "100-continue")) {
            refuse(417, "The only expectation that can be met is 100-continue.");
            return false;
          }
          expects_continue_ = http_1_1;
        }
        break;
      case 14:
        if (equal_ignoring_case(header.name, "content-length")) {
          ++lengths;
          length_is_number = length_is_number && all_digits(header.value);
        }
        break;
      case 17:
        if (equal_ignoring_case(header.name, "transfer-encoding")) {
          ++encodings;
          encoding_is_chunked = encoding_is_chunked && equal_ignoring_case(header.value, "chunked");
        }
        break;
      default:
        break;
    }
  }
  if (hosts > 1 || (http_1_1 && hosts == 0)) {
    refuse(400, "A request needs exactly one Host header.");
  } else if (lengths + encodings > 1) {
    refuse(400, "A request has one Content-Length or one Transfer-Encoding, never two of them.");
  } else if (!length_is_number) {
    refuse(400, "Content-Length is not a number.");
  } else if (encodings > 0 && (!encoding_is_chunked || !http_1_1)) {
    refuse(400, "The only Transfer-Encoding that is understood is chunked, in HTTP/1.1.");
  } else {
    return true;
  }
  return false;
}

std::size_t HttpRequestParser::feed_body(std::string_view bytes) {
  std::size_t taken = 0;
  // Beast takes one chunk's worth of framing a call; each call but the last takes something.
  while (taken < bytes.size()) {
    error_code ec;
    const std::size_t used = beast_->put(bytes.substr(taken), ec);
    taken += used;
    if (ec && ec != http::error::need_more) {
      if (ec == http::error::body_limit) return refuse(413, kTooLarge), taken;
      return refuse(400, "The chunked body is not well-formed."), taken;
    }
    if (beast_->parser().is_done()) break;
    if (ec == http::error::need_more || used == 0) break;
  }
  if (beast_->parser().is_done()) complete();
  return taken;
}

void HttpRequestParser::complete() {
  body_.reserve(body_.size() + kBodyPadding);
  request_.body = body_;
  state_ = State::kComplete;
}

}  // namespace pawl::wire
