#include "wire/lambda_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "function/function_command.h"
#include "sigv4/signature.h"
#include "wire/lambda_error.h"
#include "wire/request_json.h"

namespace pawl::wire {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kHandlerMax = 128;
constexpr std::size_t kDescriptionMax = 256;
constexpr std::size_t kRoleMax = 2048;
constexpr std::uint32_t kConcurrencyMax = 1'000;
constexpr std::int64_t kStorageDefault = 512;

thread_local RequestJson own_json;

// At the end of a request: a giant's memory is not kept.
class GiveBack {
 public:
  explicit GiveBack(std::string_view body) : bytes_(body.size()) {}
  ~GiveBack() { own_json.give_back(bytes_); }
  GiveBack(const GiveBack&) = delete;
  GiveBack& operator=(const GiveBack&) = delete;

 private:
  std::size_t bytes_;
};

ServiceResult<object> parse_object(std::string_view body) {
  const auto parsed = own_json.parse(body);
  if (!parsed.ok()) {
    return lambda_error(400, lambda_errors::kInvalidContent,
                        "Could not parse request body into json: " + parsed.error().message);
  }
  object members;
  if (parsed->get(members) != simdjson::SUCCESS) {
    return lambda_error(400, lambda_errors::kInvalidContent,
                        "The request's body must be an object.");
  }
  return members;
}

// One object of a request. Every member that is there must be asked for: what Pawl does not know, it does not pass over.
class InputMembers {
 public:
  InputMembers(object members, std::string_view where) : members_(members), where_(where) {}

  std::optional<element> find(std::string_view name) {
    known_.push_back(name);
    element found;
    if (members_.at_key(name).get(found) != simdjson::SUCCESS || found.is_null())
      return std::nullopt;
    return found;
  }

  ServiceResult<std::optional<std::string>> text(std::string_view name, std::size_t most) {
    const auto found = find(name);
    if (!found) return std::optional<std::string>();
    std::string_view value;
    if (found->get(value) != simdjson::SUCCESS) return wrong(name, "must be a string");
    if (value.size() > most)
      return wrong(name, fmt::format("must have at most {} characters", most));
    if (value.find('\0') != std::string_view::npos) return wrong(name, "must not contain a NUL");
    return std::optional<std::string>(value);
  }

  ServiceResult<std::optional<std::int64_t>> number(std::string_view name, std::int64_t least,
                                                    std::int64_t most) {
    const auto found = find(name);
    if (!found) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    if (found->get(value) != simdjson::SUCCESS || value < least || value > most) {
      return wrong(name, fmt::format("must be a number from {} to {}", least, most));
    }
    return std::optional<std::int64_t>(value);
  }

  ServiceResult<bool> flag(std::string_view name) {
    const auto found = find(name);
    if (!found) return false;
    bool value = false;
    if (found->get(value) != simdjson::SUCCESS) return wrong(name, "must be true or false");
    return value;
  }

  ServiceResult<std::optional<object>> map(std::string_view name) {
    const auto found = find(name);
    if (!found) return std::optional<object>();
    object value;
    if (found->get(value) != simdjson::SUCCESS) return wrong(name, "must be an object");
    return std::optional<object>(value);
  }

  // One that Pawl does not have may be there if it is empty, which is how clients say "none".
  ServiceStatus must_be_empty(std::string_view name) {
    const auto found = find(name);
    if (!found || is_empty(*found)) return Unit{};
    return lambda_unsupported(fmt::format("the parameter {}{}", where_, name));
  }

  ServiceStatus check_unknown() const {
    for (const auto& [name, value] : members_) {
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        return lambda_unsupported(fmt::format("the parameter {}{}", where_, name.substr(0, 64)));
      }
    }
    return Unit{};
  }

  ServiceError wrong(std::string_view name, std::string_view why) const {
    return invalid_parameter(fmt::format("{}{} {}.", where_, name, why));
  }

