// Many HTTP requests at once, on libcurl, over connections that are kept: the way to every remote store.
//
// A request ends in exactly one reply, which says how far it came: what was never sent was not carried out, and what
// was sent without an answer may have been. Nothing is repeated here (but libcurl sends a request again when a kept
// connection turns out to be closed before any answer), no redirect is followed, and no proxy is asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "port/clock.h"

namespace pawl {

struct HttpCall {
  std::string method;  // "GET", "HEAD", "PUT", "POST", "DELETE"
  std::string url;     // http:// or https://, sent as it is
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  // must stay valid until the reply
  std::size_t answer_bytes_max = std::size_t{1} << 20;
  std::chrono::milliseconds timeout{10'000};  // for all of it
  // Asked right before the request is sent, over a connection that is there, on the pool's thread; false: it is not sent.
  std::function<bool()> may_send = {};
};

struct HttpReply {
  enum class Kind : std::uint8_t {
    kAnswered,  // a whole answer; `status` says the rest
    kNotSent,   // nothing was sent: definitely not carried out
    kNoAnswer,  // sent, or half sent, and no whole answer came: may have been carried out
    kTooLarge,  // the answer exceeds answer_bytes_max; `status` and `headers` are there
  };
  Kind kind = Kind::kNoAnswer;
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order
  std::string body;
  std::string why;  // for people, where there is no answer

  // The value of the first header of that name; empty if there is none.
  std::string_view header(std::string_view lower_case_name) const;
};

struct HttpPoolOptions {
  std::size_t connections_max = 256;  // calls beyond that wait for one
  std::string ca_file;                // of trusted certificates; "" = the system's
};

// One thread of its own. send() from any executor; every send() must have returned, and its executor be alive, before
// the pool is destroyed.
class HttpPool {
 public:
  explicit HttpPool(HttpPoolOptions options = {});
  ~HttpPool();
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;

  // Resumes on the executor of the calling coroutine.
  Awaitable<HttpReply> send(HttpCall call);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace pawl
