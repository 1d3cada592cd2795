#include "wire/s3_service.h"

#include "base/hex.h"
#include "wire/s3_xml.h"
#include "wire/xml_text.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kOwner = "pawl";

bool names_a_bucket_in_host(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  for (const std::string_view suffix : {".localhost", ".127.0.0.1", ".amazonaws.com"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) return true;
  }
  return false;
}

// The only ACL there is: who made it may do everything.
std::string default_acl() {
  std::string out = begin_xml("AccessControlPolicy");
  const auto person = [&out](std::string_view tag, std::string_view attributes) {
    out.append("<").append(tag).append(attributes).append(">");
    append_xml(out, "ID", kOwner);
    append_xml(out, "DisplayName", kOwner);
    out.append("</").append(tag).append(">");
  };
  person("Owner", "");
  out += "<AccessControlList><Grant>";
  person("Grantee",
         " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"");
  append_xml(out, "Permission", "FULL_CONTROL");
  return out + "</Grant></AccessControlList></AccessControlPolicy>";
}

S3Error method_not_allowed() {
  return {
      405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {}};
}

}  // namespace

void S3Exchange::answer(HttpResponse response) {
  response.headers.emplace_back("x-amz-request-id", call.id);
  completion_.answer(std::move(response));
}

void S3Exchange::answer_xml(std::string body) {
  HttpResponse response;
  response.content_type = "application/xml";
  response.body = std::move(body);
  answer(std::move(response));
}

void S3Exchange::refuse(const S3Error& error) {
  completion_.answer(s3_error_response(error, call.path, call.id, call.is_head()));
}

S3Service::S3Service(AccessGate& gate, bucket::BucketStore& store, Random& random,
                     std::function<Instant()> now, RunElsewhere run_elsewhere)
    : gate_(gate),
      store_(store),
      random_(random),
      now_(std::move(now)),
      run_elsewhere_(std::move(run_elsewhere)) {}

S3Result<std::pair<S3Call, AccessGate::Admitted>> S3Service::admit(const HttpRequest& request) {
  if (names_a_bucket_in_host(request.header("host"))) {
    return not_implemented(
        "Naming the bucket in the Host (virtual-host addressing; use path addressing)");
  }
  auto admitted = gate_.admit_s3(request, now_());
  if (!admitted.ok()) return s3_error_of(admitted.error(), is_presigned(request));
  WIRE_ASSIGN(S3Call call, parse_s3_call(request));
  call.region = admitted->caller.region;
  return std::make_pair(std::move(call), std::move(admitted).value());
}

void S3Service::serve(const HttpRequest& request, Completion completion) {
  auto admitted = admit(request);
  if (!admitted.ok()) {
    return completion.answer(s3_error_response(admitted.error(),
                                               request.target.substr(0, request.target.find('?')),
                                               request.id, request.method == "HEAD"));
  }
  const auto exchange =
      std::make_shared<S3Exchange>(std::move(admitted->first), std::move(completion));
  dispatch(request, admitted->second, exchange);
}

void S3Service::dispatch(const HttpRequest& request, const AccessGate::Admitted& admitted,
                         const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  S3Status status = Unit{};
  if (call.bucket.empty()) {
    status = serve_service(exchange);
  } else if (call.key.empty()) {
    status = serve_bucket(request, admitted, exchange);
  } else {
    status = serve_object(request, admitted, exchange);
  }
  if (!status.ok()) exchange->refuse(status.error());
}

S3Status S3Service::serve_service(const S3ExchangePtr& exchange) {
  if (exchange->call.method != "GET" && !exchange->call.is_head()) return method_not_allowed();
  auto buckets = store_.buckets();
  if (!buckets.ok()) return s3_error_of(buckets.error());
  std::string out = begin_xml("ListAllMyBucketsResult");
  out += "<Owner>";
  append_xml(out, "ID", kOwner);
  append_xml(out, "DisplayName", kOwner);
  out += "</Owner><Buckets>";
  for (const auto& [name, record] : buckets.value()) {
    out += "<Bucket>";
    append_xml(out, "Name", name);
    append_xml(out, "CreationDate", s3_timestamp(record.created));
    out += "</Bucket>";
  }
  exchange->answer_xml(out + "</Buckets></ListAllMyBucketsResult>");
  return Unit{};
}