 private:
  // Also an object of nothing but empty values, and false.
  static bool is_empty(const element& value) {
    if (object members; value.get(members) == simdjson::SUCCESS) {
      for (const auto& [name, inner] : members) {
        if (!is_empty(inner)) return false;
      }
      return true;
    }
    if (simdjson::dom::array list; value.get(list) == simdjson::SUCCESS) return list.size() == 0;
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) return text.empty();
    if (bool flag = false; value.get(flag) == simdjson::SUCCESS) return !flag;
    return value.is_null();
  }

  object members_;
  std::string_view where_;
  std::vector<std::string_view> known_;
};

ServiceStatus check_one_value(InputMembers& of, std::string_view outer, std::string_view inner,
                              std::string_view only) {
  WIRE_ASSIGN(const auto found, of.map(outer));
  if (!found) return Unit{};
  std::string_view value;
  element member;
  const bool given = found->at_key(inner).get(member) == simdjson::SUCCESS;
  if (!given || (member.get(value) == simdjson::SUCCESS && value == only)) return Unit{};
  return lambda_unsupported(fmt::format("another {}.{} than {}", outer, inner, only));
}

// What the service has for functions, and Pawl does not.
ServiceStatus check_left_out(InputMembers& of) {
  for (const std::string_view name :
       {"VpcConfig", "DeadLetterConfig", "KMSKeyArn", "Layers", "FileSystemConfigs", "ImageConfig",
        "CodeSigningConfigArn", "Tags", "RuntimeManagementConfig", "CapacityProviderConfig",
        "DurableConfig", "TenancyConfig", "PublishTo"}) {
    WIRE_TRY(of.must_be_empty(name));
  }
  WIRE_TRY(check_one_value(of, "TracingConfig", "Mode", "PassThrough"));
  WIRE_TRY(check_one_value(of, "SnapStart", "ApplyOn", "None"));
  WIRE_TRY(check_one_value(of, "LoggingConfig", "LogFormat", "Text"));
  WIRE_ASSIGN(const auto storage, of.map("EphemeralStorage"));
  if (storage) {
    std::int64_t size = 0;
    if (storage->at_key("Size").get(size) != simdjson::SUCCESS || size != kStorageDefault) {
      return lambda_unsupported("another EphemeralStorage.Size than 512");
    }
  }
  return Unit{};
}

ServiceStatus check_architecture(InputMembers& of) {
  const auto found = of.find("Architectures");
  if (!found) return Unit{};
#if defined(__aarch64__)
  constexpr std::string_view kOwn = "arm64";
#else
  constexpr std::string_view kOwn = "x86_64";
#endif
  simdjson::dom::array list;
  std::string_view first;
  if (found->get(list) == simdjson::SUCCESS && list.size() == 1 &&
      list.at(0).get(first) == simdjson::SUCCESS && first == kOwn) {
    return Unit{};
  }
  return lambda_unsupported(fmt::format("another architecture than this machine's, {},", kOwn));
}

ServiceResult<std::optional<std::map<std::string, std::string>>> read_environment(
    InputMembers& of) {
  using Variables = std::map<std::string, std::string>;
  WIRE_ASSIGN(const auto environment, of.map("Environment"));
  if (!environment) return std::optional<Variables>();
  InputMembers inside(*environment, "Environment.");
  WIRE_ASSIGN(const auto given, inside.map("Variables"));
  WIRE_TRY(inside.check_unknown());
  Variables variables;
  std::size_t bytes = 0;
  if (!given) return std::optional<Variables>(std::move(variables));
  for (const auto& [name, value] : *given) {
    std::string_view text;
    if (!function::is_variable_name(name)) {
      return invalid_parameter(
          fmt::format("Environment variable names must be of letters, digits and _, not '{}'.",
                      name.substr(0, 64)));
    }
    if (function::is_reserved_variable(name)) {
      return invalid_parameter(
          "Lambda was unable to configure your environment variables because the environment "
          "variables you "
          "have provided contains reserved keys that are currently not supported for modification. "
          "Reserved keys used in this request: " +
          std::string(name));
    }
    if (value.get(text) != simdjson::SUCCESS || text.find('\0') != std::string_view::npos) {
      return invalid_parameter(fmt::format("Environment variable {} must be a string.", name));
    }
    bytes += name.size() + text.size();
    if (bytes > function::kEnvironmentBytesMax) {
      return invalid_parameter(
          "Lambda was unable to configure your environment variables because the environment "
          "variables you "
          "have provided exceeded the 4KB limit.");
    }
    variables.emplace(name, text);
  }
  return std::optional<Variables>(std::move(variables));
}

