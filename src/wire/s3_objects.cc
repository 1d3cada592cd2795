// Reading, deleting and copying objects.
#include "wire/s3_read.h"
#include "wire/s3_service.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using bucket::BodyKind;
using bucket::ObjectRecord;

// The copied bodies of an object, each under a number of its own. Waits for the disk.
class BodyCopy {
 public:
  explicit BodyCopy(bucket::BucketStore& store) : store_(store) {}
  // What was made and not kept goes.
  ~BodyCopy() { store_.committer().watch()->retire(std::move(files_)); }
  BodyCopy(const BodyCopy&) = delete;
  BodyCopy& operator=(const BodyCopy&) = delete;

  Status copy(std::vector<bucket::BodyPiece> pieces, bucket::PutObject& command) {
    bucket::BodyPlace& place = command.record.place;
    if (place.kind == BodyKind::kInline) return ok();
    std::vector<bucket::Segment> segments;
    for (bucket::BodyPiece& piece : pieces) {
      const BodyNumber number = store_.new_number();
      if (piece.segment.kind == BodyKind::kFile) {
        files_.push_back(number);  // also if it fails: the name may be there
        PAWL_TRY(store_.files().link(piece.segment.number, number));
      } else {
        command.stored_segments.emplace_back(number, std::move(piece.bytes));
      }
      segments.push_back({piece.segment.kind, number, piece.segment.bytes});
    }
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

// Of kBodyPieceBytesMax: 4 MiB. Then others have their turn of the thread.
constexpr int kPiecesATurn = 32;

HttpResponse copied(std::string_view root, const std::string& etag, Instant modified) {
  HttpResponse response;
  response.content_type = "application/xml";
  response.body = begin_xml(root);
  append_xml(response.body, "LastModified", s3_timestamp(modified));
  append_xml(response.body, "ETag", "\"" + etag + "\"");
  response.body.append("</").append(root).append(">");
  return response;
}

}  // namespace

struct S3Service::Copying {
  Copying(std::unique_ptr<S3BodySource> from, bucket::BucketStore& store, BodyClaims claims,
          bool inline_too, CopyDone when_done)
      : bytes(std::move(from)),
        body(store, std::move(claims)),
        may_inline(inline_too),
        done(std::move(when_done)) {}

