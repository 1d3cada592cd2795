// Uploads in parts: their beginning and their end. The parts themselves are puts (s3_put.cc).
#include <algorithm>
#include <charconv>

#include "base/coding.h"
#include "base/hex.h"
#include "base/xml_reader.h"
#include "wire/s3_service.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

S3Error malformed() {
  return {
      400,
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      {}};
}

struct ChosenPart {
  unsigned number = 0;
  std::string etag;
  std::string checksum;
};

S3Result<std::vector<ChosenPart>> parse_parts(std::string_view document) {
  std::vector<ChosenPart> parts;
  ChosenPart part;
  bool wrong = false;
  const auto read = read_xml(document, [&](std::string_view path, std::string_view text) {
    constexpr std::string_view kPart = "CompleteMultipartUpload/Part";
    if (!path.starts_with(kPart)) return;
    const std::string_view member = path.substr(kPart.size());
    if (member == "/PartNumber") {
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), part.number);
      wrong = wrong || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size();
    } else if (member == "/ETag") {
      part.etag = bare_etag(text);
    } else if (member.starts_with("/Checksum")) {
      part.checksum = text;
    } else if (member.empty()) {
      wrong = wrong || part.number == 0 || part.number > bucket::kPartNumberMax ||
              part.etag.empty() || parts.size() >= bucket::kPartNumberMax;
      if (!wrong) parts.push_back(std::move(part));
      part = {};
    }
  });
  if (!read.ok() || wrong || parts.empty()) return malformed();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].number > parts[i - 1].number) continue;
    return S3Error{
        400,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
        {}};
  }
  return parts;
}

