// Puts of objects and of parts: small bodies, which come whole, and large ones, which are received.
#include "wire/s3_put.h"

#include "base/hex.h"

namespace pawl::wire {
namespace {

void append_checksum(HttpResponse& response, const bucket::Checksum& checksum) {
  if (checksum.value.empty()) return;
  response.headers.emplace_back("x-amz-checksum-" + checksum.algorithm, checksum.value);
}

}  // namespace

S3PutReceiver::S3PutReceiver(S3Service& service, S3Call call, S3PutPlan plan)
    : service_(service),
      call_(std::move(call)),
      plan_(std::move(plan)),
      body_(service.store_, plan_.claims) {}

void S3PutReceiver::receive(std::string piece, More more) {
  auto taken = std::make_shared<std::string>(std::move(piece));
  service_.run_elsewhere_([self = shared_from_this(), taken, more = std::move(more)] {
    const auto status = self->body_.take(*taken);
    if (status.ok()) return more(std::nullopt);
    more(s3_error_response(status.error(), self->call_.path, self->call_.id, false));
  });
}

void S3PutReceiver::complete(std::string rest, Completion completion) {
  auto taken = std::make_shared<std::string>(std::move(rest));
  auto exchange = std::make_shared<S3Exchange>(call_, std::move(completion));
  service_.run_elsewhere_([self = shared_from_this(), taken, exchange] {
    const auto status = self->body_.take(*taken);
    if (!status.ok()) return exchange->refuse(status.error());
    auto whole = self->body_.finish(self->plan_.upload_id.empty());
    if (!whole.ok()) return exchange->refuse(whole.error());
    self->service_.commit_put(self->plan_, std::move(whole).value(), exchange);
  });
}

S3Result<S3PutPlan> S3Service::plan_put(const HttpRequest& request,
                                        const AccessGate::Admitted& admitted, const S3Call& call) {
  S3PutPlan plan;
  WIRE_ASSIGN(plan.headers, stored_headers_of(request));
  WIRE_ASSIGN(plan.conditions, write_conditions_of(request));
  WIRE_ASSIGN(plan.claims, body_claims_of(request, admitted.signature));
  if (!call.has("uploadId") && !call.has("partNumber")) return plan;
  WIRE_ASSIGN(const auto part, number_in_query(call, "partNumber", bucket::kPartNumberMax));
  if (part.value_or(0) == 0) {
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive");
  }
  plan.part = static_cast<unsigned>(*part);
  plan.upload_id = upload_id_of(call.value("uploadId"));
  WIRE_ASSIGN(const bucket::UploadRecord upload, find_upload(call, plan.upload_id));
  const std::string& declared = upload.checksum.algorithm;
  if (!declared.empty() && !plan.claims.checksum.empty() && plan.claims.checksum != declared) {
    return S3Error{400,
                   "InvalidRequest",
                   "Checksum Type mismatch occurred, expected checksum Type: " + declared +
                       ", actual checksum Type: " + plan.claims.checksum,
                   {}};
  }
  // What the upload was declared with is computed of each part, whether its client says it or not.
  if (plan.claims.checksum.empty()) plan.claims.checksum = declared;
  return plan;
}

S3Status S3Service::put_small(const HttpRequest& request, const AccessGate::Admitted& admitted,
                              const S3ExchangePtr& exchange) {
  WIRE_ASSIGN(const S3PutPlan plan, plan_put(request, admitted, exchange->call));
  IncomingBody body(store_, plan.claims);
  WIRE_TRY(body.take(request.body));
  WIRE_ASSIGN(IncomingBody::Whole whole, body.finish(plan.upload_id.empty()));
  commit_put(plan, std::move(whole), exchange);
  return Unit{};
}

BodyPlan S3Service::plan_body(const HttpRequest& request) {
  BodyPlan plan;
  const auto refuse = [&](const S3Error& error) {
    plan.refusal = s3_error_response(error, request.target.substr(0, request.target.find('?')),
                                     request.id, false);
    return std::move(plan);
  };
  auto admitted = admit(request);
  if (!admitted.ok()) return refuse(admitted.error());
  S3Call& call = admitted->first;
  if (call.method != "PUT" || call.key.empty() || call.has("acl") || call.has("tagging") ||
      request.has_header("x-amz-copy-source")) {
    return plan;  // a document: collected
  }
  if (archive_.is(call.bucket)) return refuse(archive_is_read_only());
  const auto there = check_bucket(call.bucket);
  if (!there.ok()) return refuse(there.error());
  auto put = plan_put(request, admitted->second, call);
  if (!put.ok()) return refuse(put.error());
  if (!store_.committer().enough_room())
    return refuse({503, "SlowDown", "There is no room for writes.", {}});
  // With room for the framing of aws-chunked; the body itself is counted against what was announced.
  plan.bytes_max = kObjectBytesMax + kObjectBytesMax / 8;
  plan.receiver = std::make_shared<S3PutReceiver>(*this, std::move(call), std::move(put).value());
  return plan;
}

void S3Service::commit_put(const S3PutPlan& plan, IncomingBody::Whole whole,
                           const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const auto done = [etag = whole.etag, checksum = whole.checksum](const bucket::Outcome&) {
    HttpResponse response;
    response.headers.emplace_back("ETag", "\"" + etag + "\"");
    append_checksum(response, checksum);
    return response;
  };
  if (plan.upload_id.empty()) {
    bucket::PutObject command;
    command.bucket = call.bucket;
    command.key = call.key;
    command.conditions = plan.conditions;
    command.record.bytes = whole.bytes;
    command.record.etag = std::move(whole.etag);
    command.record.headers = plan.headers;
    command.record.checksum = std::move(whole.checksum);
    command.record.place = std::move(whole.place);
    return submit(std::move(command), exchange, done);
  }
  bucket::PutPart command{call.bucket, call.key, plan.upload_id, plan.part, {}};
  command.record.bytes = whole.bytes;
  command.record.etag = std::move(whole.etag);
  command.record.checksum = std::move(whole.checksum);
  command.record.place = std::move(whole.place);
  submit(std::move(command), exchange, done);
}

}  // namespace pawl::wire
