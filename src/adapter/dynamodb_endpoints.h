// Where DynamoDB's two APIs are: that of tables and that of streams.
#pragma once

#include <string_view>

#include "adapter/aws_settings.h"
#include "adapter/remote_endpoint.h"
#include "base/result.h"

namespace pawl {

struct DynamoDbEndpoints {
  RemoteEndpoint tables;
  RemoteEndpoint streams;
  bool amazon = false;  // both are Amazon's own for the region
};

// Both come from `given`, if that is not ""; else from the settings of the services "dynamodb" and "dynamodb_streams"
// (AWS SDKs and Tools Reference Guide, "Identifiers for service-specific endpoints"); else they are Amazon's own, which need
// a region. An endpoint that is one's own serves both APIs, so it is the streams' too, unless they have another; one of
// Amazon's (a FIPS or dual-stack endpoint of tables) does not. Errors: kInvalid.
Result<DynamoDbEndpoints> resolve_dynamodb_endpoints(std::string_view given,
                                                     const AwsSettings& tables,
                                                     const AwsSettings& streams);

}  // namespace pawl
