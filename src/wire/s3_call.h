// One request to S3, read: bucket and key out of the path (path addressing), the query, and what its headers ask for. Everything
// is copied, so that a call outlives the request's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucket/bucket_command.h"
#include "wire/s3_error.h"

namespace pawl::wire {

inline constexpr std::size_t kQueryParametersMax = 100;

struct S3Call {
  std::string method;
  std::string path;    // as sent, for errors
  std::string id;      // the request's
  std::string region;  // of its signature
  std::string bucket;  // empty: the service
  std::string key;     // empty: the bucket
  std::vector<std::pair<std::string, std::string>>
      query;  // decoded, in order, without what signs it

  bool has(std::string_view name) const;
  // Empty if it is not there.
  std::string_view value(std::string_view name) const;
  bool is_head() const { return method == "HEAD"; }
};

// Errors: InvalidURI, InvalidBucketName, KeyTooLongError, InvalidArgument; NotImplemented for a subresource that Pawl has not.
S3Result<S3Call> parse_s3_call(const HttpRequest& request);

// Whether it may name a bucket: 3 to 63 of a-z, 0-9, '-', '.', as the service has it, and no word that Pawl's own paths begin with.
bool is_bucket_name(std::string_view name);
bool is_reserved_word(std::string_view name);

// Whether it may be a key: UTF-8 of at most kObjectKeyBytesMax bytes, none of them NUL. Errors: KeyTooLongError, InvalidArgument.
S3Status check_key(std::string_view key);

// "/bucket/key" of X-Amz-Copy-Source, decoded. Errors: InvalidArgument; NotImplemented for a version.
S3Result<std::pair<std::string, std::string>> parse_copy_source(std::string_view header);

// Content-Type and its kin, and x-amz-meta-…. Errors: MetadataTooLarge; NotImplemented for a header whose promise Pawl can't keep.
S3Result<bucket::StoredHeaders> stored_headers_of(const HttpRequest& request);
// If-Match and If-None-Match of a write.
S3Result<bucket::Conditions> write_conditions_of(const HttpRequest& request);

// A number in a query: nothing if it is absent. Errors: InvalidArgument.
S3Result<std::optional<std::uint64_t>> number_in_query(const S3Call& call, std::string_view name,
                                                       std::uint64_t max);

// Without the quotes, and without W/.
std::string_view bare_etag(std::string_view etag);

}  // namespace pawl::wire
