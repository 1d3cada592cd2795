// Who may ask, decided before any route: DESIGN.md, "Security".
//
// Without access keys the server listens on a loopback address only, and takes any signature unverified. But a
// web page that a person on this machine visits can reach loopback, too, so: a request that says that it comes
// from another site's page (Origin) is refused; each needs a loopback Host, signed or not (a page can make its own
// name resolve to 127.0.0.1, sign with any key and read what it gets); and an unsigned one that has a body, the exact
// content type, which a page can't send to another site without asking first.
//
// With access keys every request but GET /healthz must be signed by one of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "wire/http_message.h"
#include "wire/sigv4.h"

namespace pawl::wire {

struct Caller {
  std::string access_key;  // empty if the request is not signed
  std::string region = "ddblocal";
};

class AccessGate {
 public:
  // No keys: the open mode above.
  explicit AccessGate(std::vector<AccessKey> keys);

  // What an unsigned request's body may be. A form is what a page may send to any site without asking, but not without
  // naming itself: browsers send Origin with every POST across sites, and Sec-Fetch-Site; either is refused.
  enum class UnsignedBody : std::uint8_t { kJson, kForm };

  // `service` is what a signature must be scoped to; empty for any. Errors: as AWS gives them. Thread-safe.
  ServiceResult<Caller> admit(const HttpRequest& request, std::string_view service, Instant now,
                              UnsignedBody body = UnsignedBody::kJson);

  // For S3, whose body may not have come yet: signed, with access keys; the signature is for what the body's chunks are
  // signed with, and what the header says of the body must be compared with it. Without keys a POST that is not signed in its
  // header needs a content type that a page can't send to another site without asking first.
  struct Admitted {
    Caller caller;
    std::optional<VerifiedSignature> signature;
  };
  ServiceResult<Admitted> admit_s3(const HttpRequest& request, Instant now);

  bool demands_signatures() const { return verifier_ != nullptr; }

 private:
  std::unique_ptr<SignatureVerifier> verifier_;
};

// Whether it may be a region's name: up to 64 of a-z, A-Z, 0-9 and -.
bool is_plausible_region(std::string_view region);

// Whether a Host header, or the host of an origin, names this machine's loopback: 127.x.x.x, localhost or [::1],
// with or without a port.
bool is_loopback_host(std::string_view host);

}  // namespace pawl::wire
