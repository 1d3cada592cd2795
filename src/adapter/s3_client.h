// Requests to one bucket: signed, repeated where that makes sense, each ending in one of three outcomes. What to do after
// an attempt is decided by remote_retry.h; this is the shell that does it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapter/aws_credential_source.h"
#include "adapter/http_pool.h"
#include "adapter/remote_retry.h"
#include "adapter/s3_location.h"
#include "base/digest.h"
#include "port/random.h"

namespace pawl {

struct S3Request {
  std::string method;
  std::string key;    // "" = the bucket itself
  std::string query;  // encoded; "" = none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  // must stay valid until the answer
  Digest body_digest = kNoBody;
  std::size_t answer_bytes_max = std::size_t{64} << 10;

  static const Digest kNoBody;  // SHA-256 of nothing
};

struct S3Answer {
  RemoteOutcome outcome = RemoteOutcome::kUnknown;
  unsigned status = 0;  // of the last answer; 0 = none came
  std::string code;     // the service's error code, where it gave one
  HttpReply reply;      // the last
  std::string why;      // for people, where it is not done: "HTTP status 403, AccessDenied: …"
  bool slowed = false;  // some attempt was told to slow down, or not answered

  bool done() const { return outcome == RemoteOutcome::kDone; }
  // There is a bucket, and in it no such object.
  bool absent() const { return status == 404 && code != "NoSuchBucket"; }
};

// The error of an answer that is not done: kUnavailable, kUnknown, or kInvalid where only a person can help, with what
// to do about it.
Error to_error(const S3Answer& answer, std::string_view attempted);
// The same of a request that only reads: it changes nothing, so nothing of it is unknown.
Error to_read_error(const S3Answer& answer, std::string_view attempted);

// Where tests stand in for the store and the network.
class S3Interference {
 public:
  virtual ~S3Interference() = default;
  // An answer instead of sending; nothing = send it.
  virtual std::optional<HttpReply> before(const S3Request& request) = 0;
  // May change what came back.
  virtual void after(const S3Request& request, HttpReply& reply) = 0;
};

struct S3ClientOptions {
  S3Interference* interference = nullptr;  // must outlive the client
  RetryPolicy retry;
  std::chrono::milliseconds attempt_timeout{10'000};
};

// One executor; coroutines may overlap on it. Destroy it when none of its coroutines is left.
class S3Client {
 public:
  // `endpoint` as given by --s3-endpoint; "" = as the settings say. Clock and random must outlive it. Errors: kInvalid.
  static Result<std::unique_ptr<S3Client>> open(const S3Location& location,
                                                std::string_view endpoint,
                                                const AwsSurroundings& from, Clock& clock,
                                                Random& random, S3ClientOptions options = {});

  Awaitable<S3Answer> call(S3Request request);

  const S3Location& location() const { return location_; }
  const S3Endpoint& endpoint() const { return endpoint_; }
  std::string describe() const;  // for people: "s3://bucket/prefix at http://127.0.0.1:7480"
  Clock& clock() { return clock_; }

 private:
  S3Client(S3Location location, S3Endpoint endpoint, const AwsSettings& settings,
           AwsSurroundings from, Clock& clock, Random& random, S3ClientOptions options);
  HttpCall sign(const S3Request& request, const AwsCredentials& credentials) const;
  Awaitable<HttpReply> send(const S3Request& request, const AwsCredentials& credentials);
  AttemptEnd judge(const HttpReply& reply, S3Answer& answer) const;

  S3Location location_;
  S3Endpoint endpoint_;
  Clock& clock_;
  Random& random_;
  S3ClientOptions options_;
  HttpPool http_;
  AwsCredentialSource credentials_;
  RetryBudget budget_;
  Duration skew_{0};  // server's clock minus ours
};

}  // namespace pawl
