// Which bucket, under which prefix, at which endpoint.
#pragma once

#include <string>
#include <string_view>

#include "adapter/remote_endpoint.h"
#include "base/result.h"

namespace pawl {

// A prefix is short enough that every object's name (archive/object_naming.h: at most 900 bytes and what tells it
// apart) is a key of at most 1,024 bytes with it.
inline constexpr std::size_t kS3PrefixMax = 64;
inline constexpr std::size_t kS3KeyMax = 1024;

struct S3Location {
  std::string bucket;
  std::string prefix;  // "" or without '/' at its ends

  std::string key_of(std::string_view name) const;
  std::string to_string() const;  // "s3://bucket/prefix"
};

bool is_s3_url(std::string_view text);
// "s3://BUCKET/PREFIX". Errors: kInvalid.
Result<S3Location> parse_s3_url(std::string_view url);
// The same of a place that is only listed, whose prefix others chose: any but one with control characters, up to what a
// key can be.
Result<S3Location> parse_listed_s3_url(std::string_view url);

// Where a bucket's requests go: base_path is "/bucket", or "" where the host names the bucket.
using S3Endpoint = RemoteEndpoint;

// `endpoint` is http:// or https:// with a host and nothing else but a path; "" is Amazon's own, which needs a region. A
// given endpoint gets the bucket in the path, as every such store takes it; Amazon's in the host name, unless the
// bucket's name has dots, which certificates don't match. Errors: kInvalid.
Result<S3Endpoint> resolve_s3_endpoint(const S3Location& location, std::string_view endpoint,
                                       std::string_view region);

}  // namespace pawl
