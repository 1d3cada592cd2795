// Region, endpoint, profile and the kind of credentials, from the places where every AWS tool looks: environment,
// ~/.aws/config, ~/.aws/credentials (AWS SDKs and Tools Reference Guide, "Settings reference").
//
// What this Pawl does not do, it refuses by name instead of going on to the next place: assuming roles (role_arn, with
// source_profile, credential_source or a web identity), single sign-on, and credential_process.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "adapter/secret.h"
#include "base/instant.h"
#include "base/result.h"

namespace pawl {

struct AwsCredentials {
  std::string key_id;
  Secret secret;
  Secret session_token;            // empty: none
  std::optional<Instant> expires;  // nothing: never
};

// Where the settings are read from; the process's own by default, something else in tests.
struct AwsSurroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // Nothing if there is no such file. Errors: it can't be read.
  std::function<Result<std::optional<std::string>>(const std::string& path)> file;
  static AwsSurroundings of_process();
};

// Credentials that a service at `url` gives out: a container's agent, or the instance's metadata.
struct AwsCredentialService {
  enum class Kind { kContainer, kInstance };
  Kind kind = Kind::kInstance;
  std::string url;         // kContainer: the whole URL; kInstance: without a path
  Secret authorization;    // kContainer: the Authorization header, if any
  std::string token_file;  // kContainer: the file that holds it, read each time
};

struct AwsSettings {
  std::string profile;                        // "default" where none is named
  std::string region;                         // "" where none is named
  std::string endpoint;                       // of the service asked for; "" = Amazon's own
  std::string ca_bundle;                      // "" = the system's
  std::optional<AwsCredentials> credentials;  // that stand somewhere
  std::optional<AwsCredentialService>
      service;                   // or that are asked for; nothing of both: none are configured
  std::string credentials_from;  // for people: "the environment", "profile p"
};

// `service_id` is "s3" or "dynamodb": it names AWS_ENDPOINT_URL_S3 and the section of a services definition. Errors:
// kInvalid (a file that can't be parsed, half of a pair of keys, a way that is not supported), kNotFound (the profile
// that AWS_PROFILE names), kUnavailable (a file that can't be read). No message holds a secret.
Result<AwsSettings> load_aws_settings(const AwsSurroundings& from, const std::string& service_id);

}  // namespace pawl