S3Status S3Service::serve_bucket(const HttpRequest& request, const AccessGate::Admitted& admitted,
                                 const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const std::string& method = call.method;
  if (call.has("tagging")) return not_implemented("Tagging of buckets");
  if (method == "POST" && call.has("delete")) return delete_objects(request, admitted, exchange);
  if (method == "POST") return not_implemented("An upload by a form (POST of a bucket)");
  if (method == "PUT" && (call.has("acl") || call.has("versioning")))
    return not_implemented(call.has("acl") ? "Setting an ACL" : "Versioning");
  if (method == "PUT") return create_bucket(request, exchange);
  if (method == "DELETE") {
    submit(bucket::DeleteBucket{call.bucket}, exchange, [](const bucket::Outcome&) {
      HttpResponse response;
      response.status = 204;
      return response;
    });
    return Unit{};
  }
  if (method != "GET" && !call.is_head()) return method_not_allowed();
  if (!call.is_head() && call.has("uploads")) return list_uploads(exchange);
  auto found = store_.bucket(call.bucket);
  if (!found.ok()) return s3_error_of(found.error());
  WIRE_TRY(check_bucket(call.bucket));
  if (call.is_head()) {
    HttpResponse response;
    response.headers.emplace_back("x-amz-bucket-region", found.value()->region);
    exchange->answer(std::move(response));
  } else if (call.has("location")) {
    std::string out = begin_xml("LocationConstraint");
    // The service says nothing for its first region.
    if (found.value()->region != "us-east-1") append_xml_text(out, found.value()->region);
    exchange->answer_xml(out + "</LocationConstraint>");
  } else if (call.has("acl")) {
    exchange->answer_xml(default_acl());
  } else if (call.has("versioning")) {
    exchange->answer_xml(begin_xml("VersioningConfiguration") + "</VersioningConfiguration>");
  } else if (call.value("list-type") == "2") {
    return list_objects_v2(exchange);
  } else {
    return list_objects(exchange);
  }
  return Unit{};
}

S3Status S3Service::serve_object(const HttpRequest& request, const AccessGate::Admitted& admitted,
                                 const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const std::string& method = call.method;
  if (call.has("acl") || call.has("tagging")) {
    if (method != "GET") return not_implemented("Setting an ACL, or tags,");
    auto found = store_.object(call.bucket, call.key);
    if (!found.ok()) return s3_error_of(found.error());
    bucket::Outcome absent;
    absent.refusal = bucket::Refusal::kNoSuchKey;
    if (!found.value()) return s3_error_of(absent, call.bucket, call.key);
    // What copies an object asks for its tags first: it has none.
    exchange->answer_xml(call.has("acl") ? default_acl()
                                         : begin_xml("Tagging") + "<TagSet></TagSet></Tagging>");
    return Unit{};
  }
  if (method == "GET" && call.has("uploadId")) return list_parts(exchange);
  if (method == "GET" || call.is_head()) return get_object(request, exchange);
  if (method == "DELETE" && call.has("uploadId")) return abort_upload(exchange);
  if (method == "DELETE") return delete_object(request, exchange);
  if (method == "POST" && call.has("uploads")) return create_upload(request, exchange);
  if (method == "POST" && call.has("uploadId")) return complete_upload(request, admitted, exchange);
  if (method == "PUT" && request.has_header("x-amz-copy-source")) {
    return call.has("uploadId") ? copy_part(request, exchange) : copy(request, exchange);
  }
  if (method == "PUT") return put_small(request, admitted, exchange);
  return method_not_allowed();
}

S3Status S3Service::check_bucket(const std::string& bucket) {
  auto found = store_.bucket(bucket);
  if (!found.ok()) return s3_error_of(found.error());
  if (found.value()) return Unit{};
  bucket::Outcome absent;
  absent.refusal = bucket::Refusal::kNoSuchBucket;
  return s3_error_of(absent, bucket, {});
}

S3Result<std::string> S3Service::document_of(const HttpRequest& request,
                                             const AccessGate::Admitted& admitted) {
  WIRE_ASSIGN(BodyClaims claims, body_claims_of(request, admitted.signature));
  BodyDigests digests(claims.checksum, !claims.sha256.empty());
  std::string document(request.body);
  if (claims.chunked) {
    document.clear();
    AwsChunkedDecoder decoder(*claims.chunked);
    WIRE_TRY(decoder.feed(request.body, document));
    if (!decoder.done())
      return S3Error{400, "IncompleteBody", "The aws-chunked body has no end.", {}};
  }
  digests.update(document);
  const BodyDigests::Values values = digests.finish();
  if ((!claims.md5.empty() && claims.md5 != values.md5) ||
      (!claims.checksum_value.empty() && claims.checksum_value != values.checksum)) {
    return S3Error{400,
                   "BadDigest",
                   "The Content-MD5 or checksum you specified did not match what we received.",
                   {}};
  }
  if (!claims.sha256.empty() && claims.sha256 != values.sha256) {
    return S3Error{400,
                   "XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.",
                   {}};
  }
  return document;
}

void S3Service::submit(bucket::Action action, const S3ExchangePtr& exchange,
                       std::function<HttpResponse(const bucket::Outcome&)> done) {
  store_.committer().submit(
      {std::move(action), [exchange, done = std::move(done)](const bucket::Outcome& outcome) {
         if (outcome.refusal == bucket::Refusal::kNone) return exchange->answer(done(outcome));
         exchange->refuse(s3_error_of(outcome, exchange->call.bucket, exchange->call.key));
       }});
}

std::string upload_id_of(std::string_view text) {
  auto id = from_hex(text);
  if (!id || id->size() != bucket::kUploadIdBytes) return {};
  return *std::move(id);
}

}  // namespace pawl::wire
