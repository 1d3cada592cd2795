// The archive as a bucket: read like any other, and never changed through any API.
#include "base/digest.h"
#include "wire/s3_service.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using bucket::ObjectRecord;

// Of an object that is never overwritten its name, length and instant say which it is; to know its MD5 would be to read it, for
// each entry of a listing. With "-1", as of an upload in parts: clients don't take such a one for an MD5.
std::string etag_of(std::string_view name, const ShelvedAbout& about) {
  std::string text(name);
  text.append(1, '\0').append(std::to_string(about.bytes)).append(1, '\0');
  text.append(std::to_string(about.modified.microseconds));
  return sha256(text).to_hex().substr(0, 32) + "-1";
}

ObjectRecord record_of(std::string_view name, const ShelvedAbout& about) {
  ObjectRecord record;
  record.bytes = about.bytes;
  record.modified = about.modified;
  record.etag = etag_of(name, about);
  record.headers.emplace_back("content-type", "application/json");  // whatever the name says
  return record;
}

}  // namespace

S3Error S3Service::archive_is_read_only() const {
  return {403,
          "AccessDenied",
          "The bucket '" + archive_.name +
              "' shows Pawl's archive, which is read only: history is never overwritten or deleted "
              "through any API. Use another bucket.",
          {}};
}

S3Status S3Service::check_archive() const {
  if (archive_.shelf != nullptr) return Unit{};
  return S3Error{403,
                 "AccessDenied",
                 "The archive of this server is " + archive_.elsewhere + ": read it there.",
                 {}};
}

S3Status S3Service::serve_archive(const HttpRequest& request, const S3ExchangePtr& exchange) {
  if (request.method != "GET" && !exchange->call.is_head()) return archive_is_read_only();
  WIRE_TRY(check_archive());
  run_elsewhere_([this, exchange, ask = read_ask_of(request)] {
    const S3Status status = read_archive(ask, exchange);
    if (!status.ok()) exchange->refuse(status.error());
  });
  return Unit{};
}

S3Status S3Service::read_archive(const ReadAsk& ask, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  if (call.key.empty()) {
    if (call.has("tagging")) return not_implemented("Tagging of buckets");
    if (!call.is_head() && call.has("uploads")) return list_uploads(exchange);
    return read_bucket({archive_.created, "us-east-1", {}}, exchange);
  }
  if (call.has("partNumber")) return not_implemented("Reading one part (partNumber)");
  if (call.has("uploadId")) {
    bucket::Outcome absent;
    absent.refusal = bucket::Refusal::kNoSuchUpload;
    return s3_error_of(absent, call.bucket, call.key);
  }
  WIRE_ASSIGN(Archived archived, open_archived(call.key));
  if (!call.is_head() && (call.has("acl") || call.has("tagging"))) {
    exchange->answer_xml(call.has("acl") ? default_acl() : no_tags());
    return Unit{};
  }
  HttpResponse response;
  WIRE_ASSIGN(const auto range, begin_read(ask, call, archived.record, response));
  if (range) {
    response.source =
        std::make_shared<OpenBodySource>(std::move(archived.body), *range, run_elsewhere_);
  }
  exchange->answer(std::move(response));
  return Unit{};
}

S3Result<S3Service::Archived> S3Service::open_archived(const std::string& key) {
  WIRE_TRY(check_archive());
  auto opened = archive_.shelf->open(key);
  if (!opened.ok()) return s3_error_of(opened.error());
  if (!opened.value()) return no_such_key(key);
  return Archived{record_of(key, (*opened)->about), std::move((*opened)->body)};
}

Result<bucket::Page<bucket::ListedObject>> S3Service::list_archive(const bucket::ListQuery& query) {
  PAWL_ASSIGN_OR_RETURN(auto page, bucket::list_shelf(*archive_.shelf, query));
  for (auto& entry : page.entries)
    entry.record.etag = etag_of(entry.key, {entry.record.bytes, entry.record.modified});
  return page;
}

}  // namespace pawl::wire
