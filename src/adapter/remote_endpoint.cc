#include "adapter/remote_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

namespace pawl {

std::string_view amazon_domain(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

Result<RemoteEndpoint> parse_endpoint_url(std::string_view url, std::string_view region,
                                          std::string_view service) {
  RemoteEndpoint result;
  result.region = region.empty() ? "us-east-1" : region;
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const auto host_end = std::min(url.find('/', scheme), url.size());
  result.host = url.substr(scheme, host_end - scheme);
  if (scheme == 0 || result.host.empty() ||
      url.find_first_of("?#@ \t\r\n\"<>%", scheme) != std::string_view::npos) {
    return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is no {} endpoint", url, service),
                 "write it as http://127.0.0.1:PORT or https://HOST"};
  }
  // What a client sends as Host has no default port.
  const std::string_view default_port = scheme == 8 ? ":443" : ":80";
  if (result.host.ends_with(default_port))
    result.host.resize(result.host.size() - default_port.size());
  result.origin = url.substr(0, host_end);
  result.base_path = url.substr(host_end);
  return result;
}

}  // namespace pawl
