// Verifies AWS Signature Version 4. The canonical form and the signature itself are in src/sigv4, which the clients in
// src/adapter sign with; what was signed, when, and for whom is the verifier's business alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "sigv4/signature.h"
#include "wire/http_message.h"
#include "wire/service_error.h"

namespace pawl::wire {

using sigv4::AccessKey;
using sigv4::CredentialScope;
using sigv4::HmacKey;

inline constexpr Duration kClockSkewMax = std::chrono::minutes(15);
inline constexpr std::int64_t kPresignedSecondsMax = 7 * 24 * 3600;

// What the Authorization header (or the presigned query) of a request says, unverified.
struct PresentedSignature {
  CredentialScope scope;
  std::vector<std::string_view> signed_headers;
  std::string_view signed_headers_text;
  std::string_view signature;
  std::string_view timestamp;                   // YYYYMMDDTHHMMSSZ
  std::optional<std::int64_t> expires_seconds;  // presigned only
};

// A signature that was found right, and what the signatures of the chunks behind it are made with.
struct VerifiedSignature {
  std::string access_key;
  HmacKey key{};
  std::string signature;
  std::string timestamp;
  std::string scope;  // "20261122/us-east-1/s3/aws4_request"
};

// Checks requests against configured access keys. Thread-safe.
class SignatureVerifier {
 public:
  explicit SignatureVerifier(std::vector<AccessKey> keys);

  // Whose access key signed it. `service` is what the credential must be scoped to; empty for any. Default
  // deny: whatever is not positively right is an error, as the service words it.
  ServiceResult<std::string> verify(const HttpRequest& request, std::string_view service,
                                    Instant now);
  // The same of a request to S3 whose body has not come yet: what X-Amz-Content-Sha256 says of the body is taken for its
  // word, and must be compared with the body by the caller.
  ServiceResult<VerifiedSignature> verify_head(const HttpRequest& request, Instant now);

 private:
  enum class Body : std::uint8_t { kHere, kLater };
  ServiceResult<VerifiedSignature> check(const HttpRequest& request, std::string_view service,
                                         Instant now, Body body);
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

// Whether the request is signed in its query.
bool is_presigned(const HttpRequest& request);

}  // namespace pawl::wire
