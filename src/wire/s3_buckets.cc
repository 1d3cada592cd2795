// What is asked of buckets: making them, and listing what they hold.
#include <algorithm>

#include "base/hex.h"
#include "base/xml_reader.h"
#include "sigv4/signature.h"
#include "wire/s3_service.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using bucket::ListQuery;

constexpr std::size_t kDeletedMax = 1000;

struct ListForm {
  ListQuery query;
  bool url = false;  // encoding-type=url
};

S3Result<ListForm> list_form(const S3Call& call, std::string_view max_name) {
  ListForm form;
  form.query.prefix = call.value("prefix");
  form.query.delimiter = call.value("delimiter");
  WIRE_ASSIGN(const auto max, number_in_query(call, max_name, 0x7FFFFFFF));
  form.query.max = std::min<std::size_t>(max.value_or(bucket::kPageMax), bucket::kPageMax);
  const std::string_view encoding = call.value("encoding-type");
  if (!encoding.empty() && encoding != "url")
    return invalid_argument("Invalid Encoding Method specified in Request");
  form.url = encoding == "url";
  return form;
}

void append_name(std::string& out, const ListForm& form, std::string_view tag,
                 std::string_view name) {
  append_xml(out, tag, form.url ? sigv4::percent_encode(name, true) : std::string(name));
}

// What both versions of ListObjects say in the same words.
void append_page(std::string& out, const ListForm& form,
                 const bucket::Page<bucket::ListedObject>& page, bool owner) {
  append_xml(out, "IsTruncated", page.truncated ? "true" : "false");
  append_xml(out, "MaxKeys", form.query.max);
  append_name(out, form, "Prefix", form.query.prefix);
  if (!form.query.delimiter.empty()) append_name(out, form, "Delimiter", form.query.delimiter);
  if (form.url) append_xml(out, "EncodingType", "url");
  for (const auto& [key, record] : page.entries) {
    out += "<Contents>";
    append_name(out, form, "Key", key);
    append_xml(out, "LastModified", s3_timestamp(record.modified));
    append_xml(out, "ETag", "\"" + record.etag + "\"");
    if (!record.checksum.value.empty())
      append_xml(out, "ChecksumAlgorithm", checksum_in_capitals(record.checksum.algorithm));
    append_xml(out, "Size", record.bytes);
    append_xml(out, "StorageClass", "STANDARD");
    if (owner) out += "<Owner><ID>pawl</ID><DisplayName>pawl</DisplayName></Owner>";
    out += "</Contents>";
  }
  for (const std::string& prefix : page.prefixes) {
    out += "<CommonPrefixes>";
    append_name(out, form, "Prefix", prefix);
    out += "</CommonPrefixes>";
  }
}

}  // namespace

S3Status S3Service::create_bucket(const HttpRequest& request, const AccessGate::Admitted& admitted,
                                  const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_TRY(stored_headers_of(request));  // refuses ACLs and object lock
  bucket::CreateBucket command{call.bucket, call.region};
  WIRE_ASSIGN(const std::string document, document_of(request, admitted));
  if (!document.empty()) {
    const auto read = read_xml(document, [&command](std::string_view path, std::string_view text) {
      if (path == "CreateBucketConfiguration/LocationConstraint" && !text.empty())
        command.region = text;
    });
    if (!read.ok())
      return S3Error{400, "MalformedXML", "The XML you provided was not well-formed.", {}};
    // It comes back in a header.
    if (!is_plausible_region(command.region)) {
      return S3Error{400,
                     "InvalidLocationConstraint",
                     "The specified location-constraint is not valid: up to 64 of a-z, A-Z, 0-9 "
                     "and -.",
                     {}};
    }
  }
  submit(std::move(command), exchange, [name = call.bucket](const bucket::Outcome&) {
    HttpResponse response;
    response.headers.emplace_back("Location", "/" + name);
    return response;
  });
  return Unit{};
}

S3Result<bucket::Page<bucket::ListedObject>> S3Service::list_page(const S3Call& call,
                                                                  const ListQuery& query) {
  auto page = archive_.is(call.bucket) ? list_archive(query)
                                       : bucket::list_objects(store_.records(), call.bucket, query);
  if (!page.ok()) return s3_error_of(page.error());
  return std::move(page).value();
}

S3Status S3Service::list_objects(const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_ASSIGN(ListForm form, list_form(call, "max-keys"));
  form.query.after = call.value("marker");
  form.query.goes_on = !form.query.after.empty();
  WIRE_ASSIGN(const auto page, list_page(call, form.query));
  std::string out = begin_xml("ListBucketResult");
  append_xml(out, "Name", call.bucket);
  append_name(out, form, "Marker", form.query.after);
  if (page.truncated) append_name(out, form, "NextMarker", page.last);
  append_page(out, form, page, true);
  exchange->answer_xml(out + "</ListBucketResult>");
  return Unit{};
}

