#include "cli/server_client.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "adapter/http_client.h"
#include "base/digest.h"
#include "sigv4/signature.h"

namespace pawl::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

std::string environment(const char* name, std::string otherwise = {}) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
}

// "127.0.0.1:8000" of "http://127.0.0.1:8000/": what a client sends as Host.
std::string host_of(const std::string& endpoint) {
  const auto scheme = endpoint.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  return endpoint.substr(begin, endpoint.find_first_of("/?#", begin) - begin);
}

Instant system_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

Error refused(const std::string& endpoint, bool was_signed) {
  return Error{ErrorCode::kConflict, fmt::format("the server at {} does not let you ask", endpoint),
               was_signed ? "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those of an "
                            "[[access_key]] in its pawl.toml, and the clocks must agree"
                          : "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an [[access_key]] "
                            "of its pawl.toml"};
}

}  // namespace

Result<std::string> ask_server(const std::string& endpoint, std::string_view path) {
  std::string base = endpoint;
  while (base.ends_with('/')) base.pop_back();
  const std::string url = base + std::string(path);
  HttpClient http;
  PAWL_ASSIGN_OR_RETURN(auto answer, http.request("GET", url, {}, "", kTimeout));
  bool was_signed = false;
  if (answer.status == 403) {
    const sigv4::AccessKey key{environment("AWS_ACCESS_KEY_ID"),
                               environment("AWS_SECRET_ACCESS_KEY")};
    if (key.id.empty() || key.secret.empty()) return refused(endpoint, false);
    was_signed = true;
    const auto host = host_of(base);
    auto headers =
        sigv4::sign_request(key, environment("AWS_DEFAULT_REGION", "us-east-1"), "dynamodb", "GET",
                            host, path, {}, sha256("").to_hex(), system_now());
    headers.emplace_back("Host", host);
    PAWL_ASSIGN_OR_RETURN(answer, http.request("GET", url, headers, "", kTimeout));
  }
  if (answer.status == 403) return refused(endpoint, was_signed);
  if (answer.status == 404) {
    return Error{ErrorCode::kNotFound, fmt::format("the server at {} has no {}", endpoint, path),
                 ""};
  }
  if (answer.status >= 500) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("the server at {} answers with HTTP status {} for {}", endpoint,
                             answer.status, path),
                 "try again; its log says why"};
  }
  if (answer.status != 200) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("what answers at {} is no pawl: HTTP status {} for {}", endpoint,
                             answer.status, path),
                 "give with --endpoint what `pawl serve` printed as its endpoint"};
  }
  return std::move(answer.body);
}

}  // namespace pawl::cli
