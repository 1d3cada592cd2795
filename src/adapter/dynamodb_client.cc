#include "adapter/dynamodb_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "adapter/dynamodb_answers.h"
#include "base/crc.h"

namespace pawl {
namespace {

constexpr Duration kBackoffFirst = std::chrono::milliseconds(50);
constexpr Duration kBackoffLast = std::chrono::seconds(2);

// Where the service says what the body's checksum is, it has to be that.
bool is_damaged(const HttpReply& reply) {
  const auto said = reply.header("x-amz-crc32");
  if (said.empty()) return false;
  std::uint32_t expected = 0;
  const auto parsed = std::from_chars(said.data(), said.data() + said.size(), expected);
  return parsed.ec != std::errc() || parsed.ptr != said.data() + said.size() ||
         expected != crc32(reply.body);
}

AttemptEnd judge(const HttpReply& reply, RemoteAnswer& answer) {
  if (is_damaged(reply)) {
    answer.why =
        fmt::format("HTTP status {}, and a body whose x-amz-crc32 is another", reply.status);
    return AttemptEnd::kUnknown;
  }
  if (reply.status >= 200 && reply.status < 300) return AttemptEnd::kDone;
  const auto words = parse_refusal(reply.body);
  set_refusal(answer, words);
  return classify_dynamodb_answer(reply.status, words);
}

struct Hint {
  std::string_view code;
  const char* text;
};
constexpr Hint kHints[] = {
    {"AccessDeniedException", "give these credentials the permission that is named"},
    {"UnrecognizedClientException",
     "the service does not know this access key: check credentials, region and endpoint"},
    {"InvalidSignatureException",
     "the secret access key is wrong, or something on the way changes requests"},
    {"RequestTimeTooSkewed", "set this machine's clock"},
    {"ExpiredTokenException", "the session's credentials have expired: get new ones"},
    {"MissingAuthenticationTokenException", "give credentials: see AWS_ACCESS_KEY_ID"},
    {"ResourceNotFoundException", "check the name, the region and the account"},
    {"UnknownOperationException", "this endpoint does not have that part of DynamoDB's API"},
};

}  // namespace

Error to_read_error(const DynamoDbAnswer& answer, std::string_view attempted,
                    std::string_view permissions) {
  Error error;
  error.code = ErrorCode::kUnavailable;
  error.message = fmt::format("{}: {}", attempted, answer.why);
  for (const auto& [code, hint] : kHints) {
    if (answer.code == code) error.hint = hint;
  }
  if (answer.code == "AccessDeniedException" && !permissions.empty()) error.hint = permissions;
  const bool passing = answer.status == 408 || answer.status == 429 || is_throttle(answer.code) ||
                       answer.outcome == RemoteOutcome::kUnknown;
  if (answer.code == "ResourceNotFoundException") {
    error.code = ErrorCode::kNotFound;
  } else if (answer.no_credentials || is_denial(answer.code) ||
             (answer.status >= 300 && answer.status < 500 && !passing)) {
    error.code = ErrorCode::kInvalid;
  }
  return error;
}

Error to_read_error(const Error& parsing, std::string_view attempted) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", attempted, parsing.message), parsing.hint};
}

Result<std::unique_ptr<DynamoDbClient>> DynamoDbClient::open(std::string_view endpoint,
                                                             const AwsSurroundings& from,
                                                             Clock& clock, Random& random,
                                                             SignedClientOptions options) {
  PAWL_ASSIGN_OR_RETURN(const auto settings, load_aws_settings(from, "dynamodb"));
  PAWL_ASSIGN_OR_RETURN(const auto streams, load_aws_settings(from, "dynamodb_streams"));
  PAWL_ASSIGN_OR_RETURN(auto endpoints, resolve_dynamodb_endpoints(endpoint, settings, streams));
  return std::unique_ptr<DynamoDbClient>(
      new DynamoDbClient(std::move(endpoints), settings, from, clock, random, std::move(options)));
}

DynamoDbClient::DynamoDbClient(DynamoDbEndpoints endpoints, const AwsSettings& settings,
                               AwsSurroundings from, Clock& clock, Random& random,
                               SignedClientOptions options)
    : endpoints_(std::move(endpoints)),
      client_("dynamodb", judge, settings, std::move(from), clock, random, std::move(options)) {}

std::string DynamoDbClient::describe() const {
  return endpoints_.amazon ? "DynamoDB in " + endpoints_.tables.region : endpoints_.tables.origin;
}

Duration DynamoDbClient::backoff(std::uint32_t tries) {
  const auto doublings = std::clamp<std::uint32_t>(tries, 1, 16) - 1;
  const Duration most = std::min(kBackoffFirst * (std::int64_t{1} << doublings), kBackoffLast);
  return Duration{static_cast<std::int64_t>(client_.random().next() %
                                            static_cast<std::uint64_t>(most.count() + 1))};
}

Awaitable<DynamoDbAnswer> DynamoDbClient::call(DynamoDbRequest request) {
  const bool streams = request.api == DynamoDbApi::kStreams;
  const RemoteEndpoint& endpoint = streams ? endpoints_.streams : endpoints_.tables;
  SignedRequest sent;
  sent.name = request.operation;
  sent.method = "POST";
  sent.target = endpoint.base_path.empty() ? "/" : endpoint.base_path;
  sent.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                  {"X-Amz-Target", (streams ? "DynamoDBStreams_20120810." : "DynamoDB_20120810.") +
                                       request.operation}};
  sent.body = request.body;  // lives in this coroutine's frame
  sent.body_digest = sha256(request.body);
  sent.answer_bytes_max = kDynamoDbAnswerBytesMax;
  RemoteAnswer answer = co_await client_.call(endpoint, std::move(sent));
  co_return DynamoDbAnswer{std::move(answer)};
}

}  // namespace pawl
