// Requests to a remote service that are signed with AWS credentials: each is repeated where that makes sense and ends in
// one of three outcomes. What to do after an attempt is decided by remote_retry.h; what an answer means, by the client of
// the service (s3_client.h, dynamodb_client.h); this is the loop between them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapter/aws_credential_source.h"
#include "adapter/http_pool.h"
#include "adapter/remote_endpoint.h"
#include "adapter/remote_retry.h"
#include "adapter/service_words.h"
#include "base/digest.h"
#include "port/random.h"

namespace pawl {

struct SignedRequest {
  std::string name;    // what is asked for: an object's key, an operation's name
  std::string method;  // "GET", "PUT", "POST", …
  std::string target;  // path and query, encoded, as they are sent
  std::vector<std::pair<std::string, std::string>> headers;  // signed as they are
  std::string_view body;                                     // must stay valid until the answer
  Digest body_digest;                                        // SHA-256 of the body
  std::size_t answer_bytes_max = std::size_t{64} << 10;
};

struct RemoteAnswer {
  RemoteOutcome outcome = RemoteOutcome::kUnknown;
  unsigned status = 0;          // of the last answer; 0 = none came
  std::string code;             // the service's error code, where it gave one
  HttpReply reply;              // the last
  std::string why;              // for people, where it is not done: "HTTP status 403, AccessDenied"
  bool slowed = false;          // some attempt was told to slow down, or not answered
  bool no_credentials = false;  // not sent: none are configured

  bool done() const { return outcome == RemoteOutcome::kDone; }
};

// How an attempt ended that was answered in whole, whatever its status. Fills code and why of `answer`, unless it is done.
using JudgeAnswer = AttemptEnd (*)(const HttpReply& reply, RemoteAnswer& answer);
// Code and why of a refusal, from the service's words.
void set_refusal(RemoteAnswer& answer, const ServiceWords& words);

// Where tests stand in for the service and the network.
class RemoteInterference {
 public:
  virtual ~RemoteInterference() = default;
  // An answer instead of sending; nothing = send it.
  virtual std::optional<HttpReply> before(const SignedRequest& request) = 0;
  // May change what came back.
  virtual void after(const SignedRequest& request, HttpReply& reply) = 0;
};

struct SignedClientOptions {
  RemoteInterference* interference = nullptr;  // must outlive the client
  RetryPolicy retry;
  std::chrono::milliseconds attempt_timeout{10'000};
  std::size_t connections_max = 256;
  // Asked before each attempt, and once more right before it is sent, on a thread of the client's own; false: it is not sent. For
  // who writes only while it is not fenced, and may be paused at any time.
  std::function<bool(const SignedRequest&)> may_send = {};
};

// One executor; coroutines may overlap on it. Destroy it when none of its coroutines is left.
class SignedClient {
 public:
  // `service` is the name that is signed for ("s3"). Clock and random must outlive it.
  SignedClient(std::string service, JudgeAnswer judge, const AwsSettings& settings,
               AwsSurroundings from, Clock& clock, Random& random, SignedClientOptions options);

  // `endpoint` must stay valid until the answer.
  Awaitable<RemoteAnswer> call(const RemoteEndpoint& endpoint, SignedRequest request);

  Clock& clock() { return clock_; }
  Random& random() { return random_; }

 private:
  HttpCall sign(const RemoteEndpoint& endpoint, const SignedRequest& request,
                const AwsCredentials& credentials) const;
  Awaitable<HttpReply> send(const RemoteEndpoint& endpoint, const SignedRequest& request,
                            const AwsCredentials& credentials);
  AttemptEnd end_of(const HttpReply& reply, RemoteAnswer& answer) const;

  std::string service_;
  JudgeAnswer judge_;
  Clock& clock_;
  Random& random_;
  SignedClientOptions options_;
  HttpPool http_;
  AwsCredentialSource credentials_;
  RetryBudget budget_;
  Duration skew_{0};  // server's clock minus ours
};

}  // namespace pawl
