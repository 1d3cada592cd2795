// The credentials to sign the next request with: those that stand in the settings, or those that a container's agent or
// the instance's metadata gives out for a while, renewed before they expire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapter/aws_settings.h"
#include "adapter/http_pool.h"
#include "base/result.h"

namespace pawl {

// Given out anew when they live no longer than this. If that fails, the old ones serve until they expire.
inline constexpr Duration kRenewBefore = std::chrono::minutes(5);
inline constexpr Duration kRenewRetry =
    std::chrono::seconds(10);  // not before, after a failed renewal

// Reads what such a service answers. Errors: kInvalid, without a value in it.
Result<AwsCredentials> parse_credential_answer(std::string_view json);

// One executor; coroutines may overlap on it.
class AwsCredentialSource {
 public:
  // The pool and the clock must outlive it.
  AwsCredentialSource(AwsSettings settings, AwsSurroundings from, HttpPool& http, Clock& clock);

  // Errors: kInvalid (none are configured), kUnavailable (the service does not give any).
  Awaitable<Result<AwsCredentials>> current();
  // The service said that the credentials of this key id have expired: ask for others next time.
  void expired(std::string_view key_id);

 private:
  bool is_fresh(Instant now) const;
  Awaitable<Status> renew();
  Awaitable<Result<std::string>> ask_container();
  Awaitable<Result<std::string>> ask_instance();
  Awaitable<Result<std::string>> ask(HttpCall call, std::string what);

  AwsSettings settings_;
  AwsSurroundings from_;
  HttpPool& http_;
  Clock& clock_;
  std::optional<AwsCredentials> given_;
  bool renewing_ = false;
  MonotonicInstant retry_at_;
};

}  // namespace pawl
