#include "adapter/s3_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "adapter/xml_reader.h"
#include "base/http_header.h"
#include "sigv4/signature.h"

namespace pawl {
namespace {

constexpr std::size_t kMessageMax = 300;  // of a service's words in ours

// Code and message of an error document. Answers without one, or with another, have neither.
struct ServiceWords {
  std::string code;
  std::string message;
};

ServiceWords words_of(const HttpReply& reply) {
  ServiceWords words;
  const auto status = read_xml(reply.body, [&words](std::string_view path, std::string_view text) {
    if (path == "Error/Code") words.code = text.substr(0, 64);
    if (path == "Error/Message") words.message = text.substr(0, kMessageMax);
  });
  if (!status.ok()) return {};
  for (char& c : words.message) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return words;
}

std::optional<Instant> date_of(const HttpReply& reply) {
  const std::string text(reply.header("date").substr(0, 64));
  const auto seconds = curl_getdate(text.c_str(), nullptr);
  if (text.empty() || seconds < 0) return std::nullopt;
  return Instant{static_cast<std::int64_t>(seconds) * 1'000'000};
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
                                                 Random& random, S3ClientOptions options) {
  PAWL_ASSIGN_OR_RETURN(const auto settings, load_aws_settings(from, "s3"));
  PAWL_ASSIGN_OR_RETURN(
      auto resolved, resolve_s3_endpoint(location, endpoint.empty() ? settings.endpoint : endpoint,
                                         settings.region));
  return std::unique_ptr<S3Client>(
      new S3Client(location, std::move(resolved), settings, from, clock, random, options));
}

S3Client::S3Client(S3Location location, S3Endpoint endpoint, const AwsSettings& settings,
                   AwsSurroundings from, Clock& clock, Random& random, S3ClientOptions options)
    : location_(std::move(location)),
      endpoint_(std::move(endpoint)),
      clock_(clock),
      random_(random),
      options_(options),
      http_(HttpPoolOptions{.connections_max = 256, .ca_file = settings.ca_bundle}),
      credentials_(settings, std::move(from), http_, clock) {}

std::string S3Client::describe() const {
  return fmt::format("{} at {}", location_.to_string(), endpoint_.origin);
}

HttpCall S3Client::sign(const S3Request& request, const AwsCredentials& credentials) const {
  std::string target = endpoint_.base_path;
  if (!request.key.empty() || target.empty())
    target += "/" + sigv4::percent_encode(request.key, true);
  if (!request.query.empty()) target += "?" + request.query;

  HttpCall call;
  call.method = request.method;
  call.url = endpoint_.origin + target;
  call.headers = request.headers;
  if (!credentials.session_token.empty())
    call.headers.emplace_back("X-Amz-Security-Token", credentials.session_token.reveal());
  std::vector<HttpHeader> views;
  for (const auto& [name, value] : call.headers) views.push_back({name, value});
  const Instant now{clock_.now().microseconds + skew_.count()};
  auto added = sigv4::sign_request({credentials.key_id, credentials.secret.reveal()},
                                   endpoint_.region, "s3", request.method, endpoint_.host, target,
                                   views, request.body_digest.to_hex(), now);
  for (auto& header : added) call.headers.push_back(std::move(header));
  call.headers.emplace_back("Host", endpoint_.host);
  if (request.method == "PUT")
    call.headers.emplace_back("Content-Type", "application/octet-stream");
  call.body = request.body;
  call.answer_bytes_max = request.answer_bytes_max;
  call.timeout = options_.attempt_timeout;
  return call;
}

// How the attempt ended; what it says goes into the answer.
AttemptEnd S3Client::judge(const HttpReply& reply, S3Answer& answer) const {
  answer.status = 0;
  answer.code.clear();
  switch (reply.kind) {
    case HttpReply::Kind::kNotSent:
      answer.why = reply.why;
      return AttemptEnd::kNotDone;
    case HttpReply::Kind::kNoAnswer:
      answer.why = fmt::format("sent, but not answered: {}", reply.why);
      return AttemptEnd::kUnknown;
    case HttpReply::Kind::kTooLarge:
      answer.status = reply.status;
      answer.why =
          fmt::format("HTTP status {}, and an answer that is larger than wanted", reply.status);
      return AttemptEnd::kRejected;
    case HttpReply::Kind::kAnswered:
      break;
  }
  answer.status = reply.status;
  if (reply.status < 300) return AttemptEnd::kDone;
  auto words = words_of(reply);
  answer.why = fmt::format("HTTP status {}{}{}{}{}", reply.status, words.code.empty() ? "" : ", ",
                           words.code, words.message.empty() ? "" : ": ", words.message);
  answer.code = std::move(words.code);
  return classify_answer(reply.status, answer.code);
}

Awaitable<HttpReply> S3Client::send(const S3Request& request, const AwsCredentials& credentials) {
  S3Interference* const interference = options_.interference;
  if (interference == nullptr) co_return co_await http_.send(sign(request, credentials));
  if (auto instead = interference->before(request)) co_return *std::move(instead);
  auto reply = co_await http_.send(sign(request, credentials));
  interference->after(request, reply);
  co_return reply;
}

Awaitable<S3Answer> S3Client::call(S3Request request) {
  S3Answer answer;
  RetryState state;
  const MonotonicInstant start = clock_.monotonic();
  for (;;) {
    const auto credentials = co_await credentials_.current();
    if (!credentials.ok()) {
      answer.outcome = state.maybe_done ? RemoteOutcome::kUnknown : RemoteOutcome::kNotDone;
      answer.why = credentials.error().to_string();
      co_return answer;
    }
    answer.reply = co_await send(request, *credentials);
    const auto end = judge(answer.reply, answer);
    if (end == AttemptEnd::kSlowDown || (end == AttemptEnd::kUnknown && answer.status == 0))
      answer.slowed = true;
    const auto decision = after_attempt(state, end, clock_.monotonic() - start, random_.next(),
                                        budget_, options_.retry);
    if (!decision.again) {
      answer.outcome = decision.outcome;
      co_return answer;
    }
    if (decision.correct_clock) {
      if (const auto date = date_of(answer.reply))
        skew_ = corrected_skew(skew_, *date, clock_.now());
    }
    if (decision.renew_credentials) credentials_.expired(credentials->key_id);
    if (decision.wait > Duration::zero()) {
      const auto alarm = clock_.make_alarm();
      co_await alarm->wait_until(clock_.monotonic() + decision.wait);
    }
  }
}

}  // namespace pawl
