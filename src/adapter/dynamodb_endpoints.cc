#include "adapter/dynamodb_endpoints.h"

#include <fmt/format.h>

namespace pawl {
namespace {

RemoteEndpoint amazons(std::string_view name, std::string_view region) {
  RemoteEndpoint endpoint;
  endpoint.host = fmt::format("{}.{}.{}", name, region, amazon_domain(region));
  endpoint.origin = "https://" + endpoint.host;
  endpoint.region = region;
  return endpoint;
}

bool is_amazons(const RemoteEndpoint& endpoint) {
  for (const std::string_view end :
       {".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"}) {
    if (endpoint.host.ends_with(end)) return true;
  }
  return false;
}

}  // namespace

Result<DynamoDbEndpoints> resolve_dynamodb_endpoints(std::string_view given,
                                                     const AwsSettings& tables,
                                                     const AwsSettings& streams) {
  const std::string_view region = tables.region;
  const std::string_view url = given.empty() ? std::string_view(tables.endpoint) : given;
  const std::string_view streams_url =
      given.empty() ? std::string_view(streams.endpoint) : std::string_view{};
  DynamoDbEndpoints result;
  result.amazon = url.empty() && streams_url.empty();
  if (!url.empty()) {
    PAWL_ASSIGN_OR_RETURN(result.tables, parse_endpoint_url(url, region, "DynamoDB"));
  }
  if (!streams_url.empty()) {
    PAWL_ASSIGN_OR_RETURN(result.streams,
                          parse_endpoint_url(streams_url, region, "DynamoDB Streams"));
  } else if (!url.empty() && !is_amazons(result.tables)) {
    result.streams = result.tables;
  }
  if (!result.tables.origin.empty() && !result.streams.origin.empty()) return result;
  if (region.empty()) {
    return Error{ErrorCode::kInvalid, "no AWS region is configured for DynamoDB",
                 "set AWS_REGION to the table's region, or AWS_ENDPOINT_URL_DYNAMODB for an engine "
                 "of your own"};
  }
  if (result.tables.origin.empty()) result.tables = amazons("dynamodb", region);
  if (result.streams.origin.empty()) result.streams = amazons("streams.dynamodb", region);
  return result;
}

}  // namespace pawl
