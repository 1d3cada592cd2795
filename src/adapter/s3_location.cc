#include "adapter/s3_location.h"

#include <fmt/format.h>

#include <algorithm>

namespace pawl {
namespace {

constexpr std::string_view kScheme = "s3://";

bool is_bucket_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         (c >= 'A' && c <= 'Z');
}

bool is_legal_prefix(std::string_view prefix) {
  if (prefix.size() > kS3PrefixMax || prefix.starts_with(".pawl")) return false;
  while (true) {
    const auto slash = std::min(prefix.find('/'), prefix.size());
    const auto part = prefix.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    }
    if (slash == prefix.size()) return true;
    prefix.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string S3Location::key_of(std::string_view name) const {
  return prefix.empty() ? std::string(name) : prefix + "/" + std::string(name);
}

std::string S3Location::to_string() const {
  return fmt::format("{}{}{}{}", kScheme, bucket, prefix.empty() ? "" : "/", prefix);
}

bool is_s3_url(std::string_view text) { return text.starts_with(kScheme); }

namespace {

Error wrong_url(std::string_view url, std::string_view why) {
  return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is no bucket: {}", url, why),
               "write it as s3://BUCKET/PREFIX"};
}

// The prefix is not looked at yet.
Result<S3Location> split_url(std::string_view url) {
  if (!is_s3_url(url)) return wrong_url(url, "it does not begin with s3://");
  auto rest = url.substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  S3Location location;
  location.bucket = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  location.prefix = rest;
  if (location.bucket.size() < 3 || location.bucket.size() > 255 ||
      !std::all_of(location.bucket.begin(), location.bucket.end(), is_bucket_character) ||
      location.bucket.front() == '.')
    return wrong_url(url, "the bucket's name has 3 to 255 letters, digits, '-', '.' or '_'");
  return location;
}

}  // namespace

Result<S3Location> parse_s3_url(std::string_view url) {
  PAWL_ASSIGN_OR_RETURN(auto location, split_url(url));
  if (!location.prefix.empty() && !is_legal_prefix(location.prefix)) {
    return wrong_url(
        url, fmt::format("the prefix has at most {} bytes, no empty, '.' or '..' part, and does "
                         "not begin with .pawl",
                         kS3PrefixMax));
  }
  return location;
}

Result<S3Location> parse_listed_s3_url(std::string_view url) {
  PAWL_ASSIGN_OR_RETURN(auto location, split_url(url));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (location.prefix.size() >= kS3KeyMax ||
      std::any_of(location.prefix.begin(), location.prefix.end(), is_control))
    return wrong_url(url, "the prefix is longer than a key, or has control characters");
  return location;
}

Result<S3Endpoint> resolve_s3_endpoint(const S3Location& location, std::string_view endpoint,
                                       std::string_view region) {
  if (!endpoint.empty()) {
    PAWL_ASSIGN_OR_RETURN(auto given, parse_endpoint_url(endpoint, region, "S3"));
    given.base_path += "/" + location.bucket;
    return given;
  }
  if (region.empty()) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("no AWS region is configured for {}", location.to_string()),
        "set AWS_REGION to the bucket's region, or give --s3-endpoint for a store of your own"};
  }
  S3Endpoint result;
  result.region = region;
  const bool in_path = location.bucket.find('.') != std::string::npos;
  result.host = fmt::format("{}{}s3.{}.{}", in_path ? "" : location.bucket, in_path ? "" : ".",
                            region, amazon_domain(region));
  result.origin = "https://" + result.host;
  if (in_path) result.base_path = "/" + location.bucket;
  return result;
}

}  // namespace pawl