ServiceStatus check_runtime(const std::string& runtime) {
  if (function::runtime_family(runtime)) return Unit{};
  return invalid_parameter(
      fmt::format("Value {} at 'runtime' is none that Pawl runs: python3.N, nodejsN.x, provided, "
                  "provided.al2, provided.al2023.",
                  runtime));
}

ServiceResult<UpdateSettingsInput> read_settings(InputMembers& of) {
  UpdateSettingsInput input;
  WIRE_ASSIGN(input.runtime, of.text("Runtime", 64));
  WIRE_ASSIGN(input.handler, of.text("Handler", kHandlerMax));
  WIRE_ASSIGN(input.role, of.text("Role", kRoleMax));
  WIRE_ASSIGN(input.description, of.text("Description", kDescriptionMax));
  WIRE_ASSIGN(const auto timeout, of.number("Timeout", 1, function::kTimeoutMax.count()));
  if (timeout) input.timeout = std::chrono::seconds(*timeout);
  WIRE_ASSIGN(const auto memory,
              of.number("MemorySize", function::kMemoryMin, function::kMemoryMax));
  if (memory) input.memory_mb = static_cast<std::uint32_t>(*memory);
  WIRE_ASSIGN(input.environment, read_environment(of));
  if (input.runtime) WIRE_TRY(check_runtime(*input.runtime));
  if (input.role && input.role->empty()) return of.wrong("Role", "must not be empty");
  WIRE_TRY(check_left_out(of));
  return input;
}

ServiceResult<std::string> read_zip(InputMembers& of) {
  for (const std::string_view name : {"ImageUri", "SourceKMSKeyArn", "S3ObjectVersion"}) {
    WIRE_TRY(of.must_be_empty(name));
  }
  if (of.find("S3Bucket") || of.find("S3Key")) {
    return lambda_unsupported("code in a bucket (S3Bucket, S3Key; send ZipFile)");
  }
  const auto found = of.find("ZipFile");
  if (!found) return invalid_parameter("Please provide the function's code as ZipFile.");
  std::string_view text;
  if (found->get(text) != simdjson::SUCCESS) return of.wrong("ZipFile", "must be a string");
  auto zip = from_base64(text);
  if (!zip) return of.wrong("ZipFile", "must be base64");
  if (zip->empty()) return invalid_parameter("Uploaded file must be a non-empty zip");
  if (zip->size() > kZipBytesMax) {
    return lambda_error(413, lambda_errors::kTooLarge,
                        fmt::format("The zip file must have at most {} bytes.", kZipBytesMax));
  }
  return *std::move(zip);
}

ServiceStatus check_package(InputMembers& of) {
  WIRE_ASSIGN(const auto package, of.text("PackageType", 16));
  if (package && *package != "Zip") return lambda_unsupported("another PackageType than Zip");
  return Unit{};
}

}  // namespace

ServiceResult<std::string> function_name_of(std::string_view text) {
  const auto decoded = sigv4::percent_decode(text);
  std::string_view name = decoded ? std::string_view(*decoded) : text;
  if (name.size() > 256) return invalid_parameter("The function's name is too long.");
  constexpr std::string_view kBefore = "function:";
  if (const auto at = name.find(kBefore);
      at != std::string_view::npos && (at == 0 || name[at - 1] == ':')) {
    name.remove_prefix(at + kBefore.size());
  }
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    if (name.substr(colon + 1) != "$LATEST") {
      return lambda_unsupported("versions and aliases (a qualifier other than $LATEST)");
    }
    name = name.substr(0, colon);
  }
  if (!function::is_function_name(name)) {
    return invalid_parameter(
        fmt::format("A function's name is 1 to {} letters, digits, - and _, not '{}'.",
                    function::kNameMax, name.substr(0, 100)));
  }
  return std::string(name);
}

