#include "adapter/signed_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/http_header.h"
#include "sigv4/signature.h"

namespace pawl {
namespace {

std::optional<Instant> date_of(const HttpReply& reply) {
  const std::string text(reply.header("date").substr(0, 64));
  const auto seconds = curl_getdate(text.c_str(), nullptr);
  if (text.empty() || seconds < 0) return std::nullopt;
  return Instant{static_cast<std::int64_t>(seconds) * 1'000'000};
}

}  // namespace

void set_refusal(RemoteAnswer& answer, const ServiceWords& words) {
  answer.why = fmt::format("HTTP status {}{}{}{}{}", answer.status, words.code.empty() ? "" : ", ",
                           words.code, words.message.empty() ? "" : ": ", words.message);
  answer.code = words.code;
}

SignedClient::SignedClient(std::string service, JudgeAnswer judge, const AwsSettings& settings,
                           AwsSurroundings from, Clock& clock, Random& random,
                           SignedClientOptions options)
    : service_(std::move(service)),
      judge_(judge),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      http_(HttpPoolOptions{.connections_max = options_.connections_max,
                            .ca_file = settings.ca_bundle}),
      credentials_(settings, std::move(from), http_, clock) {}

HttpCall SignedClient::sign(const RemoteEndpoint& endpoint, const SignedRequest& request,
                            const AwsCredentials& credentials) const {
  HttpCall call;
  call.method = request.method;
  call.url = endpoint.origin + request.target;
  call.headers = request.headers;
  if (!credentials.session_token.empty())
    call.headers.emplace_back("X-Amz-Security-Token", credentials.session_token.reveal());
  std::vector<HttpHeader> views;
  for (const auto& [name, value] : call.headers) views.push_back({name, value});
  const Instant now{clock_.now().microseconds + skew_.count()};
  auto added = sigv4::sign_request({credentials.key_id, credentials.secret.reveal()},
                                   endpoint.region, service_, request.method, endpoint.host,
                                   request.target, views, request.body_digest.to_hex(), now);
  for (auto& header : added) call.headers.push_back(std::move(header));
  call.headers.emplace_back("Host", endpoint.host);
  call.body = request.body;
  call.answer_bytes_max = request.answer_bytes_max;
  call.timeout = options_.attempt_timeout;
  // The request outlives the call: it is kept until the reply.
  if (options_.may_send) call.may_send = [this, &request] { return options_.may_send(request); };
  return call;
}

// How the attempt ended; what it says goes into the answer.
AttemptEnd SignedClient::end_of(const HttpReply& reply, RemoteAnswer& answer) const {
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
  return judge_(reply, answer);
}

Awaitable<HttpReply> SignedClient::send(const RemoteEndpoint& endpoint,
                                        const SignedRequest& request,
                                        const AwsCredentials& credentials) {
  RemoteInterference* const interference = options_.interference;
  if (interference == nullptr) co_return co_await http_.send(sign(endpoint, request, credentials));
  if (auto instead = interference->before(request)) co_return *std::move(instead);
  auto reply = co_await http_.send(sign(endpoint, request, credentials));
  interference->after(request, reply);
  co_return reply;
}

Awaitable<RemoteAnswer> SignedClient::call(const RemoteEndpoint& endpoint, SignedRequest request) {
  RemoteAnswer answer;
  RetryState state;
  const MonotonicInstant start = clock_.monotonic();
  for (;;) {
    const auto credentials = co_await credentials_.current();
    if (!credentials.ok()) {
      answer.outcome = state.maybe_done ? RemoteOutcome::kUnknown : RemoteOutcome::kNotDone;
      answer.why = credentials.error().to_string();
      answer.no_credentials = credentials.error().code == ErrorCode::kInvalid;
      co_return answer;
    }
    if (options_.may_send && !options_.may_send(request)) {
      answer.outcome = state.maybe_done ? RemoteOutcome::kUnknown : RemoteOutcome::kNotDone;
      answer.status = 0;
      answer.code.clear();
      answer.why = "not sent: whoever asked may not write any more";
      co_return answer;
    }
    answer.reply = co_await send(endpoint, request, *credentials);
    const auto end = end_of(answer.reply, answer);
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
