#include "wire/access_gate.h"

#include <algorithm>

namespace pawl::wire {
namespace {

// "http://127.0.0.1:8000" -> whether it is a page of this machine.
bool is_loopback_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return is_loopback_host(origin.substr(scheme.size()));
  }
  return false;  // "null" too: a sandboxed page, or one from a file
}

// What a page may send to another site with nobody asked ("simple" requests of CORS).
bool is_simple_content_type(std::string_view type) {
  const std::string_view essence = type.substr(0, type.find(';'));
  if (essence.empty()) return true;
  return equal_ignoring_case(essence, "text/plain") ||
         equal_ignoring_case(essence, "multipart/form-data") ||
         equal_ignoring_case(essence, "application/x-www-form-urlencoded");
}

ServiceError denied(std::string message) { return {kAccessDenied, std::move(message), 403, {}}; }

}  // namespace

bool is_plausible_region(std::string_view region) {
  return !region.empty() && region.size() <= 64 &&
         std::all_of(region.begin(), region.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

bool is_loopback_host(std::string_view host) {
  for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host.size() < name.size() || !equal_ignoring_case(host.substr(0, name.size()), name))
      continue;
    std::string_view rest = host.substr(name.size());
    if (rest.empty()) return true;
    if (rest[0] != ':') continue;
    rest.remove_prefix(1);
    if (!rest.empty() && rest.size() <= 5 &&
        std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return true;
    }
  }
  return false;
}

AccessGate::AccessGate(std::vector<AccessKey> keys) {
  if (!keys.empty()) verifier_ = std::make_unique<SignatureVerifier>(std::move(keys));
}

namespace {

ServiceStatus check_origin(const HttpRequest& request) {
  if (!request.has_header("origin") || is_loopback_origin(request.header("origin"))) return Unit{};
  return denied("Requests from web pages of other sites (Origin: " +
                std::string(request.header("origin").substr(0, 200)) + ") are refused.");
}

}  // namespace

ServiceResult<AccessGate::Admitted> AccessGate::admit_s3(const HttpRequest& request, Instant now) {
  WIRE_TRY(check_origin(request));
  const auto scope = presented_scope(request);
  Admitted admitted;
  admitted.caller.region =
      scope && is_plausible_region(scope->region) ? scope->region : "us-east-1";
  if (verifier_) {
    WIRE_ASSIGN(admitted.signature, verifier_->verify_head(request, now));
    admitted.caller.access_key = admitted.signature->access_key;
    return admitted;
  }
  if (!is_loopback_host(request.header("host"))) {
    return denied("A request needs a Host of this machine (127.0.0.1, localhost or [::1]), not '" +
                  std::string(request.header("host").substr(0, 200)) +
                  "', where no access keys are configured.");
  }
  if (scope) {
    admitted.caller.access_key = scope->access_key;
  } else if (request.method == "POST" && is_simple_content_type(request.header("content-type"))) {
    return denied(
        "A POST that is not signed in its header needs Content-Type: application/xml; or sign it.");
  }
  return admitted;
}

ServiceResult<Caller> AccessGate::admit(const HttpRequest& request, std::string_view service,
                                        Instant now, UnsignedBody body) {
  WIRE_TRY(check_origin(request));
  const auto scope = presented_scope(request);
  Caller caller;
  if (scope && is_plausible_region(scope->region)) caller.region = scope->region;
  if (verifier_) {
    WIRE_ASSIGN(caller.access_key, verifier_->verify(request, service, now));
    return caller;
  }
  if (scope) {
    caller.access_key = scope->access_key;
    return caller;
  }
  if (!is_loopback_host(request.header("host"))) {
    return denied(
        "An unsigned request needs a Host of this machine (127.0.0.1, localhost or [::1]), not '" +
        std::string(request.header("host").substr(0, 200)) + "'; or sign the request.");
  }
  if (body == UnsignedBody::kForm) {
    const std::string_view site = request.header("sec-fetch-site");
    if (site == "cross-site" || site == "same-site") {
      return denied("Forms from web pages of other sites are refused; sign the request.");
    }
    return caller;
  }
  if (!request.body.empty() && request.header("content-type") != kAmzJson) {
    return denied(
        "An unsigned request with a body needs Content-Type: application/x-amz-json-1.0; or sign "
        "the "
        "request.");
  }
  return caller;
}

}  // namespace pawl::wire
