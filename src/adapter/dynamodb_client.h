// Calls of DynamoDB's API, at Amazon or at an engine that speaks it (ScyllaDB Alternator, DynamoDB Local): JSON in, JSON
// out, signed, repeated where that makes sense, each ending in one of three outcomes (signed_client.h).
//
// An answer whose x-amz-crc32 is not that of its body counts as not answered. No compression is asked for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapter/dynamodb_endpoints.h"
#include "adapter/signed_client.h"
#include "port/random.h"

namespace pawl {

// The largest answer that is taken: 1 MB of items is at most 7 MB of their JSON.
inline constexpr std::size_t kDynamoDbAnswerBytesMax = std::size_t{16} << 20;

enum class DynamoDbApi : std::uint8_t { kTables, kStreams };

struct DynamoDbRequest {
  DynamoDbApi api = DynamoDbApi::kTables;
  std::string operation;  // "GetItem"
  std::string body;       // JSON
};

// `reply.body` is the JSON; dynamodb_answers.h reads it.
struct DynamoDbAnswer : RemoteAnswer {
  bool too_large() const { return reply.kind == HttpReply::Kind::kTooLarge; }
};

// The error of a request that only reads and is not done: kNotFound (ResourceNotFoundException), kInvalid where only a
// person can help, with what to do about it, else kUnavailable. `permissions`: what the credentials need, said where access
// was denied.
Error to_read_error(const DynamoDbAnswer& answer, std::string_view attempted,
                    std::string_view permissions = {});
// An answer that is done and that the parser refused: kUnavailable.
Error to_read_error(const Error& parsing, std::string_view attempted);

// One executor; coroutines may overlap on it. Destroy it when none of its coroutines is left.
class DynamoDbClient {
 public:
  // `endpoint` as given for the table ("" = as the settings say). Clock and random must outlive it. Errors: kInvalid.
  static Result<std::unique_ptr<DynamoDbClient>> open(std::string_view endpoint,
                                                      const AwsSurroundings& from, Clock& clock,
                                                      Random& random,
                                                      SignedClientOptions options = {});

  // A request is named after its operation, for RemoteInterference.
  Awaitable<DynamoDbAnswer> call(DynamoDbRequest request);

  const DynamoDbEndpoints& endpoints() const { return endpoints_; }
  // "DynamoDB in eu-north-1" or "http://127.0.0.1:8000": for people.
  std::string describe() const;
  Clock& clock() { return client_.clock(); }
  // How long to wait before the n-th try (1, 2, …) of what was answered but not all done: random, below 2 s.
  Duration backoff(std::uint32_t tries);

 private:
  DynamoDbClient(DynamoDbEndpoints endpoints, const AwsSettings& settings, AwsSurroundings from,
                 Clock& clock, Random& random, SignedClientOptions options);

  DynamoDbEndpoints endpoints_;
  SignedClient client_;
};

}  // namespace pawl
