// Event source mappings over Lambda's REST API: CreateEventSourceMapping, GetEventSourceMapping, ListEventSourceMappings,
// UpdateEventSourceMapping, DeleteEventSourceMapping, all below /2015-03-31/event-source-mappings/. The caller was admitted.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "table/stream_reader.h"
#include "trigger/mapping_desk.h"
#include "wire/access_gate.h"
#include "wire/http_message.h"
#include "wire/service_error.h"

namespace pawl::wire {

inline constexpr std::string_view kMappingsPath = "/2015-03-31/event-source-mappings";

// Whether a request's target (path and query) is one of the above.
bool is_mappings_target(std::string_view target);

// Thread-safe. All must outlive it.
class LambdaMappings {
 public:
  // `function_exists`: thread-safe, does not block.
  LambdaMappings(trigger::MappingDesk& desk, const table::StreamReader& streams,
                 std::function<bool(std::string_view name)> function_exists);

  void serve(const HttpRequest& request, const Caller& caller, Completion completion);

 private:
  void create(const HttpRequest& request, Completion completion);
  void update(const trigger::MappingId& id, const HttpRequest& request, Completion completion);
  ServiceResult<std::string> list(std::string_view query) const;

  trigger::MappingDesk& desk_;
  const table::StreamReader& streams_;
  const std::function<bool(std::string_view name)> function_exists_;
};

}  // namespace pawl::wire
