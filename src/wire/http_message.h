// HTTP requests and answers as the routes see them. No library type appears here: what speaks HTTP on the
// socket is http_server.h, and what is called is a handler in this folder.
#pragma once

#include <cstdint>
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

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type;  // static storage
  std::string body;
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

// A route. Called on an I/O thread, and on several at once if the server has several: must be thread-safe
// and must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void handle(const HttpRequest& request, Completion completion) = 0;
};

}  // namespace pawl::wire
