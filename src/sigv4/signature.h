// AWS Signature Version 4 (AWS General Reference, "Signature Version 4 signing process"): the canonical form of a
// request, and the HMAC chain over it. What verifies requests (wire) and what sends them (adapter) share both; who may
// sign what, and when, is the verifier's business alone.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_header.h"
#include "base/instant.h"

namespace pawl::sigv4 {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// "AKID/20261122/us-east-1/dynamodb/aws4_request", in its parts.
struct CredentialScope {
  std::string_view access_key;
  std::string_view date;  // YYYYMMDD
  std::string_view region;
  std::string_view service;
};
std::optional<CredentialScope> parse_credential(std::string_view credential);

using HmacKey = std::array<unsigned char, 32>;

// HMAC-SHA-256; the OpenSSL context is reused by each thread.
HmacKey hmac_sha256(std::string_view key, std::string_view text);
// The key that signs for one date, region and service.
HmacKey signing_key(std::string_view secret, std::string_view date, std::string_view region,
                    std::string_view service);

// Percent-encodes as the canonical form wants it: everything but unreserved characters, upper-case digits.
std::string percent_encode(std::string_view text, bool keep_slash);
// Nothing if a percent sign is not followed by two digits.
std::optional<std::string> percent_decode(std::string_view text);

// How a service canonicalises paths: S3 takes them as they are, the others normalise and encode once more.
enum class PathRule { kAsSent, kNormalised };

// The canonical request. `headers` holds at least the signed ones. `skip_query` is left out of the query
// (X-Amz-Signature of a presigned request). Nothing if path or query are badly encoded.
std::optional<std::string> canonical_request(std::string_view method, std::string_view target,
                                             const std::vector<HttpHeader>& headers,
                                             const std::vector<std::string_view>& signed_headers,
                                             std::string_view payload_hash, PathRule path_rule,
                                             std::string_view skip_query = {});
std::string string_to_sign(std::string_view canonical, std::string_view timestamp,
                           const CredentialScope& scope);
std::string signature_of(const HmacKey& key, std::string_view text_to_sign);

// "20261122T180000Z" and back.
std::string amz_timestamp(Instant instant);
std::optional<Instant> parse_amz_timestamp(std::string_view text);

struct AccessKey {
  std::string id;
  std::string secret;
};

// The headers that sign a request: X-Amz-Date, X-Amz-Content-Sha256 (S3 only) and Authorization. All
// headers given, and Host, are signed. `body_hash` is the SHA-256 of the body in 64 lower-case digits.
std::vector<std::pair<std::string, std::string>> sign_request(
    const AccessKey& key, std::string_view region, std::string_view service,
    std::string_view method, std::string_view host, std::string_view target,
    const std::vector<HttpHeader>& headers, std::string_view body_hash, Instant now);

}  // namespace pawl::sigv4
