#include "adapter/s3_client.h"

#include <fmt/format.h>

#include "base/xml_reader.h"
#include "sigv4/signature.h"

namespace pawl {
namespace {

// Code and message of an error document. Answers without one, or with another, have neither.
ServiceWords words_of(const HttpReply& reply) {
  std::string code;
  std::string message;
  const auto status = read_xml(reply.body, [&](std::string_view path, std::string_view text) {
    if (path == "Error/Code") code = text.substr(0, ServiceWords::kCodeMax);
    if (path == "Error/Message") message = text.substr(0, ServiceWords::kMessageMax);
  });
  return status.ok() ? ServiceWords::of(code, message) : ServiceWords{};
}

AttemptEnd judge(const HttpReply& reply, RemoteAnswer& answer) {
  if (reply.status < 300) return AttemptEnd::kDone;
  set_refusal(answer, words_of(reply));
  return classify_answer(reply.status, answer.code);
}

struct Hint {
  std::string_view code;
  const char* text;
};
constexpr Hint kHints[] = {
    {"NoSuchBucket", "make the bucket first: aws s3 mb s3://BUCKET"},
    {"AccessDenied", "the credentials need s3:GetObject, s3:PutObject and s3:ListBucket here"},
    {"InvalidAccessKeyId",
     "the store does not know this access key: check the credentials and the endpoint"},
    {"SignatureDoesNotMatch",
     "the secret access key is wrong, or something on the way changes requests"},
    {"RequestTimeTooSkewed", "set this machine's clock"},
    {"ExpiredToken", "the session's credentials have expired: get new ones"},
    {"PermanentRedirect", "the bucket is in another region: set AWS_REGION"},
    {"AuthorizationHeaderMalformed", "the bucket is in another region: set AWS_REGION"},
    {"IllegalLocationConstraintException", "the bucket is in another region: set AWS_REGION"},
};

}  // namespace

const Digest S3Request::kNoBody = sha256("");

Error to_error(const S3Answer& answer, std::string_view attempted) {
  Error error;
  error.message = fmt::format("{}: {}", attempted, answer.why);
  error.code =
      answer.outcome == RemoteOutcome::kUnknown ? ErrorCode::kUnknown : ErrorCode::kUnavailable;
  for (const auto& [code, hint] : kHints) {
    if (answer.code == code) error.hint = hint;
  }
  const auto region = answer.reply.header("x-amz-bucket-region");
  if (answer.status == 301 && !region.empty())
    error.hint = fmt::format("set AWS_REGION={}", region.substr(0, 32));
  if (error.code == ErrorCode::kUnavailable && answer.status >= 300 && answer.status < 500 &&
      answer.status != 409 && answer.status != 429)
    error.code = ErrorCode::kInvalid;
  return error;
}

Error to_read_error(const S3Answer& answer, std::string_view attempted) {
  Error error = to_error(answer, attempted);
  if (error.code == ErrorCode::kUnknown) error.code = ErrorCode::kUnavailable;
  return error;
}

Result<std::unique_ptr<S3Client>> S3Client::open(const S3Location& location,
                                                 std::string_view endpoint,
                                                 const AwsSurroundings& from, Clock& clock,
                                                 Random& random, SignedClientOptions options) {
  PAWL_ASSIGN_OR_RETURN(const auto settings, load_aws_settings(from, "s3"));
  PAWL_ASSIGN_OR_RETURN(
      auto resolved, resolve_s3_endpoint(location, endpoint.empty() ? settings.endpoint : endpoint,
                                         settings.region));
  return std::unique_ptr<S3Client>(new S3Client(location, std::move(resolved), settings, from,
                                                clock, random, std::move(options)));
}

S3Client::S3Client(S3Location location, S3Endpoint endpoint, const AwsSettings& settings,
                   AwsSurroundings from, Clock& clock, Random& random, SignedClientOptions options)
    : location_(std::move(location)),
      endpoint_(std::move(endpoint)),
      client_("s3", judge, settings, std::move(from), clock, random, std::move(options)) {}

std::string S3Client::describe() const {
  return fmt::format("{} at {}", location_.to_string(), endpoint_.origin);
}

Awaitable<S3Answer> S3Client::call(S3Request request) {
  SignedRequest sent;
  sent.target = endpoint_.base_path;
  if (!request.key.empty() || sent.target.empty())
    sent.target += "/" + sigv4::percent_encode(request.key, true);
  if (!request.query.empty()) sent.target += "?" + request.query;
  sent.name = std::move(request.key);
  sent.headers = std::move(request.headers);
  if (request.method == "PUT")
    sent.headers.emplace_back("Content-Type", "application/octet-stream");
  sent.method = std::move(request.method);
  sent.body = request.body;
  sent.body_digest = request.body_digest;
  sent.answer_bytes_max = request.answer_bytes_max;
  RemoteAnswer answer = co_await client_.call(endpoint_, std::move(sent));
  co_return S3Answer{std::move(answer)};
}

}  // namespace pawl
