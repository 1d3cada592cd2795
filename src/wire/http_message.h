// HTTP requests and answers as the routes see them. No library type appears here: what speaks HTTP on the
// socket is http_server.h, and what is called is a handler in this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_header.h"

namespace pawl::wire {

// Bytes that may be read (not used) behind a request's body: simdjson reads that far in blocks.
inline constexpr std::size_t kBodyPadding = 64;

// A whole request that passed the gates of http_request_parser.h. Every view is valid only while the
// handler is being called: copy what an answer needs later.
struct HttpRequest {
  std::string_view method;
  std::string_view target;  // as sent: path and query, still percent-encoded
  std::vector<HttpHeader> headers;
  std::string_view body;  // followed by kBodyPadding readable bytes
  std::string_view peer;  // the client's address, without its port
  std::string_view id;    // this request's id, sent back as x-amzn-RequestId
  bool keep_alive = true;

  // The value of the first header of that name (given in lower case); empty if there is none.
  std::string_view header(std::string_view lower_case_name) const;
  bool has_header(std::string_view lower_case_name) const;
  std::size_t count_headers(std::string_view lower_case_name) const;
};

// A body that is not made at once: the session asks for a piece when the one before it is written, so that a slow client
// holds one piece.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Calls `done` once, from any thread, with the next piece: 1 to kBodyPieceBytesMax bytes; nothing: it can't go on, and the
  // connection is closed. Not asked again before `done`, nor beyond the length that the answer declares.
  virtual void read(std::function<void(std::optional<std::string>)> done) = 0;
};
inline constexpr std::size_t kBodyPieceBytesMax = 128 * 1024;

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type;  // static storage
  std::string body;
  std::shared_ptr<BodySource> source;  // instead of a body: `length` bytes come from it
  // What Content-Length says, if not the body's size: of a source, or (without one) of what a GET would have brought.
  std::optional<std::uint64_t> length;
  std::vector<std::pair<std::string, std::string>>
      headers;         // further ones; already free of CR and LF
  bool close = false;  // whether the connection ends after this answer
};

// Who takes the answer of one request.
class Responder {
 public:
  virtual ~Responder() = default;
  // Called once, from any thread. Nothing = close the connection without an answer.
  virtual void respond(std::optional<HttpResponse> response) = 0;
};

// The right to answer one request, once, from any thread. Dropped unused, it closes the connection:
// a request is never left without an end.
class Completion {
 public:
  explicit Completion(std::shared_ptr<Responder> responder) : responder_(std::move(responder)) {}
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&&) = delete;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  ~Completion() {
    if (responder_) responder_->respond(std::nullopt);
  }

  void answer(HttpResponse response) {
    std::exchange(responder_, nullptr)->respond(std::move(response));
  }
  void close() { std::exchange(responder_, nullptr)->respond(std::nullopt); }

 private:
  std::shared_ptr<Responder> responder_;
};

// Takes a request's body in pieces, while it comes: for bodies that are not held in memory. One call at a time, on the
// session's thread; must not block. Destroyed without complete(), the request has ended in the middle.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;
  // Takes the next piece, of 1 to a few hundred KiB, and calls `more` once, from any thread, when it wants the next one: so a
  // client is read no faster than its bytes are taken. With an answer, that is the request's, and the connection ends.
  using More = std::function<void(std::optional<HttpResponse> refusal)>;
  virtual void receive(std::string piece, More more) = 0;
  // The body is whole but for `rest`, its last piece, which may be empty. The handler is not called for this request.
  virtual void complete(std::string rest, Completion completion) = 0;
};

// What is to be done with a body that is large, or of unknown length.
struct BodyPlan {
  std::shared_ptr<BodyReceiver>
      receiver;                         // takes it; none: it is collected, up to the server's bound
  std::uint64_t bytes_max = 0;          // of one that is received, decoded
  std::optional<HttpResponse> refusal;  // the request's answer, without its body
};

// A route. Called on an I/O thread, and on several at once if the server has several: must be thread-safe
// and must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void handle(const HttpRequest& request, Completion completion) = 0;
  // Asked when the header is complete and the body is larger than kSmallBodyBytesMax, or chunked. `request` has no body yet.
  virtual BodyPlan plan_body(const HttpRequest& request) {
    static_cast<void>(request);
    return {};
  }
};
inline constexpr std::size_t kSmallBodyBytesMax = 64 * 1024;

}  // namespace pawl::wire
