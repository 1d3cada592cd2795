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

namespace {

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 127.0.0.0/8 in its usual writing, and in no other: four numbers.
bool is_loopback_address(std::string_view text) {
  constexpr std::string_view kLoopback = "127.";
  if (!text.starts_with(kLoopback)) return false;
  text.remove_prefix(kLoopback.size());
  for (int number = 0; number < 3; ++number) {
    const auto dot = std::min(text.find('.'), text.size());
    if (dot > 3 || !is_digits(text.substr(0, dot)) || (dot == text.size()) != (number == 2)) {
      return false;
    }
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

// The Host that a server without access keys takes, signed or not: nobody verifies the signature, and a page can make its own
// name resolve to 127.0.0.1 and put any header into what it asks its own site.
ServiceStatus check_loopback_host(const HttpRequest& request) {
  if (is_loopback_host(request.header("host"))) return Unit{};
  return denied("A request needs a Host of this machine (127.0.0.1, localhost or [::1]), not '" +
                std::string(request.header("host").substr(0, 200)) +
                "', where no access keys are configured.");
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  // An IPv6 address has colons of its own, within brackets.
  const auto colon = host.starts_with('[') ? host.find("]:") : host.find(':');
  if (colon != std::string_view::npos) {
    const auto end = host.starts_with('[') ? colon + 1 : colon;
    const std::string_view port = host.substr(end + 1);
    if (port.size() > 5 || !is_digits(port)) return false;
    host = host.substr(0, end);
  }
  return equal_ignoring_case(host, "localhost") || host == "[::1]" || is_loopback_address(host);
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
  WIRE_TRY(check_loopback_host(request));
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
  WIRE_TRY(check_loopback_host(request));
  if (scope) {
    caller.access_key = scope->access_key;
    return caller;
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
