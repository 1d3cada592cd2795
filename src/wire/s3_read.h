// What a read of an object depends on: conditions and a range; and the bytes, piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/bucket_store.h"
#include "wire/http_message.h"
#include "wire/s3_call.h"

namespace pawl::wire {

// Does it on a thread that may wait for a disk; after the server has stopped, never.
using RunElsewhere = std::function<void(std::function<void()>)>;

// The conditions of a GET, a HEAD, or (under other names) of a copy's source.
struct ReadConditions {
  std::string match, none_match, modified_since, unmodified_since;  // as sent; empty: none
};
ReadConditions read_conditions_of(const HttpRequest& request, std::string_view prefix);

enum class ReadVerdict : std::uint8_t { kRead, kNotModified, kFailed };
// As RFC 9110, section 13.2.2, orders them. A date that can't be read is passed over.
ReadVerdict verdict_of(const ReadConditions& conditions, std::string_view etag, Instant modified);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};
// Of "bytes=…" with one range; nothing: the whole (no header, another unit, or several ranges, as the service has it).
// Errors: InvalidRange.
S3Result<std::optional<ByteRange>> range_of(std::string_view header, std::uint64_t size);
// Of x-amz-copy-source-range, which is taken at its word or not at all: "bytes=first-last" within the source. Empty: the whole.
// Errors: InvalidArgument.
S3Result<ByteRange> copy_range_of(std::string_view header, std::uint64_t size);

// What a GET or a HEAD asks for; copied, so that it outlives the request's bytes.
struct ReadAsk {
  ReadConditions conditions;
  std::string range;
  bool checksum = false;  // x-amz-checksum-mode
};
ReadAsk read_ask_of(const HttpRequest& request);

// Answers but for the body: headers, conditions, range, length. What of the body is to follow; nothing: none of it (a HEAD, 304,
// an empty object). Errors: PreconditionFailed, InvalidRange, InvalidArgument for a header that can't be overridden so.
S3Result<std::optional<ByteRange>> begin_read(const ReadAsk& ask, const S3Call& call,
                                              const bucket::ObjectRecord& record,
                                              HttpResponse& response);

// The bytes of a body, piece by piece. Not thread-safe; keeps what it reads from being removed.
class S3BodySource : public BodySource, public std::enable_shared_from_this<S3BodySource> {
 public:
  explicit S3BodySource(RunElsewhere run_elsewhere) : run_elsewhere_(std::move(run_elsewhere)) {}
  void read(std::function<void(std::optional<std::string>)> done) override;
  // The next bytes; empty at the end. Waits for the disk.
  virtual Result<std::string> next() = 0;

 private:
  RunElsewhere run_elsewhere_;
};

// Of an object in a bucket.
class BucketBodySource final : public S3BodySource {
 public:
  // `guard` was taken before `pieces` were looked up; it is narrowed to their files.
  BucketBodySource(bucket::BucketStore& store, std::shared_ptr<bucket::ReadWatch::Guard> guard,
                   std::vector<bucket::BodyPiece> pieces, ByteRange range,
                   RunElsewhere run_elsewhere);
  Result<std::string> next() override;

 private:
  bucket::BucketStore& store_;
  std::shared_ptr<bucket::ReadWatch::Guard> guard_;
  std::vector<bucket::BodyPiece> pieces_;
  std::size_t piece_ = 0;  // the next bytes are in it,
  std::uint64_t offset_;   // there
  std::uint64_t left_;
  std::unique_ptr<BodyReader> reader_;  // of the piece, if it is a file
};

// Of one that is open: an archived one.
class OpenBodySource final : public S3BodySource {
 public:
  OpenBodySource(std::unique_ptr<BodyReader> body, ByteRange range, RunElsewhere run_elsewhere);
  Result<std::string> next() override;

 private:
  std::unique_ptr<BodyReader> body_;
  ByteRange left_;
};

}  // namespace pawl::wire
