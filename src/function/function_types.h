// The nouns of functions: what a client has set, and what is kept. Plain data.
//
// A function is code in a zip file, run by processes of this machine that speak Lambda's runtime API. Bounds: AWS Lambda API
// reference, CreateFunction; Lambda developer guide, "Lambda quotas".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/instant.h"

namespace pawl::function {

inline constexpr std::size_t kFunctionsMax = 1'000;
inline constexpr std::size_t kNameMax = 64;
inline constexpr std::chrono::seconds kTimeoutMax{900};
inline constexpr std::uint32_t kMemoryMin = 128;  // MiB
inline constexpr std::uint32_t kMemoryMax = 10'240;
inline constexpr std::size_t kEnvironmentBytesMax = 4 * 1024;  // names and values together
inline constexpr std::string_view kAccount = "000000000000";

struct FunctionSettings {
  std::string runtime;  // "python3.11", "nodejs20.x", "provided.al2023"
  std::string handler;
  std::string role;  // kept and shown; nothing here asks for it
  std::string description;
  std::chrono::seconds timeout{3};  // 1 to kTimeoutMax
  std::uint32_t memory_mb = kMemoryMin;
  std::map<std::string, std::string> environment;
  std::optional<std::uint32_t> concurrency;  // most processes at once; nothing: as configured

  bool operator==(const FunctionSettings&) const = default;
};

struct FunctionRecord {
  std::uint64_t id = 0;    // for ever this function's: a namesake that comes after it has another
  std::uint64_t code = 0;  // the number of its code: a new one at each update of the code
  std::string name;
  std::string region;
  std::string revision;  // changes with every change
  Instant modified;
  Digest code_sha256;
  std::uint64_t code_size = 0;  // of the zip file
  FunctionSettings settings;

  std::string arn() const;
};
using FunctionPtr = std::shared_ptr<const FunctionRecord>;

// [A-Za-z0-9_-], 1 to kNameMax: it is a file's name, too.
bool is_function_name(std::string_view name);

}  // namespace pawl::function
