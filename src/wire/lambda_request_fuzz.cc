// Any bytes as the body of any of Lambda's operations, and as a function's name: an error or an input within its bounds, and
// never a crash. The first byte chooses which.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/http_message.h"
#include "wire/lambda_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl::wire;
  if (size == 0) return 0;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  body.reserve(body.size() + kBodyPadding);
  switch (data[0] % 6) {
    case 0: {
      const auto input = parse_create_function(body);
      if (!input.ok()) break;
      if (!pawl::function::is_function_name(input->name) || input->zip.empty()) std::abort();
      if (input->settings.timeout > pawl::function::kTimeoutMax) std::abort();
      if (input->settings.memory_mb < pawl::function::kMemoryMin) std::abort();
      break;
    }
    case 1: {
      const auto input = parse_update_code(body);
      if (input.ok() && input->zip.empty()) std::abort();
      break;
    }
    case 2: {
      const auto input = parse_update_settings(body);
      if (!input.ok()) break;
      pawl::function::FunctionSettings settings;
      input->apply(settings);
      if (settings.timeout < std::chrono::seconds(1)) std::abort();
      break;
    }
    case 3:
      if (const auto most = parse_concurrency(body); most.ok() && *most > 1'000) std::abort();
      break;
    case 4:
      if (const auto name = function_name_of(body);
          name.ok() && !pawl::function::is_function_name(*name)) {
        std::abort();
      }
      break;
    default:
      static_cast<void>(check_payload(body).ok());
  }
  return 0;
}
