#include "function/function_format.h"

#include <algorithm>

#include "base/coding.h"

namespace pawl::function {
namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::size_t kVariablesMax = kEnvironmentBytesMax;  // each has a name of a byte at least

Error corrupt() {
  return {ErrorCode::kCorrupt, "a stored function is not what was written",
          "restore DATA/functions from a copy, or move it away to start with no functions"};
}

}  // namespace

std::string function_key(std::string_view name) {
  return std::string(kFunctionPrefix) + std::string(name);
}

std::string code_key(const FunctionRecord& function) {
  std::string key = "code/";
  append_u64_be(key, function.id);
  append_u64_be(key, function.code);
  return key;
}

std::string encode_function(const FunctionRecord& function) {
  std::string out;
  append_u8(out, kRecordFormat);
  append_u64_be(out, function.id);
  append_u64_be(out, function.code);
  append_u64_be(out, static_cast<std::uint64_t>(function.modified.microseconds));
  append_bytes(out, function.name);
  append_bytes(out, function.region);
  append_bytes(out, function.revision);
  out.append(reinterpret_cast<const char*>(function.code_sha256.bytes.data()),
             function.code_sha256.bytes.size());
  append_varint(out, function.code_size);
  const FunctionSettings& of = function.settings;
  append_bytes(out, of.runtime);
  append_bytes(out, of.handler);
  append_bytes(out, of.role);
  append_bytes(out, of.description);
  append_varint(out, static_cast<std::uint64_t>(of.timeout.count()));
  append_varint(out, of.memory_mb);
  append_u8(out, of.concurrency ? 1 : 0);
  append_varint(out, of.concurrency.value_or(0));
  append_varint(out, of.environment.size());
  for (const auto& [name, value] : of.environment) {
    append_bytes(out, name);
    append_bytes(out, value);
  }
  return out;
}

Result<FunctionRecord> decode_function(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kRecordFormat) return corrupt();
  FunctionRecord function;
  function.id = in.u64_be();
  function.code = in.u64_be();
  function.modified = {static_cast<std::int64_t>(in.u64_be())};
  function.name = in.bytes();
  function.region = in.bytes();
  function.revision = in.bytes();
  const std::string_view digest = in.raw(function.code_sha256.bytes.size());
  std::copy(digest.begin(), digest.end(), function.code_sha256.bytes.begin());
  function.code_size = in.varint();
  FunctionSettings& of = function.settings;
  of.runtime = in.bytes();
  of.handler = in.bytes();
  of.role = in.bytes();
  of.description = in.bytes();
  of.timeout = std::chrono::seconds(in.varint());
  of.memory_mb = static_cast<std::uint32_t>(in.varint());
  const bool has_concurrency = in.u8() != 0;
  const auto concurrency = static_cast<std::uint32_t>(in.varint());
  if (has_concurrency) of.concurrency = concurrency;
  const std::uint64_t variables = in.varint();
  if (variables > kVariablesMax) return corrupt();
  for (std::uint64_t i = 0; i < variables && in.ok(); ++i) {
    std::string name(in.bytes());
    of.environment[std::move(name)] = in.bytes();
  }
  if (!in.at_end() || !is_function_name(function.name)) return corrupt();
  return function;
}

}  // namespace pawl::function
