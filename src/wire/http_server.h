// The HTTP/1.1 server: sockets in, requests out to one handler, answers back in order.
//
// Each connection serves one request at a time: the next one is looked at when the answer before it is
// written, so pipelined requests are answered in order whatever the handler does. Answers made on another
// thread are handed over in batches: many of them wake an I/O thread once.
//
// Everything is bounded before it costs: connections, header and body bytes (http_request_parser.h), bytes
// of bodies held by all connections together, and the time for every step, so that a slow or silent client
// holds a connection for a known time only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "wire/http_message.h"
#include "wire/http_request_parser.h"

namespace pawl::wire {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an address, or "localhost"
  std::uint16_t port = 8000;       // 0 = any free one, see HttpServer::port
  unsigned io_threads = 1;
  std::size_t connections_max = 4096;  // over this, a new one is answered 503 and closed
  std::size_t body_bytes_max = kHttpBodyBytesMax;
  std::size_t held_body_bytes_max =
      256 * 1024 * 1024;  // over this, a large request is answered 503
  // Checked once a second, so each lasts up to a second longer.
  std::chrono::milliseconds idle_max{60'000};    // between requests
  std::chrono::milliseconds header_max{10'000};  // from the first byte to the end of the header
  std::chrono::milliseconds body_max{60'000};    // from there to the end of the body
  std::chrono::milliseconds write_max{30'000};   // for one answer
  std::chrono::milliseconds linger_max{2'000};   // for the client to read a last answer
};

class HttpServer {
 public:
  // Binds and starts its threads. The handler must outlive the server and every completion it was given.
  // Errors: kInvalid (no such address), kUnavailable (the port is taken).
  static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                   HttpHandler& handler);
  // stop() without grace.
  virtual ~HttpServer() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Takes no more connections and requests, lets the requests under way be answered for up to `grace`, closes
  // everything and joins the threads. Completions that come later are dropped. Not from an I/O thread.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace pawl::wire
