// Reading, deleting and copying objects.
#include <algorithm>
#include <array>

#include "wire/s3_read.h"
#include "wire/s3_service.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using bucket::BodyKind;
using bucket::ObjectRecord;

S3Error no_such_key(std::string_view key) {
  bucket::Outcome absent;
  absent.refusal = bucket::Refusal::kNoSuchKey;
  return s3_error_of(absent, {}, key);
}
S3Error condition_failed() {
  bucket::Outcome failed;
  failed.refusal = bucket::Refusal::kConditionFailed;
  return s3_error_of(failed, {}, {});
}

// response-content-type=… and its kin, of a signed request.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOverrides{{
    {"response-cache-control", "cache-control"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-encoding", "content-encoding"},
    {"response-content-language", "content-language"},
    {"response-content-type", "content-type"},
    {"response-expires", "expires"},
}};

S3Result<bucket::StoredHeaders> headers_of(const ObjectRecord& record, const S3Call& call) {
  bucket::StoredHeaders headers = record.headers;
  const bool typed = std::any_of(headers.begin(), headers.end(),
                                 [](const auto& header) { return header.first == "content-type"; });
  if (!typed) headers.emplace_back("content-type", "binary/octet-stream");
  for (const auto& [parameter, name] : kOverrides) {
    if (!call.has(parameter)) continue;
    const std::string value(call.value(parameter));
    if (std::any_of(value.begin(), value.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      return invalid_argument(std::string(parameter) + " has a control byte.");
    }
    std::erase_if(headers, [n = name](const auto& header) { return header.first == n; });
    headers.emplace_back(name, value);
  }
  return headers;
}

void append_about(HttpResponse& response, const ObjectRecord& record) {
  response.headers.emplace_back("ETag", "\"" + record.etag + "\"");
  response.headers.emplace_back("Last-Modified", http_date(record.modified));
  response.headers.emplace_back("Accept-Ranges", "bytes");
}

void append_checksum(HttpResponse& response, const ObjectRecord& record) {
  if (record.checksum.value.empty()) return;
  response.headers.emplace_back("x-amz-checksum-" + record.checksum.algorithm,
                                record.checksum.value);
  response.headers.emplace_back("x-amz-checksum-type",
                                record.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

// The copied bodies of an object, each under a number of its own. Waits for the disk.
class BodyCopy {
 public:
  explicit BodyCopy(bucket::BucketStore& store) : store_(store) {}
  // What was made and not kept goes.
  ~BodyCopy() { store_.committer().watch()->retire(std::move(files_)); }
  BodyCopy(const BodyCopy&) = delete;
  BodyCopy& operator=(const BodyCopy&) = delete;

  Status copy(const ObjectRecord& source, bucket::PutObject& command) {
    if (source.place.kind == BodyKind::kInline) return ok();
    PAWL_ASSIGN_OR_RETURN(auto segments, store_.segments(source));
    for (bucket::Segment& segment : segments) {
      const BodyNumber number = store_.new_number();
      if (segment.kind == BodyKind::kFile) {
        PAWL_TRY(store_.files().link(segment.number, number));
        files_.push_back(number);
      } else {
        PAWL_ASSIGN_OR_RETURN(std::string bytes, store_.stored(segment.number));
        command.stored_segments.emplace_back(number, std::move(bytes));
      }
      segment.number = number;
    }
    bucket::BodyPlace& place = command.record.place;
    if (place.kind == BodyKind::kSegments) {
      place.number = store_.new_number();
      place.bytes = bucket::encode(segments);
      return ok();
    }
    place.number = segments.front().number;
    if (place.kind == BodyKind::kStored) {
      place.bytes = std::move(command.stored_segments.front().second);
      command.stored_segments.clear();
    }
    return ok();
  }
  void keep() { files_.clear(); }

 private:
  bucket::BucketStore& store_;
  std::vector<BodyNumber> files_;
};

}  // namespace

S3Status S3Service::get_object(const HttpRequest& request, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  if (call.has("partNumber")) return not_implemented("Reading one part (partNumber)");
  auto guard = store_.guard();  // before the look-up
  auto found = store_.object(call.bucket, call.key);
  if (!found.ok()) return s3_error_of(found.error());
  if (!found.value()) {
    WIRE_TRY(check_bucket(call.bucket));
    return no_such_key(call.key);
  }
  const ObjectRecord& record = *found.value();
  HttpResponse response;
  append_about(response, record);
  switch (verdict_of(read_conditions_of(request, ""), record.etag, record.modified)) {
    case ReadVerdict::kFailed:
      return condition_failed();
    case ReadVerdict::kNotModified:
      response.status = 304;
      exchange->answer(std::move(response));
      return Unit{};
    case ReadVerdict::kRead:
      break;
  }
  WIRE_ASSIGN(auto headers, headers_of(record, call));
  for (auto& header : headers) response.headers.push_back(std::move(header));
  // An object is somebody's bytes, not a page of this server: its scripts may not ask in the server's name.
  response.headers.emplace_back("Content-Security-Policy", "sandbox");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (record.parts > 0)
    response.headers.emplace_back("x-amz-mp-parts-count", std::to_string(record.parts));
  auto ranged = range_of(request.header("range"), record.bytes);
  if (!ranged.ok()) return ranged.error();
  const ByteRange range = ranged.value().value_or(ByteRange{0, record.bytes});
  if (ranged.value()) {
    response.status = 206;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(range.first) + "-" +
                                      std::to_string(range.first + range.bytes - 1) + "/" +
                                      std::to_string(record.bytes));
  } else if (equal_ignoring_case(request.header("x-amz-checksum-mode"), "enabled")) {
    append_checksum(response, record);
  }
  response.length = range.bytes;
  if (call.is_head()) {
    exchange->answer(std::move(response));
    return Unit{};
  }
  if (record.place.kind == BodyKind::kInline) {
    response.body = record.place.bytes.substr(range.first, range.bytes);
  } else if (record.place.kind == BodyKind::kStored) {
    auto stored = store_.stored(record.place.number);
    if (!stored.ok()) {
      // Overwritten between the two look-ups: ask again.
      if (stored.error().code == ErrorCode::kNotFound) return get_object(request, exchange);
      return s3_error_of(stored.error());
    }
    response.body = stored.value().substr(range.first, range.bytes);
  } else if (range.bytes > 0) {
    auto segments = store_.segments(record);
    if (!segments.ok()) {
      if (segments.error().code == ErrorCode::kNotFound) return get_object(request, exchange);
      return s3_error_of(segments.error());
    }
    response.source = std::make_shared<S3BodySource>(
        store_, std::move(guard), std::move(segments).value(), range, run_elsewhere_);
  }
  exchange->answer(std::move(response));
  return Unit{};
}

S3Status S3Service::delete_object(const HttpRequest& request, const S3ExchangePtr& exchange) {
  bucket::DeleteObjects command{exchange->call.bucket, {{exchange->call.key, std::nullopt}}};
  if (request.has_header("if-match"))
    command.objects[0].has_etag = std::string(bare_etag(request.header("if-match")));
  const auto done = [exchange](bucket::Outcome outcome) {
    if (outcome.refusal == bucket::Refusal::kNone) outcome.refusal = outcome.each[0];
    if (outcome.refusal != bucket::Refusal::kNone)
      return exchange->refuse(s3_error_of(outcome, exchange->call.bucket, exchange->call.key));
    HttpResponse response;
    response.status = 204;
    exchange->answer(std::move(response));
  };
  store_.committer().submit({std::move(command), done});
  return Unit{};
}

S3Status S3Service::copy(const HttpRequest& request, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_ASSIGN(const auto source, parse_copy_source(request.header("x-amz-copy-source")));
  const std::string_view directive = request.header("x-amz-metadata-directive");
  const bool replace = equal_ignoring_case(directive, "replace");
  if (!directive.empty() && !replace && !equal_ignoring_case(directive, "copy"))
    return invalid_argument("Unknown metadata directive.");
  bucket::PutObject command;
  command.bucket = call.bucket;
  command.key = call.key;
  WIRE_ASSIGN(command.conditions, write_conditions_of(request));
  WIRE_ASSIGN(auto headers, stored_headers_of(request));
  if (!replace && source.first == call.bucket && source.second == call.key) {
    return S3Error{400,
                   "InvalidRequest",
                   "This copy request is illegal because it is trying to copy an object to itself "
                   "without changing the object's metadata.",
                   {}};
  }
  WIRE_TRY(check_bucket(source.first));
  WIRE_TRY(check_bucket(call.bucket));
  run_elsewhere_([this, exchange, source, replace, headers = std::move(headers),
                  command = std::move(command),
                  conditions = read_conditions_of(request, "x-amz-copy-source-")]() mutable {
    const auto guard = store_.guard();
    auto found = store_.object(source.first, source.second);
    if (!found.ok()) return exchange->refuse(s3_error_of(found.error()));
    if (!found.value()) return exchange->refuse(no_such_key(source.second));
    const ObjectRecord& record = *found.value();
    if (verdict_of(conditions, record.etag, record.modified) != ReadVerdict::kRead)
      return exchange->refuse(condition_failed());
    command.record = record;
    if (replace) command.record.headers = std::move(headers);
    BodyCopy bodies(store_);
    const auto copied = bodies.copy(record, command);
    if (!copied.ok()) return exchange->refuse(s3_error_of(copied.error()));
    bodies.keep();  // the command's from now on
    submit(std::move(command), exchange, [etag = record.etag](const bucket::Outcome& outcome) {
      HttpResponse response;
      response.content_type = "application/xml";
      response.body = begin_xml("CopyObjectResult");
      append_xml(response.body, "LastModified", s3_timestamp(outcome.modified));
      append_xml(response.body, "ETag", "\"" + etag + "\"");
      response.body += "</CopyObjectResult>";
      return response;
    });
  });
  return Unit{};
}

S3Status S3Service::copy_part(const HttpRequest& request, const S3ExchangePtr& exchange) {
  const S3Call& call = exchange->call;
  WIRE_ASSIGN(const auto source, parse_copy_source(request.header("x-amz-copy-source")));
  WIRE_ASSIGN(const auto part, number_in_query(call, "partNumber", bucket::kPartNumberMax));
  if (part.value_or(0) == 0)
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive");
  const std::string id = upload_id_of(call.value("uploadId"));
  WIRE_ASSIGN(const bucket::UploadRecord upload, find_upload(call, id));
  WIRE_TRY(check_bucket(source.first));
  run_elsewhere_([this, exchange, source, id, number = static_cast<unsigned>(*part),
                  checksum = upload.checksum.algorithm,
                  range_text = std::string(request.header("x-amz-copy-source-range")),
                  conditions = read_conditions_of(request, "x-amz-copy-source-")] {
    const auto guard = store_.guard();
    auto found = store_.object(source.first, source.second);
    if (!found.ok()) return exchange->refuse(s3_error_of(found.error()));
    if (!found.value()) return exchange->refuse(no_such_key(source.second));
    const ObjectRecord& record = *found.value();
    if (verdict_of(conditions, record.etag, record.modified) != ReadVerdict::kRead)
      return exchange->refuse(condition_failed());
    auto range = range_of(range_text, record.bytes);
    if (!range.ok()) return exchange->refuse(range.error());
    const ByteRange wanted = range.value().value_or(ByteRange{0, record.bytes});
    BodyClaims claims;
    claims.bytes = wanted.bytes;
    claims.checksum = checksum;
    IncomingBody body(store_, claims);
    S3Status status = Unit{};
    if (wanted.bytes > kObjectBytesMax) {
      return exchange->refuse({400, "EntityTooLarge", "A part is at most 5 GiB.", {}});
    }
    if (record.place.kind == BodyKind::kInline) {
      status = body.take(std::string_view(record.place.bytes).substr(wanted.first, wanted.bytes));
    } else {
      auto segments = store_.segments(record);
      if (!segments.ok()) return exchange->refuse(s3_error_of(segments.error()));
      S3BodySource bytes(store_, guard, std::move(segments).value(), wanted, run_elsewhere_);
      while (status.ok()) {
        auto piece = bytes.next();
        if (!piece.ok()) return exchange->refuse(s3_error_of(piece.error()));
        if (piece.value().empty()) break;
        status = body.take(piece.value());
      }
    }
    if (!status.ok()) return exchange->refuse(status.error());
    auto whole = body.finish(false);
    if (!whole.ok()) return exchange->refuse(whole.error());
    bucket::PutPart command{exchange->call.bucket, exchange->call.key, id, number, {}};
    command.record.bytes = whole->bytes;
    command.record.etag = whole->etag;
    command.record.checksum = whole->checksum;
    command.record.place = std::move(whole->place);
    submit(std::move(command), exchange, [etag = whole->etag](const bucket::Outcome& outcome) {
      HttpResponse response;
      response.content_type = "application/xml";
      response.body = begin_xml("CopyPartResult");
      append_xml(response.body, "LastModified", s3_timestamp(outcome.modified));
      append_xml(response.body, "ETag", "\"" + etag + "\"");
      response.body += "</CopyPartResult>";
      return response;
    });
  });
  return Unit{};
}

}  // namespace pawl::wire
