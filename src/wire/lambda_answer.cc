#include "wire/lambda_answer.h"

#include "base/base64.h"

namespace pawl::wire {
namespace {

// "2026-11-22T18:00:00.123+0000", as the service writes it.
std::string modified_text(Instant at) { return at.to_string().substr(0, 23) + "+0000"; }

}  // namespace

void write_configuration(JsonWriter& out, const function::FunctionRecord& function) {
  const auto& of = function.settings;
  const auto& digest = function.code_sha256.bytes;
  out.begin_object()
      .field("FunctionName", function.name)
      .field("FunctionArn", function.arn())
      .field("Runtime", of.runtime)
      .field("Role", of.role)
      .field("Handler", of.handler)
      .field("CodeSize", function.code_size)
      .field("Description", of.description)
      .field("Timeout", static_cast<std::uint64_t>(of.timeout.count()))
      .field("MemorySize", std::uint64_t{of.memory_mb})
      .field("LastModified", modified_text(function.modified))
      .field("CodeSha256", to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}))
      .field("Version", "$LATEST");
  if (!of.environment.empty()) {
    out.key("Environment").begin_object().key("Variables").begin_object();
    for (const auto& [name, value] : of.environment) out.field(name, value);
    out.end_object().end_object();
  }
  out.key("TracingConfig").begin_object().field("Mode", "PassThrough").end_object();
  out.field("RevisionId", function.revision)
      .field("State", "Active")
      .field("LastUpdateStatus", "Successful")
      .field("PackageType", "Zip");
#if defined(__aarch64__)
  out.key("Architectures").begin_array().string("arm64").end_array();
#else
  out.key("Architectures").begin_array().string("x86_64").end_array();
#endif
  out.key("EphemeralStorage").begin_object().field("Size", std::uint64_t{512}).end_object();
  out.end_object();
}

std::string configuration_json(const function::FunctionRecord& function) {
  std::string out;
  JsonWriter writer(out);
  write_configuration(writer, function);
  return out;
}

}  // namespace pawl::wire