HttpResponse completed(const S3Call& call, const std::string& etag,
                       const bucket::Checksum& checksum) {
  HttpResponse response;
  response.content_type = "application/xml";
  std::string& out = response.body;
  out = begin_xml("CompleteMultipartUploadResult");
  append_xml(out, "Location", "/" + call.bucket + "/" + call.key);
  append_xml(out, "Bucket", call.bucket);
  append_xml(out, "Key", call.key);
  append_xml(out, "ETag", "\"" + etag + "\"");
  if (!checksum.value.empty()) {
    append_xml(out, "Checksum" + checksum_in_capitals(checksum.algorithm), checksum.value);
    append_xml(out, "ChecksumType", checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  out += "</CompleteMultipartUploadResult>";
  return response;
}

// What a client says of the whole.
S3Status check_claimed(const HttpRequest& request, const bucket::Checksum& checksum) {
  for (const std::string_view name : kChecksumNames) {
    const std::string_view claimed = request.header("x-amz-checksum-" + std::string(name));
    if (claimed.empty() || name != checksum.algorithm) continue;
    if (claimed != checksum.value && claimed != checksum.value.substr(0, checksum.value.find('-')))
      return S3Error{
          400, "BadDigest", "The checksum you specified did not match what we received.", {}};
  }
  return Unit{};
}

}  // namespace

S3Result<bucket::UploadRecord> S3Service::find_upload(const S3Call& call, const std::string& id) {
  auto found = store_.upload(call.bucket, call.key, id);
  if (!found.ok()) return s3_error_of(found.error());
  if (found.value()) return *std::move(found).value();
  WIRE_TRY(check_bucket(call.bucket));
  bucket::Outcome absent;
  absent.refusal = bucket::Refusal::kNoSuchUpload;
  return s3_error_of(absent, call.bucket, call.key);
}

S3Status S3Service::create_upload(const HttpRequest& request, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  bucket::CreateUpload command{call.bucket, call.key, {}, {}};
  append_u64_be(command.id, static_cast<std::uint64_t>(now_().microseconds));  // so that they sort
  append_u64_be(command.id, random_.next());
  WIRE_ASSIGN(command.record.headers, stored_headers_of(request));
  const std::string_view algorithm = request.header("x-amz-checksum-algorithm");
  bucket::Checksum& checksum = command.record.checksum;
  if (!algorithm.empty()) {
    checksum.algorithm = checksum_named(algorithm);
    const std::string_view type = request.header("x-amz-checksum-type");
    checksum.composite = type.empty() ? checksum.algorithm != "crc64nvme" : type == "COMPOSITE";
    const bool hash = checksum.algorithm.starts_with("sha");
    if (checksum.algorithm.empty() || (hash && !checksum.composite) ||
        (checksum.algorithm == "crc64nvme" && checksum.composite)) {
      return S3Error{
          400,
          "InvalidRequest",
          "The checksum algorithm and type that were asked for are not supported together.",
          {}};
    }
  }
  // Copied before the command is moved: which argument is made first nobody says.
  const std::string id = command.id;
  const bucket::Checksum declared = checksum;
  submit(std::move(command), exchange, [exchange, id, declared](const bucket::Outcome&) {
    HttpResponse response;
    response.content_type = "application/xml";
    response.body = begin_xml("InitiateMultipartUploadResult");
    append_xml(response.body, "Bucket", exchange->call.bucket);
    append_xml(response.body, "Key", exchange->call.key);
    append_xml(response.body, "UploadId", to_hex(id));
    response.body += "</InitiateMultipartUploadResult>";
    if (!declared.algorithm.empty()) {
      response.headers.emplace_back("x-amz-checksum-algorithm",
                                    checksum_in_capitals(declared.algorithm));
      response.headers.emplace_back("x-amz-checksum-type",
                                    declared.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    return response;
  });
  return Unit{};
}

S3Status S3Service::complete_upload(const HttpRequest& request,
                                    const AccessGate::Admitted& admitted,
                                    const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_ASSIGN(const std::string document, document_of(request, admitted));
  WIRE_ASSIGN(const auto chosen, parse_parts(document));
  bucket::CompleteUpload command{
      call.bucket, call.key, upload_id_of(call.value("uploadId")), {}, {}, {}, 0, {}};
  WIRE_ASSIGN(command.conditions, write_conditions_of(request));
  std::vector<std::string> etags;
  for (const ChosenPart& part : chosen) {
    etags.push_back(part.etag);
    command.parts.push_back({part.number, part.etag});
  }
  const auto etag = etag_of_parts(etags);
  if (!etag)
    return S3Error{
        400, "InvalidPart", "One or more of the specified parts could not be found.", {}};
  command.etag = *etag;
  auto upload = find_upload(call, command.id);
  if (!upload.ok()) {
    // A client that lost the answer asks again: what it completed is there.
    auto there = store_.object(call.bucket, call.key);
    if (there.ok() && there.value() && there.value()->etag == *etag) {
      exchange->answer(completed(call, *etag, there.value()->checksum));
      return Unit{};
    }
    return upload.error();
  }
  if (!upload->checksum.algorithm.empty()) {
    std::vector<PartChecksum> checksums;
    auto page = bucket::list_parts(store_.records(), command.id, 0, bucket::kPartNumberMax);
    if (!page.ok()) return s3_error_of(page.error());
    auto next = page->entries.begin();
    for (const ChosenPart& part : chosen) {
      next = std::find_if(next, page->entries.end(),
                          [&part](const auto& entry) { return entry.number == part.number; });
      bucket::Outcome invalid;
      invalid.refusal = bucket::Refusal::kInvalidPart;
      invalid.part = part.number;
      if (next == page->entries.end() ||
          (!part.checksum.empty() && part.checksum != next->record.checksum.value)) {
        return s3_error_of(invalid, call.bucket, call.key);
      }
      checksums.push_back({next->record.checksum.value, next->record.bytes});
    }
    WIRE_ASSIGN(command.checksum, checksum_of_parts(upload->checksum, checksums));
    WIRE_TRY(check_claimed(request, command.checksum));
  }
  command.list_number = store_.new_number();
  const bucket::Checksum checksum = command.checksum;
  submit(std::move(command), exchange, [exchange, checksum](const bucket::Outcome& outcome) {
    return completed(exchange->call, outcome.etag, checksum);
  });
  return Unit{};
}

S3Status S3Service::abort_upload(const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const std::string id = upload_id_of(call.value("uploadId"));
  WIRE_TRY(find_upload(call, id));
  submit(bucket::AbortUpload{call.bucket, call.key, id}, exchange, [](const bucket::Outcome&) {
    HttpResponse response;
    response.status = 204;
    return response;
  });
  return Unit{};
}

S3Status S3Service::list_parts(const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  const std::string id = upload_id_of(call.value("uploadId"));
  WIRE_ASSIGN(const bucket::UploadRecord upload, find_upload(call, id));
  WIRE_ASSIGN(const auto max, number_in_query(call, "max-parts", 0x7FFFFFFF));
  WIRE_ASSIGN(const auto after, number_in_query(call, "part-number-marker", 0x7FFFFFFF));
  const auto count = std::min<std::size_t>(max.value_or(bucket::kPageMax), bucket::kPageMax);
  const auto behind =
      static_cast<unsigned>(std::min<std::uint64_t>(after.value_or(0), bucket::kPartNumberMax));
  auto page = bucket::list_parts(store_.records(), id, behind, count);
  if (!page.ok()) return s3_error_of(page.error());
  std::string out = begin_xml("ListPartsResult");
  append_xml(out, "Bucket", call.bucket);
  append_xml(out, "Key", call.key);
  append_xml(out, "UploadId", to_hex(id));
  out += "<Initiator><ID>pawl</ID><DisplayName>pawl</DisplayName></Initiator>";
  out += "<Owner><ID>pawl</ID><DisplayName>pawl</DisplayName></Owner>";
  append_xml(out, "StorageClass", "STANDARD");
  append_xml(out, "PartNumberMarker", behind);
  if (!page->entries.empty()) append_xml(out, "NextPartNumberMarker", page->entries.back().number);
  append_xml(out, "MaxParts", count);
  append_xml(out, "IsTruncated", page->truncated ? "true" : "false");
  if (!upload.checksum.algorithm.empty()) {
    append_xml(out, "ChecksumAlgorithm", checksum_in_capitals(upload.checksum.algorithm));
    append_xml(out, "ChecksumType", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  for (const auto& [number, record] : page->entries) {
    out += "<Part>";
    append_xml(out, "PartNumber", number);
    append_xml(out, "LastModified", s3_timestamp(record.modified));
    append_xml(out, "ETag", "\"" + record.etag + "\"");
    append_xml(out, "Size", record.bytes);
    if (!record.checksum.value.empty())
      append_xml(out, "Checksum" + checksum_in_capitals(record.checksum.algorithm),
                 record.checksum.value);
    out += "</Part>";
  }
  exchange->answer_xml(out + "</ListPartsResult>");
  return Unit{};
}

}  // namespace pawl::wire