  std::unique_ptr<S3BodySource> bytes;
  IncomingBody body;
  bool may_inline;
  CopyDone done;
};

S3Status S3Service::get_object(const ReadAsk& ask, const S3ExchangePtr& exchange) {
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
  WIRE_ASSIGN(const auto range, begin_read(ask, call, record, response));
  if (range) {
    auto body = store_.body(call.bucket, call.key, record);
    // Overwritten between the two look-ups: once more.
    if (!body.ok() && body.error().code == ErrorCode::kNotFound) return get_object(ask, exchange);
    if (!body.ok()) return s3_error_of(body.error());
    const bool here = body->size() == 1 && body->front().segment.kind != BodyKind::kFile;
    const auto source = std::make_shared<BucketBodySource>(
        store_, std::move(guard), std::move(*body), *range, run_elsewhere_);
    if (here) {  // at most kStoredBytesMax, and in memory
      auto bytes = source->next();
      if (!bytes.ok()) return s3_error_of(bytes.error());
      response.body = std::move(*bytes);
    } else {
      response.source = source;
    }
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

S3Result<S3Service::Source> S3Service::open_source(const std::string& bucket,
                                                   const std::string& key,
                                                   const ReadConditions& conditions) {
  Source source;
  if (archive_.is(bucket)) {
    WIRE_ASSIGN(auto archived, open_archived(key));
    source.record = std::move(archived.record);
    source.archived = std::move(archived.body);
  } else {
    source.guard = store_.guard();
    auto found = store_.object_with_body(bucket, key);
    if (!found.ok()) return s3_error_of(found.error());
    if (!found.value()) return no_such_key(key);
    source.record = std::move((*found)->record);
    source.pieces = std::move((*found)->pieces);
    source.guard->narrow(bucket::files_of(source.pieces));
  }
  const ObjectRecord& record = source.record;
  if (verdict_of(conditions, record.etag, record.modified) != ReadVerdict::kRead)
    return condition_failed();
  return source;
}

void S3Service::copy_bytes(Source source, ByteRange range, const std::string& checksum,
                           bool may_inline, CopyDone done) {
  if (range.bytes > kObjectBytesMax)
    return done(S3Error{400, "EntityTooLarge", "What is copied at once is at most 5 GiB.", {}});
  BodyClaims claims;
  claims.bytes = range.bytes;
  claims.checksum = checksum;
  std::unique_ptr<S3BodySource> bytes;
  if (source.archived) {
    bytes = std::make_unique<OpenBodySource>(std::move(source.archived), range, run_elsewhere_);
  } else {
    bytes = std::make_unique<BucketBodySource>(store_, std::move(source.guard),
                                               std::move(source.pieces), range, run_elsewhere_);
  }
  copy_on(std::make_shared<Copying>(std::move(bytes), store_, std::move(claims), may_inline,
                                    std::move(done)));
}

void S3Service::copy_on(const std::shared_ptr<Copying>& copying) {
  for (int turn = 0; turn < kPiecesATurn; ++turn) {
    auto piece = copying->bytes->next();
    if (!piece.ok()) return copying->done(s3_error_of(piece.error()));
    if (piece->empty()) return copying->done(copying->body.finish(copying->may_inline));
    const S3Status taken = copying->body.take(*piece);
    if (!taken.ok()) return copying->done(taken.error());
  }
  run_elsewhere_([this, copying] { copy_on(copying); });  // behind who waits by now
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
    auto opened = open_source(source.first, source.second, conditions);
    if (!opened.ok()) return exchange->refuse(opened.error());
    command.record = opened->record;
    if (replace) command.record.headers = std::move(headers);
    if (opened->archived) {
      const ByteRange all{0, command.record.bytes};
      return copy_bytes(std::move(*opened), all, {}, true,
                        [this, exchange, command = std::move(command)](
                            S3Result<IncomingBody::Whole> whole) mutable {
                          if (!whole.ok()) return exchange->refuse(whole.error());
                          command.record.etag = std::move(whole->etag);
                          command.record.place = std::move(whole->place);
                          submit_copy(std::move(command), exchange);
                        });
    }
    BodyCopy bodies(store_);
    const auto linked = bodies.copy(std::move(opened->pieces), command);
    if (!linked.ok()) return exchange->refuse(s3_error_of(linked.error()));
    bodies.keep();  // the command's from now on
    submit_copy(std::move(command), exchange);
  });
  return Unit{};
}

void S3Service::submit_copy(bucket::PutObject command, const S3ExchangePtr& exchange) {
  std::string etag = command.record.etag;
  submit(std::move(command), exchange, [etag = std::move(etag)](const bucket::Outcome& outcome) {
    return copied("CopyObjectResult", etag, outcome.modified);
  });
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
    auto opened = open_source(source.first, source.second, conditions);
    if (!opened.ok()) return exchange->refuse(opened.error());
    const auto range = copy_range_of(range_text, opened->record.bytes);
    if (!range.ok()) return exchange->refuse(range.error());
    copy_bytes(std::move(*opened), *range, checksum, false,
               [this, exchange, id, number](S3Result<IncomingBody::Whole> whole) {
                 if (!whole.ok()) return exchange->refuse(whole.error());
                 bucket::PutPart command{exchange->call.bucket, exchange->call.key, id, number, {}};
                 command.record.bytes = whole->bytes;
                 command.record.etag = whole->etag;
                 command.record.checksum = whole->checksum;
                 command.record.place = std::move(whole->place);
                 submit(std::move(command), exchange,
                        [etag = whole->etag](const bucket::Outcome& outcome) {
                          return copied("CopyPartResult", etag, outcome.modified);
                        });
               });
  });
  return Unit{};
}

}  // namespace pawl::wire
