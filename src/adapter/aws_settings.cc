#include "adapter/aws_settings.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "adapter/aws_profile_file.h"

namespace pawl {
namespace {

constexpr const char* kContainerHost = "http://169.254.170.2";
constexpr const char* kInstanceHost = "http://169.254.169.254";

class Loader {
 public:
  Loader(const AwsSurroundings& from, const std::string& service_id)
      : from_(from), service_id_(service_id) {}

  Result<AwsSettings> load() {
    PAWL_TRY(read_files());
    settings_.region =
        first({variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"), config("region")});
    settings_.ca_bundle = first({variable("AWS_CA_BUNDLE"), config("ca_bundle")});
    find_endpoint();
    PAWL_TRY(find_credentials());
    return settings_;
  }

 private:
  std::string variable(const std::string& name) const { return from_.variable(name).value_or(""); }

  static std::string first(std::initializer_list<std::string> choices) {
    for (const auto& choice : choices) {
      if (!choice.empty()) return choice;
    }
    return {};
  }

  static std::string find(const AwsProfileFile& file, std::string_view section,
                          std::string_view name) {
    const auto found = file.find(section);
    if (found == file.end()) return {};
    const auto setting = found->second.find(name);
    return setting == found->second.end() ? std::string() : setting->second;
  }
  std::string config(std::string_view name) const { return find(config_, config_section_, name); }
  std::string shared(std::string_view name) const { return find(shared_, settings_.profile, name); }

  Result<AwsProfileFile> read_file(const std::string& chosen, const std::string& otherwise) {
    const std::string path = chosen.empty() ? variable("HOME") + otherwise : chosen;
    PAWL_ASSIGN_OR_RETURN(const auto text, from_.file(path));
    if (!text) return AwsProfileFile{};
    return parse_aws_profile_file(*text, path);
  }

  Status read_files() {
    const auto named = first({variable("AWS_PROFILE"), variable("AWS_DEFAULT_PROFILE")});
    settings_.profile = named.empty() ? "default" : named;
    config_section_ = settings_.profile == "default" ? "default" : "profile " + settings_.profile;
    PAWL_ASSIGN_OR_RETURN(config_, read_file(variable("AWS_CONFIG_FILE"), "/.aws/config"));
    PAWL_ASSIGN_OR_RETURN(shared_,
                          read_file(variable("AWS_SHARED_CREDENTIALS_FILE"), "/.aws/credentials"));
    if (!named.empty() && named != "default" && !config_.contains(config_section_) &&
        !shared_.contains(named)) {
      return Error{
          ErrorCode::kNotFound,
          fmt::format("there is no profile \"{}\" in the AWS config and credentials files", named),
          "see AWS_PROFILE, AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"};
    }
    return ok();
  }

  void find_endpoint() {
    const auto ignored = first({variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                                config("ignore_configured_endpoint_urls")});
    if (ignored == "true" || ignored == "True" || ignored == "TRUE") return;
    std::string upper = service_id_;
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    settings_.endpoint =
        first({variable("AWS_ENDPOINT_URL_" + upper), variable("AWS_ENDPOINT_URL"),
               find(config_, "services " + config("services"), service_id_ + ".endpoint_url"),
               config("endpoint_url")});
  }

  Status take(std::string key_id, std::string secret, std::string token, std::string where) {
    if (key_id.empty() || secret.empty()) {
      return Error{
          ErrorCode::kInvalid,
          fmt::format("{} has only one of aws_access_key_id and aws_secret_access_key", where),
          "give both"};
    }
    settings_.credentials = AwsCredentials{std::move(key_id), Secret(std::move(secret)),
                                           Secret(std::move(token)), std::nullopt};
    settings_.credentials_from = std::move(where);
    return ok();
  }

  // A way to get credentials that is configured and that we don't have: going on would use others than were meant.
  Status refuse_unsupported() const {
    for (const char* const name : {"role_arn", "sso_session", "sso_start_url", "credential_process",
                                   "web_identity_token_file"}) {
      if (config(name).empty() && shared(name).empty()) continue;
      return Error{
          ErrorCode::kInvalid,
          fmt::format("profile {} gets its credentials by {}, which this pawl can't do yet",
                      settings_.profile, name),
          "export them instead: eval \"$(aws configure export-credentials --format env)\""};
    }
    if (!variable("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) {
      return Error{ErrorCode::kInvalid,
                   "AWS_WEB_IDENTITY_TOKEN_FILE asks for credentials by a web identity, which this "
                   "pawl can't do yet",
                   "give the pod its credentials by EKS Pod Identity, or by variables"};
    }
    return ok();
  }

  Status find_credentials() {
    const auto key_id = first({variable("AWS_ACCESS_KEY_ID"), variable("AWS_ACCESS_KEY")});
    const auto secret = first({variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SECRET_KEY")});
    if (!key_id.empty() || !secret.empty()) {
      return take(key_id, secret,
                  first({variable("AWS_SESSION_TOKEN"), variable("AWS_SECURITY_TOKEN")}),
                  "the environment");
    }
    PAWL_TRY(refuse_unsupported());
    if (!shared("aws_access_key_id").empty() || !shared("aws_secret_access_key").empty()) {
      return take(shared("aws_access_key_id"), shared("aws_secret_access_key"),
                  shared("aws_session_token"), "profile " + settings_.profile);
    }
    if (!config("aws_access_key_id").empty() || !config("aws_secret_access_key").empty()) {
      return take(config("aws_access_key_id"), config("aws_secret_access_key"),
                  config("aws_session_token"), "profile " + settings_.profile);
    }
    return find_service();
  }

  Status find_service() {
    AwsCredentialService service;
    const auto relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative.empty() || !full.empty()) {
      service.kind = AwsCredentialService::Kind::kContainer;
      service.url = relative.empty() ? full : kContainerHost + relative;
      service.authorization = Secret(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
      service.token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      PAWL_TRY(check_container_url(service.url));
      settings_.credentials_from = "the container's credentials at " + service.url;
    } else {
      const auto disabled = variable("AWS_EC2_METADATA_DISABLED");
      if (disabled == "true" || disabled == "True" || disabled == "TRUE") return ok();
      service.url = first({variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"), kInstanceHost});
      while (service.url.ends_with('/')) service.url.pop_back();
      settings_.credentials_from = "the instance's metadata at " + service.url;
    }
    settings_.service = std::move(service);
    return ok();
  }

  // A token goes there: over TLS, or not off this machine.
  static Status check_container_url(const std::string& url) {
    if (url.starts_with("https://")) return ok();
    const auto host = [&url]() -> std::string {
      if (!url.starts_with("http://")) return {};
      const std::string rest = url.substr(7, url.find_first_of("/?#", 7) - 7);
      if (rest.starts_with("[")) return rest.substr(0, rest.find(']') + 1);
      return rest.substr(0, rest.find(':'));
    }();
    for (const char* const known :
         {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "127.0.0.1", "[::1]"}) {
      if (host == known) return ok();
    }
    return Error{ErrorCode::kInvalid,
                 fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {}, which is neither https "
                             "nor this host's agent",
                             url),
                 "see the AWS SDKs and Tools Reference Guide, \"Container credential provider\""};
  }

  const AwsSurroundings& from_;
  const std::string& service_id_;
  AwsProfileFile config_;
  AwsProfileFile shared_;
  std::string config_section_;
  AwsSettings settings_;
};

Result<std::optional<std::string>> read_small_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>{};
    return Error{
        ErrorCode::kUnavailable, fmt::format("can't read {}: {}", path, std::strerror(errno)), {}};
  }
  std::string text;
  text.resize(kAwsFileBytesMax + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kAwsFileBytesMax) {
    return Error{ErrorCode::kInvalid, path + " is larger than any AWS configuration", {}};
  }
  return std::optional<std::string>(std::move(text));
}

}  // namespace

AwsSurroundings AwsSurroundings::of_process() {
  AwsSurroundings from;
  from.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  from.file = read_small_file;
  return from;
}

Result<AwsSettings> load_aws_settings(const AwsSurroundings& from, const std::string& service_id) {
  return Loader(from, service_id).load();
}

}  // namespace pawl
