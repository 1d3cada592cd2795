// Any bytes as the body of a create or an update: a mapping within its bounds, or an error with a message.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/http_message.h"
#include "wire/lambda_mapping_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl;
  std::string body(reinterpret_cast<const char*>(data), size);
  body.append(wire::kBodyPadding, '\0');
  const std::string_view view(body.data(), size);
  const auto created = wire::parse_create_mapping(view);
  if (created.ok()) {
    const auto& config = created->config;
    if (config.batch_size == 0 || config.batch_size > trigger::kBatchSizeMax) std::abort();
    if (config.filters.size() > 5 || config.function.empty()) std::abort();
  } else if (created.error().message.empty()) {
    std::abort();
  }
  const auto changes = wire::parse_update_mapping(view);
  if (!changes.ok() && changes.error().message.empty()) std::abort();
  return 0;
}