S3Status S3Service::list_objects_v2(const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_ASSIGN(ListForm form, list_form(call, "max-keys"));
  form.query.after = call.value("start-after");
  if (call.has("continuation-token")) {
    auto after = from_hex(call.value("continuation-token"));
    if (!after || after->empty() || after->size() > 4 * bucket::kObjectKeyBytesMax)
      return invalid_argument("The continuation token provided is incorrect");
    form.query.after = std::move(*after);
    form.query.goes_on = true;
  }
  WIRE_ASSIGN(const auto page, list_page(call, form.query));
  std::string out = begin_xml("ListBucketResult");
  append_xml(out, "Name", call.bucket);
  append_xml(out, "KeyCount", page.entries.size() + page.prefixes.size());
  if (call.has("start-after")) append_name(out, form, "StartAfter", call.value("start-after"));
  if (call.has("continuation-token"))
    append_xml(out, "ContinuationToken", call.value("continuation-token"));
  if (page.truncated) append_xml(out, "NextContinuationToken", to_hex(page.last));
  append_page(out, form, page, call.value("fetch-owner") == "true");
  exchange->answer_xml(out + "</ListBucketResult>");
  return Unit{};
}

S3Status S3Service::list_uploads(const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_TRY(check_bucket(call.bucket));
  WIRE_ASSIGN(ListForm form, list_form(call, "max-uploads"));
  form.query.after = call.value("key-marker");
  form.query.after_id = upload_id_of(call.value("upload-id-marker"));
  auto page = bucket::list_uploads(store_.records(), call.bucket, form.query);
  if (!page.ok()) return s3_error_of(page.error());
  std::string out = begin_xml("ListMultipartUploadsResult");
  append_xml(out, "Bucket", call.bucket);
  append_name(out, form, "KeyMarker", form.query.after);
  append_xml(out, "UploadIdMarker", call.value("upload-id-marker"));
  if (page->truncated) {
    append_name(out, form, "NextKeyMarker", page->last);
    append_xml(out, "NextUploadIdMarker", to_hex(page->last_id));
  }
  append_xml(out, "MaxUploads", form.query.max);
  append_xml(out, "IsTruncated", page->truncated ? "true" : "false");
  append_name(out, form, "Prefix", form.query.prefix);
  if (!form.query.delimiter.empty()) append_name(out, form, "Delimiter", form.query.delimiter);
  if (form.url) append_xml(out, "EncodingType", "url");
  for (const auto& upload : page->entries) {
    out += "<Upload>";
    append_name(out, form, "Key", upload.key);
    append_xml(out, "UploadId", to_hex(upload.id));
    out += "<Initiator><ID>pawl</ID><DisplayName>pawl</DisplayName></Initiator>";
    out += "<Owner><ID>pawl</ID><DisplayName>pawl</DisplayName></Owner>";
    append_xml(out, "StorageClass", "STANDARD");
    append_xml(out, "Initiated", s3_timestamp(upload.record.initiated));
    out += "</Upload>";
  }
  for (const std::string& prefix : page->prefixes) {
    out += "<CommonPrefixes>";
    append_name(out, form, "Prefix", prefix);
    out += "</CommonPrefixes>";
  }
  exchange->answer_xml(out + "</ListMultipartUploadsResult>");
  return Unit{};
}

S3Status S3Service::delete_objects(const HttpRequest& request, const AccessGate::Admitted& admitted,
                                   const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const S3Error malformed{
      400,
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our "
      "published schema",
      {}};
  WIRE_ASSIGN(const std::string document, document_of(request, admitted));
  bucket::DeleteObjects command{call.bucket, {}};
  bool quiet = false, versioned = false, too_many = false;
  bucket::DeleteObjects::One one;
  const auto read = read_xml(document, [&](std::string_view path, std::string_view text) {
    if (path == "Delete/Quiet") quiet = text == "true";
    if (path == "Delete/Object/Key") one.key = text;
    if (path == "Delete/Object/ETag") one.has_etag = std::string(bare_etag(text));
    if (path == "Delete/Object/VersionId" && text != "null" && !text.empty()) versioned = true;
    if (path != "Delete/Object") return;
    too_many = too_many || command.objects.size() >= kDeletedMax;
    if (!too_many) command.objects.push_back(std::move(one));
    one = {};
  });
  if (!read.ok() || too_many || command.objects.empty()) return malformed;
  if (versioned) return not_implemented("Versioning (VersionId)");
  for (const auto& object : command.objects) {
    if (object.key.empty()) return malformed;
    WIRE_TRY(check_key(object.key));
  }
  std::vector<std::string> keys;
  for (const auto& object : command.objects) keys.push_back(object.key);
  submit(std::move(command), exchange, [keys, quiet](const bucket::Outcome& outcome) {
    std::string out = begin_xml("DeleteResult");
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bucket::Refusal refusal = outcome.each[i];
      if (refusal == bucket::Refusal::kNone && quiet) continue;
      out += refusal == bucket::Refusal::kNone ? "<Deleted>" : "<Error>";
      append_xml(out, "Key", keys[i]);
      if (refusal != bucket::Refusal::kNone) {
        bucket::Outcome why;
        why.refusal = refusal;
        const S3Error error = s3_error_of(why, {}, keys[i]);
        append_xml(out, "Code", error.code);
        append_xml(out, "Message", error.message);
      }
      out += refusal == bucket::Refusal::kNone ? "</Deleted>" : "</Error>";
    }
    HttpResponse response;
    response.content_type = "application/xml";
    response.body = out + "</DeleteResult>";
    return response;
  });
  return Unit{};
}

}  // namespace pawl::wire
