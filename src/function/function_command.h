// What is run for a function, and in which environment: Lambda developer guide, "Lambda runtimes" and "Using Lambda environment
// variables".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "function/function_types.h"

namespace pawl::function {

// Where a server's functions find the machine and the server.
struct RuntimePlaces {
  std::string python_bootstrap;  // what speaks the runtime API for Python handlers
  std::string node_bootstrap;
  std::string python_path;  // a folder whose sitecustomize makes older SDKs follow AWS_ENDPOINT_URL
  // Of functions: a path that is not there, and that nobody but the server can make.
  std::string home;
  std::string endpoint;  // "http://127.0.0.1:8000"
  std::string access_key;
  std::string secret_key;
  std::string path;  // PATH
  // The absolute path of a program; empty if the machine has none of that name.
  std::function<std::string(std::string_view name)> find_program;
};

enum class RuntimeFamily : std::uint8_t { kPython, kNode, kProvided };
// Of "python3.N", "nodejsN.x" and "provided…"; nothing for any other name. The machine's own interpreter is run, whatever version
// the name says; if it has one of just that version, that.
std::optional<RuntimeFamily> runtime_family(std::string_view runtime);

// Whether a client may set the variable: not those of Lambda itself. Source: "Reserved environment variables".
bool is_reserved_variable(std::string_view name);
// [A-Za-z][A-Za-z0-9_]*, as the service wants names.
bool is_variable_name(std::string_view name);

// Errors: kNotFound: the machine has no such interpreter.
Result<std::vector<std::string>> command_of(const FunctionRecord& function,
                                            const std::string& folder, const RuntimePlaces& places);

using Environment = std::vector<std::pair<std::string, std::string>>;
// Without AWS_LAMBDA_RUNTIME_API. `log_stream` names the process.
Environment environment_of(const FunctionRecord& function, const std::string& folder,
                           const std::string& log_stream, const RuntimePlaces& places);

}  // namespace pawl::function
