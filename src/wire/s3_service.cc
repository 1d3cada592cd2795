#include "wire/s3_service.h"

#include <algorithm>

#include "base/hex.h"
#include "wire/s3_xml.h"
#include "wire/xml_text.h"

namespace pawl::wire {
namespace {

bool names_a_bucket_in_host(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  for (const std::string_view suffix : {".localhost", ".127.0.0.1", ".amazonaws.com"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) return true;
  }
  return false;
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

S3Service::S3Service(AccessGate& gate, bucket::BucketStore& store, S3ArchiveBucket archive,
                     Random& random, std::function<Instant()> now, RunElsewhere run_elsewhere)
    : gate_(gate),
      store_(store),
      archive_(std::move(archive)),
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
  } else if (archive_.is(call.bucket)) {
    status = serve_archive(request, exchange);
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
  if (!archive_.name.empty() && archive_.shelf != nullptr) {
    const auto at = std::find_if(buckets->begin(), buckets->end(), [this](const auto& bucket) {
      return bucket.first > archive_.name;
    });
    buckets->insert(at, {archive_.name, {archive_.created, {}, {}}});
  }
  std::string out = begin_xml("ListAllMyBucketsResult");
  out += "<Owner>";
  append_xml(out, "ID", kOwnerName);
  append_xml(out, "DisplayName", kOwnerName);
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
  if (method == "PUT") return create_bucket(request, admitted, exchange);
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
  if (!found.value()) return no_such_bucket(call.bucket);
  return read_bucket(*found.value(), exchange);
}

S3Status S3Service::read_bucket(const bucket::BucketRecord& record, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  if (call.is_head()) {
    HttpResponse response;
    response.headers.emplace_back("x-amz-bucket-region", record.region);
    exchange->answer(std::move(response));
  } else if (call.has("location")) {
    std::string out = begin_xml("LocationConstraint");
    // The service says nothing for its first region.
    if (record.region != "us-east-1") append_xml_text(out, record.region);
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
    if (!found.value()) return no_such_key(call.key);
    // What copies an object asks for its tags first: it has none.
    exchange->answer_xml(call.has("acl") ? default_acl() : no_tags());
    return Unit{};
  }
  if (method == "GET" && call.has("uploadId")) return list_parts(exchange);
  if (method == "GET" || call.is_head()) return get_object(read_ask_of(request), exchange);
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
  if (archive_.is(bucket)) return check_archive();
  auto found = store_.bucket(bucket);
  if (!found.ok()) return s3_error_of(found.error());
  if (!found.value()) return no_such_bucket(bucket);
  return Unit{};
}

S3Result<std::string> S3Service::document_of(const HttpRequest& request,
                                             const AccessGate::Admitted& admitted) {
  WIRE_ASSIGN(BodyClaims claims, body_claims_of(request, admitted.signature));
  BodyDigests digests(claims.checksum, !claims.sha256.empty());
  std::optional<AwsChunkedDecoder> decoder;
  std::string document;
  if (claims.chunked) {
    decoder.emplace(*claims.chunked);
    WIRE_TRY(decoder->feed(request.body, document));
  } else {
    document = request.body;
  }
  digests.update(document);
  WIRE_TRY(check_body(claims, decoder ? &*decoder : nullptr, document.size(), digests.finish()));
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
