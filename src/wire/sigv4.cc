#include "wire/sigv4.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "base/digest.h"

namespace pawl::wire {
namespace {

using sigv4::amz_timestamp;
using sigv4::canonical_request;
using sigv4::kAlgorithm;
using sigv4::parse_amz_timestamp;
using sigv4::parse_credential;
using sigv4::PathRule;
using sigv4::percent_decode;
using sigv4::signature_of;
using sigv4::signing_key;
using sigv4::string_to_sign;

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::size_t kSigningKeysMax = 1024;
constexpr std::size_t kSignedHeadersMax = 100;

ServiceError invalid_signature(std::string message) {
  return {kInvalidSignature, std::move(message), 400, {}};
}
ServiceError incomplete(std::string message) {
  return {kIncompleteSignature, std::move(message), 400, {}};
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size() || parts.size() > kSignedHeadersMax) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view query_of(std::string_view target) {
  const std::size_t question = target.find('?');
  return question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
}

// The raw value of a query parameter; a null view if it is not there.
std::string_view raw_query_value(std::string_view query, std::string_view name) {
  for (const std::string_view pair : split(query, '&')) {
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "Name=value" of a comma-separated list.
std::string_view authorization_part(std::string_view list, std::string_view name) {
  for (std::string_view part : split(list, ',')) {
    part = trimmed(part);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
  }
  return {};
}

ServiceResult<PresentedSignature> presented_in_header(const HttpRequest& request) {
  const std::string_view authorization = request.header("authorization");
  if (!authorization.starts_with(kAlgorithm)) {
    return incomplete(
        "Unsupported AWS 'algorithm': the Authorization header must start with AWS4-HMAC-SHA256.");
  }
  const std::string_view list = authorization.substr(kAlgorithm.size());
  PresentedSignature presented;
  const std::string_view credential = authorization_part(list, "Credential");
  presented.signed_headers_text = authorization_part(list, "SignedHeaders");
  presented.signature = authorization_part(list, "Signature");
  presented.timestamp = request.header("x-amz-date");
  if (presented.timestamp.empty()) presented.timestamp = request.header("date");
  std::string missing;
  if (credential.empty()) missing += "Authorization header requires 'Credential' parameter. ";
  if (presented.signature.empty())
    missing += "Authorization header requires 'Signature' parameter. ";
  if (presented.signed_headers_text.empty())
    missing += "Authorization header requires 'SignedHeaders' parameter. ";
  if (presented.timestamp.empty()) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) return incomplete(missing + "Authorization=" + std::string(kAlgorithm));
  const auto scope = parse_credential(credential);
  if (!scope) {
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/aws4_request");
  }
  presented.scope = *scope;
  return presented;
}

ServiceResult<PresentedSignature> presented_in_query(std::string_view query,
                                                     std::deque<std::string>& storage) {
  bool broken = false;
  const auto value = [&](std::string_view name) -> std::string_view {
    auto decoded = percent_decode(raw_query_value(query, name));
    if (!decoded) {
      broken = true;
      return {};
    }
    return storage.emplace_back(std::move(*decoded));
  };
  PresentedSignature presented;
  const std::string_view algorithm = value("X-Amz-Algorithm");
  const std::string_view credential = value("X-Amz-Credential");
  presented.timestamp = value("X-Amz-Date");
  presented.signed_headers_text = value("X-Amz-SignedHeaders");
  presented.signature = value("X-Amz-Signature");
  const std::string_view expires = value("X-Amz-Expires");
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (broken || algorithm != kAlgorithm || credential.empty() || presented.timestamp.empty() ||
      presented.signed_headers_text.empty() || presented.signature.empty() || expires.empty() ||
      parsed.ec != std::errc() || parsed.ptr != expires.data() + expires.size()) {
    return incomplete(
        "A presigned request needs X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, X-Amz-Expires, "
        "X-Amz-SignedHeaders and X-Amz-Signature.");
  }
  if (seconds < 1 || seconds > kPresignedSecondsMax) {
    return incomplete("X-Amz-Expires must be from 1 second to a week (604800).");
  }
  presented.expires_seconds = seconds;
  const auto scope = parse_credential(credential);
  if (!scope) return incomplete("Credential must have exactly 5 slash-delimited elements.");
  presented.scope = *scope;
  return presented;
}

ServiceStatus check_time(const PresentedSignature& presented, Instant now) {
  const auto signed_at = parse_amz_timestamp(presented.timestamp);
  if (!signed_at) {
    return incomplete("Date must be in ISO-8601 'basic format'. Got '" +
                      std::string(presented.timestamp.substr(0, 64)) + "'.");
  }
  if (presented.timestamp.substr(0, 8) != presented.scope.date) {
    return invalid_signature(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        "HTTP: '" +
        std::string(presented.scope.date.substr(0, 16)) + "' != '" +
        std::string(presented.timestamp.substr(0, 8)) + "'.");
  }
  const std::int64_t skew = kClockSkewMax.count();
  std::int64_t oldest = now.microseconds - skew;
  if (presented.expires_seconds) oldest = now.microseconds - *presented.expires_seconds * 1'000'000;
  if (signed_at->microseconds < oldest) {
    return invalid_signature("Signature expired: " + std::string(presented.timestamp) +
                             " is now earlier than " + amz_timestamp({oldest}) + " (" +
                             amz_timestamp(now) + " - " +
                             (presented.expires_seconds ? "X-Amz-Expires" : "15 min.") + ")");
  }
  if (signed_at->microseconds > now.microseconds + skew) {
    return invalid_signature("Signature not yet current: " + std::string(presented.timestamp) +
                             " is still later than " + amz_timestamp({now.microseconds + skew}) +
                             " (" + amz_timestamp(now) + " + 15 min.)");
  }
  return Unit{};
}

// What must not be changed on the way must be signed.
ServiceStatus check_signed_headers(const HttpRequest& request,
                                   const PresentedSignature& presented) {
  const auto is_signed = [&](std::string_view name) {
    return std::find(presented.signed_headers.begin(), presented.signed_headers.end(), name) !=
           presented.signed_headers.end();
  };
  if (!is_signed("host")) {
    return invalid_signature(
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const std::string_view name :
       {"x-amz-date", "x-amz-target", "x-amz-content-sha256", "x-amz-security-token"}) {
    if (request.has_header(name) && !is_signed(name)) {
      return invalid_signature("'" + std::string(name) +
                               "' must be a 'SignedHeader' in the AWS Authorization.");
    }
  }
  for (const std::string_view name : presented.signed_headers) {
    if (!request.has_header(name)) {
      return invalid_signature("The signed header '" + std::string(name.substr(0, 64)) +
                               "' is not in the request.");
    }
  }
  return Unit{};
}

// S3 gives its headers a say in what is done (x-amz-copy-source: from where): who was given a presigned URL may not add one.
ServiceStatus check_amz_headers(const HttpRequest& request, const PresentedSignature& presented) {
  constexpr std::string_view kPrefix = "x-amz-";
  for (const HttpHeader& header : request.headers) {
    if (header.name.size() < kPrefix.size() ||
        !equal_ignoring_case(header.name.substr(0, kPrefix.size()), kPrefix)) {
      continue;
    }
    const bool is_signed =
        std::any_of(presented.signed_headers.begin(), presented.signed_headers.end(),
                    [&](std::string_view name) { return equal_ignoring_case(header.name, name); });
    if (is_signed) continue;
    return ServiceError{kAccessDenied,
                        "There were headers present in the request which were not signed: " +
                            std::string(header.name.substr(0, 64)),
                        403,
                        {}};
  }
  return Unit{};
}

// The payload's part of the canonical request, proved to be true of the body.
ServiceResult<std::string> payload_hash(const HttpRequest& request,
                                        const PresentedSignature& presented, bool body_later) {
  const bool is_s3 = presented.scope.service == "s3";
  const std::string_view claimed = request.header("x-amz-content-sha256");
  if (body_later) {
    if (!claimed.empty()) return std::string(claimed);
    if (presented.expires_seconds) return std::string(kUnsignedPayload);
    return invalid_signature("Missing required header for this request: x-amz-content-sha256");
  }
  if (claimed.empty() && is_s3 && presented.expires_seconds) return std::string(kUnsignedPayload);
  if (claimed == kUnsignedPayload && is_s3) return std::string(kUnsignedPayload);
  if (claimed.starts_with("STREAMING-")) {
    return ServiceError{kInvalidSignature,
                        "Chunk-signed payloads (" + std::string(claimed.substr(0, 64)) +
                            ") are not served by Pawl yet.",
                        501,
                        {}};
  }
  std::string actual = sha256(request.body).to_hex();
  if (!claimed.empty() && !constant_time_equal(claimed, actual)) {
    return invalid_signature(
        "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  return actual;
}

}  // namespace

ServiceResult<PresentedSignature> presented_signature(const HttpRequest& request,
                                                      std::deque<std::string>& storage) {
  const std::string_view query = query_of(request.target);
  const bool in_query = raw_query_value(query, "X-Amz-Signature").data() != nullptr;
  if (!in_query && !request.has_header("authorization")) {
    return ServiceError{kMissingToken, "Missing Authentication Token", 400, {}};
  }
  if (request.count_headers("authorization") > (in_query ? 0U : 1U)) {
    return incomplete("A request presents exactly one signature.");
  }
  WIRE_ASSIGN(PresentedSignature presented,
              in_query ? presented_in_query(query, storage) : presented_in_header(request));
  presented.signed_headers = split(presented.signed_headers_text, ';');
  return presented;
}

std::optional<CredentialScope> presented_scope(const HttpRequest& request) {
  const std::string_view authorization = request.header("authorization");
  const std::size_t at = authorization.find("Credential=");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = authorization.substr(at + 11);
  return parse_credential(rest.substr(0, rest.find_first_of(", ")));
}

bool is_presigned(const HttpRequest& request) {
  return raw_query_value(query_of(request.target), "X-Amz-Signature").data() != nullptr;
}

SignatureVerifier::SignatureVerifier(std::vector<AccessKey> keys) {
  for (AccessKey& key : keys) secrets_.insert_or_assign(std::move(key.id), std::move(key.secret));
}

HmacKey SignatureVerifier::key_for(const CredentialScope& scope, const std::string& secret) {
  // The credential as it stands in the request names the key.
  std::string name(scope.access_key);
  name.append("/")
      .append(scope.date)
      .append("/")
      .append(scope.region)
      .append("/")
      .append(scope.service);
  const std::lock_guard lock(mutex_);
  const auto found = signing_keys_.find(name);
  if (found != signing_keys_.end()) return found->second;
  if (signing_keys_.size() >= kSigningKeysMax) signing_keys_.clear();
  return signing_keys_
      .emplace(std::move(name), signing_key(secret, scope.date, scope.region, scope.service))
      .first->second;
}

ServiceResult<std::string> SignatureVerifier::verify(const HttpRequest& request,
                                                     std::string_view service, Instant now) {
  WIRE_ASSIGN(VerifiedSignature verified, check(request, service, now, Body::kHere));
  return std::move(verified.access_key);
}

ServiceResult<VerifiedSignature> SignatureVerifier::verify_head(const HttpRequest& request,
                                                                Instant now) {
  return check(request, "s3", now, Body::kLater);
}

ServiceResult<VerifiedSignature> SignatureVerifier::check(const HttpRequest& request,
                                                          std::string_view service, Instant now,
                                                          Body body) {
  std::deque<std::string> storage;
  WIRE_ASSIGN(const PresentedSignature presented, presented_signature(request, storage));
  const auto secret = secrets_.find(presented.scope.access_key);
  if (secret == secrets_.end()) {
    return ServiceError{
        kUnrecognizedClient, "The security token included in the request is invalid.", 400, {}};
  }
  if (!service.empty() && presented.scope.service != service) {
    return invalid_signature("Credential should be scoped to correct service: '" +
                             std::string(service) + "'. ");
  }
  WIRE_TRY(check_time(presented, now));
  WIRE_TRY(check_signed_headers(request, presented));
  if (body == Body::kLater) WIRE_TRY(check_amz_headers(request, presented));
  WIRE_ASSIGN(const std::string payload, payload_hash(request, presented, body == Body::kLater));
  const auto canonical = canonical_request(
      request.method, request.target, request.headers, presented.signed_headers, payload,
      presented.scope.service == "s3" ? PathRule::kAsSent : PathRule::kNormalised,
      "X-Amz-Signature");
  if (!canonical) return invalid_signature("The request's path or query is not well-formed.");
  const HmacKey key = key_for(presented.scope, secret->second);
  const std::string expected =
      signature_of(key, string_to_sign(*canonical, presented.timestamp, presented.scope));
  if (!constant_time_equal(expected, presented.signature)) {
    return invalid_signature(
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret "
        "Access Key and signing method. Consult the service documentation for details.");
  }
  VerifiedSignature verified;
  verified.access_key = secret->first;
  verified.key = key;
  verified.signature = expected;
  verified.timestamp = presented.timestamp;
  verified.scope.append(presented.scope.date).append("/").append(presented.scope.region);
  verified.scope.append("/").append(presented.scope.service).append("/aws4_request");
  return verified;
}

}  // namespace pawl::wire
