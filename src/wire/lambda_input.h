// What a request to Lambda says about a function: parsed, checked against the service's bounds, and against what Pawl has.
// Shapes: the service model lambda/2015-03-31 (CreateFunctionRequest, UpdateFunctionConfigurationRequest, UpdateFunctionCodeRequest).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "function/function_types.h"
#include "wire/service_error.h"

namespace pawl::wire {

// A zip file as it was uploaded: the request's body must hold it in base64.
inline constexpr std::size_t kZipBytesMax = 50ULL << 20;

// The name in "NAME", "ACCOUNT:function:NAME" or an ARN, percent-encoded or not, with or without the qualifier $LATEST. Errors:
// InvalidParameterValueException; UnsupportedOperationException for another qualifier.
ServiceResult<std::string> function_name_of(std::string_view text);

struct CreateFunctionInput {
  std::string name;
  function::FunctionSettings settings;
  std::string zip;
};
// `body` is followed by kBodyPadding bytes.
ServiceResult<CreateFunctionInput> parse_create_function(std::string_view body);

struct UpdateCodeInput {
  std::string revision;  // empty: any
  std::string zip;
  bool dry_run = false;
};
ServiceResult<UpdateCodeInput> parse_update_code(std::string_view body);

struct UpdateSettingsInput {
  std::string revision;
  std::optional<std::string> runtime;
  std::optional<std::string> handler;
  std::optional<std::string> role;
  std::optional<std::string> description;
  std::optional<std::chrono::seconds> timeout;
  std::optional<std::uint32_t> memory_mb;
  std::optional<std::map<std::string, std::string>> environment;

  void apply(function::FunctionSettings& settings) const;
};
ServiceResult<UpdateSettingsInput> parse_update_settings(std::string_view body);

// ReservedConcurrentExecutions of PutFunctionConcurrency.
ServiceResult<std::uint32_t> parse_concurrency(std::string_view body);

// Of what an invocation carries: as deep as simdjson goes without being told otherwise.
inline constexpr std::size_t kPayloadDepthMax = 1024;
// Whether a body is JSON at all: what an invocation carries.
ServiceStatus check_payload(std::string_view body);

}  // namespace pawl::wire
