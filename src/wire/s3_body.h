// The body of a PUT: decoded (aws-chunked), counted, digested, compared with what its headers and trailers say of it; kept in
// memory while it is small, written to a file when it is not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bucket/bucket_store.h"
#include "wire/aws_chunked.h"
#include "wire/s3_digests.h"

namespace pawl::wire {

inline constexpr std::uint64_t kObjectBytesMax = 5ULL << 30;  // of one PUT

// What the request's head says of its body.
struct BodyClaims {
  std::optional<std::uint64_t> bytes;  // decoded
  std::string md5;                     // of Content-MD5: 16 bytes; empty: none
  std::string sha256;                  // of x-amz-content-sha256: hex; empty: none
  std::string checksum;                // an algorithm's name; empty: none
  std::string checksum_value;          // base64; empty: it comes as a trailer, or is only asked for
  bool checksum_in_trailer = false;
  std::optional<AwsChunkedForm> chunked;
};

// Errors: InvalidDigest, InvalidRequest, MissingContentLength, EntityTooLarge, NotImplemented.
S3Result<BodyClaims> body_claims_of(const HttpRequest& request,
                                    const std::optional<VerifiedSignature>& signature);

// Whether a body that has come is what was said of it: `bytes` of them, with these digests; `decoder` is what it came through, if
// it was chunked. Errors: IncompleteBody, MalformedTrailerError, BadDigest, XAmzContentSHA256Mismatch.
S3Status check_body(const BodyClaims& claims, const AwsChunkedDecoder* decoder, std::uint64_t bytes,
                    const BodyDigests::Values& values);

// One thread at a time. take() and finish() wait for the disk once the body is larger than kStoredBytesMax.
class IncomingBody {
 public:
  IncomingBody(bucket::BucketStore& store, BodyClaims claims);
  // Removes the file of a body that was not kept.
  ~IncomingBody();
  IncomingBody(const IncomingBody&) = delete;
  IncomingBody& operator=(const IncomingBody&) = delete;

  S3Status take(std::string_view bytes);

  struct Whole {
    std::uint64_t bytes = 0;
    std::string etag;
    bucket::Checksum checksum;
    bucket::BodyPlace place;
  };
  // All of it has come. A file is durable, and the caller's, when this returns it. `may_inline`: whether a small one may stand
  // in its record. Errors: BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, …
  S3Result<Whole> finish(bool may_inline);

 private:
  S3Status keep(std::string_view decoded);

  bucket::BucketStore& store_;
  BodyClaims claims_;
  std::optional<AwsChunkedDecoder> decoder_;
  BodyDigests digests_;
  std::uint64_t bytes_ = 0;
  std::string memory_;
  std::string decoded_;  // kept for its memory
  BodyNumber file_ = 0;
  std::unique_ptr<BodyWriter> writer_;
};

}  // namespace pawl::wire
