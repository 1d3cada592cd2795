#include "adapter/aws_credential_source.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "item/json_fields.h"

namespace pawl {
namespace {

constexpr std::chrono::milliseconds kServiceTimeout{2000};
constexpr std::size_t kServiceAnswerMax = 65536;
constexpr int kAsksMax = 3;
constexpr Duration kTurn =
    std::chrono::milliseconds(20);  // between looks at a renewal by another coroutine
constexpr const char* kTokenPath = "/latest/api/token";
constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";

Error no_credentials() {
  return {ErrorCode::kInvalid, "no AWS credentials are configured",
          "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile by AWS_PROFILE"};
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

}  // namespace

Result<AwsCredentials> parse_credential_answer(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::dom::object object;
  if (parser.parse(padded).get_object().get(object) != simdjson::SUCCESS) {
    return Error{ErrorCode::kInvalid, "the credentials given out are no JSON object", {}};
  }
  item::JsonFields fields(object, "the credentials given out");
  if (const auto code = fields.optional_text("Code"); code && *code != "Success") {
    return Error{ErrorCode::kInvalid, fmt::format("no credentials are given out: {}", *code), {}};
  }
  AwsCredentials credentials;
  credentials.key_id = fields.text("AccessKeyId");
  credentials.secret = Secret(std::string(fields.text("SecretAccessKey")));
  credentials.session_token = Secret(std::string(fields.text("Token")));
  credentials.expires = fields.instant("Expiration");
  if (!fields.ok() || credentials.key_id.empty() || credentials.secret.empty()) {
    return Error{
        ErrorCode::kInvalid, "the credentials given out lack a key, a token or an expiration", {}};
  }
  return credentials;
}

AwsCredentialSource::AwsCredentialSource(AwsSettings settings, AwsSurroundings from, HttpPool& http,
                                         Clock& clock)
    : settings_(std::move(settings)), from_(std::move(from)), http_(http), clock_(clock) {}

bool AwsCredentialSource::is_fresh(Instant now) const {
  return given_ && now.microseconds + kRenewBefore.count() < given_->expires->microseconds;
}

void AwsCredentialSource::expired(std::string_view key_id) {
  if (given_ && given_->key_id == key_id) given_.reset(), retry_at_ = {};
}

Awaitable<Result<AwsCredentials>> AwsCredentialSource::current() {
  if (settings_.credentials) co_return *settings_.credentials;
  if (!settings_.service) co_return no_credentials();
  const auto alarm = clock_.make_alarm();
  while (renewing_) {
    const bool usable = given_ && clock_.now() < *given_->expires;
    if (usable) co_return *given_;
    co_await alarm->wait_until(clock_.monotonic() + kTurn);
  }
  if (is_fresh(clock_.now())) co_return *given_;
  Status renewed = ok();
  if (clock_.monotonic() >= retry_at_) {
    renewing_ = true;
    renewed = co_await renew();
    renewing_ = false;
    if (!renewed.ok()) retry_at_ = clock_.monotonic() + kRenewRetry;
  }
  if (given_ && clock_.now() < *given_->expires) co_return *given_;
  if (!renewed.ok()) co_return renewed.error();
  co_return Error{ErrorCode::kUnavailable,
                  fmt::format("{} gave no credentials a moment ago", settings_.credentials_from),
                  {}};
}

Awaitable<Status> AwsCredentialSource::renew() {
  const bool container = settings_.service->kind == AwsCredentialService::Kind::kContainer;
  // One statement each: g++ 12 destroys the results of co_await in a conditional expression twice.
  std::string answer;
  if (container) {
    auto given = co_await ask_container();
    if (!given.ok()) co_return given.error();
    answer = std::move(given).value();
  } else {
    auto given = co_await ask_instance();
    if (!given.ok()) co_return given.error();
    answer = std::move(given).value();
  }
  auto credentials = parse_credential_answer(answer);
  if (!credentials.ok()) co_return credentials.error();
  given_ = std::move(credentials).value();
  co_return ok();
}

Awaitable<Result<std::string>> AwsCredentialSource::ask_container() {
  HttpCall call;
  call.method = "GET";
  call.url = settings_.service->url;
  std::string authorization = settings_.service->authorization.reveal();
  if (!settings_.service->token_file.empty()) {
    const auto token = from_.file(settings_.service->token_file);
    if (!token.ok()) co_return token.error();
    authorization = trimmed(token->value_or(""));
  }
  if (authorization.find_first_of("\r\n") != std::string::npos) {
    co_return Error{
        ErrorCode::kInvalid, "the container's authorization token has several lines", {}};
  }
  if (!authorization.empty()) call.headers.emplace_back("Authorization", authorization);
  co_return co_await ask(std::move(call), "the container's credentials");
}

// IMDSv2 only: a session's token first.
Awaitable<Result<std::string>> AwsCredentialSource::ask_instance() {
  HttpCall call;
  call.method = "PUT";
  call.url = settings_.service->url + kTokenPath;
  call.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}};
  const auto token = co_await ask(call, "a token of the instance's metadata");
  if (!token.ok()) co_return no_credentials();  // not on an instance, most likely
  call.method = "GET";
  call.url = settings_.service->url + kRolePath;
  call.headers = {{"X-aws-ec2-metadata-token", trimmed(*token)}};
  const auto role = co_await ask(call, "the instance's role");
  if (!role.ok()) co_return role.error();
  call.url += trimmed(*role);
  co_return co_await ask(call, "the credentials of the instance's role");
}

Awaitable<Result<std::string>> AwsCredentialSource::ask(HttpCall call, std::string what) {
  call.timeout = kServiceTimeout;
  call.answer_bytes_max = kServiceAnswerMax;
  std::string why;
  for (int i = 0; i < kAsksMax; ++i) {
    auto reply = co_await http_.send(call);
    const bool answered = reply.kind == HttpReply::Kind::kAnswered;
    if (answered && reply.status == 200) co_return std::move(reply.body);
    why = answered ? fmt::format("HTTP status {}", reply.status) : reply.why;
    if (answered && reply.status < 500) break;
  }
  co_return Error{ErrorCode::kUnavailable, fmt::format("asking for {}: {}", what, why), {}};
}

}  // namespace pawl
