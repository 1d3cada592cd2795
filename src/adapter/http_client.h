// A blocking HTTP client on libcurl, for commands that talk to a server.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pawl {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

// Keeps its connection between requests. One thread at a time.
class HttpClient {
 public:
  static constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `url` is http:// or https://; nothing else is followed, and no redirect is. An empty method is GET, or POST with a
  // body. Errors: kUnavailable if no whole answer came within `timeout` (the request may have been carried out all the
  // same), kInvalid for a malformed URL.
  Result<HttpAnswer> request(const std::string& method, const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& headers,
                             const std::string& body, std::chrono::milliseconds timeout);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace pawl
