#include "function/function_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pawl::function {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string first_program(const std::vector<std::string>& names, const RuntimePlaces& places) {
  for (const auto& name : names) {
    if (auto found = places.find_program(name); !found.empty()) return found;
  }
  return {};
}

Error no_interpreter(const FunctionRecord& function, std::string_view package) {
  return {ErrorCode::kNotFound,
          fmt::format("this machine has no interpreter for {} of function {}",
                      function.settings.runtime, function.name),
          fmt::format("install {}", package)};
}

}  // namespace

std::optional<RuntimeFamily> runtime_family(std::string_view runtime) {
  constexpr std::string_view kPython = "python3.";
  constexpr std::string_view kNode = "nodejs";
  if (runtime.starts_with(kPython) && is_digits(runtime.substr(kPython.size()))) {
    return RuntimeFamily::kPython;
  }
  if (runtime.starts_with(kNode) && runtime.ends_with(".x") &&
      is_digits(runtime.substr(kNode.size(), runtime.size() - kNode.size() - 2))) {
    return RuntimeFamily::kNode;
  }
  if (runtime == "provided" || runtime == "provided.al2" || runtime == "provided.al2023") {
    return RuntimeFamily::kProvided;
  }
  return std::nullopt;
}

bool is_reserved_variable(std::string_view name) {
  constexpr std::array<std::string_view, 20> kReserved{"_HANDLER",
                                                       "_X_AMZN_TRACE_ID",
                                                       "AWS_DEFAULT_REGION",
                                                       "AWS_REGION",
                                                       "AWS_EXECUTION_ENV",
                                                       "AWS_LAMBDA_FUNCTION_NAME",
                                                       "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                                       "AWS_LAMBDA_FUNCTION_VERSION",
                                                       "AWS_LAMBDA_INITIALIZATION_TYPE",
                                                       "AWS_LAMBDA_LOG_GROUP_NAME",
                                                       "AWS_LAMBDA_LOG_STREAM_NAME",
                                                       "AWS_ACCESS_KEY",
                                                       "AWS_ACCESS_KEY_ID",
                                                       "AWS_SECRET_ACCESS_KEY",
                                                       "AWS_SESSION_TOKEN",
                                                       "AWS_LAMBDA_RUNTIME_API",
                                                       "LAMBDA_TASK_ROOT",
                                                       "LAMBDA_RUNTIME_DIR",
                                                       "AWS_LAMBDA_MAX_CONCURRENCY",
                                                       "AWS_LAMBDA_METADATA_API"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return name.size() >= 2 && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '_';
         });
}

Result<std::vector<std::string>> command_of(const FunctionRecord& function,
                                            const std::string& folder,
                                            const RuntimePlaces& places) {
  const auto family = runtime_family(function.settings.runtime);
  if (family == RuntimeFamily::kPython) {
    const auto python = first_program({function.settings.runtime, "python3"}, places);
    if (python.empty()) return no_interpreter(function, "python3");
    return std::vector<std::string>{python, "-u", places.python_bootstrap};
  }
  if (family == RuntimeFamily::kNode) {
    const auto node = first_program({"node", "nodejs"}, places);
    if (node.empty()) return no_interpreter(function, "nodejs");
    return std::vector<std::string>{node, places.node_bootstrap};
  }
  return std::vector<std::string>{folder + "/bootstrap"};
}

Environment environment_of(const FunctionRecord& function, const std::string& folder,
                           const std::string& log_stream, const RuntimePlaces& places) {
  const FunctionSettings& of = function.settings;
  Environment all{
      {"PATH", places.path},
      // Interpreters and SDKs run and believe what they find there.
      {"HOME", places.home},
      {"LANG", "C.UTF-8"},
      {"TZ", ":UTC"},
      {"PYTHONPATH", places.python_path},
      {"PYTHONDONTWRITEBYTECODE", "1"},
      {"PYTHONNOUSERSITE", "1"},
      {"AWS_ENDPOINT_URL", places.endpoint},
      {"AWS_EC2_METADATA_DISABLED", "true"},
  };
  const Environment own{
      {"_HANDLER", of.handler},
      {"LAMBDA_TASK_ROOT", folder},
      {"LAMBDA_RUNTIME_DIR", folder},
      {"AWS_EXECUTION_ENV", "AWS_Lambda_" + of.runtime},
      {"AWS_REGION", function.region},
      {"AWS_DEFAULT_REGION", function.region},
      {"AWS_ACCESS_KEY_ID", places.access_key},
      {"AWS_SECRET_ACCESS_KEY", places.secret_key},
      {"AWS_LAMBDA_FUNCTION_NAME", function.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(of.memory_mb)},
      {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + function.name},
      {"AWS_LAMBDA_LOG_STREAM_NAME", log_stream},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
  };
  // A function's own value stands for what Pawl sets of itself, but for Lambda's own variables.
  for (const auto& [name, value] : of.environment) {
    const auto same = std::find_if(all.begin(), all.end(), [&own_name = name](const auto& other) {
      return other.first == own_name;
    });
    if (same == all.end()) {
      all.emplace_back(name, value);
    } else if (name == "PYTHONPATH") {
      same->second += ":" + value;
    } else {
      same->second = value;
    }
  }
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

}  // namespace pawl::function
