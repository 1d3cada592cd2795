// AWS Signature Version 4: signing and verifying (AWS General Reference, "Signature Version 4 signing process").
//
// A signature is an HMAC chain over a canonical form of the request. Both directions share that form here;
// what was signed, when, and for whom is the verifier's business alone.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "wire/http_message.h"
#include "wire/service_error.h"

namespace pawl::wire {

inline constexpr Duration kClockSkewMax = std::chrono::minutes(15);
inline constexpr std::int64_t kPresignedSecondsMax = 7 * 24 * 3600;

// "AKID/20261122/us-east-1/dynamodb/aws4_request", in its parts.
struct CredentialScope {
  std::string_view access_key;
  std::string_view date;  // YYYYMMDD
  std::string_view region;
  std::string_view service;
};
std::optional<CredentialScope> parse_credential(std::string_view credential);

// What the Authorization header (or the presigned query) of a request says, unverified.
struct PresentedSignature {
  CredentialScope scope;
  std::vector<std::string_view> signed_headers;
  std::string_view signed_headers_text;
  std::string_view signature;
  std::string_view timestamp;                   // YYYYMMDDTHHMMSSZ
  std::optional<std::int64_t> expires_seconds;  // presigned only
};

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
// headers given, and Host, are signed.
std::vector<std::pair<std::string, std::string>> sign_request(
    const AccessKey& key, std::string_view region, std::string_view service,
    std::string_view method, std::string_view host, std::string_view target,
    const std::vector<HttpHeader>& headers, std::string_view body, Instant now);

// Checks requests against configured access keys. Thread-safe.
class SignatureVerifier {
 public:
  explicit SignatureVerifier(std::vector<AccessKey> keys);

  // Whose access key signed it. `service` is what the credential must be scoped to; empty for any. Default
  // deny: whatever is not positively right is an error, as the service words it.
  ServiceResult<std::string> verify(const HttpRequest& request, std::string_view service,
                                    Instant now);

 private:
  HmacKey key_for(const CredentialScope& scope, const std::string& secret);

  std::map<std::string, std::string, std::less<>> secrets_;
  std::mutex mutex_;
  // "AKID/date/region/service" -> signing key. Only filled for known access keys, and bounded.
  std::map<std::string, HmacKey, std::less<>> signing_keys_;
};

// What the request presents, from its header or its query, with what is decoded kept in `storage`.
// Errors: it presents none (MissingAuthenticationTokenException), or an incomplete one.
ServiceResult<PresentedSignature> presented_signature(const HttpRequest& request,
                                                      std::deque<std::string>& storage);

// The credential's scope out of the Authorization header or the query, unchecked: who a request says it is
// from, where no access keys are configured. Views are into the request.
std::optional<CredentialScope> presented_scope(const HttpRequest& request);

}  // namespace pawl::wire
