// What a request to Lambda says about an event source mapping: parsed, checked against the service's bounds, and against what
// Pawl has. Shapes: the service model lambda/2015-03-31 (CreateEventSourceMappingRequest, UpdateEventSourceMappingRequest).
#pragma once

#include <string>
#include <string_view>

#include "trigger/mapping.h"
#include "wire/service_error.h"

namespace pawl::wire {

struct CreateMappingInput {
  trigger::MappingConfig config;
  std::string source_arn;
};
// `body` is followed by kBodyPadding bytes. Errors: InvalidParameterValueException; UnsupportedOperationException, naming what
// Pawl does not have; SerializationException.
ServiceResult<CreateMappingInput> parse_create_mapping(std::string_view body);
ServiceResult<trigger::MappingChanges> parse_update_mapping(std::string_view body);

// The name in "NAME", "ACCOUNT:function:NAME" or an ARN, with or without the qualifier $LATEST.
ServiceResult<std::string> mapping_function_of(std::string_view text);

}  // namespace pawl::wire