ServiceResult<CreateFunctionInput> parse_create_function(std::string_view body) {
  const GiveBack give_back(body);
  WIRE_ASSIGN(const auto members, parse_object(body));
  InputMembers of(members, "");
  CreateFunctionInput input;
  WIRE_ASSIGN(const auto name, of.text("FunctionName", 256));
  if (!name) return of.wrong("FunctionName", "is needed");
  WIRE_ASSIGN(input.name, function_name_of(*name));
  WIRE_TRY(check_package(of));
  WIRE_TRY(check_architecture(of));
  WIRE_ASSIGN(const bool publish, of.flag("Publish"));
  if (publish) return lambda_unsupported("published versions (Publish)");
  WIRE_ASSIGN(const auto settings, read_settings(of));
  WIRE_ASSIGN(const auto code, of.map("Code"));
  if (!code) return of.wrong("Code", "is needed");
  WIRE_TRY(of.check_unknown());
  if (!settings.runtime || !settings.handler) {
    return invalid_parameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages.");
  }
  if (settings.handler->empty()) return of.wrong("Handler", "must not be empty");
  if (!settings.role) return of.wrong("Role", "is needed");
  settings.apply(input.settings);
  InputMembers inside(*code, "Code.");
  WIRE_ASSIGN(input.zip, read_zip(inside));
  WIRE_TRY(inside.check_unknown());
  return input;
}

ServiceResult<UpdateCodeInput> parse_update_code(std::string_view body) {
  const GiveBack give_back(body);
  WIRE_ASSIGN(const auto members, parse_object(body));
  InputMembers of(members, "");
  UpdateCodeInput input;
  WIRE_ASSIGN(const auto revision, of.text("RevisionId", 128));
  input.revision = revision.value_or("");
  WIRE_ASSIGN(const bool publish, of.flag("Publish"));
  if (publish) return lambda_unsupported("published versions (Publish)");
  WIRE_ASSIGN(input.dry_run, of.flag("DryRun"));
  WIRE_TRY(check_architecture(of));
  WIRE_ASSIGN(input.zip, read_zip(of));
  WIRE_TRY(of.check_unknown());
  return input;
}

ServiceResult<UpdateSettingsInput> parse_update_settings(std::string_view body) {
  WIRE_ASSIGN(const auto members, parse_object(body));
  InputMembers of(members, "");
  WIRE_ASSIGN(const auto revision, of.text("RevisionId", 128));
  WIRE_ASSIGN(auto input, read_settings(of));
  input.revision = revision.value_or("");
  if (input.handler && input.handler->empty()) return of.wrong("Handler", "must not be empty");
  WIRE_TRY(of.check_unknown());
  return input;
}

void UpdateSettingsInput::apply(function::FunctionSettings& settings) const {
  if (runtime) settings.runtime = *runtime;
  if (handler) settings.handler = *handler;
  if (role) settings.role = *role;
  if (description) settings.description = *description;
  if (timeout) settings.timeout = *timeout;
  if (memory_mb) settings.memory_mb = *memory_mb;
  if (environment) settings.environment = *environment;
}

ServiceResult<std::uint32_t> parse_concurrency(std::string_view body) {
  WIRE_ASSIGN(const auto members, parse_object(body));
  InputMembers of(members, "");
  WIRE_ASSIGN(const auto most, of.number("ReservedConcurrentExecutions", 0, kConcurrencyMax));
  WIRE_TRY(of.check_unknown());
  if (!most) return of.wrong("ReservedConcurrentExecutions", "is needed");
  return static_cast<std::uint32_t>(*most);
}

ServiceStatus check_payload(std::string_view body) {
  thread_local RequestJson payloads{kPayloadDepthMax};
  const auto parsed = payloads.parse(body);
  payloads.give_back(body.size());
  if (parsed.ok()) return Unit{};
  return lambda_error(400, lambda_errors::kInvalidContent,
                      "Could not parse request body into json: " + parsed.error().message);
}

}  // namespace pawl::wire
