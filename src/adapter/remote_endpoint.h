// Where the requests to a remote service go.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl {

struct RemoteEndpoint {
  std::string origin;     // "http://127.0.0.1:7480"
  std::string host;       // "127.0.0.1:7480": the Host header
  std::string base_path;  // that every path begins with: "" or "/bucket", without a '/' at its end
  std::string region;     // that is signed for
};

// `url` is http:// or https:// with a host and nothing else but a path; a region that is "" becomes us-east-1, which
// stores of one's own take. `service` is for people ("S3"). Errors: kInvalid.
Result<RemoteEndpoint> parse_endpoint_url(std::string_view url, std::string_view region,
                                          std::string_view service);

// What the names of Amazon's endpoints in a region end with: "amazonaws.com", and another in China.
std::string_view amazon_domain(std::string_view region);

}  // namespace pawl
