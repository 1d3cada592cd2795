// Requests to one bucket: signed, repeated where that makes sense, each ending in one of three outcomes
// (signed_client.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapter/s3_location.h"
#include "adapter/signed_client.h"
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

struct S3Answer : RemoteAnswer {
  // There is a bucket, and in it no such object.
  bool absent() const { return status == 404 && code != "NoSuchBucket"; }
};

// The error of an answer that is not done: kUnavailable, kUnknown, or kInvalid where only a person can help, with what
// to do about it.
Error to_error(const S3Answer& answer, std::string_view attempted);
// The same of a request that only reads: it changes nothing, so nothing of it is unknown.
Error to_read_error(const S3Answer& answer, std::string_view attempted);

// One executor; coroutines may overlap on it. Destroy it when none of its coroutines is left.
class S3Client {
 public:
  // `endpoint` as given by --s3-endpoint; "" = as the settings say. Clock and random must outlive it. Errors: kInvalid.
  static Result<std::unique_ptr<S3Client>> open(const S3Location& location,
                                                std::string_view endpoint,
                                                const AwsSurroundings& from, Clock& clock,
                                                Random& random, SignedClientOptions options = {});

  // A request is named after its key, for RemoteInterference.
  Awaitable<S3Answer> call(S3Request request);

  const S3Location& location() const { return location_; }
  const S3Endpoint& endpoint() const { return endpoint_; }
  std::string describe() const;  // for people: "s3://bucket/prefix at http://127.0.0.1:7480"
  Clock& clock() { return client_.clock(); }

 private:
  S3Client(S3Location location, S3Endpoint endpoint, const AwsSettings& settings,
           AwsSurroundings from, Clock& clock, Random& random, SignedClientOptions options);

  S3Location location_;
  S3Endpoint endpoint_;
  SignedClient client_;
};

}  // namespace pawl
